# Scenarios, from a file and imported, as a user runs them: the chat completion
# that ships against the demo target, with objectives on its stream; and what
# curl, a browser and a FastAPI application say of their requests, run as they come.
source "$(dirname "$0")/lib.sh"
example=$(realpath "$(dirname "$0")/../../examples/chat.yaml")
cd "$work"
export OPENAI_API_KEY=secret

# ends CODE NAME COMMAND... runs a command that must end with a code, or with 3,
# which says that the machine was too busy; what it prints goes to NAME.
ends() {
  local want=$1 name=$2 got=0; shift 2
  "$@" >"$name" 2>"$name.log" || got=$?
  [ "$got" = "$want" ] || [ "$got" = 3 ] || { cat "$name"; fail "$*: exit $got, want $want"; }
}

port=$(free_port)
target=http://127.0.0.1:$port
background target env HOSTNAME=replica-7 headroom target --port "$port" --concurrency 100 --service-time 5ms
within 10 "the target answers" curl -sf -o probe "$target/healthz"
write_app "$work"
api=$(free_port)
background fastapi env HOSTNAME=pod-3 uvicorn main:app --port "$api" --log-level warning

# The stream of the example takes its time, so its runs go on beside the rest.
cp "$example" chat.yaml
sed 's/DONE/GONE/; s/name: chat/name: gone/' chat.yaml >gone.yaml
chat=(headroom run --scenario chat.yaml "$target" --headless -u 8 -r 100 -n 8)
ends 0 chat-list headroom run --scenario chat.yaml --list
says chat-list /v1/chat/completions
ends 0 chat.json "${chat[@]}" --json --slo 'ttft.p95<4s,chat.gap.p95<2s,chat.errors<1%' & runs=($!)
ends 99 late "${chat[@]}" --slo 'ttft.p50<1ms' & runs+=($!)
ends 1 gone.json headroom run --scenario gone.yaml "$target" --json -n 4 -u 4 -r 100 & runs+=($!)
ends 0 chat-once headroom run --scenario chat.yaml "http://localhost:$port" --once & runs+=($!)

streams() { json "$1" "d['result']['requests'][0]['streams']$2"; }

# imported NAME REQUESTS EXPECTED... lists, sends once and swarms with a
# scenario, and expects these names of requests and no failure.
imported() {
  local name=$1 n=$2; shift 2
  ends 0 list headroom run --scenario "$name.yaml" --list
  for row in "$@"; do says list "$row"; done
  ends 0 once headroom run --scenario "$name.yaml" --once
  ends 0 "$name.json" headroom run --scenario "$name.yaml" --json -n "$n" -u 4 -r 100
  [ "$(json "$name.json" "d['result']['total']['count'] == $n and all(r['count'] > 0 for r in d['result']['requests'])")" = True ] || fail "$name: a request was left out"
  echo "$name: $(json "$name.json" "{r['name']: r['count'] for r in d['result']['requests']}")"
}

ends 0 curl.yaml headroom import -- curl -sN "$target/v1/chat/completions?interval=1ms" -H 'Authorization: Bearer x' \
  --json '{"model": "m", "stream": true, "max_tokens": 5, "messages": []}'
imported curl 40 /v1/chat/completions
[ "$(streams curl.json "['complete']") $(streams curl.json "['events']")" = "40 200" ]

cat >shop.har <<H
{"log": {"version": "1.2", "entries": [
  {"request": {"method": "GET", "url": "$target/request?x=12", "headers": [{"name": "Accept", "value": "application/json"}, {"name": "Cookie", "value": "a=b"}]}},
  {"request": {"method": "POST", "url": "$target/v1/chat/completions?interval=1ms", "headers": [{"name": "Content-Type", "value": "application/json"}],
    "postData": {"mimeType": "application/json", "text": "{\"model\": \"m\", \"max_tokens\": 2}"}}}]}}
H
ends 0 shop.yaml headroom import shop.har --as scenario
imported shop 40 /request /v1/chat/completions

within 20 "the application answers" curl -sf -o openapi.json "http://127.0.0.1:$api/openapi.json"
ends 0 api.yaml headroom import openapi.json --as scenario
echo "target: http://127.0.0.1:$api" >>api.yaml
imported api 40 /load/
says once 'answered by replica pod-3'

for run in "${runs[@]}"; do wait "$run"; done

[ "$(json chat.json "d['result']['requests'][0]['name']")" = chat ]
[ "$(streams chat.json "['complete']") $(streams chat.json "['events']")" = "8 512" ] || fail "not 8 streams of 64 events"
holds "0.09e9 <= $(streams chat.json "['ttft']['p50']") <= 4e9 and $(streams chat.json "['gap']['count']") == 8 * 63"
says late 'SLO ttft.p50<1ms: 1'
says chat-once 'Authorization: ***'
says chat-once 'localhost resolves to '
says chat-once "sent to 127.0.0.1:$port over HTTP/1.1, "
says chat-once 'a stream of 64 events, the first after '
says chat-once 'answered by replica replica-7'
[ "$(json gone.json "[(f['failure'], f['check'], f['count']) for f in d['result']['failures']]")" = "[('check', 'gone: check contains \"[GONE]\"', 4)]" ]
echo "chat: first event after p50 $(streams chat.json "['ttft']['p50'] / 1e6") ms, gaps p95 $(streams chat.json "['gap']['p95'] / 1e6") ms"
