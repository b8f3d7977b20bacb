# What the reviewers of Cortex's autoscaling found, on a model that waits for
# something other than the CPU: CPU does not see the load, requests in flight
# do, and a backlog that drains by itself needs no more replicas.
source "$(dirname "$0")/lib.sh"
cd "$work"

# policy FILE METRIC [MORE] writes a policy of one to four replicas.
policy() {
  printf 'version: headroom/v1\nreplicas: {min: 1, max: 4}\nmetrics:\n  - {%s}\ninterval: 1s\ndown: {stabilization: 3s, idle: 1s}\n%s\n' "$2" "${3:-}" >"$1"
}
policy cpu.yaml 'kind: cpu, target: 40, window: 2s'
policy in-flight.yaml 'kind: in_flight, target: 2, window: 2s'
port=$(free_port)
background scaler headroom scaler --name cortex --policy cpu.yaml --listen 127.0.0.1:$port --api 127.0.0.1:0 -- headroom target --service-time 300ms
within 20 "one replica" serves cortex 1
swarm run "http://127.0.0.1:$port/request?x=3" -u 8 -r 100 -t 20s
run=$last
queued() { [ "$(headroom queue --name cortex | grep -c WorkerBusy)" -ge 6 ]; }
within 10 "a queue of six and more" queued
for _ in 1 2 3 4 5 6 7 8 9 10; do serves cortex 1 || fail "the CPU metric saw the load: $(serving cortex) replicas, want 1"; sleep 0.5; done
waiting=$(headroom queue --name cortex | grep -c WorkerBusy)
headroom apply --yes --name cortex in-flight.yaml
began=$(now)
within 15 "four replicas" serves cortex 4
grew=$(since "$began")
swarmed "$run"
within 30 "one replica again" serves cortex 1
echo "cortex: 8 users of a model that uses no CPU: with CPU 40 % 1 replica and $waiting queued, with 2 requests in flight for each 4 replicas after $grew s"

# A hundred requests at once, which one replica has done ten seconds later, and
# would have, had it three more from the fourth second on, in five.
burst() {
  local name=$1 metric=$2
  policy "$name.yaml" "$metric" 'up: {stabilization: 3s}'
  port=$(free_port)
  background "$name" headroom scaler --name "$name" --policy "$name.yaml" --listen 127.0.0.1:$port --api 127.0.0.1:0 -- headroom target --service-time 100ms
  within 20 "one replica" serves "$name" 1
  swarm burst "http://127.0.0.1:$port/request?x=3" -u 100 -r 100000 -n 100
  swarmed "$last"
  grew=$(grep -c 'is starting' "$name.log")
}
burst level 'kind: in_flight, target: 10, window: 3s'
level=$grew
burst trend 'kind: in_flight, target: 10, window: 3s, trend: {within: 30s}'
echo "cortex: 100 requests at once on one replica that does 10/s: $level replicas by their number, $grew by where it is heading"
holds "$level > 1 and $grew == 1"
