# The dashboard in a real terminal: start, edit, measure, apply, export, quit,
# at two sizes with a resize in the middle; the start form and another run; and
# that the terminal is as it was, however the dashboard ends.
source "$(dirname "$0")/lib.sh"
export LANG=C.UTF-8
cd "$work"
at_end() { no_terminals; }

other=200x50
for size in 80x24 200x50; do
  open "demo-$size" "$size" "headroom demo --service-time 20ms --budget 20s"
  terminal set-option -g set-clipboard on
  see 20 'enter start'
  started_with 60
  press 3
  see 10 'replica-1 +.*serving'
  advice=yes
  advised || advice=
  echo "-- advice at $size"; screen
  fits $size
  if [ $advice ]; then
    press E
    see 5 'How the advice came about'
    press E
  fi
  press 1 z
  see 5 'zoom all'
  press 3 o / replica-1 Enter
  see 5 'replica▲'
  see 5 'filter "replica-1": 1 of'
  press / C-u Enter
  fits $size
  resized $other
  if [ $advice ]; then
    capped= # a busy machine may carry no more than the one replica there is
    ! shows 'here max is 1\b' || capped=yes
    applied_and_exported keda-$size.yaml
    press 3
    [ $capped ] || see 30 'replica-2 +.*(new|serving)'
    press y
    see 5 'sent the policy'
    terminal show-buffer >policy.log
    says policy.log 'kind: policy'
  fi
  press C-s C-u "run-$size.html" Enter
  see 5 "wrote run-$size.html"
  says run-$size.html '<html'
  press 1
  see 5 'throughput/s'
  echo "-- dashboard at $other"; screen
  fits $other
  press q
  see 5 'y/n|\[y'
  press y
  see 40 'left with'
  echo "-- summary"; screen | grep -v '^$' | tail -n 25
  left '(0|3|99)' # whether the SLO was met is not the question here
  other=80x24
done
none_left() { [ "$(ours 'headroom target --port')" = 0 ]; }
within 5 "no replica is left" none_left

port=$(free_port)
url=http://127.0.0.1:$port/request?x=7
background target headroom target --port "$port" --service-time 20ms --concurrency 50
within 10 "the target answers" curl -sf -o probe "http://127.0.0.1:$port/healthz"

# It needs no more than ASCII, where it is told so or the locale is.
number=0
for how in "headroom run --ascii" "LC_ALL=C headroom run"; do
  open ascii-$((number += 1)) 80x24 "$how -u 2 $url"
  see 10 'swarming'
  see 10 'p95 +[0-9]'
  ! screen | LC_ALL=C grep -q '[^ -~]' || fail "more than ASCII with $how"
  press q y
  see 40 '^generator '
  left 0
done

# The form begins with what is set, says what is wrong, remembers what was right,
# and comes back.
open form 80x24 "HEADROOM_SPAWN_RATE=7 headroom"
see 5 'a URL such as'
see 5 'Spawn rate +7$'
press C-u http://127.0.0.1:1/
for _ in 1 2 3 4 5 6 7; do press Enter; done
see 5 'where nothing answers'
press C-u "$url" Down
see 5 'users such as 50'
press C-u 5 x
see 5 '✗ got "5x"'
press BSpace
see 5 '✓ understood'
for _ in 1 2 3 4 5 6; do press Enter; done
see 10 'users +[1-5]/5'
press n
see 5 'set up another run\? y/n'
press y
see 40 'a URL such as'
shows 'Load +5$' || fail "the form has forgotten the load"
press Escape
left 0
says state/headroom/form.json '"load": "5"'
open remembered 80x24 "headroom run --autostart"
see 10 'users +[1-5]/5'

# Signals end it as ctrl+c does: with the summary, and the terminal as it was.
dashboard() { pgrep -P "$(terminal display-message -p -t "$session" '#{pane_pid}')" headroom; }
for signal in TERM HUP; do
  [ $signal = TERM ] || open hung 80x24 "headroom run -u 2 $url"
  see 10 'swarming'
  see 10 'p95 +[0-9]'
  kill -$signal "$(dashboard)"
  see 20 '^generator '
  left 130
done

# What the program itself cannot see to leaves the terminal as it was, too: what
# the runtime ends it for, as for a panic anywhere, with what it says of that; and
# SIGKILL.
for signal in QUIT KILL; do
  open crashed-$signal 80x24 "headroom run -u 2 $url || (code=\$?; until stty -a | grep -q ' icanon'; do sleep 0.1; done; exit \$code)"
  see 10 'swarming'
  kill -$signal "$(dashboard)"
  [ $signal = KILL ] || within 5 "the screen says why" wrote '^SIGQUIT: quit'
  if [ $signal = QUIT ]; then left 2; else left 137; fi
done
within 5 "no guard of a terminal is left" eval '[ "$(ours guard-terminal)" = 0 ]'

# It stops for a shell, and comes back.
session=shell
terminal new-session -d -s shell -x 80 -y 24 bash --norc -i
press "headroom run -u 2 $url" Enter
see 10 'swarming'
press C-z
see 5 'Stopped'
press 'stty -a | grep -o "[-]*icanon"' Enter
see 5 '^icanon'
press fg Enter
see 5 'swarming'
press q y
see 40 '^generator '

# A terminal that cannot draw gets lines, and a word why.
open dumb 80x24 "TERM=dumb headroom run -t 2s $url"
see 5 'TERM is dumb'
see 20 '^generator '
left '[03]'

# A command that draws nothing asks the terminal nothing.
TERM=xterm-256color script -qec 'headroom version' version.log </dev/null >/dev/null
says version.log 'headroom '
! grep -q $'\e\\[6n\|\e\\]11' version.log || fail "headroom version asks the terminal for its colours"
