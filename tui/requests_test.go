package tui

import (
	"slices"
	"strings"
	"testing"
	"time"

	"headroom/advisor"
	"headroom/load"
)

func TestStreamed(t *testing.T) {
	times := func(d time.Duration) load.Quantiles { return load.Quantiles{Count: 7, P50: d, P95: 2 * d} }
	for _, c := range []struct {
		r    load.Streams
		want string
	}{
		{load.Streams{Count: 1}, "1 stream, 0 complete, 0 open, with 0 events."},
		{load.Streams{Count: 9, Complete: 7, Open: 2, Events: 70, TTFT: times(200 * time.Millisecond), Gap: times(20 * time.Millisecond)},
			"9 streams, 7 complete, 2 open, with 70 events: first event after p50 200.0, p95 400.0 ms, the next after p50 20.0, p95 40.0 ms."},
	} {
		if got := streamed(c.r); got != c.want {
			t.Errorf("streamed(%+v) = %q, want %q", c.r, got, c.want)
		}
	}
}

// Streams have columns where there is room, and a sentence where there is none.
func TestStreamsAmongRequests(t *testing.T) {
	streams := &load.Streams{Count: 9, Complete: 2, Open: 7, Events: 70, TTFT: load.Quantiles{Count: 9, P50: 200 * time.Millisecond, P95: 400 * time.Millisecond}}
	chat, page := load.Stats{Name: "chat", Count: 2, Streams: streams}, load.Stats{Name: "page", Count: 30}
	st := advisor.State{Loaded: true, Load: load.Snapshot{Requests: []load.Stats{chat, page}, Total: load.Stats{Streams: streams}}}
	for _, c := range []struct {
		width          int
		columns, words bool
	}{{200, true, false}, {80, false, true}} {
		page := renderRequests(st, plainStyles(), arrangement{}, c.width, 40)
		head, text := page.head[1], strings.Join(slices.Concat(page.rows, page.foot), "\n")
		for _, title := range []string{"events", "open", "ttft p50", "ttft p95", "gap p50", "gap p95"} {
			if got := strings.Contains(head, title); got != c.columns {
				t.Errorf("%d columns: %q has %s: %v, want %v", c.width, head, title, got, c.columns)
			}
		}
		if got := strings.Contains(text, "chat: 9 streams, 2 complete, 7 open, with 70 events: first event after p50"); got != c.words {
			t.Errorf("%d columns: a sentence on streams: %v, want %v\n%s", c.width, got, c.words, text)
		}
		if got := strings.Contains(page.rows[0], "400.0"); got != c.columns {
			t.Errorf("%d columns: %q shows the first events: %v, want %v", c.width, page.rows[0], got, c.columns)
		}
	}
	st.Load.Total.Aborted = 9
	failures := strings.Join(renderFailures(st, plainStyles(), arrangement{}, 80, 40).rows, "\n")
	if !strings.Contains(failures, "aborted") || !strings.Contains(failures, "streams still open at the end") {
		t.Errorf("failures %q, want a row of the 2 requests cut off and one of the 7 streams still open", failures)
	}
	st.Load.Total.Streams, st.Load.Requests[0].Streams = nil, nil
	if head := renderRequests(st, plainStyles(), arrangement{}, 200, 40).head[1]; strings.Contains(head, "ttft") {
		t.Errorf("without streams: %q, want no columns of streams", head)
	}
}

// The header of a narrow screen has no room for them.
func TestRequestsSayTheThresholds(t *testing.T) {
	st := judgedBy(steadyState(), "http_req_duration: p(95)<50", 82.6, false)
	if got := objectives(st, plainStyles(), 60); !strings.HasSuffix(got, "  +1 ✗") {
		t.Errorf("objectives in 60 cells = %q, want that one more is missed", got)
	}
	if foot := strings.Join(renderRequests(st, plainStyles(), arrangement{}, 80, 20).foot, "\n"); !strings.Contains(foot, "\n threshold http_req_duration: p(95)<50 ✗ 82.6") {
		t.Errorf("the view does not say how the threshold does:\n%s", foot)
	}
}
