# What a run leaves behind: every report at its end, the same ones again from
# the saved run, and the one for browsers in a browser without a network.
here=$(cd "$(dirname "$0")" && pwd)
source "$here/lib.sh"
"$here/../needs" chromium
command -v npm >/dev/null || "$here/../needs" npm
cd "$work"
npm install --silent --no-save --no-audit --no-fund playwright-core@1.65.1 2>/dev/null

cat >policy.yaml <<'Y'
version: headroom/v1
kind: policy
replicas: {min: 1, max: 3}
metrics: [{kind: rps, target: 20}]
interval: 1s
Y
port=$(free_port)
background scaler headroom scaler --name report --policy policy.yaml --listen 127.0.0.1:$port --api 127.0.0.1:0 -- \
  headroom target --port {port} --service-time 20ms --fail-rate 0.02
within 20 "one replica" serves report 1

# An SLO that nothing can miss, so that the exit code is 0, or 3 on a machine
# too busy for the figures.
code=0
GITHUB_STEP_SUMMARY=step.md headroom run "http://127.0.0.1:$port/request?x=3" -u 8 -r 2 --wait 50ms -t 10s --slo 'p95<1m,errors<90%' --headless \
  --header 'Authorization: Bearer do-not-tell' --save run.json --html run.html --csv locust --json-file locust.json \
  --summary-export k6.json --hdr run.hdr --junit junit.xml >run.text 2>run.log || code=$?
[ $code = 0 ] || [ $code = 3 ] || fail "run: exit $code"

again() { headroom report run.json --format "$1" | cmp - "$2" || fail "report --format $1 differs from $2"; }
again text run.text
again json run.json
again html run.html
again junit junit.xml
again markdown step.md
again csv locust_stats.csv
again locust-json locust.json
again k6 k6.json
again hdr run.hdr
if grep -l do-not-tell -- run.* locust* *.xml *.json *.md; then fail "a secret in a report"; fi

# What programs read says the same as the run.
python3 - <<'P'
import csv, json, xml.etree.ElementTree as xml
run = json.load(open("run.json"))["result"]
total = run["total"]
stats = list(csv.DictReader(open("locust_stats.csv")))
assert [r["Name"] for r in stats] == ["/request?x=3", "Aggregated"], stats
assert int(stats[-1]["Request Count"]) == total["count"] and int(stats[-1]["Failure Count"]) == total["failed"], stats
assert abs(int(stats[-1]["95%"]) - total["latency"]["p95"] / 1e6) <= 0.5, stats
history = list(csv.DictReader(open("locust_stats_history.csv")))
counts = [int(r["Total Request Count"]) for r in history]
assert 9 <= len(history) <= 12 and counts == sorted(counts) and counts[-1] <= total["count"], counts
failures = list(csv.DictReader(open("locust_failures.csv")))
assert sum(int(r["Occurrences"]) for r in failures) == total["failed"], failures
k6 = json.load(open("k6.json"))["metrics"]
assert k6["http_reqs"]["count"] == total["count"] and k6["http_req_duration"]["thresholds"] == {"p(95)<60000": False}, k6
suites = xml.parse("junit.xml").getroot()
cases = [c.get("name") for c in suites.iter("testcase")]
assert cases == [o["objective"] for o in run["slo"]] + ["GET /request?x=3", "generator healthy"], cases
hdr = [line.split() for line in open("run.hdr") if line.strip() and not line.startswith(("#", " Value"))]
assert int(hdr[-1][2]) == total["latency"]["count"], hdr[-1]
print(f"report: {total['count']} requests, {len(run['replicas'])} replicas, {len(history)} seconds")
P

headroom report run.json run.json >pair.text
says pair.text "throughput, req/s"
headroom report run.json run.json --format html -o pair.html
NODE_PATH="$work/node_modules" node "$here/report.js" run.html run.json pair.html
