# A headless run with --api, and a dashboard somewhere else: it shows the run
# and steers it, says when the run is gone, and leaves it alone when it leaves.
source "$(dirname "$0")/lib.sh"
export LANG=C.UTF-8

terminal() { tmux -S "$work/tmux" "$@"; }
at_end() { terminal kill-server 2>/dev/null || true; }
screen() { terminal capture-pane -p -t attached; }
shows() { screen | grep -qE -- "$1"; }
see() { within "$1" "the screen shows $2" shows "$2"; }
press() { terminal send-keys -t attached "$@"; }
# dashboard ARGUMENTS... attaches in a terminal of 80x24.
dashboard() {
  terminal new-session -d -s attached -x 80 -y 24 "headroom attach $*; echo \"left with \$?\"; stty -a | grep -o '[-]*echo '; sleep 60"
}
# left checks that the dashboard has ended and the terminal is as it was.
left() {
  see 5 'left with 0'
  see 5 '^echo'
  terminal kill-session -t attached
}
api() { grep -o 'http://[0-9.:]*' "$work/$1.log" | head -n 1; }
# ask NAME PATH [CURL OPTIONS...] asks the API of a run with its token.
ask() {
  local name=$1 path=$2; shift 2
  curl -s -H "Authorization: Bearer $(cat "$XDG_RUNTIME_DIR"/headroom/run-*.token)" "$@" "$(api "$name")$path"
}
reachable() { ask "$1" /healthz -f; }
none_left() { [ "$(ours 'headroom (run|attach)')" = 0 ]; }

port=$(free_port)
background target headroom target --port "$port" --service-time 20ms --concurrency 50
within 10 "the target answers" curl -sf -o "$work/probe" "http://127.0.0.1:$port/healthz"

# steered from a dashboard elsewhere, and by hand
swarm steered "http://127.0.0.1:$port/request?x=7" -u 4 -r 50 -t 12s --api 127.0.0.1:0 --control; steered=$last
within 5 "the API answers" reachable steered
dashboard
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
press q
see 5 'it goes on without this'
left
headroom attach >"$work/followed.out" 2>"$work/followed.log"
swarmed "$steered"
says "$work/followed.log" 'stopped after 12s'
says "$work/followed.out" 'generator'
holds "$(json "$work/steered.json" "d['result']['wanted']") == 9"
[ ! -e "$XDG_RUNTIME_DIR/headroom/run-$steered.json" ] || fail "the runtime file is left"

# read-only is the default; and a run that is killed is said to be gone
swarm killed "http://127.0.0.1:$port/request?x=7" -u 4 -r 50 -t 60s --api 127.0.0.1:0; killed=$last
within 5 "the API answers" reachable killed
ask killed /v1/control/stop -X POST | grep -q 'read-only' || fail "an order is not refused"
dashboard "$(api killed)"
see 5 'swarming'
press w
see 5 'this run is read-only'
see 5 'p95 +[0-9]'
kill -KILL "$killed"
see 5 '✗ connection lost: '
see 5 'trying again in'
screen
shows 'users 4/4' || fail "the last picture is gone"
press q
left
within 5 "no process is left" none_left
