# Replicas that get nothing: balancers that choose a replica for each connection,
# nginx (stream) and HAProxy (mode tcp), over replicas of a scaler. One is added
# while a load runs over connections that stay, of HTTP/1 or HTTP/2. The run says
# so within ten seconds; R and --conn-max-age each cure it; and where the balancer chooses for
# each request, it stays silent. A list of workers over HTTP does what a scaler
# does, and where it has other names, their number is compared.
source "$(dirname "$0")/lib.sh"
cd "$work"
export PATH="$PATH:/usr/sbin" LANG=C.UTF-8

cat >two.yaml <<Y
version: headroom/v1
replicas: {min: 2, max: 2}
Y
sed 's/2/3/g' two.yaml >three.yaml
cp two.yaml policy.yaml # which apply writes to
background scaler headroom scaler --name pin --policy policy.yaml --concurrency 64 --listen 127.0.0.1:0 --api 127.0.0.1:0 -- headroom target --http2 --concurrency 64 --port '{port}'
within 20 "two replicas" serves pin 2
addresses() { headroom workers --name pin -o json | python3 -c 'import json, sys; print("\n".join(r["address"] for r in json.load(sys.stdin) if r.get("address") and r["status"] == "RUNNING"))'; }

nginx_conf() { # KIND PORT
  local servers
  servers=$(addresses | sed 's/.*/    server &;/')
  [ "$1" = http ] || echo "load_module /usr/lib/nginx/modules/ngx_stream_module.so;"
  echo "daemon off; error_log stderr crit; pid $work/nginx-$1.pid; worker_processes 1; events { worker_connections 1000; }"
  if [ "$1" = stream ]; then
    echo "stream { upstream u { $servers } server { listen 127.0.0.1:$2; proxy_pass u; } }"
  else
    echo "http { access_log off; client_body_temp_path $work/a; proxy_temp_path $work/b; fastcgi_temp_path $work/c; uwsgi_temp_path $work/d; scgi_temp_path $work/e;"
    echo "upstream u { $servers keepalive 16; } server { listen 127.0.0.1:$2; location / { proxy_pass http://u; proxy_http_version 1.1; proxy_set_header Connection \"\"; } } }"
  fi
}
haproxy_conf() { # PORT
  printf 'global\n  nbthread 1\ndefaults\n  mode tcp\n  timeout connect 5s\n  timeout client 60s\n  timeout server 60s\nlisten l\n  bind 127.0.0.1:%s\n' "$1"
  addresses | awk '{ print "  server s" NR " " $1 }'
}

# beside PORT OPTIONS... is a load on a balancer, with the replicas known from the
# scaler.
beside() { local port=$1; shift; echo "headroom run http://127.0.0.1:$port/ --scaler pin -u 12 -r 100 --wait 20ms --exit-code-on-error 0 $*"; }
told() { grep -q "had nothing for" "$work/$1.log"; }
rows() { grep -c '^replica-' "$work/$1.log"; }

more() { headroom apply three.yaml --name pin --yes >/dev/null; within 20 "three replicas" serves pin 3; }
less() { headroom apply two.yaml --name pin --yes >/dev/null; within 20 "two replicas" serves pin 2; }

# silent NAME PORT OPTIONS... runs a load that reaches three replicas.
silent() {
  local name=$1 port=$2; shift 2
  background "$name" $(beside "$port" --headless -t 9s "$@")
  swarmed "$last"
  told "$name" && fail "$name: it speaks of replicas without requests, and there are none"
  [ "$(rows "$name")" = 3 ] || fail "$name: $(rows "$name") replicas answer, and not 3"
  echo "$name: silent, all three answer"
}

# nginx for TCP.
port=$(free_port)
nginx_conf stream "$port" >nginx-stream.conf
background nginx-stream nginx -p "$work" -c nginx-stream.conf
nginx=$last
within 5 "nginx" curl -fs "http://127.0.0.1:$port/" -o /dev/null
deaf=() # that ignore SIGINT: HAProxy, and Python in the background
terminal() { tmux -S "$work/tmux" "$@"; }
at_end() {
  terminal kill-server 2>/dev/null || true
  kill -TERM "${deaf[@]}" 2>/dev/null || true
}
shows() { terminal capture-pane -p | grep -q -- "$1"; }
shows_not() { ! shows "$1"; }

