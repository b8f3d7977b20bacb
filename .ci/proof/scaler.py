"""The figures of scaler.sh as tables, medians over the rounds, and what follows
from them.

Reads what scaler.sh wrote into the present folder. Exit code 1 where a target
was missed; 3 where something other than the scaler was the limit, so that
nothing follows."""
import json
import os
import re
import statistics

from targets import end, judge, judge_most, undecided

BALANCERS = ["headroom", "nginx", "haproxy"]


def median(rows, subject, figure):
    return statistics.median(figure(r) for r in rows if r["subject"] == subject)


def latency(rows):
    print("\n1,000 requests/s over four replicas, everything where the system puts it; ms from the send to the last byte")
    rounds = {}
    for r in rows:
        rounds.setdefault(r["round"], {})[r["subject"]] = r
    sound = [r for r in rounds.values() if all(s["verdict"] == "sound" for s in r.values())]
    print(f"{len(rounds)} rounds, {len(sound)} of them with a sound generator throughout, which count; what is added is the median of the differences within a round")
    if not sound:
        undecided("what it adds at 1,000/s", "the generator was strained in every round")
        return
    print(f"{'':10} {'median':>8} {'added':>8} {'p99':>8} {'added':>8}")
    added = {s: {p: [r[s][p] - r["direct"][p] for r in sound] for p in ("p50", "p99")} for s in BALANCERS}
    for s in ["direct", *BALANCERS]:
        figures = []
        for p in ("p50", "p99"):
            figures.append(f"{statistics.median(r[s][p] for r in sound):8.3f} " + (f"{statistics.median(added[s][p]):8.3f}" if s in added else " " * 8))
        print(f"{s:10} {' '.join(figures)}")
    spread = [share for r in sound for share in r["direct"]["shares"]]
    print(f"direct: the same four replicas without a balancer, each on an address of one name; the least got {min(spread):.0%}, the busiest {max(spread):.0%}")
    judge_most("at most 0.25 ms more at the median", added["headroom"]["p50"], 0.25, "{:.3f}".format)
    judge_most("at most 2 ms more at the p99", added["headroom"]["p99"], 2, "{:.2f}".format)


def throughput(rows):
    print("\n32 users without a pause, the balancer on one core")
    print(f"{'':10} {'req/s':>8} {'core used':>10} {'CPU us/req':>11} {'ratio':>6}   whole core, req/s")
    rps = {s: median(rows, s, lambda r: r["rps"]) for s in ["direct", *BALANCERS]}
    used = {s: median(rows, s, lambda r: r["cpu"] / r["over"]) for s in BALANCERS}
    cost = {s: median(rows, s, lambda r: r["cpu"] / r["count"] * 1e6) for s in BALANCERS}
    for s in BALANCERS:
        print(f"{s:10} {rps[s]:8.0f} {used[s]:10.0%} {cost[s]:11.1f} {cost[s] / cost['headroom']:6.2f} {1e6 / cost[s]:19.0f}")
    print(f"{'direct':10} {rps['direct']:8.0f}   what generator and four replicas do on the other cores")
    target = "at least 8,000 requests/s on one core"
    # A balancer that did not use up its core was held up by something else.
    if rps["headroom"] < 8000 and used["headroom"] < 0.9:
        undecided(target, f"{rps['headroom']:.0f} with {used['headroom']:.0%} of the core")
    else:
        judge(target, rps["headroom"] >= 8000)


def ten_at_once(took):
    print(f"\nten requests at once on four workers of 250 ms, {len(took)} times: median {statistics.median(took):.3f} s, "
          f"{min(took):.3f} to {max(took):.3f} (gibbs: 0.855)")
    judge("at most 0.78 s", statistics.median(took) <= 0.78)


def crowd(seen):
    each = (seen["full"] - seen["before"]) * 1024 / seen["count"]
    print(f"\n{seen['count']:,} requests in the queue: {seen['full']:.0f} MiB resident, {seen['before']:.0f} before, {each:.1f} KiB for each; "
          f"empty {seen['emptied']:.1f} s after their clients left")
    judge("under 300 MB", seen["full"] * 1.048576 < 300)


def decision(text):
    took = float(re.search(r"([0-9.]+) ns/op", text)[1]) / 1000
    print(f"\na decision with 200 replicas: {took:.1f} us")
    judge("under 100 us", took < 100)


rows = [json.loads(line) for line in open("measured.jsonl")]
if any(r["load"] == "open" for r in rows):
    latency([r for r in rows if r["load"] == "open"])
if any(r["load"] == "closed" for r in rows):
    throughput([r for r in rows if r["load"] == "closed"])
judge("no request failed", not any(r["failed"] for r in rows))
if os.path.exists("ten.txt"):
    ten_at_once([float(line) for line in open("ten.txt")])
    crowd(json.load(open("crowd.json")))
    decision(open("decide.txt").read())
end()
