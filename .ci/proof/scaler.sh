#!/usr/bin/env bash
# What the scaler costs, side by side with nginx and HAProxy in front of the
# same kind of replicas, and what it holds: a table to paste into a note.
#
#   .ci/proof/scaler.sh [latency] [throughput] [queue]
#
# All parts where none is named; some eight minutes. It wants a machine on which
# nothing else runs, with two cores or more. Exit code 1: a target was missed; 3:
# something else was the limit.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
source "$here/parts.sh" latency throughput queue -- "$@"
"$here/../needs" nginx-light haproxy curl util-linux
source "$here/../e2e/lib.sh"
cd "$work"
# The shell has them ignore the interrupt that lib.sh ends everything with.
at_end() { kill -TERM "${pid[nginx]:-}" "${pid[haproxy]:-}" 2>/dev/null || true; }
declare -A port pid
(cd "$here/../.." && go build -o "$work/headroom" ./cmd/headroom)
export PATH="$work:/usr/sbin:$PATH"

cores=$(nproc)
[ "$cores" -ge 2 ] || fail "this machine has one core; the balancer needs one to itself"
ulimit -n "$(ulimit -Hn)"
crowd=10000
[ "$(ulimit -n)" -gt $((crowd + 1000)) ] || fail "ulimit -n is $(ulimit -n), want more than $((crowd + 1000))"
echo "headroom $(git -C "$here" rev-parse --short HEAD), $(nginx -v 2>&1 | sed 's/.*: //'), $(haproxy -v | head -n 1 | cut -d ' ' -f 1-3)"
echo "$(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1), $cores cores, load average $(cut -d ' ' -f 1-3 /proc/loadavg)"

# No replica gets more than 8 requests at a time from the scaler or HAProxy, and
# both queue the rest; nginx has no queue and no limit here.
limit=8
subjects=(direct headroom nginx haproxy)

# Without a balancer the generator spreads its connections over the addresses of
# a name, which only a file of hosts of our own has.
declare -A host=([direct]=127.0.0.2 [headroom]=127.0.0.1 [nginx]=127.0.0.1 [haproxy]=127.0.0.1)
printf '127.0.0.%d four.test\n' 2 3 4 5 >hosts
named=(unshare --map-root-user --mount sh -c 'mount --bind hosts /etc/hosts && exec "$@"' sh)

