#!/usr/bin/env bash
# What the load engine costs and what it holds: next to wrk, ab and hey, with
# 10,000 and 50,000 users, at a rate, and with the dashboard shown.
#
#   .ci/proof/engine.sh [peers] [dashboard] [crowd]
#
# All parts where none is named; some ten minutes. It wants a machine on which
# nothing else runs, with two cores or more. Exit code 1: a target was missed; 3:
# something else was the limit.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
source "$here/parts.sh" peers dashboard crowd -- "$@"
"$here/../needs" nginx-light wrk hey apache2-utils util-linux curl
source "$here/../e2e/lib.sh"
cd "$work"
export LANG=C.UTF-8 PATH="$work:/usr/sbin:$PATH"
at_end() {
  kill -TERM "${nginx:-}" 2>/dev/null || true # the shell has it ignore the interrupt
}
(cd "$here/../.." && go build -o "$work/headroom" ./cmd/headroom)

cores=$(nproc)
[ "$cores" -ge 2 ] || fail "this machine has one core; the server needs one to itself"
ulimit -n "$(ulimit -Hn)"
echo "headroom $(git -C "$here" rev-parse --short HEAD), $(nginx -v 2>&1 | sed 's/.*: //'), $(go version | cut -d ' ' -f 3), Linux $(uname -r)"
echo "$(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1), $cores cores, load average $(cut -d ' ' -f 1-3 /proc/loadavg)"

# The server has core 0 to itself, with one thread, and the generator core 1.
# Only the second port has an access log: who asked, and which address.
port=$(free_port) logged=$(free_port)
cat >nginx.conf <<C
daemon off;
master_process off;
error_log stderr;
pid nginx.pid;
worker_rlimit_nofile $(ulimit -n);
events { worker_connections $(($(ulimit -n) - 100)); }
http {
  log_format who '\$remote_addr \$server_addr';
  access_log off;
  client_body_temp_path tmp; proxy_temp_path tmp; fastcgi_temp_path tmp; uwsgi_temp_path tmp; scgi_temp_path tmp;
  keepalive_requests 100000000;
  keepalive_timeout 600s;
  default_type application/json;
  server { listen 127.0.0.1:$port backlog=4096; location / { return 200 '{"hostname":"pod-1","result":42}'; } }
  server {
    listen $logged backlog=4096;
    access_log $work/access.log who buffer=64k flush=1s;
    location / { return 200 '{"hostname":"pod-1","result":42}'; }
  }
}
C
background nginx taskset -c 0 nginx -p "$work" -c nginx.conf
nginx=$last
within 10 "nginx answers" curl -sf -o probe http://127.0.0.1:"$port"/

# others notes how much of the machine others use for a second, 0..1.
others() { python3 "$here/others.py" >>others.txt; }
others

# Next to wrk, ab and hey: benchmarks of the package.
if part peers; then
  (cd "$here/../.." && go test -timeout 20m -run '^$' -bench Peers ./load) | tee peers.txt >&2
  others
fi

# The dashboard at two sizes, and none, in turns, at a rate that all keep up with:
# what it takes of a processor is what a generator that has one alone sends less.
# (The throughput of a saturated core differs by 20 % from round to round on a
# shared machine; the processor time of a second does not.) Its terminal reads
# and draws nothing: what a terminal costs is not the dashboard's. A size is
# columns, rows, and how much of a core it may take.
sizes=("120 40 0.02" "200 60 0.04")
generator=(taskset -c 1 headroom run http://127.0.0.1:"$port"/ --rate 1000 -t 8s)
headless() { python3 "$here/exert.py" headless.cost "${generator[@]}" --headless --save headless-"$1".json >run.log 2>&1 || [ $? = 3 ]; }
dashboard() {
  taskset -c 0 python3 "$here/terminal.py" "$2" "$3" 9 \
    python3 "$here/exert.py" "dashboard-$2x$3.cost" "${generator[@]}" --save "dashboard-$2x$3-$1.json" || [ $? = 3 ]
}
if part dashboard; then
  rounds=${ROUNDS:-12}
  printf '%s\n' "${sizes[@]}" >sizes.txt
  for ((round = 1; round <= rounds; round++)); do
    turns=(headless "${sizes[@]/#/dashboard }")
    for ((turn = 0; turn < ${#turns[@]}; turn++)); do
      read -r what size <<<"${turns[(round + turn) % ${#turns[@]}]}"
      $what $round $size
    done
    echo "round $round of $rounds with and without the dashboard" >&2
  done
  others
fi

# 50,000 users. Those that keep their connections need as many files.
from=127.0.0.2,127.0.0.3,127.0.0.4,127.0.0.5
crowd=(headroom run -u 50000 -r 2500 -t 45s --wait 10s..20s --exit-code-on-error 0 --json)
many() {
  local name=$1; shift
  : >access.log
  code=0
  python3 "$here/exert.py" "$name.cost" "$@" >"$name.json" 2>"$name.log" || code=$?
  [ $code = 0 ] || [ $code = 3 ] || { cat "$name.log"; fail "$name: exit $code"; }
  sleep 2 # nginx writes its log each second
  sort access.log | uniq -c >"$name.access"
  echo "$name: done" >&2
}
if part crowd; then
  code=0
  timeout 60 "${crowd[@]}" http://127.0.0.1:"$port"/ --headless >kept.json 2>kept.log || code=$?
  echo "$code" >kept.code
  many closing "${crowd[@]}" http://127.0.0.1:"$logged"/ --disable-keepalive --source-ip "$from"
  many once "${crowd[@]}" http://127.0.0.1:"$logged"/ --conn-max-requests 1 --source-ip "$from"
  # A name with four addresses, which only a file of hosts of our own has.
  printf '127.0.0.%d many.test\n' 2 3 4 5 >hosts
  many names unshare --map-root-user --mount sh -c 'mount --bind hosts /etc/hosts && exec "$@"' sh \
    "${crowd[@]}" http://many.test:"$logged"/ --disable-keepalive
  others
fi

verdict=0
echo "load average at the end $(cut -d ' ' -f 1-3 /proc/loadavg)"
python3 -B "$here/engine.py" || verdict=$?
concluded
