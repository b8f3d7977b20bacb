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
