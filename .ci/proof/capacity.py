"""How near measured capacities are to what queueing theory says of the service."""
import json
import math
import os
import sys

import targets


def over_m_d_1(rate, service, limit):
    """The share of M/D/1 sojourns over a limit: Erlang's series for the waiting
    time of constant service (Gross & Harris, Fundamentals of Queueing Theory,
    5.1.3)."""
    wait, load = limit - service, rate * service
    if load >= 1 or wait < 0:
        return 1.0
    total = 0.0
    for k in range(int(wait / service) + 1):
        x = rate * (k * service - wait)
        total += x**k / math.factorial(k) * math.exp(-x)
    return 1 - (1 - load) * total


def over_m_m_1(rate, service, limit):
    """The share of M/M/1 sojourns over a limit: they are exponential."""
    return 1.0 if rate * service >= 1 else math.exp(-(1 / service - rate) * limit)


def capacity(over, service, limit):
    """The highest rate at which no more than 5 % are over a limit."""
    low, high = 0.0, 1 / service
    for _ in range(60):
        middle = (low + high) / 2
        if over(middle, service, limit) <= 0.05:
            low = middle
        else:
            high = middle
    return low


def read(path):
    with open(path) as f:
        return json.load(f)


def main(rounds, *limits):
    print(f"{'service':13}{'round':>6}{'service ms':>12}{'saturation':>12}{'1/service':>11}{'SLO capacity':>14}{'interval':>15}{'theory':>8}{'grade':>7}")
    for (name, over), limit in zip((("constant", over_m_d_1), ("exponential", over_m_m_1)), map(float, limits)):
        saturated, held = [], []
        for n in range(1, int(rounds) + 1):
            if not os.path.exists(f"capacity-{name}-{n}.json"):
                continue
            c, service = read(f"capacity-{name}-{n}.json")["capacity"], read(f"stats-{name}-{n}.json")["service_time_ms"]["mean"] / 1000
            slo, theory = c["slo"], capacity(over, service, limit)
            print(f"{name:13}{n:>6}{1000 * service:>12.2f}{c['saturation']['value']:>12.1f}{1 / service:>11.1f}{slo['value']:>14.1f}"
                  f"{slo['low']:>9.1f}..{slo['high']:.1f}{theory:>8.1f}{c['grade']:>7}")
            saturated.append(c["saturation"]["value"] * service - 1)
            held.append(slo["value"] / theory - 1)
        show = lambda v: f"{100 * v:+.1f} %"
        targets.judge_within(f"{name}: saturation within 5 % of 1 / service time", saturated, 0.05, show)
        targets.judge_within(f"{name}: SLO capacity within 10 % of theory", held, 0.10, show)
    targets.end()


main(*sys.argv[1:])
