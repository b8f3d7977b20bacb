# The dashboard in a real terminal: start, measure, apply, quit, at two sizes.
source "$(dirname "$0")/lib.sh"
export LANG=C.UTF-8

screen() { tmux -L headroom capture-pane -p -t "$session"; }
shows() { screen | grep -qE -- "$1"; }
see() { within "$1" "the screen shows $2" shows "$2"; }
press() { tmux -L headroom send-keys -t "$session" "$@"; }

for size in 80x24 200x50; do
  session=demo-$size
  tmux -L headroom new-session -d -s "$session" -x "${size%x*}" -y "${size#*x}" \
    "headroom demo --service-time 20ms --budget 20s --load 10s; echo \"left with \$?\"; stty -a | grep -o '[-]*echo '; sleep 60"
  see 20 'enter start'
  press Enter
  see 10 'swarming'
  see 15 'p95'
  press 3
  see 10 'replica-1 +.*serving'
  press 5 a
  see 10 'measuring'
  see 60 'target'
  see 20 'swarming'
  echo "-- advice at $size"; screen
  press A
  see 5 'replicas.max'
  press y
  press 3
  see 30 'replica-2 +.*serving'
  press 1
  see 30 'SLO p95<100ms ✓'
  echo "-- dashboard at $size"; screen
  lines=$(screen | wc -l); wide=$(screen | awk '{ if (length($0) > m) m = length($0) } END { print m }')
  holds "$lines <= ${size#*x} and $wide <= ${size%x*}"
  press q
  see 5 'y/n|\[y'
  press y
  see 40 'left with'
  see 5 '^echo'
  echo "-- summary at $size"; screen | grep -v '^$' | tail -n 25
  tmux -L headroom kill-session -t "$session"
done
within 5 "no replica is left" sh -c '! pgrep -f "headroom target --port"'
