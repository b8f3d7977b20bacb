package load

import (
	"bufio"
	"fmt"
	"math"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"headroom/profiles"

	"pgregory.net/rapid"
)

const (
	sseHead    = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
	ndjsonHead = "HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\n"
)

var bodiesWithEvents = []struct {
	name, contentType, body string
	want                    int64
}{
	{"events", "text/event-stream", "data: 1\n\ndata: 2\n\n", 2},
	{"CR LF, and a name", "Text/Event-Stream;charset=utf-8", "event: x\r\ndata: 1\r\n\r\ndata:2\r\n\r\n", 2},
	{"many lines of data are one event", "text/event-stream", "data: 1\ndata: 2\nid: 7\n\n", 1},
	{"a comment is none", "text/event-stream", ": ping\n\ndata: 1\n\n", 1},
	{"nothing but a name is none", "text/event-stream", "event: ping\n\n", 0},
	{"the mark of the end is none", "text/event-stream", "data: 1\n\ndata: [DONE]\n\n", 1},
	{"a long line", "text/event-stream", "data: [DONE]" + strings.Repeat("x", 9000) + "\n\n", 1},
	{"one that lacks its end is none", "text/event-stream", "data: 1\n\ndata: 2\n", 1},
	{"lines", "application/x-ndjson", "{\"a\":1}\n{\"a\":2}\n", 2},
	{"empty lines are none", "application/x-ndjson", "{\"a\":1}\r\n\r\n\n{}\n", 2},
	{"the last line may lack its end", "application/jsonl", "{}\n{\"a\":2}", 2},
	{"no stream", "application/json", "{}\n{}\n", 0},
	{"no type", "", "data: 1\n\n", 0},
}

// The same events are found however the bytes are cut.
func TestEventsAreFound(t *testing.T) {
	for _, c := range bodiesWithEvents {
		rapid.Check(t, func(t *rapid.T) {
			var e events
			e.begin([]byte(c.contentType))
			if e.kind != noStream {
				for rest := []byte(c.body); len(rest) > 0; {
					n := rapid.IntRange(1, min(len(rest), 40)).Draw(t, "n")
					e.feed(rest[:n], time.Second)
					rest = rest[n:]
				}
			}
			found := e.end(true)
			if found == nil {
				found = &Stream{}
			}
			if found.Events != c.want {
				t.Fatalf("%s: %d events in %q, want %d", c.name, found.Events, c.body, c.want)
			}
		})
	}
}

func TestGapsBetweenEvents(t *testing.T) {
	ms := time.Millisecond
	e := events{}
	e.begin([]byte("application/x-ndjson"))
	e.feed([]byte("1\n2\n"), 100*ms)
	e.feed([]byte("3"), 110*ms)
	e.feed([]byte("\n"), 120*ms)
	e.feed([]byte("4"), 150*ms)
	found := e.end(true)
	if got := fmt.Sprint(found.First, found.Events, found.gaps, found.together); got != "100ms 4 [20ms 30ms] 1" {
		t.Errorf("first, events, gaps, together = %s; want 100ms 4 [20ms 30ms] 1", got)
	}
	if e.begin([]byte("text/plain")); e.end(true) != nil {
		t.Error("text is a stream")
	}
}

// The three ways in which a body comes, over both ways to read them.
func TestStreamsOfARealServer(t *testing.T) {
	chunked := func(nc net.Conn, parts ...string) {
		for _, part := range parts {
			fmt.Fprintf(nc, "%x\r\n%s\r\n", len(part), part)
			sleep(5 * time.Millisecond)
		}
	}
	for _, c := range []struct {
		name    string
		serve   func(nc net.Conn)
		events  int64 // -1: no stream
		failure Failure
	}{
		{"SSE in chunks", func(nc net.Conn) {
			fmt.Fprint(nc, sseHead+"Transfer-Encoding: chunked\r\n\r\n")
			chunked(nc, "data: 1\n\n", "data: 2\n\nda", "ta: 3\n\n", "data: [DONE]\n\n")
			fmt.Fprint(nc, "0\r\n\r\n")
		}, 3, None},
		{"NDJSON until the connection closes", func(nc net.Conn) { fmt.Fprint(nc, ndjsonHead+"\r\n{}\n{}\n{}") }, 3, None},
		{"broken off", func(nc net.Conn) {
			fmt.Fprint(nc, sseHead+"Transfer-Encoding: chunked\r\n\r\n")
			chunked(nc, "data: 1\n\n", "data: 2\n\n")
		}, 2, Reset},
		{"of known length", func(nc net.Conn) { fmt.Fprint(nc, sseHead+"Content-Length: 9\r\n\r\ndata: 1\n\n") }, -1, None},
	} {
		target := listen(t, func(nc net.Conn) {
			if hear(nc) == nil {
				c.serve(nc)
			}
		})
		for how, plan := range map[string]func(*profiles.Plan){"plain": nil, "net/http": func(p *profiles.Plan) { p.Cookies = true }} {
			r := runOnce(t, target, plan)
			want := &Streams{Count: 1, Events: c.events}
			if c.failure == None {
				want.Complete = 1
			}
			got := r.Total.Streams
			switch {
			case (r.Total.Failed > 0) != (c.failure != None), r.Total.Failed > 0 && r.Failures[0].Failure != c.failure:
				t.Errorf("%s, %s: failures %+v, want %v", c.name, how, r.Failures, c.failure)
			case c.events < 0:
				if got != nil {
					t.Errorf("%s, %s: streams %+v, want none", c.name, how, got)
				}
			case got == nil || got.Count != want.Count || got.Complete != want.Complete || got.Events != want.Events || got.TTFT.Count != want.Complete:
				t.Errorf("%s, %s: streams %+v, want %+v", c.name, how, got, want)
			}
		}
	}
}