# bring_up MODE starts four replicas on one port of four addresses, and every
# balancer in front of four. apart: the balancers have core 0 to themselves, with
# one thread, and replicas and generator share the others. free: everything runs
# where the system puts it, as it does where nobody says otherwise. bring_down
# ends them all.
bring_up() {
  local mode=$1 i replica
  if [ "$mode" = apart ]; then
    alone=(env GOMAXPROCS=1 taskset -c 0) others=(env GOMAXPROCS=$((cores - 1)) taskset -c "1-$((cores - 1))")
  else
    alone=(env) others=(env)
  fi
  replica=("${others[@]}" headroom target --concurrency $limit)
  up=()
  port[direct]=$(free_port)
  for i in 1 2 3 4; do
    background replica$i env HOSTNAME=replica-$i "${replica[@]}" --host 127.0.0.$((i + 1)) --port "${port[direct]}"
    up+=("$last")
  done
  pid[direct]=${up[0]}

  printf 'version: headroom/v1\nreplicas: {min: 4, max: 4}\n' >four.yaml
  port[headroom]=$(free_port)
  background headroom "${alone[@]}" headroom scaler --name "$mode" --policy four.yaml --concurrency $limit \
    --listen 127.0.0.1:"${port[headroom]}" --api 127.0.0.1:0 -- "${replica[@]}" --port '{port}'
  pid[headroom]=$last

  port[nginx]=$(free_port)
  cat >nginx.conf <<C
daemon off;
master_process off;
error_log stderr;
pid nginx.pid;
events { worker_connections 4096; }
http {
  access_log off;
  client_body_temp_path tmp; proxy_temp_path tmp; fastcgi_temp_path tmp; uwsgi_temp_path tmp; scgi_temp_path tmp;
  keepalive_requests 100000000;
  upstream replicas {
$(for i in 2 3 4 5; do echo "    server 127.0.0.$i:${port[direct]};"; done)
    keepalive 64;
    keepalive_requests 100000000;
  }
  server {
    listen 127.0.0.1:${port[nginx]};
    location / { proxy_pass http://replicas; proxy_http_version 1.1; proxy_set_header Connection ""; }
  }
}
C
  background nginx "${alone[@]}" nginx -p "$work" -c nginx.conf
  pid[nginx]=$last

  port[haproxy]=$(free_port)
  cat >haproxy.cfg <<C
global
  nbthread 1
  maxconn 4096
defaults
  mode http
  timeout connect 5s
  timeout client 120s
  timeout server 120s
  timeout queue 120s
  http-reuse always
frontend service
  bind 127.0.0.1:${port[haproxy]}
  default_backend replicas
backend replicas
  balance roundrobin
$(for i in 1 2 3 4; do echo "  server replica-$i 127.0.0.$((i + 1)):${port[direct]} maxconn $limit"; done)
C
  background haproxy "${alone[@]}" haproxy -db -f haproxy.cfg
  pid[haproxy]=$last
  up+=("${pid[headroom]}" "${pid[nginx]}" "${pid[haproxy]}")

  for i in "${subjects[@]}"; do
    within 30 "$i answers" curl -sf -o /dev/null "http://${host[$i]}:${port[$i]}/load/1"
  done
  within 30 "four replicas" serves "$mode" 4
}
bring_down() {
  kill -TERM "${up[@]}"
  wait "${up[@]}" || true
}

# cpu_ticks PID: clock ticks of user and system time so far.
cpu_ticks() { sed 's/.*) //' "/proc/$1/stat" | awk '{print $12 + $13}'; }

# measure LOAD SUBJECT FLAGS... runs the load and notes what it gave, and what
# CPU time it took the balancer. Latency is counted from the actual send: when
# the generator meant to send is the same for all.
measure() {
  local load=$1 round=$2 subject=$3 before after code=0 to; shift 3
  to=${host[$subject]}
  [ "$subject" != direct ] || to=four.test
  before=$(cpu_ticks "${pid[$subject]}")
  "${named[@]}" "${others[@]}" headroom run "http://$to:${port[$subject]}/load/1" "$@" --headless --json >run.json 2>run.log || code=$?
  after=$(cpu_ticks "${pid[$subject]}")
  [ $code = 0 ] || [ $code = 3 ] || { cat run.log; fail "$subject: the run ended with exit code $code"; }
  python3 - "$load" "$round" "$subject" $((after - before)) "$(getconf CLK_TCK)" >>measured.jsonl <<'P'
import json, sys
load, round, subject, ticks, per_second = *sys.argv[1:4], *map(int, sys.argv[4:])
r = json.load(open("run.json"))["result"]
t = r["total"]
print(json.dumps({
    "load": load, "round": round, "subject": subject, "count": t["count"], "failed": t["failed"],
    "rps": t["count"] / t["over"] * 1e9, "p50": t["service"]["p50"] / 1e6, "p99": t["service"]["p99"] / 1e6,
    "shares": [x["share"] for x in r["replicas"]], "cpu": ticks / per_second, "over": t["over"] / 1e9, "verdict": r["health"]["verdict"], "reason": r["health"].get("reason", ""),
}))
P
}

# in_turns LOAD ROUNDS FLAGS... measures all subjects in each round: what the
# machine has left changes from minute to minute.
in_turns() {
  local load=$1 rounds=$2 round s; shift 2
  for ((round = 1; round <= rounds; round++)); do
    for s in "${subjects[@]}"; do measure "$load" $round "$s" "$@" --seed $round; done
    echo "$load: round $round of $rounds" >&2
  done
}
touch measured.jsonl
if part latency; then
  bring_up free
  in_turns open 20 --rate 1000/1s -t 3s
  bring_down
fi
if part throughput; then
  bring_up apart
  in_turns closed 5 -u 32 -r 10000 -t 8s
  bring_down
fi

if part queue; then
  policy() { printf 'version: headroom/v1\nreplicas: {min: %d, max: %d}\n' "$1" "$1" >"policy-$1.yaml"; }

  # Ten at once on four serial workers of 250 ms, as in the gibbs documentation.
  policy 4
  port[ten]=$(free_port)
  background ten headroom scaler --name ten --policy policy-4.yaml --listen 127.0.0.1:"${port[ten]}" --api 127.0.0.1:0 -- headroom target --service-time 250ms
  within 30 "four workers" serves ten 4
  for ((round = 1; round <= 10; round++)); do python3 "$here/../e2e/ten.py" http://127.0.0.1:"${port[ten]}" >>ten.txt; done

  # 10,000 requests in the queue of one replica that is busy for an hour.
  policy 1
  port[crowd]=$(free_port)
  background crowd headroom scaler --name crowd --policy policy-1.yaml --max-queue 20000 --max-wait 10m --timeout 10m \
    --listen 127.0.0.1:"${port[crowd]}" --api 127.0.0.1:0 -- headroom target --service-time 1h
  within 30 "the slow replica" serves crowd 1
  python3 "$here/crowd.py" "${port[crowd]}" $crowd "$last" crowd >crowd.json

  (cd "$here/../.." && go test -run '^$' -bench 'Decide200$' ./profiles) >decide.txt
fi

verdict=0
echo "load average at the end $(cut -d ' ' -f 1-3 /proc/loadavg)"
python3 -B "$here/scaler.py" || verdict=$?
concluded
