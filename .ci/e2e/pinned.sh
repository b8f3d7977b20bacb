# Replicas that get nothing: balancers that choose a replica for each connection,
# nginx (stream) and HAProxy (mode tcp), over replicas of a scaler. One is added
# while a load runs over connections that stay. The run says so within ten
# seconds; fresh connections cure it; and where the balancer chooses for each
# request, it stays silent.
source "$(dirname "$0")/lib.sh"
cd "$work"
export PATH="$PATH:/usr/sbin"

cat >two.yaml <<Y
version: headroom/v1
replicas: {min: 2, max: 2}
Y
sed 's/2/3/g' two.yaml >three.yaml
background scaler headroom scaler --name pin --policy two.yaml --concurrency 64 --listen 127.0.0.1:0 --api 127.0.0.1:0 -- headroom target --concurrency 64 --port '{port}'
within 20 "two replicas" serves pin 2
addresses() { headroom workers --name pin -o json | python3 -c 'import json, sys; print("\n".join(r["address"] for r in json.load(sys.stdin) if r.get("address") and r["state"] == "ready"))'; }

nginx_conf() { # KIND PORT
  local servers
  servers=$(addresses | sed 's/.*/    server &;/')
  echo "daemon off; error_log stderr crit; pid $work/nginx-$1.pid; worker_processes 1; events { worker_connections 1000; }"
  if [ "$1" = stream ]; then
    echo "include /etc/nginx/modules-enabled/*stream*.conf;"
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

# run_beside NAME PORT OPTIONS... loads a balancer, with the replicas known from
# the scaler.
run_beside() {
  local name=$1 port=$2; shift 2
  background "$name" headroom run "http://127.0.0.1:$port/" --scaler pin -u 12 -r 100 --wait 20ms "$@" --headless --exit-code-on-error 0
}
told() { grep -q "have had nothing for" "$work/$1.log"; }

# add has the scaler start a third replica; RELOAD makes the balancer know it.
add() { headroom apply three.yaml --name pin --yes >/dev/null; within 20 "three replicas" serves pin 3; }
less() { headroom apply two.yaml --name pin --yes >/dev/null; within 20 "two replicas" serves pin 2; }

# pinned NAME PORT RELOAD... is the whole story for one balancer.
pinned() {
  local name=$1 port=$2 began; shift 2
  run_beside "$name" "$port" -t 25s
  local run=$last
  within 10 "$name: answers" grep -q answers "$work/$name.log"
  add
  "$@"
  began=$(now)
  within 12 "$name says that the third replica gets nothing" told "$name"
  echo "$name: said after $(since "$began") s: $(grep -o '[0-9]* of [0-9]* replicas have had nothing.*' "$work/$name.log" | head -n 1)"
  kill -INT "$run"; wait "$run" || true
  run_beside "$name-fresh" "$port" -t 9s --conn-max-age 2s
  wait "$last" || true
  told "$name-fresh" && fail "$name: it speaks of replicas without requests though connections are replaced"
  says "$work/$name-fresh.log" "replica-"
  less
}

port=$(free_port)
nginx_conf stream "$port" >nginx-stream.conf
background nginx-stream-server nginx -p "$work" -c nginx-stream.conf
master=$last
within 5 "nginx" curl -fs "http://127.0.0.1:$port/" -o /dev/null
reload_nginx() { nginx_conf stream "$port" >nginx-stream.conf; kill -HUP "$master"; sleep 1; }
pinned nginx-stream "$port" reload_nginx

port=$(free_port)
haproxy_conf "$port" >haproxy.cfg
background haproxy-tcp haproxy -W -db -f haproxy.cfg
haproxy=$last
within 5 "HAProxy" curl -fs "http://127.0.0.1:$port/" -o /dev/null
reload_haproxy() { haproxy_conf "$port" >haproxy.cfg; kill -USR2 "$haproxy"; sleep 1; }
pinned haproxy-tcp "$port" reload_haproxy

# A balancer that chooses for each request reaches the third one.
port=$(free_port)
add
nginx_conf http "$port" >nginx-http.conf
background nginx-http-server nginx -p "$work" -c nginx-http.conf
within 5 "nginx" curl -fs "http://127.0.0.1:$port/" -o /dev/null
run_beside nginx-http "$port" -t 9s
wait "$last" || true
told nginx-http && fail "nginx in HTTP mode: it speaks of replicas without requests, and there are none"
echo "nginx in HTTP mode: silent"
