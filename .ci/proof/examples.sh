#!/usr/bin/env bash
# The examples of README.md and docs/ that need minutes, a scaler or a terminal
# of their own, as they stand there: scaler, workers, queue, apply, attach,
# capacity and tune. (The others are run by the tests, and those of CI by
# .ci/e2e/ci.sh.) Some eight minutes; wants ports 8000, 8001 and 9000.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
"$here/../needs" python3-fastapi uvicorn
source "$here/../e2e/lib.sh"
(cd "$here/../.." && go build -o "$work/headroom" ./cmd/headroom)
export PATH="$work:$PATH" root=$(cd "$here/../.." && pwd)
cd "$work"

# examples.py COMMAND prints the examples of a command, one on each line,
# without what is behind a #; examples.py FILE writes main.py or policy.yaml.
cat >examples.py <<'P'
import glob, os, re, sys
text = "\n".join(open(f).read() for f in [os.environ["root"] + "/README.md", *sorted(glob.glob(os.environ["root"] + "/docs/*.md"))])
if "." in sys.argv[1]:
    language, mark = {"main.py": ("python", "FastAPI()"), "policy.yaml": ("yaml", "kind: policy")}[sys.argv[1]]
    block = next(b for b in re.findall(rf"^```{language}\n(.*?)^```$", text, re.M | re.S) if mark in b)
    open(sys.argv[1], "w").write(block)
    sys.exit()
code = re.findall(r"^```(?:sh)?\n(.*?)^```$", text, re.M | re.S) + re.findall(r"^((?:    .*\n)+)", text, re.M)
lines = [re.sub(r"\s+#.*", "", line).strip() for block in code for line in block.replace("\\\n", " ").splitlines()]
found = dict.fromkeys(line for line in lines if re.match(rf"headroom {sys.argv[1]}\b", line))
assert found, f"no example of headroom {sys.argv[1]}"
print("\n".join(found))
P
python3 examples.py main.py
python3 examples.py policy.yaml
echo '{max_workers: 3}' >settings.yaml
printf '#!/bin/sh\nexec headroom target --port "$1"\n' >serve
chmod +x serve

# each SECONDS COMMAND [MORE...] runs all examples of a command, with more behind
# them, and ends those that go on until they are ended.
each() {
  local limit=$1 command=$2 line code; shift 2
  while read -r line; do
    code=0
    timeout -s INT "$limit" bash -c "exec $line $*" >out 2>err </dev/null || code=$?
    # 124: it was ended; 3 and 99: a busy machine.
    case $code in 0 | 3 | 99 | 124) echo "exit $code  $line" ;; *) cat err; fail "$line: exit $code" ;; esac
  done < <(python3 examples.py "$command" | grep -v -- '--control &')
}
# over PID ends one, and waits for it.
over() { kill -INT "$1"; wait "$1" || true; }

while read -r line; do
  background scaler bash -c "exec $line"
  scaler=$last
  within 30 "$line: it is ready" sh -c 'headroom workers | grep -q FREE'
  echo "ready   $line"
  case $line in
  *configmap*) ;;
  *)
    background shop headroom scaler --name shop --listen 127.0.0.1:0 --api 127.0.0.1:0 -- headroom target --port {port}
    within 20 "shop is ready" headroom workers --name shop
    each 4 workers
    each 4 queue
    each 4 apply --yes
    over "$last"
    ;;
  esac
  over "$scaler"
done < <(python3 examples.py scaler)

background target headroom target --port 8000 --service-time 20ms
target=$last
within 10 "the target listens" curl -sf -o probe http://127.0.0.1:8000/healthz
head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n' >token
background run headroom run http://127.0.0.1:8000/request?x=7 -u 2 -t 20s --headless --api 127.0.0.1:9000 --api-token-file token --control
run=$last
within 10 "the run is there" curl -sf -o probe http://127.0.0.1:9000/healthz
each 4 attach
wait "$run" || fail "the run: exit $?"
each 400 capacity
over "$target"
each 400 tune
