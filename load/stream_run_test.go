package load

import (
	"context"
	"fmt"
	"testing"
	"time"

	"headroom/probe"
)

// play is how a stream comes: its head at once, its first event, and the
// others after gaps. Then it ends, or fails, or never ends.
type play struct {
	first   time.Duration
	gaps    []time.Duration
	fails   bool
	endless bool
}

// playConn is a target without sockets that streams what its plays say, by the
// name of the request. It answers others after 10 ms.
type playConn struct {
	ctx   context.Context
	start time.Time
	plays map[string]play
}

func streaming(plays map[string]play) func(context.Context, time.Time) Conn {
	return func(ctx context.Context, start time.Time) Conn { return &playConn{ctx, start, plays} }
}

func (c *playConn) Do(s *Sample, m *Message) error {
	s.Sent, s.Replica, s.Status = time.Since(c.start), probe.Unknown, 200
	p, ok := c.plays[m.Name]
	if !ok {
		return c.end(s, c.pause(10*time.Millisecond), false)
	}
	e := events{log: m.streams}
	e.begin(sse)
	alive := true
	for i := 0; alive && i <= len(p.gaps); i++ {
		wait := p.first
		if i > 0 {
			wait = p.gaps[i-1]
		}
		if alive = c.pause(wait); alive {
			e.feed([]byte("data: 1\n\n"), time.Since(c.start))
			s.Bytes += 9
		}
	}
	if alive && p.endless {
		<-c.ctx.Done()
		alive = false
	}
	s.Stream = e.end(alive)
	return c.end(s, alive, p.fails)
}

// pause returns false when the run ends before it is over.
func (c *playConn) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-c.ctx.Done():
		return false
	}
}

func (c *playConn) end(s *Sample, alive, fails bool) error {
	s.Done = time.Since(c.start)
	switch {
	case !alive:
		s.Failure = Aborted
		return errAborted
	case fails:
		s.Failure = Reset
	}
	return nil
}

func (c *playConn) Close() {}

// What is known of streams that outlive the run, and of those that break, is
// what had come of them.
func TestStreamsThatOutliveTheRun(t *testing.T) {
	const ms = time.Millisecond
	fast := play{first: 50 * ms}
	slow := play{first: 900 * ms, gaps: []time.Duration{time.Second, time.Second, time.Second, time.Second, time.Second}, endless: true}
	dead := play{first: time.Hour}
	const both = "tasks: [{name: fast, get: /f}, {name: slow, get: /s}]\n"
	for _, c := range []struct {
		name, tasks   string
		plays         map[string]play
		slo           string
		holds, valid  []bool
		open, minimum int64 // streams open at the end, and first events that are known
	}{
		{"fast and slow ones", both, map[string]play{"fast": fast, "slow": slow},
			"ttft.p95<500ms,ttft.p95<950ms,fast.ttft.p95<100ms,slow.ttft.p50<500ms,errors<=0%",
			[]bool{false, true, true, false, true}, []bool{true, true, true, true, true}, 40, 80},
		{"slow ones alone", "tasks: [{name: slow, get: /s}]\n", map[string]play{"slow": slow},
			"ttft.p95<500ms,ttft.p95<950ms,gap.p95<900ms,gap.p95<1100ms", []bool{false, true, false, true}, []bool{true, true, true, true}, 80, 80},
		{"ones without an event", "tasks: [{name: dead, get: /d}]\n", map[string]play{"dead": dead},
			"ttft.p95<500ms,gap.p95<1s", []bool{false, false}, []bool{true, false}, 80, 0},
		{"ones that fell silent", "tasks: [{name: x, get: /d}]\n", map[string]play{"x": {first: 50 * ms, gaps: []time.Duration{10 * ms}, endless: true}},
			"ttft.p95<500ms,gap.p95<1s", []bool{true, false}, []bool{true, true}, 80, 80},
		{"ones that break", "tasks: [{name: x, get: /d}]\n", map[string]play{"x": {first: 50 * ms, gaps: []time.Duration{10 * ms}, fails: true}},
			"ttft.p95<500ms,gap.p95<1s,errors<1%", []bool{true, true, false}, []bool{true, true, true}, 0, 80},
	} {
		plan := openPlan(20, "constant", 4*time.Second)
		plan.MaxUsers, plan.StopGrace = 100, 2*time.Second
		plan.Scenario = scenario(t, c.tasks)
		o := Options{SLO: mustSLO(t, c.slo), NewConn: streaming(c.plays)}
		r := run(t, plan, o, nil)
		for i, got := range r.SLO {
			if got.Holds != c.holds[i] || got.Valid != c.valid[i] {
				t.Errorf("%s: %s is %s, holds %v, valid %v; want %v and %v", c.name, got.Name, got.Format(), got.Holds, got.Valid, c.holds[i], c.valid[i])
			}
		}
		st := r.Total.Streams
		if off := st.Open - c.open; off < -10 || off > 10 || st.Open != r.Total.Aborted || st.Open > 0 && r.Total.Failed > 0 {
			t.Errorf("%s: %d streams open, %d requests cut off, %d failed; want about %d streams", c.name, st.Open, r.Total.Aborted, r.Total.Failed, c.open)
		}
		if off := st.TTFT.Count - c.minimum; off < -2 || off > 2 || r.Total.Bytes != 9*st.Events {
			t.Errorf("%s: %d first events, %d events and %d bytes; want about %d, and 9 bytes an event", c.name, st.TTFT.Count, st.Events, r.Total.Bytes, c.minimum)
		}
	}
}

