package tui

import (
	"strings"
	"testing"
	"time"

	"headroom/advisor"
	"headroom/load"
	"headroom/profiles"
)

// Streams have columns where there is room, the first event always; what has no
// column stands in a row below.
func TestStreamsAmongRequests(t *testing.T) {
	streams := &load.Streams{Count: 9, Complete: 2, Open: 7, Events: 70, TTFT: load.Quantiles{Count: 9, P50: 200 * time.Millisecond, P95: 400 * time.Millisecond}}
	chat, page := load.Stats{Name: "chat", Count: 2, Streams: streams}, load.Stats{Name: "page", Count: 30}
	st := advisor.State{Loaded: true, Load: load.Snapshot{Requests: []load.Stats{chat, page}, Total: load.Stats{Streams: streams}}}
	for _, c := range []struct {
		width  int
		titles []string
		below  string
	}{
		{200, []string{"events", "open", "complete", "ttft p50", "ttft p95", "gap p50", "gap p95"}, ""},
		{100, []string{"ttft p95", "gap p95", "p90"}, "   streams: events 70, open 7, complete 2, ttft p50 200.0, gap p50 –"},
		{80, []string{"ttft p95"}, "   streams: events 70, open 7, complete 2, ttft p50 200.0, gap p50 –, gap p95 –"},
	} {
		page := renderRequests(st, plainStyles(), arrangement{}, c.width, 40)
		for _, title := range c.titles {
			if !strings.Contains(page.head[1], title) {
				t.Errorf("%d columns: %q, want %s", c.width, page.head[1], title)
			}
		}
		if !strings.Contains(page.rows[0], "400.0") {
			t.Errorf("%d columns: %q does not show the first events", c.width, page.rows[0])
		}
		rows := 4
		if c.below != "" {
			rows = 5
		}
		if len(page.rows) != rows || c.below != "" && page.rows[2] != c.below {
			t.Errorf("%d columns: rows\n%s\nwant %d, and of the streams %q", c.width, strings.Join(page.rows, "\n"), rows, c.below)
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

// Whatever there is to say below them, some rows of requests stay in view, and
// so does what the trust in the generator rests on.
func TestRequestsKeepTheirRows(t *testing.T) {
	for h := leastHeight; h <= 60; h += 4 {
		m := showing(streamingState(), plainStyles(), viewRequests, leastWidth, h)
		if got := m.page().visible(m.bodyHeight()); got < 5 {
			t.Errorf("%d lines: %d rows are in view, want 5 or more", h, got)
		}
		for _, want := range []string{"chat ", "! The generator is strained", "threshold http_req_duration: max<9000 ✗"} {
			if !strings.Contains(m.View(), want) {
				t.Errorf("%d lines: the view does not say %q:\n%s", h, want, m.View())
			}
		}
	}
}

func TestThresholdsHaveALimit(t *testing.T) {
	l := streamingState().Load
	for _, test := range []struct {
		most, lines int
		first, last string
	}{
		{5, 5, " threshold http_req_duration: p(95)<5000 ✓ 4200ms", " threshold http_req_duration: max<9000 ✗ 9300ms"},
		{3, 3, " threshold http_req_duration: max<9000 ✗ 9300ms", " threshold http_req_duration: p(99)<7000 ✓ 6600ms  +2 ✓"},
	} {
		got := thresholdLines(l, plainStyles(), 100, test.most)
		if len(got) != test.lines || got[0] != test.first || got[len(got)-1] != test.last {
			t.Errorf("thresholdLines of %d at most = %q, want %d from %q to %q", test.most, got, test.lines, test.first, test.last)
		}
	}
}

// A percentile that failures have made endless is explained.
func TestRequestsExplainEndlessPercentiles(t *testing.T) {
	for name, c := range map[string]struct {
		st   advisor.State
		want bool
	}{"failing": {failingState(), true}, "steady": {steadyState(), false}} {
		if got := strings.Contains(strings.Join(renderRequests(c.st, plainStyles(), arrangement{}, 300, 40).foot, ""), unbounded); got != c.want {
			t.Errorf("%s: explained %v, want %v", name, got, c.want)
		}
	}
}

// An example that is longer than its column can be read all the same.
func TestFailuresShowWholeExamples(t *testing.T) {
	rows := strings.Join(renderFailures(wordyState(), plainStyles(), arrangement{}, 80, 40).rows, "\n")
	for _, want := range []string{"\n status 503     1100    00:31    01:04  503 Service Unavailable\n", "  the connection was closed before the\n", "  answer was complete\n", "--source-ip)\n"} {
		if !strings.Contains("\n"+rows, want) {
			t.Errorf("the failures do not show %q:\n%s", want, rows)
		}
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

// streamingState has six tasks whose answers are streams, and more thresholds
// than a low screen has lines for.
func streamingState() advisor.State {
	st := managed(run(idleState(), 102*time.Second, 240/0.9, 600*ms), 3, 3)
	st.Load.Requests = nil
	streams := func(n int64) *load.Streams {
		return &load.Streams{Count: n, Complete: n - 9, Open: 7, Events: 40 * n, TTFT: quantiles(n, 90*ms), Gap: quantiles(40*n, 4*ms)}
	}
	for i, name := range []string{"chat", "summarise", "translate", "code", "search", "a task with a long name of its own"} {
		r := stats(name, st.Load.Elapsed, 60-8*float64(i), 0, 600*ms)
		r.Streams = streams(r.Count)
		st.Load.Requests = append(st.Load.Requests, r)
	}
	st.Load.Total.Streams = streams(st.Load.Total.Count)
	for i, text := range []string{"http_req_duration: p(95)<5000", "http_req_duration: p(99)<7000", "http_req_failed: rate<0.01", "http_reqs: rate>100", "http_req_duration: max<9000"} {
		threshold, err := profiles.ParseThreshold(text)
		if err != nil {
			panic(err)
		}
		st.Load.Thresholds = append(st.Load.Thresholds, load.Threshold{
			Threshold: threshold, Value: load.Figure([]float64{4200, 6600, 0, 240, 9300}[i]), Valid: true, Holds: i != 4,
		})
	}
	st.Load.Health = load.Health{Verdict: load.Strained, Reason: "requests leave 45.3ms late (p99); somebody on this machine waits for a processor", LagP99: 45300 * time.Microsecond, CPU: 1.7}
	return st
}
