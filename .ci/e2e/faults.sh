# kill -9 of a replica under load, and of the scaler itself.
source "$(dirname "$0")/lib.sh"
write_app "$work"
cd "$work"

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
