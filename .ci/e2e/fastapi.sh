# The FastAPI application of the fastapi-serve documentation under uvicorn:
# scaled, swarmed, tuned.
source "$(dirname "$0")/lib.sh"
write_app "$work"
cd "$work"

port=$(free_port)
cat >policy.yaml <<'Y'
version: headroom/v1
kind: policy
replicas: {min: 1, max: 2}
metrics:
  - {kind: rps, target: 5}
interval: 1s
Y
background scaler headroom scaler --name fastapi --policy policy.yaml --listen 127.0.0.1:$port --api 127.0.0.1:0 -- uvicorn main:app --port {port}
within 30 "the scaler is ready" headroom workers --name fastapi
headroom run http://127.0.0.1:$port/load/100000 -u 20 -r 5 -t 15s --json --save run.json >result.json 2>run.log || fail "run: exit $?"
names=$(json result.json 'sorted(r["name"] for r in d["result"]["replicas"])')
echo "run: $(json result.json 'd["result"]["total"]["count"]') requests, $(json result.json 'd["result"]["total"]["failed"]') failed," \
  "p95 $(json result.json 'round(d["result"]["total"]["latency"]["p95"] / 1e6, 1)') ms, answered by $names, named by $(json result.json 'd["result"]["identity"]')"
[ "$names" = "['replica-1', 'replica-2']" ] || fail "want two hostnames"
[ "$(json result.json 'd["result"]["total"]["failed"]')" = 0 ] || fail "want no failures"
[ "$(json run.json 'd["kind"]')" = run ] || fail "the saved run is not one"
headroom workers --name fastapi

# What one replica does one after the other.
headroom run http://127.0.0.1:$port/load/600000 -u 1 -t 4s --json >alone.json 2>alone.log || fail "run: exit $?"
high=$(json alone.json 'round(d["result"]["total"]["count"] / 4)')
kill -INT "$last"
wait "$last" || fail "scaler: exit $?"
# A request that computes for some 30 ms, and as many of them in the busy hour
# as one replica can just do: it takes two to hold the SLO, and two cores carry
# them.
tune() {
  code=0
  headroom tune --path /load/600000 --traffic $((high / 3))..$high --slo 'p95<400ms,errors<1%' --budget 60s --verify 20s --json --keep \
    --export jcloud=jcloud.yml -o measurement.json -- uvicorn main:app --port {port} >tune.json 2>tune.log || code=$?
}
tune
# Another program that came or went meanwhile changed what one request takes.
if grep -q '(R6)' tune.log; then tune; fi
echo "tune: exit $code, $(json tune.json 'd["verdict"]'): $(json tune.json 'd["why"]')"
echo "  capacity $(json tune.json 'round(d["measurement"]["capacity"]["slo"]["value"], 1)')/s per replica," \
  "advice $(json tune.json '(d["advice"]["policy"]["replicas"], d["advice"]["policy"]["metrics"][0]["target"])')," \
  "answered after: $(json tune.json 'sorted(r["name"] for r in d["after"]["replicas"])')"
echo "  $(json tune.json 'd["advice"].get("capped", "not capped by this machine")')"
# Where other programs keep the cores busy, this machine carries no second one.
busy=$(json tune.json '"other programs" in d["advice"].get("capped", "")')
[ "$(json tune.json 'len(d["after"]["replicas"]) >= 2')" = True ] || [ "$busy" = True ] || fail "want at least two hostnames after the tune"
case $code in 0 | 99) ;; 3) says tune.json "the load generator was the limit" ;; *) fail "tune: exit $code" ;; esac
says jcloud.yml "metric: $(json tune.json 'd["advice"]["policy"]["metrics"][0]["kind"]')"
headroom advise measurement.json --traffic 10..60 --to policy >advised.yaml
headroom advise measurement.json --traffic 10..60 --explain >explained.txt
says explained.txt "throughput over users: the knee is at"
echo "  cpu is $(sed -n 's/^  cpu  *//p' explained.txt): this application computes"
code=0
headroom advise measurement.json --traffic 10..60 --metric latency >refused.txt || code=$?
[ $code = 3 ] || fail "advice by latency: exit $code, want 3"
says refused.txt "no advice (R8)"
headroom export advised.yaml --to jcloud --round >/dev/null
nothing_left() { [ "$(ours 'uvicorn main:app')" = 0 ]; }
within 5 "nothing is left of the tune" nothing_left

# An interrupt while it measures: out at once, with nothing left.
background cut headroom tune --path /load/600000 --traffic 5..10 --slo 'p95<400ms' --verify 5s -- uvicorn main:app --port {port}
tune=$last
within 60 "the measurement" grep -q "measure  baseline" cut.log
kill -INT "$tune"
code=0
wait "$tune" || code=$?
[ $code = 130 ] || fail "interrupted tune: exit $code, want 130"
nothing_left || fail "the interrupted tune left something"
