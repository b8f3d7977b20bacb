# A minute of faults under load, kill -9 of a replica, and of the scaler
# itself. FAULT_SECONDS and FAULT_SEED set the length and the faults.
source "$(dirname "$0")/lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
write_app "$work"
cd "$work"

# Replicas that are killed, freeze, hang and fail, while load and policy change.
# Every request gets one answer, and is executed once at most.
seconds=${FAULT_SECONDS:-60} seed=${FAULT_SEED:-$RANDOM}
echo "faults: seed $seed"
mkdir faults
cat >policy.yaml <<'Y'
version: headroom/v1
replicas: {min: 2, max: 6}
metrics:
  - {kind: in_flight, target: 2, window: 2s}
interval: 1s
down: {stabilization: 3s, idle: 1s}
Y
port=$(free_port)
background chaotic headroom scaler --name chaotic --policy policy.yaml --ready-path /ready --live-interval 1s --timeout 2s --start-timeout 5s --grace 1s \
  --listen 127.0.0.1:$port --api 127.0.0.1:0 -- python3 "$here/faults/app.py" "$work/faults"
scaler=$last
within 30 "two replicas" serves chaotic 2
background chaos python3 "$here/faults/chaos.py" chaotic "$work/faults" "$seconds" "$seed"
chaos=$last
python3 "$here/faults/load.py" $port "$work/faults" "$seconds" || { cat chaos.log chaotic.log; fail "the requests do not add up"; }
wait "$chaos" || fail "$(cat chaos.log)"
sizes=$(sed -n 's/.* [0-9]* -> \([0-9]*\):.*/\1/p' chaotic.log | tr '\n' ' ')
echo "$(grep -c ' s  ' chaos.log) faults; sizes wanted: $sizes"
headroom apply --yes --name chaotic --set replicas.min=3 --set replicas.max=3
settled() { serves chaotic 3 && [ "$(headroom workers --name chaotic | tail -n +3 | wc -l)" = 3 ]; }
within 30 "three replicas, as the policy says, and no others" settled
# The last fault may have been a freeze a moment ago, which has to be found.
sound() {
  local i name
  for i in 1 2 3 4 5 6 7 8 9; do
    name=after-$(now)-$i
    [ "$(curl -s "http://127.0.0.1:$port/work/$name")" = "$name" ] || return 1
  done
  settled
}
within 30 "nine good answers in a row" sound
headroom workers --name chaotic
[ "$(ours faults/app.py)" -ge 3 ] || fail "this script does not find its replicas"
kill -INT "$scaler"
wait "$scaler" || fail "scaler: exit $?"
[ "$(ours faults/app.py)" = 0 ] || { ps -ef | grep faults/app.py; fail "replicas outlived the scaler"; }

# One replica of a fleet of two is killed: it is replaced, and few requests fail.
port=$(free_port)
printf 'version: headroom/v1\nreplicas: {min: 2, max: 2}\n' >policy.yaml
background scaler headroom scaler --name faults --policy policy.yaml --listen 127.0.0.1:$port --api 127.0.0.1:0 -- uvicorn main:app --port {port}
within 30 "the scaler is ready" headroom workers --name faults
background run headroom run http://127.0.0.1:$port/load/100000 -u 8 -r 100 -t 10s --headless --exit-code-on-error 0
run=$last
sleep 3
victim=$(headroom workers --name faults -o json | python3 -c 'import json, sys; print(json.load(sys.stdin)[0]["pid"])')
kill -9 "$victim"
within 20 "the scaler replaces it" sh -c 'headroom workers --name faults | grep -q "replica-3 .*RUNNING"'
wait "$run" || fail "run: exit $?"
cat run.log | tail -n 20
says run.log "replica-3"
failed=$(sed -n 's|^GET /load/100000 *[0-9]* *\([0-9]*\) .*|\1|p' run.log)
holds "0 < $failed < 20"

# No process of the command may outlive the scaler, however that ends.
for workers in 1 2; do
  port=$(free_port)
  "$(command -v headroom)" scaler --name orphan$workers --policy policy.yaml --listen 127.0.0.1:$port --api 127.0.0.1:0 \
    -- uvicorn main:app --port {port} --workers $workers >"orphan$workers.log" 2>&1 &
  scaler=$!
  within 30 "the scaler is ready" headroom workers --name orphan$workers
  pids=$(descendants() { for c in $(pgrep -P "$1"); do echo "$c"; descendants "$c"; done; }; descendants $scaler)
  count=$(echo "$pids" | wc -w)
  kill -9 $scaler
  wait $scaler 2>/dev/null || true
  # A zombie is dead; who adopted it may collect it later.
  gone() { ! ps -o stat= -p "$(echo $pids | tr ' ' ,)" | grep -qv '^Z'; }
  within 2 "all $count processes are gone after kill -9 of the scaler (--workers $workers)" gone
  echo "kill -9 of the scaler: $count processes under it (--workers $workers), none left two seconds later"
done