// Events and bytes of a stream that goes on show while it does, in the window
// of an objective of its task too.
func TestStreamsShowAsTheyCome(t *testing.T) {
	gaps := make([]time.Duration, 100)
	for i := range gaps {
		gaps[i] = 100 * time.Millisecond
	}
	plan := closedPlan(1, 1, 8*time.Second)
	plan.Scenario = scenario(t, "on_start: [{name: login, get: /l}]\ntasks: [{name: chat, get: /c}]\n")
	o := Options{SLO: mustSLO(t, "chat.gap.p50<90ms,chat.rps<1/s"), NewConn: streaming(map[string]play{"chat": {first: 500 * time.Millisecond, gaps: gaps}})}
	var seen []string
	r := run(t, plan, o, func(e *Engine) {
		for range 2 {
			sleep(3 * time.Second)
			s := e.Snapshot()
			st := s.Total.Streams
			_, _, stalled := s.Stalled()
			seen = append(seen, fmt.Sprintf("%d chats, %d open, %v in 5 events, %v, gap %s, %s, %d flow, stalled %v", s.Requests[1].Count, s.Requests[1].OpenStreams(),
				st.Events >= 20*int64(len(seen)+1), s.Total.Bytes-9*st.Events == 0, s.RecentSLO[0].Format(), s.RecentSLO[1].Format(), s.Flowing, stalled))
		}
	})
	for i, got := range seen {
		if want := "0 chats, 1 open, true in 5 events, true, gap 100ms, 0/s, 1 flow, stalled false"; got != want {
			t.Errorf("after %d s: %s; want %s", 3*(i+1), got, want)
		}
	}
	if r.Total.Streams.Open != 0 || r.Total.Streams.Complete != 1 || r.Total.Streams.Count != 1 || r.Total.Streams.Events != 101 {
		t.Errorf("streams %+v, want one whole of 101 events", *r.Total.Streams)
	}
}

// A reset forgets what had come of a stream that goes on, not the stream.
func TestResetDuringAStream(t *testing.T) {
	gaps := make([]time.Duration, 100)
	for i := range gaps {
		gaps[i] = 100 * time.Millisecond
	}
	plan := closedPlan(1, 1, 5*time.Second)
	r := run(t, plan, Options{NewConn: streaming(map[string]play{"GET /x": {gaps: gaps}})}, func(e *Engine) {
		sleep(4900 * time.Millisecond)
		e.ResetStats()
	})
	if st := r.Total.Streams; st == nil || st.Count != 0 || st.TTFT.Count != 0 || st.Complete != 1 || st.Events < 48 || st.Events > 52 {
		t.Errorf("streams %+v, want the second half of one", st)
	}
}

// An objective on first events is about requests that have some: in a mix it
// ignores those whose answers are no streams, however slow they are.
func TestFirstEventsInAMix(t *testing.T) {
	plan := closedPlan(20, 1e6, 20*time.Second)
	plan.StopGrace = 0
	plan.Scenario = scenario(t, "tasks: [{name: page, get: /, wait: 1s}, {name: chat, get: /c}]\nusers: [{name: a, tasks: [page]}, {name: b, tasks: [chat]}]\n")
	o := Options{SLO: mustSLO(t, "ttft.p99<500ms,page.ttft.p99<500ms"), NewConn: func(ctx context.Context, start time.Time) Conn {
		return &mixConn{playConn{ctx, start, map[string]play{"chat": {first: 100 * time.Millisecond, gaps: []time.Duration{time.Second}}}}}
	}}
	r := run(t, plan, o, nil)
	if page := r.Requests[0]; page.Failed == 0 || page.Aborted == 0 || page.Failed == page.Count {
		t.Fatalf("%d pages, %d failed, %d cut off; want some of each", page.Count, page.Failed, page.Aborted)
	}
	if got := r.SLO[0]; !got.Holds || got.Unanswered > 0 {
		t.Errorf("%s: %s, %d unanswered; want it met", got.Name, got.Format(), got.Unanswered)
	}
}

// mixConn fails pages after 5 s, and stalls after 15 s.
type mixConn struct{ playConn }

func (c *mixConn) Do(s *Sample, m *Message) error {
	switch at := time.Since(c.start); {
	case m.Name != "page" || at < 5*time.Second:
		return c.playConn.Do(s, m)
	case at > 15*time.Second:
		s.Sent, s.Replica = at, probe.Unknown
		return c.end(s, c.pause(time.Hour), false)
	default:
		s.Sent, s.Replica = at, probe.Unknown
		return c.end(s, c.pause(10*time.Millisecond), true)
	}
}

// Of arrivals that nobody has taken, a task gets the share that it has of the
// others, answered or not.
func TestShareOfUntakenArrivals(t *testing.T) {
	c := newCollector([]string{"a", "b"}, Options{Identifier: probe.NewIdentifier(nil)}, func() []string { return nil })
	for range 5 {
		c.add(&Sample{Done: time.Second})
	}
	c.add(&Sample{Done: time.Second, Task: 1})
	waits := []wait{{row: 0, count: 1}, {row: 1, count: 1}}
	for range 5 {
		waits = append(waits, wait{row: noRow, count: 1, age: time.Second}, wait{row: noRow, count: 3, age: time.Second})
	}
	for row, want := range []int64{1 + 15, 1 + 5} {
		n := int64(0)
		for _, w := range c.of(waits, func(r int32) bool { return r == int32(row) }) {
			n += w.count
		}
		if n != want {
			t.Errorf("row %d has %d that wait, want %d", row, n, want)
		}
	}
}
