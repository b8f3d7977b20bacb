# Sourced with the parts that a proof has, --, and those asked for: all, where
# none is. part NAME says whether one was.
all=()
while [ "$1" != -- ]; do all+=("$1"); shift; done
shift
for asked in "$@"; do
  [[ " ${all[*]} " = *" $asked "* ]] || { echo "part: got $asked, want ${all[*]}" >&2; exit 2; }
done
[ $# -gt 0 ] || set -- "${all[@]}"
parts=" $* "
part() { [[ $parts = *" $1 "* ]]; }

# For what follows lib.sh. built goes to the work folder, with the program in PATH,
# and says what it is and on which machine; concluded ends with the verdict: a
# target that was missed is no failure of the script.
built() {
  cd "$work"
  (cd "$here/../.." && go build -o "$work/headroom" ./cmd/headroom)
  export PATH="$work:$PATH"
  echo "headroom $(git -C "$here" rev-parse --short HEAD), $(go version | cut -d ' ' -f 3), Linux $(uname -r)"
  echo "$(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1), $(nproc) cores, load average $(cut -d ' ' -f 1-3 /proc/loadavg)"
}
concluded() {
  trap - EXIT
  finish
  exit "$verdict"
}
