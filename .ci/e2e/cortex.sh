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

# Two hundred requests at once, at ten a second for each replica: two replicas
# have done them before a third could matter, and the derivative sees it.
burst() {
  local name=$1 metric=$2
  printf 'version: headroom/v1\nreplicas: {min: 1, max: 4}\nmetrics:\n  - {%s}\ninterval: 4s\nup: {step: 1}\n' "$metric" >"$name.yaml"
  port=$(free_port)
  background "$name" headroom scaler --name "$name" --policy "$name.yaml" --listen 127.0.0.1:$port --api 127.0.0.1:0 -- headroom target --service-time 100ms
  within 20 "one replica" serves "$name" 1
  swarm "run-$name" "http://127.0.0.1:$port/request?x=3" -u 200 -r 100000 -n 200
}
burst level 'kind: in_flight, target: 5, window: 10s'
level=$last
burst trend 'kind: in_flight, target: 5, window: 10s, trend: {within: 10s}'
swarmed "$level"
swarmed "$last"
most() { grep -c 'is starting' "$1.log"; }
sleep 4 # one more decision
echo "cortex: 200 requests at once on replicas that do 10/s: $(most level) replicas by their number, $(most trend) by where it is heading"
grep decision trend.log
holds "$(most level) > 2 and $(most trend) == 2"
