"""What simulate.sh measured, and how far a simulation is from it."""
import json
import sys


def read(path):
    with open(path) as f:
        return json.load(f)


def measured(run, workers):
    """The mean service time and the mean start-up time, as flags."""
    mean = read(run)["result"]["total"]["service"]["mean"]
    starts = [w["startedInSeconds"] for w in read(workers)]
    print(f"{mean / 1e6:.3f}ms {sum(starts) / len(starts):.3f}s")


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


def compare(run, simulated, limit):
    live, sim = read(run), read(simulated)["rows"][0]["result"]
    r = live["result"]
    seconds = replica_seconds(live["points"], r["loaded"])
    total, latency = r["total"], sim["latency"]
    limit = float(limit.removesuffix("ms")) / 1000
    rows = [  # name, live, simulated, difference, allowed
        ("requests", total["count"], sim["offered"], abs(sim["offered"] - total["count"]), 0.5),
        ("mean ms", total["latency"]["mean"] / 1e6, latency["mean"] / 1e6, None, 0.10),
        ("p95 ms", total["latency"]["p95"] / 1e6, latency["p95"] / 1e6, None, 0.20),
        ("attainment %", 100 * attainment(r["slo"], limit), 100 * sim["attainment"], None, 2.0),
        ("replica-seconds", seconds, sim["replicaSeconds"], None, 0.05),
    ]
    missed = False
    print(f"{'':16}{'live':>10}{'simulated':>11}{'off by':>9}{'allowed':>9}")
    for name, a, b, off, allowed in rows:
        points = "%" in name
        if off is None:
            off = abs(b - a) if points else abs(b / a - 1)
        shown = f"{off:.1f}" if points or name == "requests" else f"{100 * off:.1f} %"
        most = f"{allowed:g}" if points or name == "requests" else f"{100 * allowed:.0f} %"
        missed |= off > allowed
        print(f"{name:16}{a:10.1f}{b:11.1f}{shown:>9}{most:>9}  {'MISSED' if off > allowed else ''}")
    health = r["health"]
    if health["verdict"] != "sound":
        print(f"the generator: {health['verdict']}, {health.get('reason', '')}")
        sys.exit(3)
    sys.exit(1 if missed else 0)


{"measured": measured, "compare": compare}[sys.argv[1]](*sys.argv[2:])
