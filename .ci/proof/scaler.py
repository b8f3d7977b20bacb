"""The figures of scaler.sh as tables, medians over the rounds, and what follows
from them.

scaler.py MEASURED TEN CROWD BENCHMARK reads what scaler.sh wrote. Exit code 1
where a target was missed; 3 where something other than the scaler was the
limit, so that nothing follows."""
import json
import re
import statistics
import sys

from targets import end, judge, undecided

BALANCERS = ["headroom", "nginx", "haproxy"]


def median(rows, subject, figure):
    return statistics.median(figure(r) for r in rows if r["subject"] == subject)


def latency(rows):
    rounds = sum(r["subject"] == "direct" for r in rows)
    print(f"\n1,000 requests/s over four replicas, everything where the system puts it, rounds: {rounds}; ms from the send to the last byte")
    sound = [r for r in rows if r["verdict"] == "sound"]
    for r in rows:
        if r not in sound:
            print(f"  left out: a round of {r['subject']} in which the generator was {r['verdict']}: {r['reason']}")
    targets = {"p50": ("at most 0.25 ms more at the median", 0.25), "p99": ("at most 2 ms more at the p99", 2)}
    if min(sum(r["subject"] == s for r in sound) for s in ["direct", *BALANCERS]) <= rounds / 2:
        for target, _ in targets.values():
            undecided(target, "the generator was the limit in half of the rounds or more")
        return
    print(f"{'':10} {'median':>8} {'added':>8} {'p99':>8} {'added':>8}")
    at = {s: {p: median(sound, s, lambda r: r[p]) for p in targets} for s in ["direct", *BALANCERS]}
    added = {s: {p: at[s][p] - at["direct"][p] for p in targets} for s in BALANCERS}
    print(f"{'direct':10} {at['direct']['p50']:8.3f} {'':8} {at['direct']['p99']:8.3f}")
    for s in BALANCERS:
        print(f"{s:10} {at[s]['p50']:8.3f} {added[s]['p50']:8.3f} {at[s]['p99']:8.3f} {added[s]['p99']:8.3f}")
    print("direct is one of the replicas alone, kept warmer than four are, which is to no balancer's advantage")
    for p, (target, most) in targets.items():
        judge(target, added["headroom"][p] <= most)


def throughput(rows):
    print("\n32 users without a pause, the balancer on one core")
    print(f"{'':10} {'req/s':>8} {'core used':>10} {'CPU us/req':>11} {'ratio':>6}   whole core, req/s")
    rps = {s: median(rows, s, lambda r: r["rps"]) for s in ["direct", *BALANCERS]}
    used = {s: median(rows, s, lambda r: r["cpu"] / r["over"]) for s in BALANCERS}
    cost = {s: median(rows, s, lambda r: r["cpu"] / r["count"] * 1e6) for s in BALANCERS}
    for s in BALANCERS:
        print(f"{s:10} {rps[s]:8.0f} {used[s]:10.0%} {cost[s]:11.1f} {cost[s] / cost['headroom']:6.2f} {1e6 / cost[s]:19.0f}")
    print(f"{'direct':10} {rps['direct']:8.0f}   what generator and one replica do on the other cores")
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


measured, ten, crowded, benchmark = sys.argv[1:]
rows = [json.loads(line) for line in open(measured)]
latency([r for r in rows if r["load"] == "open"])
throughput([r for r in rows if r["load"] == "closed"])
judge("no request failed", not any(r["failed"] for r in rows))
ten_at_once([float(line) for line in open(ten)])
crowd(json.load(open(crowded)))
decision(open(benchmark).read())
end()
