"""Requests of which each has a name of its own, and the account of them.

load.py PORT FOLDER SECONDS asks for /work/ID with a few users and with many in
turn, until SECONDS have passed, and then compares what was answered with what
the replicas say they executed (see app.py). Exit code 1 where that does not
agree."""
import collections
import glob
import http.client
import sys
import threading
import time

port, folder, seconds = int(sys.argv[1]), sys.argv[2], float(sys.argv[3])
USERS, FEW, TURN = 12, 3, 8  # users, how many of them in the quiet turns, seconds of a turn
LIMIT = 30  # seconds for an answer; the scaler's own limit is far below
began = time.monotonic()
sent = [0] * USERS
outcomes = {}  # by ID: a status, or the name of an error
errors = []  # times at which a connection broke
wrong = []


def user(number):
    connection = None
    while (passed := time.monotonic() - began) < seconds:
        if number >= FEW and int(passed / TURN) % 2 == 0:
            time.sleep(0.1)
            continue
        sent[number] += 1
        name = f"{number}-{sent[number]}"
        try:
            if connection is None:
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT)
            connection.request("GET", f"/work/{name}")
            answer = connection.getresponse()
            body = answer.read().decode()
            outcomes[name] = answer.status
            if answer.status in (200, 500) and body != name:
                wrong.append(f"{name}: answered with {body!r}")
            if answer.will_close:
                connection.close()
        except TimeoutError:
            wrong.append(f"{name}: no answer within {LIMIT} s")
            outcomes[name] = "no answer"
            connection = None
        except (http.client.HTTPException, OSError) as error:
            outcomes[name] = type(error).__name__
            errors.append(time.time())
            connection = None
        time.sleep(0.01)


users = [threading.Thread(target=user, args=(i,)) for i in range(USERS)]
for u in users:
    u.start()
for u in users:
    u.join()

executed = collections.Counter()
for path in glob.glob(f"{folder}/executed-*"):
    executed.update(open(path).read().split())
wrong += [f"{name}: executed {n} times" for name, n in executed.items() if n > 1]
wrong += [f"{name}: executed, never sent" for name in executed if name not in outcomes]
wrong += [f"{name}: answered {s}, not executed" for name, s in outcomes.items() if s in (200, 500) and not executed[name]]
try:
    kills = [float(line) for line in open(f"{folder}/kills")]
except FileNotFoundError:
    kills = []
wrong += [f"a connection broke at {t:.1f} without a kill before" for t in errors if not any(0 <= t - k < 3 for k in kills)]

if len(errors) > len(kills):
    wrong.append(f"{len(errors)} connections broke at {len(kills)} kills")
if sum(sent) != len(outcomes):
    wrong.append(f"{sum(sent)} sent, {len(outcomes)} accounted for")

tally = collections.Counter(outcomes.values())
if not tally[200] > len(outcomes) / 2:
    wrong.append("most requests failed")
print(f"{sum(sent)} requests: " + ", ".join(f"{n} x {s}" for s, n in sorted(tally.items(), key=str))
      + f"; {sum(executed.values())} executions of {len(executed)} requests; {len(kills)} kills")
print("\n".join(wrong[:20]), end="\n" if wrong else "")
sys.exit(bool(wrong))
