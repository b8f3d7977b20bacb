# Wrong input: one line that names what was given and what is allowed, exit
# code 2, no process left.
source "$(dirname "$0")/lib.sh"
cd "$work"

# refuses TEXT COMMAND...
refuses() {
  local text=$1 code=0; shift
  timeout 30 "$@" >out 2>err || code=$?
  [ $code = 2 ] || { cat err; fail "$*: exit $code, want 2"; }
  ! grep -qv '^headroom: ' err || { cat err; fail "$*: want a line for each problem, and nothing else"; }
  [ "$(grep -c . err)" -le 3 ] || { cat err; fail "$*: want a line or a few"; }
  grep -qF -- "$text" err || { cat err; fail "$*: does not say $text"; }
  echo "$(cat err)"
}

port=$(free_port)
refuses 'got "htp://x"' headroom run htp://x -t 1s
refuses 'got "127.0.0.1:8000"' headroom run 127.0.0.1:8000 -t 1s
refuses 'connection refused' headroom run http://127.0.0.1:$port/ -t 1s
refuses 'got "Accept: x", want a URL' headroom run -H 'Accept: x' -t 1s
refuses '--rate: got 1000/s, want 50/s at most' headroom watch http://127.0.0.1:$port/ --rate 1000/s
refuses 'arguments: got 0, want one: the URL to watch' headroom watch
refuses '--users: got "many", want a whole number' headroom run http://127.0.0.1:$port/ -u many -t 1s
refuses '--users: got "-5", want a whole number of 1 or more' headroom run http://127.0.0.1:$port/ -u -5 -t 1s
refuses '--run-time: got nothing' headroom run http://127.0.0.1:$port/ --headless
refuses '--run-time: got "0", want more than 0' headroom run http://127.0.0.1:$port/ -t 0
refuses '--users: got 5 and a rate' headroom run http://127.0.0.1:$port/ -t 1s -u 5 --rate 10
refuses '--arrivals: got constant without a rate' headroom run http://127.0.0.1:$port/ -t 1s --arrivals constant
refuses '--save: got /nonexistent/x, which cannot be written' headroom run http://127.0.0.1:$port/ -t 1s --save /nonexistent/x
refuses '--export: got /nonexistent/x, which cannot be written' headroom tune http://127.0.0.1:$port/ --traffic 1..2 --slo 'p95<1s' --export jcloud=/nonexistent/x
refuses '--concurrency: got "0"' headroom scaler --concurrency 0 -- sleep 60
refuses '--start-timeout: got "0"' headroom scaler --start-timeout 0 -- sleep 60
refuses '--budget: got 1s' headroom demo --budget 1s
refuses '--run-time: got "x"' headroom run http://127.0.0.1:$port/ -t x
refuses '--slo: objective "p95"' headroom run http://127.0.0.1:$port/ -t 1s --slo p95
refuses 'got --nonsense, which headroom run does not have' headroom run http://127.0.0.1:$port/ --nonsense
refuses 'command: got "nonsense", want one of' headroom nonsense
refuses '--traffic: got nothing' headroom tune http://127.0.0.1:$port/ --slo 'p95<1s'
refuses 'want either one TARGET or a command' headroom tune --traffic 1..2
refuses '--path: got "x"' headroom tune --path x --traffic 1..2 --slo 'p95<1s' -- sleep 60
refuses 'got nothing after --' headroom scaler

printf 'version: headroom/v1\nreplicas: {min: 2, max: 2}\n' >good.yaml
printf 'version: headroom/v1\nreplicas: {min: 5, max: 2}\n' >bad.yaml
refuses 'replicas.max: got 2, want replicas.min (5) or more' headroom scaler --policy bad.yaml -- sleep 60
printf 'version: headroom/v1\nreplicas: {min: 1, max: 1}\nreplica: 3\n' >unknown.yaml
refuses 'line 3: replica: unknown key' headroom scaler --policy unknown.yaml -- sleep 60
refuses 'no such file' headroom scaler --policy none.yaml -- sleep 60
refuses 'false: exited with status 1' headroom scaler --api 127.0.0.1:0 --listen 127.0.0.1:0 -- false
refuses 'no-such-command' headroom scaler --api 127.0.0.1:0 --listen 127.0.0.1:0 -- no-such-command
refuses 'within 1s' headroom scaler --api 127.0.0.1:0 --listen 127.0.0.1:0 --start-timeout 1s -- sleep 4711
! pgrep -f 'sleep 4711' || fail "the command that never listened is still there"
background taken headroom target --port $port
within 10 "the target listens" sh -c "python3 -c 'import socket; socket.create_connection((\"127.0.0.1\", $port))'"
refuses "127.0.0.1:$port" headroom scaler --api 127.0.0.1:0 --listen 127.0.0.1:$port -- headroom target
refuses "127.0.0.1:$port" headroom target --port $port
refuses 'got name "nobody", none is running' headroom workers --name nobody
refuses 'got "heroku", want one of' headroom export good.yaml --to heroku

# A target that dies midway: the run ends with its failures in the summary.
background run headroom run http://127.0.0.1:$port/request?x=2 -u 4 -r 100 -t 6s --headless
run=$last
sleep 2
kill -9 "${started[0]}"
code=0; wait "$run" || code=$?
[ $code = 1 ] || fail "a run whose target died: exit $code, want 1"
says run.log "connection refused"
grep -A2 '^failure' run.log
