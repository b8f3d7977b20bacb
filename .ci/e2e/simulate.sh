# A policy simulated before anyone is hurt: figures, exit codes, the same seed,
# other platforms.
source "$(dirname "$0")/lib.sh"
cd "$work"

cat >policy.yaml <<'Y'
version: headroom/v1
replicas: {min: 5, max: 20}
metrics: [{kind: rps, target: 10}]
interval: 15s
Y
load=(--service-time 50ms --startup 20s --traffic 50..180 -t 30m --slo 'p95<300ms' --price 0.35/h)

headroom simulate policy.yaml "${load[@]}" >out.txt
says out.txt "p95<300ms met"
says out.txt "replica hours, which cost"
headroom simulate policy.yaml "${load[@]}" --json >one.json
headroom simulate policy.yaml "${load[@]}" --json >two.json
cmp one.json two.json || fail "the same seed gave another result"
json one.json "d['rows'][0]['result']['offered']"

code=0
headroom simulate policy.yaml "${load[@]}" --max-wait 1s --startup 10m --traffic 20..180 >out.txt || code=$?
[ $code = 99 ] || { cat out.txt; fail "start-ups of ten minutes: exit $code, want 99"; }
says out.txt "p95<300ms missed"

headroom simulate policy.yaml "${load[@]}" --compare builtin,keda,hpa,knative,everai-free,everai >out.txt
says out.txt "everai: metrics[0].kind: got rps"
[ "$(grep -cE '^(builtin|keda|hpa|knative|everai-free) +(met|missed) ' out.txt)" = 5 ] || { cat out.txt; fail "want five rows"; }

# What a committed configuration would do.
headroom export policy.yaml --to keda --name shop >keda.yaml 2>/dev/null
headroom import keda.yaml >imported.yaml 2>/dev/null
headroom simulate imported.yaml "${load[@]}" --compare keda >out.txt
says out.txt "keda"

# The cheapest policy around it, as a policy that then does what was said of it.
headroom simulate policy.yaml "${load[@]}" --search --to policy >found.yaml 2>/dev/null
headroom simulate policy.yaml "${load[@]}" --search --json >search.json
headroom simulate found.yaml "${load[@]}" --json >one.json
[ "$(json one.json "d['rows'][0]['result']['replicaSeconds']")" = "$(json search.json "d['chosen']['option']['replicaSeconds']")" ] || fail "the search said something else of it"

code=0
headroom simulate policy.yaml --service-time 50ms 2>err.txt || code=$?
[ $code = 2 ] || fail "without a load: exit $code, want 2"
says err.txt "--traffic: got nothing, want a load"
echo "simulated, repeated, compared"
