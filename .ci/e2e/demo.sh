# The demo by itself, with two service times: what it measures must follow the
# service, and what it advises must hold.
source "$(dirname "$0")/lib.sh"

# Both at once: their replicas sleep, and leave the machine alone.
for time in 20ms 60ms; do
  headroom demo --service-time $time --json >"$work/$time.json" 2>"$work/$time.log" &
  started+=($!)
done
for time in 20ms 60ms; do
  wait "${started[0]}" || fail "demo --service-time $time: exit $?"
  started=("${started[@]:1}")
  c="$work/$time.json"
  echo "service time $time: saturation $(json "$c" 'round(d["measurement"]["capacity"]["saturation"]["value"], 1)')/s," \
    "SLO capacity $(json "$c" 'round(d["measurement"]["capacity"]["slo"]["value"], 1)')/s," \
    "grade $(json "$c" 'd["measurement"]["capacity"]["grade"]')," \
    "p95 before $(json "$c" 'round(d["before"]["stats"]["latency"]["p95"] / 1e6)') ms," \
    "after $(json "$c" 'round(d["after"]["stats"]["latency"]["p95"] / 1e6)') ms," \
    "replicas $(json "$c" 'len(d["after"]["replicas"])'), $(json "$c" 'd["verdict"]')"
  [ "$(json "$c" 'd["verdict"]')" = held ] || fail "the advice did not hold"
  [ "$(json "$c" 'len(d["before"]["replicas"]) == 1 and len(d["after"]["replicas"]) >= 2')" = True ] || fail "want one replica before and several after"
done
[ $SECONDS -lt 120 ] || fail "the demos took $SECONDS s, want under two minutes"
ratio=$(python3 -c '
import json, sys
a, b = [json.load(open(f))["measurement"]["capacity"]["saturation"]["value"] for f in sys.argv[1:]]
print(round(a / b, 2))' "$work/20ms.json" "$work/60ms.json")
echo "the capacities differ by a factor of $ratio"
holds "2.5 < $ratio < 3.5"
