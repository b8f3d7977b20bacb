# A headless run with --api, and a dashboard somewhere else: it shows the run
# and steers it, says when the run is gone, and leaves it alone when it leaves.
source "$(dirname "$0")/lib.sh"
export LANG=C.UTF-8

at_end() { no_terminals; }
cd "$work"

api() { grep -o 'http://[0-9.:]*' "$work/$1.log" | head -n 1; }
# ask NAME PATH [CURL OPTIONS...] asks the API of a run with its token; its
# process is in the variable of that name.
ask() {
  local name=$1 path=$2; shift 2
  curl -s -H "Authorization: Bearer $(cat "$XDG_RUNTIME_DIR"/headroom/run-"${!name}".token)" "$@" "$(api "$name")$path"
}
reachable() { ask "$1" /healthz -f; }
none_left() { [ "$(ours '^[^ ]*headroom (run|attach|guard-terminal)')" = 0 ]; }

port=$(free_port)
background target headroom target --port "$port" --service-time 20ms --concurrency 50
within 10 "the target answers" curl -sf -o "$work/probe" "http://127.0.0.1:$port/healthz"

# steered from a dashboard elsewhere, and by hand
swarm steered "http://127.0.0.1:$port/request?x=7" -u 4 -r 50 -t 100s --api 127.0.0.1:0 --control; steered=$last
within 5 "the API answers" reachable steered
open steered 80x24 "headroom attach"
see 5 'swarming'
see 5 'users 4/4'
press W
see 5 'users 14/14'
screen
[ "$(ask steered /v1/control/users -o /dev/null -w '%{http_code}' -d '{"users": 9}')" = 204 ] || fail "an order is refused"
see 5 'users 9/9'
ask steered /metrics >"$work/metrics.log"
says "$work/metrics.log" 'locust_users 9'
grep -E '^locust_requests_(current_rps|num_requests)\{method="GET",name="/request\?x=7"\} [1-9]' "$work/metrics.log" || fail "no figures of the requests"
grep -E '^headroom_replica_requests_total\{replica=".+"\} [1-9]' "$work/metrics.log" || fail "no figures of the replicas"
[ "$(curl -s -o /dev/null -w '%{http_code}' "$(api steered)/metrics")" = 401 ] || fail "metrics without a token"
press e C-u 7 Enter
see 5 'users 7/7'
terminal resize-window -t "$session" -x 200 -y 50
press :users Space 9 Enter
see 5 'users 9/9'
fits 200x50
press q
see 5 'it goes on without this'
left 0
background followed headroom attach; followed=$last
within 10 "attach follows" grep -q swarming followed.log
ask steered /v1/control/stop -X POST
wait "$followed" || true
swarmed "$steered"
says followed.log 'stopped after'
says followed.log 'generator'
holds "$(json "$work/steered.json" "d['result']['wanted']") == 9"
[ ! -e "$XDG_RUNTIME_DIR/headroom/run-$steered.json" ] || fail "the runtime file is left"

# what is measured elsewhere is followed to its steps, beside what comes next
background capacity headroom capacity "http://127.0.0.1:$port/request?x=7" --slo 'p95<100ms' --budget 10s --api 127.0.0.1:0; capacity=$last
within 5 "the API answers" reachable capacity
background measured headroom attach "$(api capacity)"; measured=$last

# read-only is the default; and a run that is killed is said to be gone
swarm killed "http://127.0.0.1:$port/request?x=7" -u 4 -r 50 -t 60s --api 127.0.0.1:0; killed=$last
within 5 "the API answers" reachable killed
ask killed /v1/control/stop -X POST | grep -q 'read-only' || fail "an order is not refused"
background lines headroom attach "$(api killed)"; lines=$last
open killed 200x50 "headroom attach $(api killed)"
see 5 'swarming'
press w
see 5 'this run is read-only'
press '?'
see 5 'freeze the view'
! shows 'stop what is under way' || fail "the help has what is refused"
press Escape
see 5 'p95 +[0-9]'
kill -KILL "$killed"
see 5 '✗ connection lost: '
see 5 'trying again in'
screen
shows 'users 4/4' || fail "the last picture is gone"
press q
left 0
code=0
wait "$lines" || code=$?
[ $code = 3 ] || fail "attach off a terminal ends with $code when the run is lost, want 3"
rm "$XDG_RUNTIME_DIR"/headroom/run-"$killed".*
says lines.log 'how it ends is not known'

wait "$measured" || true
says measured.log 'verdict'
wait "$capacity" || true

# The whole way from elsewhere, with a run that has a dashboard of its own: stop
# it and start it again, edit, measure, apply, export, leave; and all but the
# measurement once more the other way round, with a policy that somebody changed
# meanwhile.
background scaler headroom scaler --name far --listen 127.0.0.1:0 --api 127.0.0.1:0 -- headroom target --port '{port}' --service-time 20ms; scaler=$last
serving_at() { service=$(grep -o 'http://127.0.0.1:[0-9]*' scaler.log | head -n 1) && curl -sf -o probe "$service/request?x=7"; }
within 10 "the scaler serves" serving_at
open near 200x50 "headroom run $service/request?x=7 -u 8 -r 8 --slo 'p95<100ms,errors<1%' --traffic 20..60 --budget 20s --headroom 50% --api 127.0.0.1:0 --control 2>near.log"
within 5 "the API is there" grep -q 'who has its token may steer' near.log
advice= users=12 other=200x50
for size in 80x24 200x50; do
  open "far-$size" "$size" "headroom attach $(api near)"
  see 5 'swarming'
  press Escape
  see 5 'Stop the swarm\? y/n'
  press y
  see 20 'idle, last run'
  started_with $users
  if [ $size = 80x24 ]; then
    ! advised || advice=yes
  elif [ $advice ]; then
    headroom apply --name far --set max_workers=3 --set interval=7s --yes
    press 3
    see 5 'policy in force: .* every 7s'
  fi
  fits $size
  resized $other
  [ ! $advice ] || applied_and_exported keda-$size.yaml
  echo "-- from elsewhere at $other"; screen
  fits $other
  press q
  see 5 'it goes on without this'
  left 0
  users=9 other=80x24
done
session=near
see 5 'users +[0-9]+/9'
press 3
[ ! $advice ] || see 10 'policy in force: (always|.* every [^7])'
press q y
left '(0|3|99)' # whether the SLO was met is not the question here
open fleet 200x50 "headroom attach far"
see 5 '▶ scaler'
see 5 'replica-1'
shows '6 Log' && ! shows 'Dashboard' || fail "a scaler alone has other views than Replicas and Log"
press q
left 0
kill -INT "$scaler"

within 5 "no process is left" none_left
