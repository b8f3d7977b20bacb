#!/usr/bin/env bash
# How long after its start the dashboard shows its first frame, on a terminal
# that answers what it is asked and on one that never does.
#
#   .ci/proof/first.sh
#
# Half a minute, on a machine on which nothing else runs. Exit code 1: the target
# was missed.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
source "$here/../e2e/lib.sh"
cd "$work"
(cd "$here/../.." && go build -o "$work/headroom" ./cmd/headroom)
echo "headroom $(git -C "$here" rev-parse --short HEAD), $(nproc) cores, load average $(cut -d ' ' -f 1-3 /proc/loadavg)"
verdict=0
python3 -B "$here/first.py" "$work/headroom" || verdict=$?
trap - EXIT
finish # a target that is missed is no failure of this script
exit $verdict
