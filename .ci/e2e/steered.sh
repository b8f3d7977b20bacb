# A run that is steered by hand in a real terminal, and repeated: with the flags
# that its summary prints, given to a shell as they stand there, and from the
# file that it saved.
source "$(dirname "$0")/lib.sh"
export LANG=C.UTF-8
cd "$work"

terminal() { tmux -S "$work/tmux" "$@"; }
at_end() { terminal kill-server 2>/dev/null || true; }
screen() { terminal capture-pane -p -S -200 -t steered; }
shows() { screen | grep -qE -- "$1"; }
see() { within "$1" "the screen shows $2" shows "$2"; }
press() { terminal send-keys -t steered "$@"; }

port=$(free_port)
background target headroom target --port "$port" --service-time 1ms --concurrency 50
within 10 "the target answers" curl -sf -o probe "http://127.0.0.1:$port/healthz"
run="headroom run http://127.0.0.1:$port/request?x=1 --arrivals constant"

terminal new-session -d -s steered -x 120 -y 40 "$run --rate 40 --save run.json; echo \"left with \$?\"; sleep 60"
see 10 'swarming'
sleep 1; press W
sleep 1; press P
see 5 'paused'
sleep 1; press P
see 5 'swarming'
press Right
sleep 1; press q
see 5 'y/n|\[y'
press y
see 20 'left with [03]'
flags=$(screen | awk '/^--s/ { found = 1 } found && !NF { exit } found')
echo "$flags"
[ "$(json run.json "len(d['result']['stages'])")" -ge 8 ] || fail "not every change is in the saved run"

# same NAME holds when a run had the load of the one that was steered.
same() {
  holds "abs($(json "$1.json" "d['result']['total']['count']") - $(json run.json "d['result']['total']['count']")) <= 2"
  holds "abs($(json "$1.json" "d['result']['loaded']") - $(json run.json "d['result']['loaded']")) < 0.5e9"
  echo "$1: $(json "$1.json" "d['result']['total']['count']") requests, of $(json run.json "d['result']['total']['count']")"
}
# shellcheck disable=SC2086
swarm saved ${run#headroom run } --replay run.json; saved=$last
# A machine that is too busy for the figures (exit 3) still sends them all.
code=0
bash -c "$run --headless --json $flags" >printed.json 2>printed.log || code=$?
[ $code = 0 ] || [ $code = 3 ] || { cat printed.log; fail "the flags as printed: exit $code"; }
swarmed "$saved"
same saved
same printed
