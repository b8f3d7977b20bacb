# Counts on both sides: what headroom says it sent and got is what three servers
# that we did not write say they answered, to the last request: nginx in its access
# log, a Node server and the FastAPI application in logs that they write
# themselves. Closed and open model, statuses of three kinds.
source "$(dirname "$0")/lib.sh"
cd "$work"

# counts NAME URL LOG swarms URL in both models and compares with the lines of
# the server's log, which are a status each.
counts() {
  local name=$1 url=$2 log=$3 model
  for model in "-u 20 -r 1000" "--rate 300 --max-users 50"; do
    : >"$log"
    # shellcheck disable=SC2086
    swarm "$name" "$url" $model -t 3s --exit-code-on-error 0
    swarmed "$last"
    within 5 "$name: $(total "$name" count) requests in its log" agree "$name" "$log"
    echo "$name, $model: $(wc -l <"$log") on both sides, by status $(sort "$log" | uniq -c | awk '{ printf "%s%s: %s", sep, $2, $1; sep = ", " }')"
  done
}

total() { json "$1.json" "d['result']['total']['$2']"; }

# agree holds when every status was counted as often on both sides, and nothing
# else came, failed or stayed away.
agree() {
  local theirs ours
  theirs=$(sort "$2" | uniq -c | awk '{ print $2, $1 }')
  ours=$(json "$1.json" '"\n".join("%d %d" % (s["status"], s["count"]) for s in d["result"]["statuses"])')
  [ "$theirs" = "$ours" ] && [ "$(total "$1" count)" = "$(wc -l <"$2")" ] && [ "$(total "$1" aborted)" = 0 ]
}

# nginx writes its log unbuffered.
port=$(free_port)
cat >nginx.conf <<N
daemon off; master_process off; error_log stderr crit; pid $work/nginx.pid;
events { worker_connections 1000; }
http {
  log_format status '\$status';
  access_log $work/nginx.access status;
  client_body_temp_path $work/a; proxy_temp_path $work/b; fastcgi_temp_path $work/c; uwsgi_temp_path $work/d; scgi_temp_path $work/e;
  split_clients "\$request_id" \$answer { 80% 200; 15% 404; * 503; }
  server { listen 127.0.0.1:$port; location / { if (\$answer = 404) { return 404; } if (\$answer = 503) { return 503; } return 200 'ok'; } }
}
N
background nginx nginx -p "$work" -c "$work/nginx.conf"
within 10 "nginx answers" curl -s -o probe http://127.0.0.1:$port/
counts nginx http://127.0.0.1:$port/ nginx.access

port=$(free_port)
cat >server.js <<'J'
const http = require('http'), fs = require('fs');
const log = fs.openSync('node.access', 'a');
let n = 0;
http.createServer((request, response) => {
  const status = ++n % 10 === 0 ? 500 : 200;
  request.resume().on('end', () => {
    fs.writeSync(log, status + '\n');
    response.writeHead(status, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify({ hostname: 'node-1', n }));
  });
}).listen(Number(process.argv[2]), '127.0.0.1');
J
background node node server.js "$port"
within 10 "the Node server answers" curl -s -o probe http://127.0.0.1:$port/
counts node http://127.0.0.1:$port/ node.access

# The application, with a counter around it.
write_app "$work"
port=$(free_port)
cat >counted.py <<'P'
from main import app

log = open("fastapi.access", "a", buffering=1)

@app.middleware("http")
async def count(request, call_next):
    response = await call_next(request)
    log.write(f"{response.status_code}\n")
    return response
P
background fastapi uvicorn counted:app --port "$port" --log-level warning
within 20 "the application answers" curl -s -o probe http://127.0.0.1:$port/load/1
counts fastapi http://127.0.0.1:$port/load/1000 fastapi.access
