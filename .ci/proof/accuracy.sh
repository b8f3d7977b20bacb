#!/bin/sh
# How near the capacity search comes to services whose capacity is known, and how
# often its interval covers that: 100 seeds each, or as many as are given.
set -eu
cd "$(dirname "$0")/../.."
go test ./advisor -count=1 -timeout 10m -run TestSearchFindsTheCapacity -v -args -seeds "${1:-100}" | grep -v '=== RUN'
