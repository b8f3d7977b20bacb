"""Fills the queue of a scaler and empties it again.

crowd.py PORT COUNT PID NAME opens COUNT connections with a request each, and
one more that the only replica works on, waits until the scaler called NAME
(process PID) lists all of them, looks at its memory, closes them all at once
and waits until the queue is empty. Prints what it saw as JSON."""
import asyncio
import json
import subprocess
import sys
import time

port, count, pid, name = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
LIMIT = 120  # seconds for each wait


def resident():
    for line in open(f"/proc/{pid}/status"):
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024  # MiB
    sys.exit(f"process {pid} has no VmRSS")


def queued():
    out = subprocess.run(["headroom", "queue", "--name", name, "-o", "json"], check=True, capture_output=True)
    return len(json.loads(out.stdout))


async def until_queued(want):
    began = time.monotonic()
    while (n := await asyncio.to_thread(queued)) != want:
        if time.monotonic() - began > LIMIT:
            sys.exit(f"{n} requests in the queue after {LIMIT} s, want {want}")
        await asyncio.sleep(0.05)
    return time.monotonic() - began


async def ask():
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /request?x=1 HTTP/1.1\r\nHost: crowd\r\nUser-Agent: crowd\r\nAccept: */*\r\n\r\n")
    return writer


async def main():
    before = resident()
    writers = []
    while len(writers) <= count:
        writers += await asyncio.gather(*(ask() for _ in range(min(100, count + 1 - len(writers)))))
    await until_queued(count)
    full = resident()
    for writer in writers:
        writer.close()
    emptied = await until_queued(0)
    print(json.dumps({"count": count, "before": before, "full": full, "emptied": emptied}))


asyncio.run(main())
