"""The figures of scaler.sh as tables, and what follows from them: medians over
the rounds. Exit code 1 where a target was missed, 3 where the generator or the
replicas were the limit, so that nothing follows."""
import json
import statistics
import sys

rows = [json.loads(line) for line in open(sys.argv[1])]
ten = sorted(float(line) for line in open(sys.argv[2]))
crowd = json.load(open(sys.argv[3]))
SUBJECTS = ["direct", "headroom", "nginx", "haproxy"]
missed, unclear = [], []


def of(load, subject, key):
    return statistics.median(r[key] for r in rows if r["load"] == load and r["subject"] == subject)


def per_request(subject):
    """CPU time of the balancer in microseconds."""
    chosen = [r for r in rows if r["load"] == "closed" and r["subject"] == subject]
    return statistics.median(r["cpu"] / r["count"] * 1e6 for r in chosen)


def busy(subject):
    """The share of its core that the balancer used."""
    chosen = [r for r in rows if r["load"] == "closed" and r["subject"] == subject]
    return statistics.median(r["cpu"] / r["over"] for r in chosen)


def judge(text, holds):
    print(f"  {'met   ' if holds else 'MISSED'}  {text}")
    if not holds:
        missed.append(text)


failed = sum(r["failed"] for r in rows)
if failed:
    missed.append(f"{failed} requests failed")

rounds = len(rows) // (2 * len(SUBJECTS))
unsound = [r for r in rows if r["load"] == "open" and r["verdict"] != "sound"]
rows = [r for r in rows if r not in unsound]
left = min(sum(r["load"] == "open" and r["subject"] == s for r in rows) for s in SUBJECTS)
if left > rounds / 2:
    print(f"\n1,000 requests/s over four replicas, {left} to {rounds} rounds; ms from the send to the last byte")
    print(f"{'':10} {'median':>8} {'added':>8} {'p99':>8} {'added':>8}")
    p50, p99 = ({s: of("open", s, key) for s in SUBJECTS} for key in ("p50", "p99"))
    print(f"{'direct':10} {p50['direct']:8.3f} {'':8} {p99['direct']:8.3f}")
    for s in SUBJECTS[1:]:
        print(f"{s:10} {p50[s]:8.3f} {p50[s] - p50['direct']:8.3f} {p99[s]:8.3f} {p99[s] - p99['direct']:8.3f}")
    print("direct is one of the replicas alone: it is kept warmer than four are, which is to no balancer's advantage")
    judge("at most 0.25 ms more at the median", p50["headroom"] - p50["direct"] <= 0.25)
    judge("at most 2 ms more at the p99", p99["headroom"] - p99["direct"] <= 2)
else:
    reasons = sorted({f"{r['subject']} {r['verdict']}, {r['reason']}" for r in unsound})
    unclear.append("latency: the generator was the limit: " + "; ".join(reasons))

print("\n32 users without a pause, the balancer on one core")
print(f"{'':10} {'req/s':>8} {'core used':>10} {'CPU us/req':>11} {'ratio':>6}   a whole core, req/s")
for s in SUBJECTS:
    if s == "direct":
        print(f"{s:10} {of('closed', s, 'rps'):8.0f}   what the generator and one replica can do without a balancer")
        continue
    cost = per_request(s)
    print(f"{s:10} {of('closed', s, 'rps'):8.0f} {busy(s):10.0%} {cost:11.1f} {cost / per_request('headroom'):6.2f}   {1e6 / cost:.0f}")
# A balancer that did not use up its core was held up by something else; then
# only its CPU time for each request says what the core could do.
limited = busy("headroom") < 0.9
reached = of("closed", "headroom", "rps")
if limited and reached < 8000:
    unclear.append(f"throughput: the scaler used {busy('headroom'):.0%} of its core, the rest was the limit at {reached:.0f} requests/s")
    print(f"  open    at least 8,000 requests/s on one core: {reached:.0f} with {busy('headroom'):.0%} of the core used")
else:
    judge(f"at least 8,000 requests/s on one core: {reached:.0f}", reached >= 8000)

print(f"\nten requests at once on four workers of 250 ms, {len(ten)} times: "
      f"median {statistics.median(ten):.3f} s, {ten[0]:.3f} to {ten[-1]:.3f} (gibbs: 0.855)")
judge("at most 0.78 s", statistics.median(ten) <= 0.78)

each = (crowd["full"] - crowd["before"]) * 1024 / crowd["count"]
print(f"\n{crowd['count']:,} requests in the queue: {crowd['full']:.0f} MiB resident, {crowd['before']:.0f} before, "
      f"{each:.1f} KiB for each; empty {crowd['emptied']:.2f} s after their clients left")
judge("under 300 MB", crowd["full"] * 1.048576 < 300)

for text in unclear:
    print(f"no conclusion: {text}")
sys.exit(3 if unclear else 1 if missed else 0)
