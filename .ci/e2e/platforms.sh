# A policy on its way through every platform: export, import, check, and
# changes in files that exist.
source "$(dirname "$0")/lib.sh"
cd "$work"

cat >policy.yaml <<'Y'
version: headroom/v1
replicas: {min: 5, max: 20}
metrics:
  - {kind: rps, target: 10}
calibration: {latency: 200ms}
Y
cat >queue.yaml <<'Y'
version: headroom/v1
replicas: {min: 5, max: 20}
metrics:
  - {kind: queue, target: 2}
up: {step: 1}
Y

names=$(headroom export --list | sed -n 's/^\([a-z-]*\)  .*/\1/p')
count=0
for name in $names; do
  from=policy.yaml
  [ "$name" = everai ] && from=queue.yaml
  headroom export "$from" --to "$name" --name shop --image quay.io/acme/shop:1 >"$name.out" 2>"$name.err" || { cat "$name.err"; fail "export to $name"; }
  headroom import "$name.out" >"$name.policy" 2>/dev/null || fail "import of $name"
  headroom export "$name.policy" --to "$name" >again.out 2>/dev/null || fail "second export to $name"
  cmp "$name.out" again.out || fail "$name: exported again it is another document"
  headroom check "$from" "$name.out" >check.out || { cat check.out; fail "$name: drift after an export"; }
  count=$((count + 1))
done
echo "$count platforms: exported, imported, exported again to the same bytes, no drift"
[ "$count" -ge 15 ] || fail "want 14 platforms and our own"

# A file that exists keeps what has nothing to do with scaling.
cat >hpa.yaml <<'Y'
# the shop, by hand
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: shop   # do not rename
  labels: {team: blue}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: shop}
  minReplicas: 2
  maxReplicas: 20
  metrics:
    - type: Pods
      pods:
        metric: {name: http_requests_per_second}
        target: {type: AverageValue, averageValue: "10"}
Y
code=0
headroom check policy.yaml hpa.yaml >drift || code=$?
[ $code = 4 ] || fail "check of a file that differs: exit $code, want 4"
says drift "replicas.min"
headroom export policy.yaml --to hpa --diff hpa.yaml >diff 2>/dev/null
says diff "+  minReplicas: 5"
headroom export policy.yaml --to hpa --write hpa.yaml 2>/dev/null
says hpa.yaml "name: shop   # do not rename"
says hpa.yaml "labels: {team: blue}"
headroom check policy.yaml hpa.yaml
headroom schema policy | python3 -c 'import json, sys; json.load(sys.stdin)'
