#!/usr/bin/env bash
# Does headroom simulate say what the scaler then does? The same arrivals to the
# real scaler with replicas of headroom target, and to the simulation of it, whose
# service and start-up times come from another run.
#
#   .ci/proof/simulate.sh [SECONDS [ROUNDS]]
#
# ROUNDS (2) of SECONDS (180), each with other arrivals, and a minute before. It
# wants a machine on which nothing else runs, with two cores or more. Exit code 1:
# the two do not agree; 3: something else was the limit.
set -euo pipefail
seconds=${1:-180} rounds=${2:-2}
here=$(cd "$(dirname "$0")" && pwd)
source "$here/../e2e/lib.sh"
cd "$work"
(cd "$here/../.." && go build -o "$work/headroom" ./cmd/headroom)
export PATH="$work:$PATH"
echo "headroom $(git -C "$here" rev-parse --short HEAD), $(go version | cut -d ' ' -f 3), Linux $(uname -r)"
echo "$(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1), $(nproc) cores, load average $(cut -d ' ' -f 1-3 /proc/loadavg)"

replica=(headroom target --service-time 50ms --distribution exponential --startup 5s)
cat >policy.yaml <<'P'
version: headroom/v1
replicas: {min: 2, max: 12}
metrics: [{kind: in_flight, target: 0.7, window: 10s}]
interval: 5s
down: {stabilization: 20s}
P
sed 's/min: 2, max: 12/min: 4, max: 4/; /metrics/d' policy.yaml >four.yaml
limit=150ms
slo=$(for q in 10 20 30 40 50 60 70 75 80 84 86 88 90 91 92 93 94 95 96 97 98 99 99.5 99.9; do printf 'p%s<%s,' $q $limit; done)

# bring_up NAME POLICY starts a scaler with its replicas.
bring_up() {
  port=$(free_port)
  background "$1" headroom scaler --name "$1" --policy "$2" --listen 127.0.0.1:"$port" --api 127.0.0.1:0 -- "${replica[@]}" --seed "$3" --port '{port}'
  within 60 "the first replicas of $1" headroom workers --name "$1"
}
bring_down() { kill -INT "$last" && wait "$last" || true; }

# load NAME ARGUMENTS... runs a load with its result in NAME.json. That an
# objective is missed is no failure: they are there for their values.
load() {
  local name=$1 code=0; shift
  headroom run "$@" --headless --json >"$name.json" 2>"$name.log" || code=$?
  [ $code = 0 ] || [ $code = 3 ] || [ $code = 99 ] || { cat "$name.log"; fail "the run ended with exit code $code"; }
}

echo "measuring the replicas, for 40 s" >&2
bring_up before four.yaml 100
load load-before http://127.0.0.1:"$port/request?x=2" -u 4 -r 100 -t 40s
headroom workers --name before -o json >before-workers.json
bring_down

low=10 high=110 rise=$((seconds * 2 / 5)) fall=$((seconds / 5))
for ((round = 1; round <= rounds; round++)); do
  echo "round $round of $rounds, for $seconds s" >&2
  course=(--rate $low --stage "${rise}s:$high" --stage "${rise}s:$high" --stage "${fall}s:$low" --seed $round)
  bring_up "live-$round" policy.yaml $round
  load "load-$round" http://127.0.0.1:"$port/request?x=2" "${course[@]}" --slo "${slo%,}" --timeout 20s
  bring_down
  read -r service startup < <(python3 -B "$here/simulate.py" measured load-before.json before-workers.json)
  headroom simulate policy.yaml "${course[@]}" --service-time "$service" --distribution exponential --startup "$startup" \
    --slo "p50<$limit" --timeout 20s --json >"simulated-$round.json" || true
done

echo "load average at the end $(cut -d ' ' -f 1-3 /proc/loadavg); service time $service, start-up $startup, as they were measured before"
verdict=0
for ((round = 1; round <= rounds; round++)); do
  python3 -B "$here/simulate.py" compare "load-$round.json" "simulated-$round.json" $limit || verdict=$?
done
trap - EXIT
finish # that the two do not agree is no failure of this script
exit $verdict
