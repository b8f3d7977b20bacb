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
			e.begin(kindOf([]byte(c.contentType)))
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

func TestEventsAreToldAsTheyCome(t *testing.T) {
	ms := time.Millisecond
	l := &streamLog{}
	e := events{log: l}
	l.expect(3, 40*ms)
	e.begin(kindOf([]byte("application/x-ndjson")))
	for _, step := range []struct {
		bytes string
		at    time.Duration
		want  mark
		found Stream
	}{
		{"", 0, mark{row: 3, opened: true}, Stream{}},
		{"1\n2\n", 100 * ms, mark{row: 3, first: true, after: 60 * ms, events: 2, bytes: 4}, Stream{100 * ms, 100 * ms, 2}},
		{"3", 110 * ms, mark{row: 3, bytes: 1}, Stream{100 * ms, 100 * ms, 2}},
		{"\n", 120 * ms, mark{row: 3, after: 20 * ms, events: 1, bytes: 1}, Stream{100 * ms, 120 * ms, 3}},
		{"4", 150 * ms, mark{row: 3, bytes: 1}, Stream{100 * ms, 120 * ms, 3}},
	} {
		if step.bytes != "" {
			e.feed([]byte(step.bytes), step.at)
		}
		marks, opened, found := l.take(nil)
		if len(marks) != 1 || marks[0] != step.want || !opened || found != step.found {
			t.Errorf("%q at %v: marks %+v, opened %v, found %+v; want %+v and %+v", step.bytes, step.at, marks, opened, found, step.want, step.found)
		}
	}
	e.end(true)
	marks, _, found := l.take(nil)
	if want := (mark{row: 3, after: 30 * ms, events: 1}); len(marks) != 1 || marks[0] != want || found.Events != 4 {
		t.Errorf("at the end: marks %+v, found %+v; want %+v and 4 events", marks, found, want)
	}
	if l.expect(0, 0); e.end(true) != nil {
		t.Error("there is a stream after the end")
	}
	if marks, opened, _ := l.take(nil); len(marks) != 0 || opened {
		t.Errorf("of the next request: marks %+v, opened %v; want none", marks, opened)
	}
}

// A stream costs its user no memory for each of its events.
func TestToldEventsAllocateNothing(t *testing.T) {
	l := &streamLog{}
	e := events{log: l}
	e.begin(sse)
	var taken []mark
	at, event := time.Duration(0), []byte("data: 1\n\n")
	tick := func() {
		for range 100 {
			at += time.Millisecond
			e.feed(event, at)
		}
		taken, _, _ = l.take(taken[:0])
	}
	tick()
	if n := testing.AllocsPerRun(100, tick); n > 0 {
		t.Errorf("100 events take %v allocations, want 0", n)
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
		{"of known length", func(nc net.Conn) {
			fmt.Fprint(nc, ndjsonHead+"Content-Length: 4\r\n\r\n1\n")
			sleep(5 * time.Millisecond)
			fmt.Fprint(nc, "2\n")
		}, 2, None},
		{"an error", func(nc net.Conn) {
			fmt.Fprint(nc, strings.Replace(sseHead, "200 OK", "500 No", 1)+"Content-Length: 9\r\n\r\ndata: 1\n\n")
		}, -1, Status},
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
			case got == nil || got.Count != want.Count || got.Complete != want.Complete || got.Events != want.Events || got.TTFT.Count != 1 || got.Gap.Count != want.Events-1:
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
	return runPlan(t, plan)
}

// runPlan runs a plan over sockets.
func runPlan(t *testing.T, plan profiles.Plan) Result {
	t.Helper()
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
	fast, slow := Objective{Value: 0.01, Valid: true, Holds: true}, Objective{Value: 0.5, Valid: true}
	even := Objective{Value: 0, Valid: true, Holds: true}
	for _, c := range []struct {
		name           string
		fast, slow     int
		failed, broken int // before and behind their first events, which were fast
		waits          []wait
		first, gap     Objective
	}{
		{name: "nothing"},
		{name: "all fast", fast: 10, first: fast, gap: even},
		{name: "two slow", fast: 8, slow: 2, first: slow, gap: even},
		{name: "two failed", fast: 8, failed: 2, first: Objective{Value: math.Inf(1), Valid: true}, gap: even},
		{name: "two broke off", fast: 8, broken: 2, first: fast, gap: even},
		{name: "two wait for it", fast: 8, waits: []wait{{age: time.Second, count: 2}},
			first: Objective{Value: 1, AtLeast: true, Unanswered: 2, Valid: true}, gap: even},
		{name: "two have it", fast: 8, waits: []wait{{age: time.Second, count: 2, opened: true, begun: true}}, first: fast, gap: even},
		{name: "all have fallen silent", fast: 4, waits: []wait{{age: 2 * time.Second, count: 20, opened: true, begun: true, silence: time.Second}},
			first: fast, gap: Objective{Value: 1, AtLeast: true, Unanswered: 20, Valid: true}},
	} {
		tl := newTally(3)
		stream := func(first time.Duration, f Failure) {
			heard := &Stream{First: first, Last: first + 40*ms, Events: 3}
			tl.streamed().hear(&mark{opened: true})
			tl.streamed().hear(&mark{first: true, after: first, events: 2})
			tl.streamed().hear(&mark{after: 40 * ms, events: 1})
			tl.add(&Sample{Done: time.Second, Failure: f, Stream: heard})
		}
		for range c.fast {
			stream(10*ms, None)
		}
		for range c.slow {
			stream(500*ms, None)
		}
		for range c.broken {
			stream(10*ms, Reset)
		}
		for range c.failed {
			tl.add(&Sample{Done: time.Second, Failure: Timeout, Stream: &Stream{}})
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
