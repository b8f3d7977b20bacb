#!/usr/bin/env bash
# Replicas that share what limits them are found out: the second one does not
# help, and nothing is advised (R7). A minute on a machine that nothing else
# keeps busy: one that is full says nothing of how replicas scale.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
source "$here/../e2e/lib.sh"
cd "$work"
(cd "$here/../.." && go build -o "$work/headroom" ./cmd/headroom)
export PATH="$work:$PATH"

printf 'version: headroom/v1\nkind: policy\nreplicas: {min: 1, max: 4}\nmetrics:\n  - {kind: rps, target: 10}\ninterval: 1s\n' >policy.yaml
port=$(free_port)
background scaler headroom scaler --name shared --policy policy.yaml --listen 127.0.0.1:"$port" --api 127.0.0.1:0 -- headroom target --service-time 20ms --shared-limit 1
within 20 "one replica" serves shared 1
code=0
headroom capacity "http://127.0.0.1:$port/request?x=3" --slo 'p95<200ms' --budget 60s -o measurement.json >capacity.out 2>capacity.log || code=$?
cat capacity.out
[ $code = 3 ] || fail "exit $code, want 3"
says capacity.out "(R7)"