# cured NAME PORT RELOAD OPTIONS... has a load on a screen, adds a replica, of
# which RELOAD tells the balancer, and awaits that it is said; R cures it.
cured() {
  local name=$1 port=$2 reload=$3; shift 3
  terminal new-session -d -x 200 -y 50 "$(beside "$port" -t 60s "$@")"
  within 5 "$name: the dashboard shows two replicas" shows "replica-2 answers"
  more
  "$reload"
  began=$(now)
  within 10 "$name: it says that the third replica gets nothing" shows "had nothing for"
  echo "$name: said after $(since "$began") s"
  terminal send-keys 3
  within 2 "$name: the replicas" shows "3 Replicas\]"
  shows "! 1 of 3 replicas has had nothing" || fail "$name: the table of replicas does not say it"
  terminal send-keys R
  within 5 "$name: R cures it" shows_not "had nothing for"
  within 5 "$name: after R all replicas answer" shows "3 wanted.*3 answering"
  terminal kill-server
  echo "$name: cured by R"
}
reload_nginx() {
  nginx_conf stream "$port" >nginx-stream.conf
  kill -HUP "$nginx"
}
cured nginx "$port" reload_nginx
silent nginx-fresh "$port" --conn-max-age 2s
less

# The replicas are known from a list of workers, in the form of EverAI's.
cat >workers.py <<'PY'
import http.server, sys

class Workers(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        good = self.headers.get("Authorization") == "Bearer hidden"
        self.send_response(200 if good else 401)
        self.end_headers()
        self.wfile.write(open("workers.json", "rb").read() if good else b"")

http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Workers).serve_forever()
PY
workers() { # PREFIX is put before each name
  headroom workers --name pin -o json | python3 -c 'import json, sys; print(json.dumps({"workers": [
    {"id": sys.argv[1] + r["id"], "status": "STATUS_" + r["status"], "detailStatus": "DETAIL_STATUS_" + r["detailStatus"], "createdAt": r["createdAt"]}
    for r in json.load(sys.stdin)]}))' "$1" >workers.next
  mv workers.next workers.json
}
reload_nginx
list=$(free_port)
workers ""
background workers python3 workers.py "$list"
deaf+=("$last")
within 5 "an answer of the list" curl -fs -H 'Authorization: Bearer hidden' "http://127.0.0.1:$list/" -o /dev/null
listed="--headless --workers-url http://127.0.0.1:$list/ -u 30 -r 100 --wait 20ms"
export WORKERS_TOKEN=hidden
background listed headroom run "http://127.0.0.1:$port/" $listed --workers-header 'Authorization: Bearer ${env.WORKERS_TOKEN}' -t 40s --save listed.json
run=$last
sleep 1
more
workers ""
reload_nginx
began=$(now)
within 10 "the list of workers: it says that the third replica gets nothing" told listed
echo "list of workers: said after $(since "$began") s"
workers w-
within 20 "other names: it says that the sources disagree" grep -q "3 ready by the list of workers, 2 answering, under other names" listed.log
kill -INT "$run"
wait "$run" || true
says listed.log "workers list: 3 running (by other names) · answers: 2"
says listed.log "to the end: the sources disagree"
holds "$(json listed.json '[s["known"] for s in d["fleet"]["sources"] if s["source"] == "workers"]') == [3]"
! grep -q hidden listed.json listed.log || fail "the token of the list is told"
background refused headroom run "http://127.0.0.1:$port/" $listed -t 2s
swarmed "$last"
says refused.log "workers list: got 401 Unauthorized, want 200"
less

# HAProxy for TCP, which passes HTTP/2 through.
port=$(free_port)
haproxy_conf "$port" >haproxy.cfg
background haproxy-tcp haproxy -W -db -f haproxy.cfg
haproxy=$last deaf+=("$last")
within 5 "HAProxy" curl -fs "http://127.0.0.1:$port/" -o /dev/null
reload_haproxy() {
  haproxy_conf "$port" >haproxy.cfg
  kill -USR2 "$haproxy"
}
cured HAProxy "$port" reload_haproxy
silent haproxy-fresh "$port" --conn-max-age 2s
less
reload_haproxy
cured http2 "$port" reload_haproxy --http2
silent http2-fresh "$port" --http2 --conn-max-age 2s

# Balancers that choose for each request reach all three.
port=$(free_port)
nginx_conf http "$port" >nginx-http.conf
background nginx-http nginx -p "$work" -c nginx-http.conf
within 5 "nginx" curl -fs "http://127.0.0.1:$port/" -o /dev/null
silent through-nginx "$port"
port=$(free_port)
haproxy_conf "$port" | sed 's/mode tcp/mode http/' >haproxy-http.cfg
background haproxy-http haproxy -db -f haproxy-http.cfg
deaf+=("$last")
within 5 "HAProxy" curl -fs "http://127.0.0.1:$port/" -o /dev/null
silent through-haproxy "$port"
