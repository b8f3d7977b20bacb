"""What follows for the targets of a proof: each is met, missed, or open where
something else was the limit."""
import math
import statistics
import sys

missed, unclear = [], []


def judge(target, holds):
    print(f"  {'met   ' if holds else 'MISSED'}  {target}")
    if not holds:
        missed.append(target)


def interval(values):
    """The median of independent values, and the order statistics between which
    it lies with 90 % or more, whatever their distribution (the sign test); None
    where there are too few to say."""
    values, n = sorted(values), len(values)
    below, out = 0.0, None
    for i in range(n // 2):
        below += math.comb(n, i) / 2**n
        if below > 0.05:
            break
        out = values[i], values[n - 1 - i]
    return (statistics.median(values), *out) if out else None


def judge_most(target, values, most, show):
    """Judges that the median is no more than a limit, from values of rounds."""
    found = interval(values)
    if not found:
        undecided(target, f"{len(values)} rounds say too little")
        return
    median, low, high = found
    said = f"{target}: {show(median)}, with 90 % between {show(low)} and {show(high)}"
    if low <= most < high:
        undecided(said, "the rounds differ too much")
    else:
        judge(said, high <= most)


def judge_within(target, values, most, show):
    """Judges that the median is no further from 0 than a limit, in either
    direction, from values of rounds."""
    found = interval(values)
    if not found:
        undecided(target, f"{len(values)} rounds say too little")
        return
    median, low, high = found
    said = f"{target}: {show(median)}, with 90 % between {show(low)} and {show(high)}"
    inside, outside = -most <= low and high <= most, low > most or high < -most
    if inside or outside:
        judge(said, inside)
    else:
        undecided(said, "the rounds differ too much")


def undecided(target, why):
    print(f"  open    {target}: {why}")
    unclear.append(target)


def end():
    """Exit code 3 where a target is open, 1 where one was missed."""
    sys.exit(3 if unclear else 1 if missed else 0)
