"""Runs a command and notes what it took.

exert.py FILE COMMAND... appends a line of JSON to FILE: CPU seconds, the most
resident memory in KiB, and the exit code, which is also its own."""
import json
import os
import sys

pid = os.spawnvp(os.P_NOWAIT, sys.argv[2], sys.argv[2:])
_, status, used = os.wait4(pid, 0)
code = os.waitstatus_to_exitcode(status)
with open(sys.argv[1], "a") as f:
    print(json.dumps({"cpu": used.ru_utime + used.ru_stime, "rss": used.ru_maxrss, "code": code}), file=f)
sys.exit(code)
