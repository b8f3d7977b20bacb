#!/bin/sh
# How near the capacity search comes to services whose capacity is known, and how
# often its interval covers that; how often it refuses those that have none; and
# the same of what two replicas hold together.
# 100 seeds each, or as many as are given.
set -eu
cd "$(dirname "$0")/../.."
go test ./advisor -count=1 -timeout 20m -run 'TestSearchFindsTheCapacity|TestSearchRefusesWhatHasNoCapacity|TestTwoReplicasWithinTheSLO' -v -args -seeds "${1:-100}" | grep -v '=== RUN'
