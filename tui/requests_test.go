package tui

import (
	"testing"
	"time"

	"headroom/load"
)

func TestStreamed(t *testing.T) {
	times := func(d time.Duration) load.Quantiles { return load.Quantiles{Count: 7, P50: d, P95: 2 * d} }
	for _, c := range []struct {
		r    load.Streams
		want string
	}{
		{load.Streams{Count: 1}, "1 stream, 0 complete, with 0 events."},
		{load.Streams{Count: 9, Complete: 7, Events: 70, TTFT: times(200 * time.Millisecond), Gap: times(20 * time.Millisecond)},
			"9 streams, 7 complete, with 70 events: first event after p50 200.0, p95 400.0 ms, the next after p50 20.0, p95 40.0 ms."},
	} {
		if got := streamed(c.r); got != c.want {
			t.Errorf("streamed(%+v) = %q, want %q", c.r, got, c.want)
		}
	}
}