// runOnce sends one request.
func runOnce(t *testing.T, target string, edit func(*profiles.Plan)) Result {
	t.Helper()
	plan := closedPlan(1, 1, 0)
	plan.Target, plan.Requests = target, 1
	if edit != nil {
		edit(&plan)
	}
	e, err := New(plan, Options{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := e.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A stream under way whose first event came has met or missed its objective;
// one without it may still miss it.
func TestObjectivesOfStreams(t *testing.T) {
	slo := mustSLO(t, "ttft.p90<100ms,gap.p50<100ms")
	ms := time.Millisecond
	stream := func(first time.Duration, f Failure) *Sample {
		return &Sample{Done: time.Second, Failure: f, Stream: &Stream{First: first, Events: 3, gaps: []time.Duration{40 * ms}, together: 1}}
	}
	for _, c := range []struct {
		name       string
		fast, slow int
		failed     int
		waits      []wait
		first, gap Objective
	}{
		{"nothing", 0, 0, 0, nil, Objective{}, Objective{}},
		{"all fast", 10, 0, 0, nil, Objective{Value: 0.01, Valid: true, Holds: true}, Objective{Value: 0, Valid: true, Holds: true}},
		{"two slow", 8, 2, 0, nil, Objective{Value: 0.5, Valid: true}, Objective{Value: 0, Valid: true, Holds: true}},
		{"two failed", 8, 0, 2, nil, Objective{Value: math.Inf(1), Valid: true}, Objective{Value: 0, Valid: true, Holds: true}},
		{"two wait for it", 8, 0, 0, []wait{{age: time.Second, count: 2}}, Objective{Value: 1, AtLeast: true, Unanswered: 2, Valid: true}, Objective{Value: 0, Valid: true, Holds: true}},
		{"two have it", 8, 0, 0, []wait{{age: time.Second, count: 2, streaming: true}}, Objective{Value: 0.01, Valid: true, Holds: true}, Objective{Value: 0, Valid: true, Holds: true}},
	} {
		tl := newTally(3)
		for range c.fast {
			tl.add(stream(10*ms, None))
		}
		for range c.slow {
			tl.add(stream(500*ms, None))
		}
		for range c.failed {
			tl.add(stream(10*ms, Reset))
		}
		for i, want := range []Objective{c.first, c.gap} {
			want.Objective, want.Name = slo[i], slo[i].String()
			got := tl.objective(slo[i], time.Second, c.waits)
			if math.Abs(got.Value-want.Value) < 0.001 {
				got.Value = want.Value
			}
			if got != want {
				t.Errorf("%s: %+v, want %+v", c.name, got, want)
			}
		}
	}
}

func TestStreamsOfARunAddUp(t *testing.T) {
	target := listen(t, func(nc net.Conn) {
		in := bufio.NewReader(nc)
		for {
			if _, err := http.ReadRequest(in); err != nil {
				return
			}
			fmt.Fprint(nc, sseHead+"Transfer-Encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n")
			sleep(2 * time.Millisecond)
			fmt.Fprint(nc, "9\r\ndata: 2\n\n\r\n0\r\n\r\n")
		}
	})
	r := runTo(t, target, 2, 40, nil)
	st := r.Total.Streams
	if st == nil || st.Count != 40 || st.Complete != 40 || st.Events != 80 || st.TTFT.Count != 40 || st.Gap.Count != 40 {
		t.Fatalf("streams %+v, want 40 of 2 events each", st)
	}
	if st.TTFT.Max > r.Total.Latency.Max {
		t.Errorf("ttft of up to %v, latency of up to %v; want the first event within the answer", st.TTFT.Max, r.Total.Latency.Max)
	}
}
