# Every way in which a measurement, or advice from one, is refused, reached as a
# user reaches it. The measurements run side by side: their targets wait, they
# do not compute. A second replica that does not help (R7) takes a minute, and
# is in .ci/proof/shared.sh.
source "$(dirname "$0")/lib.sh"
cd "$work"

# measure NAME 'TARGET FLAGS' CAPACITY FLAGS... measures a target in the background;
# ended waits for all of them, and keeps their exit codes.
declare -A targets flags measuring codes
measure() {
  local name=$1
  targets[$name]=$2
  shift 2
  flags[$name]=$*
  begin "$name"
}
begin() {
  local port
  port=$(free_port)
  # shellcheck disable=SC2086
  background "target-$1" headroom target --port "$port" ${targets[$1]}
  within 10 "the target of $1" curl -s -o /dev/null "http://127.0.0.1:$port/healthz"
  # shellcheck disable=SC2086
  headroom capacity "http://127.0.0.1:$port/request?x=3" ${flags[$1]} -o "$1.json" >"$1.out" 2>"$1.log" &
  measuring[$1]=$!
}
ended() {
  local name
  for name in "${!measuring[@]}"; do
    codes[$name]=0
    wait "${measuring[$name]}" || codes[$name]=$?
    unset "measuring[$name]"
  done
}

# comes NAME EXIT TEXT [COMMAND...] checks how one ended, and what it says. On a busy
# machine it may end otherwise beside the others, for want of a processor: then
# the command measures it once more, alone.
comes() {
  local name=$1 want=$2 text=$3; shift 3
  if ! came; then
    echo "-- $name: $(tail -n 2 "$name.out" | head -n 1): once more, alone"
    "${@:-begin}" "$name"
    ended
  fi
  came || { cat "$name.out"; fail "$name: exit ${codes[$name]}, want $want and $text"; }
  echo "$name: $(tail -n 2 "$name.out" | head -n 1)"
}
came() { [ "${codes[$name]}" = "$want" ] && grep -qF -- "$text" "$name.out"; }
refused() { comes "$1" 3 "($2)" "${@:3}"; }

measure warming '--service-time 20ms --drift 10000%' --slo 'p95<5s' --budget 10s
measure good '--service-time 20ms' --slo 'p90<300ms' --budget 14s
measure slow '--service-time 400ms' --slo 'p95<200ms' --budget 10s
measure starved '--service-time 20ms' --slo 'p95<200ms' --budget 10s
measure endless '--service-time 50ms --concurrency 1000' --slo 'p95<200ms' --budget 10s
measure failing '--fail-rate 0.5' --slo 'p95<200ms' --budget 10s
measure short '--service-time 2500ms' --slo 'p95<9s' --budget 10s
measure closed '--service-time 20ms' --slo 'p99.9<1s' --budget 10s

# The generator is stopped for a while again and again.
starved=${measuring[starved]}
while kill -STOP "$starved" 2>/dev/null; do
  sleep 0.4
  kill -CONT "$starved" 2>/dev/null || true
  sleep 0.4
done
ended

refused slow R1
refused starved R2
refused endless R3
refused failing R4
refused warming R5
refused short R10
refused closed R13

comes good 0 "under the SLO"
# advises CODE FLAGS...: none of what was measured is advised like that.
advises() {
  local code=0 want=$1; shift
  headroom advise good.json --start-up 30s "$@" >advice.out || code=$?
  echo "$want $*: $(head -n 1 advice.out)"
  [ $code = 3 ] || { cat advice.out; fail "$*: exit $code, want 3"; }
  says advice.out "($want)"
}
advises R8 --traffic 10..40 --metric latency
advises R9 --traffic 10..40 --doubles 10s
advises R11 --traffic 10..40 --metric free_workers --dispatch round-robin
seq 10 40 >minutes.csv # half an hour is no day
advises R12 --trace minutes.csv --trace-interval 1m --schedule

# One that is interrupted prints and saves what it has, and is gone on with,
# unless the service has become another one (R6).
port=$(free_port) url=http://127.0.0.1:$port/request?x=3
background before headroom target --port "$port" --service-time 20ms
first=$last
within 10 "the target" curl -s -o /dev/null "$url"
background cut headroom capacity "$url" --slo 'p95<200ms' --budget 60s -o cut.json
within 20 "a step" grep -q "measure  2 users" cut.log
kill -INT "$last"
code=0
wait "$last" || code=$?
[ $code = 130 ] || fail "interrupted: exit $code, want 130"
says cut.log "interrupted before a load was found"
# goes_on NAME continues it, as begin measures one.
goes_on() {
  headroom capacity "$url" --slo 'p95<200ms' --budget 10s --continue cut.json -o "$1.json" >"$1.out" 2>"$1.log" &
  measuring[$1]=$!
}
goes_on whole
ended
[ "${codes[whole]}" = 0 ] || [ "${codes[whole]}" = 3 ] || fail "continued: exit ${codes[whole]}"
[ "$(json whole.json 'd["capacity"]["steps"][:2]')" = "$(json cut.json 'd["capacity"]["steps"][:2]')" ] || fail "the steps of before are not in what went on"
headroom report good.json whole.json | tail -n 1
kill -INT "$first"
wait "$first" || fail "target: exit $?"
background after headroom target --port "$port" --service-time 40ms
within 10 "the other target" curl -s -o /dev/null "$url"
goes_on another
ended
refused another R6 goes_on
