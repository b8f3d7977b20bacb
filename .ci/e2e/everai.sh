# The two autoscalers of the EverAI documentation, from a ConfigMap that is
# watched: four streams keep four workers busy and a fifth free, or wait two
# by two; afterwards one worker is left.
source "$(dirname "$0")/lib.sh"
cd "$work"

# stream PORT starts ab as the documentation does: four streams at a time.
stream() { background ab ab -s 120 -t 120 -c 4 -n 300000 -H 'Authorization: Bearer token' "http://127.0.0.1:$1/sse?events=10&interval=200ms"; }

# stop ends ab and checks that every stream was answered.
stop() {
  kill -INT "$last"
  wait "$last" || true # ab says 1 when it is interrupted
  answered=$(sed -n 's/^Complete requests: *//p' ab.log)
  [ "${answered:-0}" -gt 0 ] || fail "no stream was answered"
  ! grep -q '^Non-2xx' ab.log || { cat ab.log; fail "not every answer was a 200"; }
}

# counts NAME BUSY FREE QUEUED holds when so many workers and requests are there.
counts() {
  local busy free waiting
  read -r busy free < <(headroom workers --name "$1" | awk '$2 == "RUNNING" {n[$3]++} END {print n["BUSY"] + 0, n["FREE"] + 0}')
  waiting=$(headroom queue --name "$1" | grep -c WorkerBusy || true)
  [ "$busy $free $waiting" = "$2 $3 $4" ]
}

# scaled NAME starts a scaler on the ConfigMap of that name.
scaled() {
  port=$(free_port)
  background "$1" headroom scaler --name "$1" --configmap "$1.yaml" --set interval=1s --listen 127.0.0.1:$port --api 127.0.0.1:0 \
    -- headroom target --startup 300ms
  within 20 "one worker" counts "$1" 0 1 0
}

cat >free.yaml <<'Y'
name: get-start-configmap
data: {min_workers: '1', max_workers: '5', min_free_workers: '1', scale_up_step: '1', max_idle_time: '4'}
Y
scaled free
began=$(now)
stream $port
within 40 "four busy workers and a free one" counts free 4 1 0
grew=$(since "$began")
headroom workers --name free
stop
began=$(now)
within 40 "one worker again" counts free 0 1 0
echo "everai: free workers: 1 worker, 4 busy and 1 free after $grew s of ab -c 4, 1 again $(since "$began") s after its end; $answered streams"

cat >queue.yaml <<'Y'
name: get-start-configmap
data: {min_workers: '1', max_workers: '5', max_queue_size: '2', scale_up_step: '1', max_idle_time: '4'}
Y
scaled queue
began=$(now)
stream $port
within 40 "two busy workers and two queued requests" counts queue 2 0 2
grew=$(since "$began")
for _ in 1 2 3 4 5 6 7 8; do serves queue 2 || fail "$(serving queue) workers, want it to stay at 2"; sleep 0.5; done
headroom queue --name queue
headroom workers --name queue
# The ConfigMap may change while it runs.
sed -i "s/max_queue_size: '2'/max_queue_size: '1'/" queue.yaml
within 30 "three busy workers and one queued request" counts queue 3 0 1
stop
began=$(now)
within 40 "one worker again" counts queue 0 1 0
echo "everai: queue size: 1 worker, 2 busy and 2 queued after $grew s of ab -c 4, 3 and 1 with max_queue_size 1, 1 again $(since "$began") s after its end; $answered streams"
