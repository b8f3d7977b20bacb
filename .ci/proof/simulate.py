"""What simulate.sh measured, and how far a simulation is from it."""
import json
import re
import sys

import targets


def read(path):
    with open(path) as f:
        return json.load(f)


def measured(metrics, workers):
    """The mean time for which a request holds a replica, and the mean start-up
    time, as flags."""
    with open(metrics) as f:
        text = f.read()
    total, count = (
        float(re.search(rf'_request_duration_seconds_{name}{{phase="service"}} (\S+)', text)[1]) for name in ("sum", "count")
    )
    starts = [w["startedInSeconds"] for w in read(workers) if w.get("startedInSeconds")]
    print(f"{1000 * total / count:.3f}ms {sum(starts) / len(starts):.3f}s")


def replica_seconds(points, loaded):
    """The wanted replicas over the time of the load; a point holds until the next."""
    total = 0.0
    for here, after in zip(points, points[1:] + [{"at": loaded}]):
        total += here["wanted"] * max(0.0, min(after["at"], loaded) - min(here["at"], loaded)) / 1e9
    return total + points[0]["wanted"] * points[0]["at"] / 1e9


def attainment(slo, limit):
    """The share of the requests within the limit, from the percentiles around it."""
    low = (0.0, 0.0)
    for o in slo:
        share, value = float(o["objective"][1:].split("<")[0]) / 100, o["value"]
        if value is None or value >= limit:
            if value is None:
                return low[0]
            return low[0] + (share - low[0]) * (limit - low[1]) / (value - low[1])
        low = (share, value)
    return 1.0


def compare(rounds, limit):
    """Prints what each round was, and judges the median of how far the simulation
    was off, in either direction."""
    limit = float(limit.removesuffix("ms")) / 1000
    figures = {  # name: how far it may be off, as a share, or in points
        "mean ms": 0.10, "p95 ms": 0.20, "attainment %": 2.0, "replica-seconds": 0.05,
    }
    off = {name: [] for name in figures}
    print(f"{'round':7}" + "".join(f"{name:>24}" for name in figures) + "  (live, simulated)")
    for n in range(1, int(rounds) + 1):
        live, sim = read(f"load-{n}.json"), read(f"simulated-{n}.json")["rows"][0]["result"]
        r = live["result"]
        if abs(r["total"]["count"] - sim["offered"]) > 0:
            targets.undecided(f"round {n}", f"{r['total']['count']} requests, and {sim['offered']} simulated")
            continue
        if r["health"]["verdict"] != "sound":
            print(f"round {n} does not count: the generator is {r['health']['verdict']}, {r['health'].get('reason', '')}")
            continue
        pairs = {
            "mean ms": (r["total"]["latency"]["mean"] / 1e6, sim["latency"]["mean"] / 1e6),
            "p95 ms": (r["total"]["latency"]["p95"] / 1e6, sim["latency"]["p95"] / 1e6),
            "attainment %": (100 * attainment(r["slo"], limit), 100 * sim["attainment"]),
            "replica-seconds": (replica_seconds(live["points"], r["loaded"]), sim["replicaSeconds"]),
        }
        print(f"{n:<7}" + "".join(f"{a:14.1f}{b:10.1f}" for a, b in pairs.values()))
        for name, (a, b) in pairs.items():
            off[name].append(b - a if "%" in name else b / a - 1)
    for name, most in figures.items():
        points = "%" in name
        show = (lambda v: f"{v:+.1f} points") if points else (lambda v: f"{100 * v:+.1f} %")
        targets.judge_within(f"{name} off by at most {show(most)[1:]}", off[name], most, show)
    targets.end()


def speed(bench, search, seconds):
    with open(bench) as f:
        text = f.read()
    rate = float(re.search(r"(\S+) requests/s", text)[1])
    took, foreseen, simulated = map(float, re.search(r"BenchmarkShortlist\S*\s+1\s+(\S+) ns/op\s+(\S+) foreseen\s+(\S+) simulated", text).groups())
    found = read(search)
    targets.judge(f"{rate / 1e6:.1f} million simulated requests per second and core, at least 3", rate >= 3e6)
    targets.judge(
        f"{foreseen:.0f} policies for a day of 10 to 90 requests/s foreseen, at least 500, and the best {simulated:.0f} simulated, at least 20, in {took / 1e9:.0f} s, at most 60",
        foreseen >= 500 and simulated >= 20 and took <= 60e9,
    )
    print(f"  the whole search simulates {found['simulated']}, and proves what it recommends with other chance, in {float(seconds):.0f} s")
    targets.judge("one of them meets the SLO", "chosen" in found)
    targets.end()


{"measured": measured, "compare": compare, "speed": speed}[sys.argv[1]](*sys.argv[2:])
