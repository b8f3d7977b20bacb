"""Prints how much of the machine is in use over a second, 0..1: all processors,
what its host takes from it included. Called while nothing of ours runs, it is
what others use."""
import time


def read():
    times = [int(t) for t in open("/proc/stat").readline().split()[1:9]]
    return sum(times), times[3] + times[4]  # idle, and waiting for a disk


total, idle = read()
time.sleep(1)
total, idle = (after - before for before, after in zip((total, idle), read()))
print(f"{1 - idle / total:.3f}")
