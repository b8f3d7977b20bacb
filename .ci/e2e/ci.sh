# The examples of README.md, docs/ci.md and docs/thresholds.md as they stand there, on free
# ports and with this checkout for the one that they fetch.
here=$(cd "$(dirname "$0")" && pwd)
source "$here/lib.sh"
"$here/../needs" python3-yaml curl
export repo=$(cd "$here/../.." && pwd)

# lines.py LANGUAGE FILE prints the blocks for a shell, or puts the commands of
# those in YAML into a file for each system.
cat >"$work/lines.py" <<'P'
import re, sys, yaml
language, path = sys.argv[1:]
blocks = re.findall(r"^```%s\n(.*?)^```$" % language, open(path).read(), re.M | re.S)
assert blocks, f"no {language} in {path}"
if language == "sh":
    print("\n".join(blocks))
    sys.exit()
for block in map(yaml.safe_load, blocks):
    job = block.get("jobs", block).get("load")
    if not job: # a policy
        continue
    if "steps" in job:
        assert any(s.get("with", {}).get("path") == "headroom" for s in job["steps"]), job
        open("github.sh", "w").write("\n".join(s["run"] for s in job["steps"] if "run" in s))
    else:
        open("gitlab.sh", "w").write("\n".join(job["before_script"] + job["script"]))
P

# example NAME COMMAND... runs one in the background, in a folder of its own, and
# ends the service that it leaves there; passed waits for it. Exit code 3 says
# that the machine was too busy for the figures.
example() {
  local name=$1; shift
  mkdir -p "$work/$name"
  background "$name" env --chdir="$work/$name" "$@" bash -e -c 'trap "kill %1; wait" EXIT'$'\n'"$(cat "$work/$name.sh")"
}
passed() {
  local code=0
  wait "$2" || code=$?
  [ $code = 0 ] || [ $code = 3 ] || fail "$1: exit $code"
}
cases() { python3 -c 'import sys, xml.etree.ElementTree as x; print(len(list(x.parse(sys.argv[1]).getroot().iter("testcase"))))' "$1"; }

cd "$work"
python3 lines.py yaml "$repo/README.md"
mkdir github temp
ln -s "$repo" github/headroom
git() { ln -s "$repo" headroom; } # in place of a clone
export -f git
example github PORT="$(free_port)" RUNNER_TEMP="$work/temp" GITHUB_STEP_SUMMARY=step.md; github=$last
example gitlab PORT="$(free_port)" CI_PROJECT_DIR="$work/gitlab" HEADROOM=elsewhere; gitlab=$last

# The others, those with a capacity excepted, which take minutes.
port=$(free_port) api=$(free_port)
background target headroom target --port "$port" --service-time 20ms --concurrency 50
within 10 "the target answers" curl -sf -o healthz "http://127.0.0.1:$port/healthz"
shells() { python3 "$work/lines.py" sh "$repo/docs/$1" | sed "s/127.0.0.1:8000/127.0.0.1:$port/; s/127.0.0.1:9000/127.0.0.1:$api/"; }
shells ci.md >steer.sh
shells thresholds.md | grep -v 'headroom capacity' >gates.sh
code=0
bash -e steer.sh >steer.log 2>&1 || code=$?
[ $code = 0 ] || [ $code = 3 ] || fail "steer: exit $code"
says metrics.txt 'locust_up 1'
holds "$(json steered.json "d['result']['wanted']") == 20 and $(json state.json "d['plan']['users']") == 20"
code=0
bash gates.sh >gates.log 2>&1 || code=$?
case $code in
  0) says gates.log 'latency p95 against base.json: ' ;;
  3 | 99) grep -q 'against base.json: \(cannot tell\|worse\)\|INCONCLUSIVE' gates.log || fail "gates: exit $code" ;;
  *) fail "gates: exit $code" ;;
esac
says gates.log 'threshold http_req_duration: p(99)<500 every=2s: '

passed github "$github"
holds "$(cases github/junit.xml) == 5"
says github/step.md '## Thresholds'
says github/run.html '<h2>Objectives</h2>'
passed gitlab "$gitlab"
holds "$(cases gitlab/junit.xml) == 4"
