#!/usr/bin/env bash
# How far a simulation is from the real scaler, and how long one takes.
#
#   .ci/proof/simulate.sh [PART...]
#
#   live   the same arrivals to the real scaler with replicas of headroom target,
#          and to the simulation of it: ROUNDS (8) of TIME (120) seconds each, with
#          other arrivals: fewer rounds leave the whole of their range as the interval
#          of the sign test. What a replica is held for by a request and how long it
#          takes to start are those of the round itself, as the scaler measured them
#          (with its own overhead, and that of a machine as busy as it was then), so
#          that only what is simulated is compared: arrivals, queue, decisions.
#   speed  requests simulated per second of one core, and the best 20 of 500 policies or
#          more for a day of 10 to 90 requests/s, 50 on average; and the whole search,
#          which goes on from there
#
# It wants a machine on which nothing else runs, with two cores or more. Exit code 1:
# a target was missed; 3: something else was the limit.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
source "$here/parts.sh" live speed -- "$@"
seconds=${TIME:-120} rounds=${ROUNDS:-8}
source "$here/../e2e/lib.sh"
built
verdict=0

limit=150ms
slo=$(for q in 10 20 30 40 50 60 70 75 80 84 86 88 90 91 92 93 94 95 96 97 98 99 99.5 99.9; do printf 'p%s<%s,' $q $limit; done)

# live ROUND runs the load against a scaler, and simulates it with what that
# measured.
live() {
  local round=$1 code=0 port api service startup rise=$((seconds * 2 / 5)) fall=$((seconds / 5))
  local course=(--rate 10 --stage "${rise}s:110" --stage "${rise}s:110" --stage "${fall}s:10" --seed "$round")
  port=$(free_port) api=$(free_port)
  background "live-$round" headroom scaler --name "live-$round" --policy policy.yaml --listen 127.0.0.1:"$port" --api 127.0.0.1:"$api" \
    -- headroom target --service-time 50ms --distribution exponential --startup 5s --seed "$round" --port '{port}'
  within 60 "the first replicas" headroom workers --name "live-$round"
  # That an objective is missed is no failure: they are there for their values.
  headroom run http://127.0.0.1:"$port/request?x=2" "${course[@]}" --slo "${slo%,}" --timeout 20s --headless --json \
    >"load-$round.json" 2>"load-$round.log" || code=$?
  [ $code = 0 ] || [ $code = 3 ] || [ $code = 99 ] || { cat "load-$round.log"; fail "the run ended with exit code $code"; }
  curl -s -H "Authorization: Bearer $(cat "$XDG_RUNTIME_DIR/headroom/live-$round.token")" "http://127.0.0.1:$api/metrics" >"metrics-$round.txt"
  headroom workers --name "live-$round" -o json >"workers-$round.json"
  kill -INT "$last" && wait "$last" || true
  read -r service startup < <(python3 -B "$here/simulate.py" measured "metrics-$round.txt" "workers-$round.json")
  headroom simulate policy.yaml "${course[@]}" --service-time "$service" --distribution exponential --startup "$startup" \
    --slo "p50<$limit" --timeout 20s --json >"simulated-$round.json" || true
}

if part live; then
  cat >policy.yaml <<'P'
version: headroom/v1
replicas: {min: 2, max: 12}
metrics: [{kind: in_flight, target: 0.7, window: 10s}]
interval: 5s
down: {stabilization: 20s}
P
  for ((round = 1; round <= rounds; round++)); do
    echo "live round $round of $rounds, for $seconds s" >&2
    live "$round"
  done
  python3 -B "$here/simulate.py" compare "$rounds" $limit || verdict=$?
fi

if part speed; then
  (cd "$here/../.." && go test ./advisor/sim -run '^$' -bench '^BenchmarkRun$' -cpu 1 -benchtime 10x
    go test ./advisor/sim -run '^$' -bench '^BenchmarkShortlist$' -benchtime 1x) >bench.txt
  cat >day.yaml <<'P'
version: headroom/v1
replicas: {min: 5, max: 40}
metrics: [{kind: in_flight, target: 0.7, window: 30s}]
P
  began=$(date +%s.%N)
  headroom simulate day.yaml --service-time 250ms --distribution exponential --startup 30s --shape sine:10..90,period=24h -t 24h --slo 'p95<1s' \
    --search --json >search.json
  python3 -B "$here/simulate.py" speed bench.txt search.json "$(python3 -c "import time; print(time.time() - $began)")" || verdict=$?
fi
echo "load average at the end $(cut -d ' ' -f 1-3 /proc/loadavg)"
concluded
