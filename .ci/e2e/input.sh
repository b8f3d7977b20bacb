# What cannot be done: one line that says why, exit code 2, no process left.
# (What is wrong in a command line itself: cmd/headroom/testdata/script.)
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
refuses 'connection refused' headroom run http://127.0.0.1:$port/ -t 1s

refuses 'false: exited with status 1' headroom scaler --api 127.0.0.1:0 --listen 127.0.0.1:0 -- false
refuses 'within 1s' headroom scaler --api 127.0.0.1:0 --listen 127.0.0.1:0 --start-timeout 1s -- sleep 4711
! pgrep -f 'sleep 4711' || fail "the command that never listened is still there"
background taken headroom target --port $port
within 10 "the target listens" sh -c "python3 -c 'import socket; socket.create_connection((\"127.0.0.1\", $port))'"
refuses "127.0.0.1:$port" headroom scaler --api 127.0.0.1:0 --listen 127.0.0.1:$port -- headroom target
refuses "127.0.0.1:$port" headroom target --port $port

# A target that dies midway: the run ends with its failures in the summary.
background run headroom run http://127.0.0.1:$port/request?x=2 -u 4 -r 100 -t 6s --headless
run=$last
sleep 2
kill -9 "${started[0]}"
code=0; wait "$run" || code=$?
[ $code = 1 ] || fail "a run whose target died: exit $code, want 1"
says run.log "connection refused"
grep -A2 '^failure' run.log
