# A watch of three replicas behind nginx, in a terminal and as lines of JSON:
# it waits for nginx, one replica is killed, one is added by a reload, and nginx
# goes and comes back; each is told, and nothing is left behind.
source "$(dirname "$0")/lib.sh"
cd "$work"
export PATH="$PATH:/usr/sbin" LANG=C.UTF-8

ports=() replicas=()
for i in 1 2 3 4; do
  ports+=("$(free_port)")
  HOSTNAME=replica-$i background "replica-$i" headroom target --port "${ports[-1]}"
  replicas+=("$last")
done
port=$(free_port)
balance() { # REPLICA... writes what nginx balances over
  local servers="" n
  for n in "$@"; do servers+="server 127.0.0.1:${ports[$((n - 1))]}; "; done
  cat >nginx.conf <<N
daemon off; error_log stderr crit; pid $work/nginx.pid; worker_processes 1; events { worker_connections 100; }
http { access_log off; client_body_temp_path a; proxy_temp_path b; fastcgi_temp_path c; uwsgi_temp_path d; scgi_temp_path e;
upstream u { $servers } server { listen 127.0.0.1:$port; location / { proxy_pass http://u; } } }
N
}
balancer() { background nginx nginx -p "$work" -c nginx.conf; nginx=$last; }

terminal() { tmux -S "$work/tmux" "$@"; }
at_end() { terminal kill-server 2>/dev/null || true; }
screen() { terminal capture-pane -p; }
shows() { screen | grep -qE -- "$1"; }
# told PATTERN: both say it.
told() { shows "$1" && grep -qE -- "$1" watch.json; }

balance 1 2 3
url=http://127.0.0.1:$port/
headroom watch "$url" --rate 10 --json >watch.json 2>watch.log &
json=$! started+=("$!")
terminal new-session -d -x 80 -y 24 "stty -g >before; headroom watch $url --rate 10; echo \"left with \$?\"; stty -g | cmp - before && echo sane; sleep 60"
within 5 "it waits for a target that is not there" told 'every request fails: connection refused'
balancer
within 8 "the target comes up" told 'requests succeed, after'
for i in 1 2 3; do within 4 "replica-$i answers" told "replica-$i (answers|appears)"; done

# What is known of a replica's share decides how soon it is missed.
known() {
  python3 - watch.json <<'P'
import json, sys
lines = open(sys.argv[1]).read().split("\n")[:-1]
last = [d for d in map(json.loads, lines) if d["type"] == "status"][-1]
assert sum(r["answers"] >= 30 for r in last["replicas"]) == 3
P
}
within 20 "each has given 30 answers" known
kill "${replicas[1]}"
began=$(now)
within 10 "replica-2 is quiet" told 'replica-2 has been quiet since'
within 10 "replica-2 goes" told 'replica-2 is gone'
echo "gone: said after $(since "$began") s"

balance 1 3 4
kill -HUP "$nginx"
began=$(now)
within 6 "replica-4 appears" told 'replica-4 appears'
echo "appears: said after $(since "$began") s"

terminal resize-window -x 60 -y 15
within 3 "a small terminal has what changed" shows '^replica-4 +serving.{0,40}$'
shows 'replica-4 appears' || { screen; fail "a small terminal hides the newest change"; }
terminal resize-window -x 120 -y 30
within 3 "a wide terminal has more columns" shows 'first +answers'
[ "$(screen | grep -c "^$url")" = 1 ] || { screen; fail "the screen is drawn in more than one place"; }
terminal resize-window -x 80 -y 24
screen >narrow.txt
[ "$(python3 -c 'print(max(len(l.rstrip("\n")) for l in open("narrow.txt")))')" -le 80 ] || fail "a line is too long"

terminal send-keys C-c
within 5 "the watch ends" shows 'left with 0'
within 2 "the terminal is as it was" shows '^sane'
shows '^replica-4 +serving' && shows '^replica-2 +gone' || { screen; fail "the summary lacks replicas"; }
screen | grep -v '^$'
terminal kill-server
kill -INT "$json"
wait "$json" || fail "watch --json: exit $?"
[ ! -s watch.log ] || fail "watch --json has something to say on stderr"
python3 - watch.json <<'P'
import json, sys
lines = [json.loads(line) for line in open(sys.argv[1])]
end = lines[-1]
states = {r["id"]: r["state"] for r in end["replicas"]}
assert end["type"] == "end" and sum(r["answers"] for r in end["replicas"]) <= end["requests"], end
assert end["lastMinute"]["count"] <= end["service"]["count"], end
assert all(r["lastMinute"]["p50"] > 0 for r in end["replicas"] if r["state"] == "serving"), end
assert states == {"replica-1": "serving", "replica-3": "serving", "replica-4": "serving", "replica-2": "gone"}, states
kinds = [(l["kind"], l.get("replica", "")) for l in lines if l["type"] == "change"]
for want in [("down", ""), ("up", ""), ("quiet", "replica-2"), ("gone", "replica-2"), ("appears", "replica-4")]:
    assert kinds.count(want) == 1, (want, kinds)
P

# A reader that has seen enough ends it in silence.
headroom watch "$url" --rate 10 -t 20s --json 2>watch.log | head -n 1 >/dev/null || true
[ ! -s watch.log ] || fail "a pipe that closes makes noise: $(cat watch.log)"
[ "$(ours 'headroom watch')" = 0 ] || fail "a watch is left"
