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


def judge_rounds(target, values, show, met, failed):
    """Judges the median of values of rounds: met and failed say of the ends of
    its interval whether all of it is where it should be, or none of it."""
    found = interval(values)
    if not found:
        undecided(target, f"{len(values)} rounds say too little")
        return
    median, low, high = found
    said = f"{target}: {show(median)}, with 90 % between {show(low)} and {show(high)}"
    if met(low, high) or failed(low, high):
        judge(said, met(low, high))
    else:
        undecided(said, "the rounds differ too much")


def judge_most(target, values, most, show):
    """Judges that the median is no more than a limit."""
    judge_rounds(target, values, show, lambda low, high: high <= most, lambda low, high: low > most)


def judge_within(target, values, most, show):
    """Judges that the median is no further from 0 than a limit, in either direction."""
    judge_rounds(target, values, show, lambda low, high: -most <= low and high <= most, lambda low, high: low > most or high < -most)


def undecided(target, why):
    print(f"  open    {target}: {why}")
    unclear.append(target)


def end():
    """Exit code 3 where a target is open, 1 where one was missed."""
    sys.exit(3 if unclear else 1 if missed else 0)
