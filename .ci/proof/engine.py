"""The figures of engine.sh as tables, and what follows from them.

Reads what engine.sh wrote into the present folder. Exit code 1
where a target was missed; 3 where something other than the engine was the
limit, so that nothing follows."""
import glob
import json
import os
import re
import statistics

import targets
from targets import judge_most, undecided

FOUR, ONE = [f"127.0.0.{n}" for n in (2, 3, 4, 5)], ["127.0.0.1"]  # addresses on either side


# How much of the machine others used while nothing of the script did, 0..1.
others = max(float(line) for line in open("others.txt"))
QUIET = 0.1


def judge(target, holds):
    if not holds and others > QUIET:
        undecided(target, "others use this machine")
    else:
        targets.judge(target, holds)


def lines(path):
    return [json.loads(line) for line in open(path)]


def run(name):
    return json.load(open(f"{name}.json"))["result"]


def metrics(text, benchmark):
    """The figures of a benchmark by their units; none where it did not run."""
    found = re.search(rf"^BenchmarkPeers/{benchmark}\S*\s+1\s+(.*)$", text, re.M)
    pairs = found[1].split() if found else []
    return {unit: float(value) for value, unit in zip(pairs[::2], pairs[1::2])}


def limit_of(used):
    """What held the closed model up, where the generator used so much of its core."""
    if used > 0.9:
        return f"the generator's core was the limit ({used:.0%})"
    return f"the server's core, or others on this machine, were the limit: the generator used {used:.0%} of its own"


def peers(text):
    print("\nnext to others, against nginx on a core of its own; ratios within a round")
    print("\n".join(line.strip() for line in text.splitlines() if re.search(r"(CPU per request|not found|rounds, medians)", line)))
    closed, open_, slow, idle = (metrics(text, b) for b in ("Closed", "Open", "Slow100", "Idle10000"))
    if "cpu/wrk" in closed:
        print(f"in the closed model {limit_of(closed['cores'])}")
        judge(f"CPU per request at most 1.05 x wrk's ({closed['cpu/wrk']:.2f})", closed["cpu/wrk"] <= 1.05)
        judge(f"throughput at least 0.95 x wrk's ({closed['rate/wrk']:.2f})", closed["rate/wrk"] >= 0.95)
    else:
        undecided("next to wrk", "it was not measured")
    if "cpu/hey" in open_:
        judge(f"5,000/s: CPU per request at most 0.65 x hey's ({open_['cpu/hey']:.2f})", open_["cpu/hey"] <= 0.65)
    else:
        undecided("next to hey", "it was not measured")
    judge(f"5,000/s: every arrival sent ({open_['unsent']:.0f} were not)", open_["unsent"] == 0)
    judge(f"5,000/s: lag p99 under 2 ms ({open_['ms-lag-p99']:.2f})", open_["ms-lag-p99"] < 2)
    judge(f"100/s: lag p99 under 0.5 ms ({slow['ms-lag-p99']:.2f})", slow["ms-lag-p99"] < 0.5)
    judge(f"10,000 users, a request every 5 s: at most 12 KiB resident each ({idle['KiB/user']:.1f})", idle["KiB/user"] <= 12)


def dashboard():
    rounds = len(glob.glob("headless-*.json"))
    print(f"\nwith the dashboard and without, {rounds} rounds")
    print(f"{'':10} {'req/s':>8} {'of a core':>10}")

    def used(look, name):
        """How much of a core each round took."""
        totals = [run(f"{name}-{n}")["total"] for n in range(1, rounds + 1)]
        cores = [c["cpu"] / t["over"] * 1e9 for c, t in zip(lines(f"{name}.cost"), totals)]
        rate = statistics.median(t["count"] / t["over"] * 1e9 for t in totals)
        print(f"{look:10} {rate:8.0f} {statistics.median(cores):10.2%}")
        return cores

    without, costs = used("headless", "headless"), []
    for columns, rows, most in map(str.split, open("sizes.txt")):
        size = f"{columns}x{rows}"
        costs.append((size, float(most), [c - w for c, w in zip(used(size, f"dashboard-{size}"), without)]))
    for size, most, more in costs:
        judge_most(f"the dashboard at {size} costs at most {most:.0%} of a core, and so of the throughput of one", more, most, "{:+.2%}".format)


def crowd(name, sources, addresses):
    r, cost = run(name), lines(f"{name}.cost")[0]
    total, remotes = r["total"], {a["address"].rsplit(":", 1)[0]: a["count"] for a in r["connections"]["remotes"]}
    seen = {}  # by the server: (from, to) -> requests
    for line in open(f"{name}.access"):
        count, source, address = line.split()
        seen[source, address] = int(count)
    print(f"\n50,000 users, {name}: {total['count']:,} requests over {r['connections']['opened']:,} connections, {r['total']['count'] / r['total']['over'] * 1e9:.0f}/s, "
          f"{cost['rss'] / 1024:.0f} MiB, {cost['rss'] / 50_000:.1f} KiB a user; "
          f"generator {r['health']['verdict']} {r['health'].get('reason', '')}")
    left = (f"{what} left, at the fewest: {r['health'][what]:.0f}" for what in ("files", "ports") if what in r["health"])
    print("  " + "; ".join(left))
    for f in r["failures"]:
        print(f"  {f['count']:,} failed: {f['failure']}, {f['example']}")
    by_source = {s: sum(n for (a, _), n in seen.items() if a == s) for s, _ in seen}
    by_address = {t: sum(n for (_, a), n in seen.items() if a == t) for _, t in seen}
    print("  the server saw requests " + ", ".join(f"from {s}: {n:,}" for s, n in sorted(by_source.items())))
    print("  " + ", ".join(f"on {t}: {n:,}" for t, n in sorted(by_address.items())))
    judge("50,000 users were there at once, and no request failed", max(p["users"] for p in r["points"]) == 50_000 and total["failed"] == 0)
    judge("the counts of both sides agree", sum(seen.values()) == total["count"] and remotes == by_address)
    even = lambda counts, of: set(counts) == set(of) and max(counts.values()) < 1.1 * min(counts.values())
    judge("they are spread evenly", even(by_source, sources) and even(by_address, addresses))


def kept():
    code, said = open("kept.code").read().strip(), open("kept.log").read().strip()
    print(f"\n50,000 users that keep their connections: exit code {code}\n  {said}")
    judge("they run, or are refused before the load with the limit and what to do", code == "0" or code == "2" and "ulimit -n" in said)


if os.path.exists("peers.txt"):
    peers(open("peers.txt").read())
if os.path.exists("sizes.txt"):
    dashboard()
if os.path.exists("kept.code"):
    kept()
    crowd("closing", FOUR, ONE)
    crowd("once", FOUR, ONE)
    crowd("names", ONE, FOUR)
print(f"\nothers used up to {others:.0%} of this machine; over {QUIET:.0%} nothing counts as missed")
targets.end()
