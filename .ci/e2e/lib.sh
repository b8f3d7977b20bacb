# Shared by the end-to-end scripts: a folder of their own, and words for what
# they check. Everything they start ends with them.
set -euo pipefail

work=$(mktemp -d)
export XDG_RUNTIME_DIR="$work/run" XDG_STATE_HOME="$work/state"
mkdir -p -m 700 "$XDG_RUNTIME_DIR"
started=()

at_end() { :; } # a script may have more to clean up, such as no_terminals

finish() {
  code=$?
  at_end
  for pid in "${started[@]}"; do kill -INT "$pid" 2>/dev/null || true; done
  for pid in "${started[@]}"; do wait "$pid" 2>/dev/null || true; done
  [ $code -eq 0 ] || { echo "FAILED: $0"; tail -n 40 "$work"/*.log 2>/dev/null || true; }
  rm -rf "$work"
}
trap finish EXIT

fail() { echo "$*" >&2; exit 1; }

# background LOG COMMAND... starts a command that finish ends.
background() {
  local log=$1; shift
  "$@" >"$work/$log.log" 2>&1 &
  started+=($!)
  last=$!
}

# swarm NAME ARGUMENTS... starts a run in the background with its result in
# NAME.json; swarmed waits for it. Exit code 3 says that the machine was too
# busy for the figures, not that the target failed.
swarm() {
  local name=$1; shift
  headroom run "$@" --headless --json >"$work/$name.json" 2>"$work/$name.log" &
  started+=($!)
  last=$!
}
swarmed() {
  local code=0
  wait "$1" || code=$?
  [ $code = 0 ] || [ $code = 3 ] || fail "run: exit $code"
}

# within SECONDS WHAT COMMAND... repeats a command until it succeeds.
within() {
  local limit=$((SECONDS + $1)) what=$2; shift 2
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $limit ] || fail "not within time: $what"
    sleep 0.1
  done
}

# says FILE TEXT checks that a file contains a text.
says() { grep -qF -- "$2" "$1" || { cat "$1"; fail "$1 does not say: $2"; }; }

# json FILE EXPRESSION evaluates a Python expression with the document as d.
json() { python3 -c 'import json, sys; d = json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$1" "$2"; }

# holds EXPRESSION checks a Python expression of numbers.
holds() { python3 -c 'import sys; sys.exit(not eval(sys.argv[1]))' "$1" || fail "does not hold: $1"; }

# ours PATTERN counts the processes of this script, and of nothing else on the
# machine, whose command line matches: they all inherit its runtime folder.
ours() {
  local n=0 pid
  for pid in $(pgrep -f "$1"); do
    if grep -qz "^XDG_RUNTIME_DIR=$XDG_RUNTIME_DIR\$" "/proc/$pid/environ" 2>/dev/null; then n=$((n + 1)); fi
  done
  echo $n
}

# serving NAME is how many replicas of a scaler serve; serves NAME LOW [HIGH]
# holds when that is so many.
serving() { headroom workers --name "$1" | awk '$2 == "RUNNING"' | wc -l; }
serves() { local n; n=$(serving "$1"); [ "$n" -ge "$2" ] && [ "$n" -le "${3:-$2}" ]; }

# now prints the time in seconds; since TIME prints how many have passed since.
now() { date +%s.%1N; }
since() { python3 -c 'import sys, time; print(round(time.time() - float(sys.argv[1]), 1))' "$1"; }

# For scripts with a screen: terminals of tmux, of which $session is looked at
# and typed into. They are closed in the end by no_terminals.
terminal() { tmux -S "$work/tmux" "$@"; }
session=
no_terminals() {
  [ "$code" = 0 ] || screen || true
  terminal kill-server 2>/dev/null || true
}
screen() { terminal capture-pane -p -t "$session"; }
shows() { screen | grep -qE -- "$1"; }
wrote() { terminal capture-pane -p -S - -t "$session" | grep -E -- "$1" >/dev/null; } # what has scrolled away, too
see() { within "$1" "the screen shows $2" shows "$2"; }
press() { terminal send-keys -t "$session" "$@"; }

# open NAME SIZE COMMAND makes a terminal in which a command runs; afterwards it
# says with which exit code, and whether the terminal is as it was.
open() {
  session=$1
  terminal new-session -d -s "$session" -x "${2%x*}" -y "${2#*x}" "$3; echo \"left with \$?\"; stty -a | grep -o '[-]*echo '; sleep 100"
  terminal set-option -g exit-empty off # it stays for the next one
}
# left CODE checks that the command has ended so, and closes the terminal.
left() {
  within 40 "the command has ended with $1" wrote "left with $1\$"
  within 5 "the terminal echoes" wrote '^echo'
  terminal kill-session -t "$session"
}
# fits SIZE checks that nothing on the screen is larger.
fits() {
  local lines wide
  lines=$(screen | wc -l)
  wide=$(screen | python3 -c 'import sys; print(max(len(line.rstrip("\n")) for line in sys.stdin))')
  holds "$lines <= ${1#*x} and $wide <= ${1%x*}"
}

# The way from a dashboard that is idle to a policy in a file, in pieces:
# started_with USERS starts and edits; resized SIZE looks at the Advisor's view
# in another size; applied_and_exported FILE does that with the advice.
started_with() {
  press Enter
  see 10 'swarming'
  see 15 'p95 +[0-9]'
  press e C-u "$1" Enter
  see 10 "users +[0-9]+/$1"
}
resized() {
  terminal resize-window -t "$session" -x "${1%x*}" -y "${1#*x}"
  press 1
  see 5 'throughput/s'
  press 5
  see 5 'Recommendation|No advice'
  fits "$1"
}
applied_and_exported() {
  press A
  see 5 'Apply this policy to the scaler'
  press y
  see 30 'in force at the scaler'
  press ":export keda $1" Enter
  see 5 "wrote $1"
  says "$1" 'kind: ScaledObject'
}

# advised measures, and holds where that ends with advice. On a machine that
# others keep busy it may be refused again and again, and rightly so: then the
# refusal must say what to do.
advised() {
  for _ in 1 2; do
    press 5 a
    see 10 'measuring'
    within 100 "the measurement has ended" shows 'No advice|Recommendation'
    see 20 'swarming'
    if shows 'Recommendation'; then return; fi
    shows 'What to do: ' || fail "a refusal without what to do"
  done
  echo "-- refused twice: what follows from advice is left out"; screen
  return 1
}

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# the FastAPI application of the fastapi-serve documentation, as it stands
# there
write_app() {
  cat >"$1/main.py" <<'PY'
# main.py
import os
import time

from fastapi import FastAPI
from pydantic import BaseModel, Field

app = FastAPI()

class Response(BaseModel):
    cpu_time: float
    result: int
    hostname: str = Field(default_factory=lambda: os.environ.get("HOSTNAME", "unknown"))

def _heavy_compute(count):
    sum = 0
    for i in range(count):
        sum += i
    return sum

@app.get("/load/{count}", response_model=Response)
def load_test(count: int = 1_000_000):
    _t1 = time.time()
    _sum = _heavy_compute(count)
    _t2 = time.time()
    _cpu_time = _t2 - _t1
    print(f"CPU time: {_cpu_time}")
    return Response(cpu_time=_cpu_time, result=_sum)
PY
}
