package main

import (
	"testing"
	"time"

	"headroom/advisor"
	"headroom/load"
)

func TestStatusLine(t *testing.T) {
	recent := load.Stats{Over: 5 * time.Second, Count: 500, Latency: load.Quantiles{Count: 500, P50: 2 * time.Millisecond, P95: 3 * time.Millisecond, Max: 9 * time.Millisecond}}
	frozen := load.Stats{Over: 5 * time.Second, Count: 300, Latency: recent.Latency}
	for _, c := range []struct {
		name string
		load load.Snapshot
		want string
	}{
		{"users", load.Snapshot{Users: 1, Recent: recent}, "01:05  1 user  100.0 req/s  0.00 % failed  p50 2ms  p95 3ms"},
		{"users over time", load.Snapshot{Users: 3, Wanted: 4, Shaped: true, Recent: recent}, "01:05  3 of 4 users  100.0 req/s  0.00 % failed  p50 2ms  p95 3ms"},
		{"arrivals", load.Snapshot{Open: true, Planned: 100, Recent: recent}, "01:05  100.0/s planned  100.0 req/s  0.00 % failed  p50 2ms  p95 3ms"},
		{"a freeze", load.Snapshot{Open: true, Planned: 100, InFlight: 10, Oldest: 2200 * time.Millisecond, Recent: frozen, Health: load.Health{Unsent: 210}},
			"01:05  100.0/s planned  60.0 req/s  0.00 % failed  220 waiting, the oldest for 2.2s"},
		{"the end of one", load.Snapshot{Phase: load.Draining, Open: true, InFlight: 10, Oldest: 7 * time.Second, Recent: load.Stats{Over: 5 * time.Second}},
			"01:05  draining  0.0 req/s  0.00 % failed  10 waiting, the oldest for 7s"},
		{"streams that flow", load.Snapshot{Users: 3, InFlight: 3, Flowing: 3, Oldest: 900 * time.Millisecond, Recent: load.Stats{Over: 5 * time.Second}, Total: load.Stats{Streams: &load.Streams{Open: 3, Events: 40}}},
			"01:05  3 users  0.0 req/s  0.00 % failed  3 streams open, 40 events"},
		{"a pause", load.Snapshot{Phase: load.Paused, Users: 9}, "01:05  paused  0.0 req/s  0.00 % failed"},
	} {
		c.load.Elapsed = 65 * time.Second
		if got := statusLine(advisor.State{Load: c.load}); got != c.want {
			t.Errorf("%s: statusLine = %q, want %q", c.name, got, c.want)
		}
	}
	measuring := advisor.State{Phase: advisor.Measuring, Load: load.Snapshot{Users: 2, Elapsed: 3 * time.Second}, Search: &advisor.SearchState{Budget: 5 * time.Minute, Left: 100 * time.Second}}
	if got, want := statusLine(measuring), "1m37s left  00:03  2 users  0.0 req/s  0.00 % failed"; got != want {
		t.Errorf("measuring: statusLine = %q, want %q", got, want)
	}
}
