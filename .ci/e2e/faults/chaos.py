"""Does something bad to the scaler called NAME every second or so.

chaos.py NAME FOLDER SECONDS SEED kills replicas, freezes them, has them hang
or fail (see app.py), and changes the policy. Prints what it does; the time of
each kill goes to FOLDER/kills."""
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import time

name, folder, seconds, seed = sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4])
draw = random.Random(seed)
began = time.monotonic()
later = []  # what has to be undone: (time, function)


def headroom(*args):
    return subprocess.run(["headroom", *args, "--name", name], check=True, capture_output=True, text=True).stdout


def send(pid, what):
    try:
        os.kill(pid, what)
    except ProcessLookupError:
        pass  # it has ended meanwhile


def kill(worker):
    with open(f"{folder}/kills", "a") as f:
        print(time.time(), file=f)
    send(worker["pid"], signal.SIGKILL)


def freeze(worker):
    send(worker["pid"], signal.SIGSTOP)


def nap(worker):
    send(worker["pid"], signal.SIGSTOP)
    later.append((time.monotonic() + 1, lambda: send(worker["pid"], signal.SIGCONT)))


def mood(how):
    def set_mood(worker):
        path = f"{folder}/mood-{worker['id']}"
        with open(path + ".new", "w") as f:
            f.write(how)
        os.rename(path + ".new", path)
        later.append((time.monotonic() + 3, lambda: pathlib.Path(path).unlink(missing_ok=True)))

    set_mood.__name__ = how
    return set_mood


def policy(_):
    low = draw.randint(1, 3)
    headroom("apply", "--yes", "--set", f"replicas.min={low}", "--set", f"replicas.max={draw.randint(low + 2, 7)}",
             "--set", f"metrics[0].target={draw.randint(1, 3)}")


faults = [kill, kill, freeze, nap, mood("silent"), mood("failing"), policy]
while time.monotonic() < began + seconds:
    time.sleep(draw.uniform(0.5, 1.5))
    for due, undo in [x for x in later if x[0] <= time.monotonic()]:
        undo()
    later = [x for x in later if x[0] > time.monotonic()]
    running = [w for w in json.loads(headroom("workers", "-o", "json")) if w["status"] == "RUNNING"]
    fault = draw.choice(faults)
    if running:
        worker = draw.choice(running)
        fault(worker)
        print(f"{time.monotonic() - began:5.1f} s  {fault.__name__:8} {'' if fault is policy else worker['id']}", flush=True)
for _, undo in later:
    undo()
