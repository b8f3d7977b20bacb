# 100,000 requests of which each meets a server that resets, truncates, stalls,
# answers garbage, a megabyte of headers or a body without an end: every one fails
# in its class within its timeout, and nothing of it stays.
set -euo pipefail
cd "$(dirname "$0")/../.."
go test -timeout 300s -run '^$' -bench Chaos -benchtime 1x ./cmd/headroom/target
