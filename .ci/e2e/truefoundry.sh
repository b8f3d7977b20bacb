# The autoscaling example of the TrueFoundry documentation: one replica is good
# for 10 requests/s and 50 to 200 arrive, so 5 to 20 replicas; and hours, by
# cron expressions.
source "$(dirname "$0")/lib.sh"
cd "$work"

# Hours first, as they take a minute to come: four replicas until the next
# full minute, two from then on.
begun=$(date +%s)
at_minute() { date -u -d "@$((begun + $1 * 60))" '+%-M %-H * * *'; }
past=$(at_minute -1) turn=$(at_minute 1) late=$(at_minute 30)
cat >hours.yaml <<Y
version: headroom/v1
replicas: {min: 1, max: 6}
metrics:
  - {kind: rps, target: 10}
interval: 1s
down: {stabilization: 2s, idle: 1s}
schedules:
  - {start: "$past", end: "$turn", timezone: UTC, min: 4}
  - {start: "$turn", end: "$late", timezone: UTC, min: 2}
Y
background hours headroom scaler --name hours --policy hours.yaml --listen 127.0.0.1:0 --api 127.0.0.1:0 -- headroom target
if [ $((begun % 60)) -lt 45 ]; then within 10 "four replicas by the hour" serves hours 4; fi

cat >policy.yaml <<'Y'
version: headroom/v1
replicas: {min: 5, max: 20}
metrics:
  - {kind: rps, target: 10, window: 3s}
interval: 1s
down: {stabilization: 3s, idle: 1s}
Y
port=$(free_port)
background scaler headroom scaler --name rps --policy policy.yaml --listen 127.0.0.1:$port --api 127.0.0.1:0 -- headroom target --service-time 50ms
within 30 "five replicas" serves rps 5

# at RATE TIME LOW HIGH offers so many requests/s and wants so many replicas.
at() {
  swarm run "http://127.0.0.1:$port/request?x=3" --rate "$1/1s" -t "$2" --seed 1
  local run=$last
  within "${2%s}" "$3 to $4 replicas at $1 requests/s" serves rps "$3" "$4"
  swarmed "$run"
  sizes+=" $1/s $(serving rps)"
  [ "$(json run.json 'd["result"]["total"]["failed"]')" = 0 ] || fail "want no failures at $1/s"
}

# told checks that the timeline has, in order, the load step, the decision for
# it, and a replica that was started, got ready and answered.
told() {
  python3 - run.json <<'P' || fail "the timeline does not tell how the fleet grew"
import json, sys
first = json.load(open(sys.argv[1]))["timeline"]["episodes"][0]
grown = [a for a in first["arrivals"] if "ready" in a and "answered" in a]
one = grown[0]
moments = [first["at"], first["moves"][0]["at"], one["created"], one["ready"], one["answered"]]
print("timeline: decided after %.1f s, started after %.1f s, ready after %.1f s, first answer after %.1f s" % tuple((m - moments[0]) / 1e9 for m in moments[1:]))
sys.exit(not (moments == sorted(moments) and first["to"] == 200 and len(grown) >= 10))
P
}
sizes=
at 50 8s 5 6
at 200 16s 18 20 # 10 % is the tolerance
told
at 50 16s 5 6
within 70 "two replicas from the full minute on" serves hours 2
echo "truefoundry: 10 requests/s for each replica, 5..20:$sizes; 4 replicas by the hour, 2 from the full minute on"
