# The dashboard in a real terminal: start, measure, apply, quit, at two sizes.
source "$(dirname "$0")/lib.sh"
export LANG=C.UTF-8

terminal() { tmux -S "$work/tmux" "$@"; }
at_end() { terminal kill-server 2>/dev/null || true; }
screen() { terminal capture-pane -p -t "$session"; }
shows() { screen | grep -qE -- "$1"; }
see() { within "$1" "the screen shows $2" shows "$2"; }
press() { terminal send-keys -t "$session" "$@"; }

# advised measures until there is advice for two replicas and more: on a machine
# that others keep busy there may be none, and rightly so.
advised() {
  for _ in 1 2 3 4; do
    press 5 a
    see 10 'measuring'
    within 100 "the measurement has ended" shows 'No advice|Recommendation'
    see 20 'swarming'
    if shows 'Recommendation' && ! shows 'here max is 1\b'; then return; fi
    screen
  done
  fail "no advice for two replicas in four measurements"
}

for size in 80x24 200x50; do
  session=demo-$size
  terminal new-session -d -s "$session" -x "${size%x*}" -y "${size#*x}" \
    "headroom demo --service-time 20ms --budget 30s --load 10s; echo \"left with \$?\"; stty -a | grep -o '[-]*echo '; sleep 60"
  see 20 'enter start'
  press Enter
  see 10 'swarming'
  see 15 'p95'
  press 3
  see 10 'replica-1 +.*serving'
  advised
  echo "-- advice at $size"; screen
  press A
  see 5 'replicas.max'
  press y
  press 3
  see 30 'replica-2 +.*(new|serving)'
  press 1
  see 5 'throughput/s'
  see 30 'SLO p95<100ms ✓'
  see 10 '([2-9]) of \1 replicas up'
  echo "-- dashboard at $size"; screen
  lines=$(screen | wc -l)
  wide=$(screen | python3 -c 'import sys; print(max(len(line.rstrip("\n")) for line in sys.stdin))')
  holds "$lines <= ${size#*x} and $wide <= ${size%x*}"
  press q
  see 5 'y/n|\[y'
  press y
  see 40 'left with'
  see 5 '^echo'
  echo "-- summary at $size"; screen | grep -v '^$' | tail -n 25
  terminal kill-session -t "$session"
done
none_left() { [ "$(ours 'headroom target --port')" = 0 ]; }
within 5 "no replica is left" none_left
