"""What follows for the targets of a proof: each is met, missed, or open where
something else was the limit."""
import sys

missed, unclear = [], []


def judge(target, holds):
    print(f"  {'met   ' if holds else 'MISSED'}  {target}")
    if not holds:
        missed.append(target)


def undecided(target, why):
    print(f"  open    {target}: {why}")
    unclear.append(target)


def end():
    """Exit code 3 where a target is open, 1 where one was missed."""
    sys.exit(3 if unclear else 1 if missed else 0)
