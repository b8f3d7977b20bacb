#!/usr/bin/env bash
# What a measurement finds, against what is known of the service, on live services.
#
#   .ci/proof/capacity.sh [PART...]
#
#   target   headroom target, one request at a time for 25 ms, constant or exponential:
#            the saturation against 1 over the service time that it measured itself,
#            within 5 %, and the SLO capacity against queueing theory at that service
#            time, within 10 %: ROUNDS (8) of each, two of each at the same time, as they
#            sleep and take hardly any CPU; BUDGET (5m) each
#   fastapi  the FastAPI application of the fastapi-serve documentation under uvicorn, and the
#            same with a sleep in the place of its sum: tune holds the SLO afterwards,
#            and CPU is a good metric for the first and misleading for the second
#
# It wants a machine on which nothing else runs, with two cores or more. Exit code 1:
# a target was missed; 3: something else was the limit.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
source "$here/parts.sh" target fastapi -- "$@"
rounds=${ROUNDS:-8} budget=${BUDGET:-5m}
source "$here/../e2e/lib.sh"
"$here/../needs" python3-fastapi uvicorn curl >"$work/needs.txt"
built
verdict=0

# measure DISTRIBUTION ROUND LIMIT starts a target of its own and measures it in the
# background; measured DISTRIBUTION ROUND waits for that, and keeps what the target
# says of itself.
declare -A targets searches ports
measure() {
  local name=$1-$2
  ports[$name]=$(free_port)
  background "target-$name" headroom target --service-time 25ms --distribution "$1" --seed "$2" --port "${ports[$name]}"
  targets[$name]=$last
  within 5 "the target answers" curl -fs "http://127.0.0.1:${ports[$name]}/healthz" -o healthy
  background "capacity-$name" headroom capacity "http://127.0.0.1:${ports[$name]}/request?x=2" --slo "p95<$3" --budget "$budget" --seed "$2" -o "capacity-$name.json" --quiet
  searches[$name]=$last
}
measured() {
  local name=$1-$2 code=0
  wait "${searches[$name]}" || code=$?
  curl -fs "http://127.0.0.1:${ports[$name]}/stats" >"stats-$name.json"
  kill -INT "${targets[$name]}" && wait "${targets[$name]}" || true
  [ $code = 0 ] || { cat "capacity-$name.log"; echo "$name does not count: exit code $code"; rm -f "capacity-$name.json"; }
}

if part target; then
  for ((round = 1; round <= rounds; round += 2)); do
    two=$(seq "$round" $((round < rounds ? round + 1 : round)))
    echo "target rounds" $two "of $rounds, $budget at most" >&2
    for n in $two; do measure constant "$n" 100ms; measure exponential "$n" 250ms; done
    for n in $two; do measured constant "$n"; measured exponential "$n"; done
  done
  python3 -B "$here/capacity.py" "$rounds" 0.100 0.250 || verdict=$?
fi

# tuned NAME PATH HIGH MODULE WANT tunes the application, and compares what became
# of it, and what is said of CPU.
tuned() {
  local code=0 found
  headroom tune --path "$2" --traffic "$(($3 / 3))..$3" --slo 'p95<400ms,errors<1%' --budget 2m --verify 60s --json --keep \
    -- uvicorn "$4:app" --port '{port}' >"tune-$1.json" 2>"tune-$1.log" || code=$?
  [ -s "tune-$1.json" ] && [ "$(json "tune-$1.json" '"advice" in d')" = True ] ||
    { tail -n 5 "tune-$1.log"; echo "  open    $1: no advice, exit code $code"; verdict=3; return; }
  found=$(json "tune-$1.json" '"{}, CPU {}".format(d["verdict"], *[m["fitness"] for m in d["advice"]["metrics"] if m["kind"] == "cpu"])')
  echo "$1: $found"
  echo "  tune: $(json "tune-$1.json" 'd["why"]')"
  echo "  CPU: $(json "tune-$1.json" '[m["why"] for m in d["advice"]["metrics"] if m["kind"] == "cpu"][0]')"
  [ "$found" = "held, CPU $5" ] || { echo "  MISSED  $1: want held, CPU $5"; [ $verdict = 3 ] || verdict=1; }
}

if part fastapi; then
  write_app "$work"
  sed 's/_sum = _heavy_compute(count)/_sum = time.sleep(count * 5e-8) or count/' main.py >sleeping.py
  port=$(free_port)
  background alone env HOSTNAME=alone uvicorn main:app --port "$port"
  within 20 "the application answers" curl -fs "http://127.0.0.1:$port/load/1" -o healthy
  headroom run "http://127.0.0.1:$port/load/600000" -u 1 -t 5s --json >alone.json 2>alone-run.log
  high=$(json alone.json 'round(d["result"]["total"]["count"] / 5)')
  kill -INT "$last" && wait "$last" || true
  tuned computes /load/600000 "$high" main good
  tuned sleeps /load/600000 "$((2 * high))" sleeping misleading
fi
echo "load average at the end $(cut -d ' ' -f 1-3 /proc/loadavg)"
concluded
