# Who was it? A server that we did not write is stopped for 2 s, which must be in the
# latency and is no fault of the generator; then the generator is stopped for 2 s,
# starved, and asked for more than it can send, which must end inconclusive.
source "$(dirname "$0")/lib.sh"
cd "$work"

port=$(free_port)
cat >nginx.conf <<N
daemon off; master_process off; error_log stderr crit; pid $work/nginx.pid;
events { worker_connections 1000; }
http {
  access_log off;
  client_body_temp_path $work/a; proxy_temp_path $work/b; fastcgi_temp_path $work/c; uwsgi_temp_path $work/d; scgi_temp_path $work/e;
  server { listen 127.0.0.1:$port; location / { return 200 'ok'; } }
}
N
background nginx nginx -p "$work" -c "$work/nginx.conf"
server=$last url=http://127.0.0.1:$port/
within 10 "nginx answers" curl -s -o probe "$url"

# pause PID stops a process for 2 s.
pause() { kill -STOP "$1"; sleep 2; kill -CONT "$1"; }

# ends NAME VERDICT CODE waits for the run that was started last.
ends() {
  local code=0
  wait "$last" || code=$?
  echo "$1: exit $code, $(json "$1.json" "d['result']['health']")"
  [ "$code" = "$3" ] && [ "$(health "$1" verdict)" = "$2" ] || fail "$1: want $2 and exit code $3"
}
health() { json "$1.json" "d['result']['health']['$2']"; }
latency() { json "$1.json" "d['result']['total']['latency']['$2'] / 1e9"; }

# 200 of 1000 arrivals wait for 2..0 s, 190 of them for one of the 10 users. Of a
# machine that others keep busy nothing is concluded but that it is in the latency.
swarm frozen "$url" --rate 100 --arrivals constant --max-users 10 -t 10s
sleep 4
pause "$server"
swarmed "$last"
echo "frozen: p90 $(latency frozen p90), p95 $(latency frozen p95), p99 $(latency frozen p99), $(health frozen verdict), $(health frozen late) late"
holds "abs($(latency frozen p90) - 1.0) < 0.3 and abs($(latency frozen p95) - 1.5) < 0.3 and abs($(latency frozen p99) - 1.9) < 0.3"
holds "$(health frozen late) > 150 and $(health frozen lagP50) < 20e6 and $(health frozen lagP99) < 500e6"

# The users are idle when the generator stops, so nothing waited for one.
swarm stopped "$url" --rate 200 --arrivals constant --max-users 10 -t 10s
sleep 4
pause "$last"
ends stopped limited 3
holds "$(health stopped late) < 200 and $(health stopped lagP99) > 1e9 and $(health stopped hiccup) > 1e9"

swarm paced "$url" -u 5 -r 5 --wait pacing:50ms -t 10s
sleep 4
pause "$last"
ends paced limited 3
holds "$(health paced missed) > 100"

# A rate that no two processors send, for as many users as keep them busy.
swarm flooded "$url" --rate 2000000 --max-users 64 -t 4s
ends flooded limited 3
holds "$(health flooded sent) < 0.5 * $(health flooded due)"

# More users than descriptors: known before the first request.
code=0
(ulimit -n 64 && headroom run "$url" -u 20000 -r 20000 -t 1s --headless >few.out 2>few.log) || code=$?
[ "$code" = 2 ] || fail "20000 users of 64 descriptors: exit code $code, want 2"
says few.log "--users: got 20000, which keep a connection each"
