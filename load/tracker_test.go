package load

import (
	"fmt"
	"math"
	"runtime"
	"strings"
	"testing"
	"time"

	"headroom/probe"
)

// tracked is a collector that knows its replicas by these names, in order.
func tracked(names ...string) *collector {
	identifier := probe.NewIdentifier(probe.Source{{Kind: probe.JSONField, Field: "pod"}})
	for _, name := range names {
		identifier.Identify(&probe.Answer{Status: 200, Body: fmt.Appendf(nil, `{"pod":%q}`, name)})
	}
	return newCollector([]string{"GET /"}, Options{Identifier: identifier}, func() []string { return nil })
}

// second lets a second go by in which replicas answered so many requests that
// took so long each, and returns the snapshot behind it.
func (c *collector) second(n int, took time.Duration, counts ...int) Snapshot {
	end := time.Duration(n+1) * time.Second
	for replica, count := range counts {
		for i := range count {
			at := end - time.Second + time.Duration(i+1)*time.Second/time.Duration(count+1)
			c.add(&Sample{Intended: at - took, Sent: at - took, Done: at, Status: 200, Replica: int32(replica), Split: probe.Unsplit})
		}
	}
	s := Snapshot{Phase: Running, Elapsed: end}
	c.endSecond(&s, 0)
	c.fill(&s, nil)
	return s
}

// A replica that comes later is new at first; one that stops to answer is quiet
// and then gone, but not while a connection to it is open.
func TestReplicasComeAndGo(t *testing.T) {
	c := tracked("a", "b", "c")
	for n := range 120 {
		counts := []int{20, 20, 0}
		if n >= 30 {
			counts = []int{20, 0, 20}
		}
		c.holding = holding{by: []int{1}}
		if n >= 30 && n < 110 {
			c.holding = holding{by: []int{1, 2, 3}}
		}
		s := c.second(n, 10*time.Millisecond, counts...)
		want := []probe.State{probe.Serving, probe.Serving}
		switch {
		case n >= 110:
			want = []probe.State{probe.Serving, probe.Gone, probe.Serving}
		case n >= 40:
			want = []probe.State{probe.Serving, probe.Quiet, probe.Serving}
		case n >= 34: // its latest answer was in second 29, the first of c in second 30
			want = []probe.State{probe.Serving, probe.Quiet, probe.New}
		case n >= 30:
			want = []probe.State{probe.Serving, probe.Serving, probe.New}
		}
		if len(s.Replicas) != len(want) {
			t.Fatalf("after second %d: %d replicas, want %d", n, len(s.Replicas), len(want))
		}
		fleet := s.Fleet()
		for i, r := range s.Replicas {
			if r.State != want[i] || *r.Conns != c.holding.of(i) || fleet[i].State != r.State || fleet[i].Conns != r.Conns {
				t.Fatalf("after second %d: %s is %s with %d connections, in the fleet %s with %d; want %s with %d",
					n, r.Name, r.State, *r.Conns, fleet[i].State, *fleet[i].Conns, want[i], c.holding.of(i))
			}
		}
	}
}

// What is in flight follows from what the answers of the last seconds took,
// without what the answers say was none of the replica's.
func TestInFlightByLittlesLaw(t *testing.T) {
	c := tracked("a", "b")
	s := Snapshot{}
	for n := range 10 {
		s = c.second(n, 300*time.Millisecond, 10, 1)
	}
	for i, want := range []float64{3, 0.3} {
		r := s.Replicas[i]
		if got := r.InFlight; got == nil || math.Abs(*got-want) > 1e-6 || s.Fleet()[i].InFlightEstimate != got {
			t.Errorf("%s has %v in flight, want %v", r.Name, got, want)
		}
	}
	for n := 10; n < 10+recentSeconds; n++ {
		s = c.second(n, 0)
	}
	if got := s.Replicas[0].InFlight; got != nil {
		t.Errorf("without an answer %v are in flight, want no data", *got)
	}
	c.add(&Sample{Done: time.Second, Dial: 300 * time.Millisecond, TLS: 200 * time.Millisecond, Status: 200, Split: probe.Split{Queue: 100 * time.Millisecond, Compute: probe.Unsaid}})
	s = c.second(10+recentSeconds, 0)
	if got := s.Replicas[0].InFlight; got == nil || math.Abs(*got-0.4/recentSeconds) > 1e-6 {
		t.Errorf("one answer in %d seconds, of which 400 ms were work: %v in flight, want %v", recentSeconds, got, 0.4/recentSeconds)
	}
	s.Phase = Done
	if c.fill(&s, nil); s.Replicas[0].InFlight != nil {
		t.Errorf("after the end %v are in flight, want no data", *s.Replicas[0].InFlight)
	}
}

// A reset forgets what was counted, not when a replica came and how it began.
func TestResetKeepsWhoThereIs(t *testing.T) {
	c := tracked("a", "b")
	for n := range 20 {
		c.second(n, 10*time.Millisecond, 10)
	}
	c.second(20, 500*time.Millisecond, 10, 10)
	c.reset(21 * time.Second)
	s := Snapshot{}
	for n := 21; n < 40; n++ {
		s = c.second(n, 10*time.Millisecond, 10, 10)
	}
	a, b := s.Replicas[0], s.Replicas[1]
	if a.Count != 190 || b.Count != 190 || a.First >= time.Second || b.First < 20*time.Second || b.First > 21*time.Second {
		t.Errorf("a: %d from %v on, b: %d from %v on; want 190 each since the reset, and their first answers of the run", a.Count, a.First, b.Count, b.First)
	}
	want := probe.ColdStart{Answers: 10, First: 500 * time.Millisecond, Later: 10 * time.Millisecond}
	if a.ColdStart != nil || b.ColdStart == nil || *b.ColdStart != want {
		t.Errorf("cold starts %+v and %+v, want none and %+v", a.ColdStart, b.ColdStart, want)
	}
}

// A replica whose requests fail with it is gone soon, and is counted neither
// among those that there are nor in what the busiest has more than the others.
func TestGoneReplicasDoNotCount(t *testing.T) {
	c := tracked("a", "b", "c", "d")
	c.add(&Sample{Status: 200, Switched: true, Split: probe.Unsplit})
	for n := range 40 {
		c.second(n, 10*time.Millisecond, 40, 40, 40, 40)
	}
	var s Snapshot
	for n := 40; n < 70; n++ {
		s = c.second(n, 10*time.Millisecond, 50, 0, 50, 50)
		if want := n >= 49; (s.Replicas[1].State == probe.Gone) != want {
			t.Fatalf("after second %d: b is %s, want gone %v", n, s.Replicas[1].State, want)
		}
	}
	if want := (probe.Unseen{Seen: 3, Total: 3, Low: 3, High: 3}); s.Unseen != want || s.Imbalance == nil || *s.Imbalance != 0 {
		t.Errorf("with one gone: %+v, imbalance %v; want %+v, 0", s.Unseen, s.Imbalance, want)
	}
	c.second(70, 10*time.Millisecond, 50, 50, 50, 50)
	for n := 71; n < 80; n++ {
		s = c.second(n, 10*time.Millisecond, 140, 20, 20, 20)
	}
	if s.Unseen.Seen != 4 || s.Imbalance == nil || math.Abs(*s.Imbalance-1.8) > 1e-9 || s.Replicas[1].State == probe.Gone {
		t.Errorf("with all there: %+v, imbalance %v, b %s; want 4, 1.8 since it is back", s.Unseen, s.Imbalance, s.Replicas[1].State)
	}
	c.reset(80 * time.Second)
	if s = c.second(80, 10*time.Millisecond, 0); len(s.Replicas) != 4 || s.Replicas[2].State != probe.Serving || s.Unseen.Seen != 4 {
		t.Errorf("behind a reset: %+v of %+v; want the four, serving", s.Replicas, s.Unseen)
	}
	for n := 81; n < 100; n++ {
		s = c.second(n, 10*time.Millisecond, 50, 0, 50, 50)
	}
	if len(s.Replicas) != 3 {
		t.Errorf("one went behind a reset without an answer: %d rows, want 3", len(s.Replicas))
	}
}

// A request without an answer failed at the replica that its connection had
// stayed with. That is no sign of life, and where connections do not stay it is
// not known whose it was.
func TestFailuresOfConnectionsThatStay(t *testing.T) {
	c := tracked("a", "b")
	c.second(0, time.Millisecond, 100, 100)
	reset := Sample{Sent: time.Second, Done: 1100 * time.Millisecond, Failure: Reset, Replica: 1, Split: probe.Unsplit}
	for range 4 {
		c.add(&reset)
	}
	s := c.second(1, time.Millisecond, 100)
	if r := s.Replicas[1]; r.Failed != 4 || r.Count != 104 || r.Last >= time.Second || s.Replicas[0].Failed != 0 {
		t.Errorf("b: %d of %d failed, answered until %v; want 4 of 104, until the first second", r.Failed, r.Count, r.Last)
	}
	c.add(&Sample{Done: 2 * time.Second, Status: 200, Replica: 0, Switched: true, Split: probe.Unsplit})
	c.add(&reset)
	if s = c.second(2, time.Millisecond, 1); s.Replicas[1].Failed != 4 || s.Unnamed != 0 {
		t.Errorf("where connections do not stay: %d failed, want still 4", s.Replicas[1].Failed)
	}
}

// First answers at the start of a load tell of the load: of one that waits for
// connections, or of a machine that is busy with starting it.
func TestNoColdStartAtTheStart(t *testing.T) {
	c := tracked("a", "b")
	c.second(0, 500*time.Millisecond, 10)
	c.second(1, 500*time.Millisecond, 0, 10)
	var s Snapshot
	for n := 2; n < 30; n++ {
		s = c.second(n, 10*time.Millisecond, 10, 10)
	}
	for _, r := range s.Replicas {
		if r.ColdStart != nil {
			t.Errorf("%s: %+v, want none", r.Name, r.ColdStart)
		}
	}
}

// A source knows which of those that answer for the first time has just started.
func TestColdStartOfOneThatASourceSawStart(t *testing.T) {
	c := tracked("a", "b")
	c.replicas.ready = map[string]time.Time{"a": time.Time{}.Add(-time.Minute), "b": time.Time{}.Add(500 * time.Millisecond)}
	c.second(0, 500*time.Millisecond, 10)
	s := c.second(1, 500*time.Millisecond, 0, 10)
	if a, b := s.Replicas[0].State, s.Replicas[1].State; a != probe.Serving || b != probe.New {
		t.Errorf("at first a is %s and b is %s, want serving and new", a, b)
	}
	for n := 2; n < 30; n++ {
		s = c.second(n, 10*time.Millisecond, 10, 10)
	}
	if a, b := s.Replicas[0].ColdStart, s.Replicas[1].ColdStart; a != nil || b == nil {
		t.Errorf("cold starts: %+v of a, %+v of b; want one of b alone", a, b)
	}
}

// Where connections do not stay with a replica, none are its own.
func TestConnectionsThatDoNotStay(t *testing.T) {
	c := tracked("a", "b")
	c.holding = holding{by: []int{46, 3}}
	if s := c.second(0, time.Millisecond, 100, 100); s.Replicas[0].Conns == nil || *s.Replicas[0].Conns != 46 {
		t.Errorf("where they stay: %v, want 46", s.Replicas[0].Conns)
	}
	c.add(&Sample{Done: time.Second, Status: 200, Replica: 1, Switched: true, Split: probe.Unsplit})
	if s := c.second(1, time.Millisecond, 100, 100); s.Replicas[0].Conns != nil || s.Fleet()[1].Conns != nil {
		t.Errorf("where they do not: %v and %v, want not known", s.Replicas[0].Conns, s.Replicas[1].Conns)
	}
}

// Where names turn out to stand elsewhere, those who were there all along are
// not new.
func TestAnotherSourceBringsNoNewReplicas(t *testing.T) {
	c := newTestCollector()
	s := Snapshot{Phase: Running}
	found := 0
	for n := range 400 {
		s.Elapsed = time.Duration(n) * 300 * time.Millisecond
		head := fmt.Sprintf("HTTP/1.1 200 OK\r\nX-Cache-Node: c%d\r\n\r\n", n%2)
		if n >= 60 {
			head = fmt.Sprintf("HTTP/1.1 200 OK\r\nX-Served-By: s%d\r\n\r\n", n%4)
		}
		i := c.replicas.identifier.Identify(&probe.Answer{Status: 200, Head: []byte(head), Conn: int64(n)})
		c.add(&Sample{Sent: s.Elapsed, Done: s.Elapsed, Status: 200, Replica: i, Split: probe.Unsplit})
		c.fill(&s, nil)
		for _, r := range s.Replicas {
			if found++; r.State == probe.New {
				t.Fatalf("answer %d: %s is new, want none", n, r.Name)
			}
		}
	}
	if s.Identity != "header:X-Served-By" || len(s.Replicas) != 4 || found == 0 {
		t.Errorf("found %s with %d replicas, want header:X-Served-By with 4", s.Identity, len(s.Replicas))
	}
}

// identified lets a replica of that name give an answer, as a request does.
func (c *collector) identified(body []byte) {
	i := c.replicas.identifier.Identify(&probe.Answer{Status: 200, Body: body})
	c.add(&Sample{Done: 20 * time.Millisecond, Status: 200, Replica: i, Split: probe.Unsplit})
}

// Ten thousand names a second that never come back are no replicas, and leave
// nothing behind.
func TestNamesThatNeverRepeatLeaveNothing(t *testing.T) {
	c := newTestCollector()
	s := Snapshot{Phase: Running}
	before := heap()
	for n := range 50_000 {
		c.identified(fmt.Appendf(nil, `{"instance_id":"%x"}`, uint64(n)*0x9E3779B97F4A7C15))
		if n%2500 == 0 {
			s.Elapsed += tick
			c.fill(&s, nil)
		}
	}
	if c.fill(&s, nil); len(s.Replicas) != 0 || s.Unnamed != 50_000 || s.Why == "" {
		t.Errorf("%d replicas, %d answers that name none, why: %q; want none, all, and a reason", len(s.Replicas), s.Unnamed, s.Why)
	}
	if grown := heap() - before; grown > 2<<20 {
		t.Errorf("%d kB are left behind, want at most 2 MB", grown>>10)
	}
	runtime.KeepAlive(c)
}

// Names of which hardly any come back have no rows, and it is said why, also
// where the source was given; those of many replicas have them soon.
func TestRowsOfNamesThatComeBack(t *testing.T) {
	for _, tt := range []struct {
		name           string
		names, answers int // each name comes in turn
		rows           int
	}{
		{"few", 63, 63, 63},
		{"many, once each", 64, 64, 0},
		{"many, nearly twice each", 64, 127, 0},
		{"many, twice each", 64, 128, 64},
		{"request ids", 2000, 2000, 0},
		{"a thousand, twice each", 1000, 2000, 256},
	} {
		c, s := tracked(), Snapshot{Phase: Running}
		for n := range tt.answers {
			c.identified(fmt.Appendf(nil, `{"pod":"web-%d"}`, n%tt.names))
		}
		c.fill(&s, nil)
		if why := "json:pod brought"; len(s.Replicas) != tt.rows || s.Replicas == nil || (s.Identity == "") != (tt.rows == 0) || strings.Contains(s.Why, why) != (tt.rows == 0) {
			t.Errorf("%s: %d rows by %q, why %q; want %d, and %q where there are none", tt.name, len(s.Replicas), s.Identity, s.Why, tt.rows, why)
		}
		if want := int64(tt.answers); tt.rows == 0 && s.Unnamed != want {
			t.Errorf("%s: %d answers name nobody, want %d", tt.name, s.Unnamed, want)
		}
	}
}

// thousand are the answers of a thousand replicas.
func thousand() (bodies [][]byte) {
	for n := range 1000 {
		bodies = append(bodies, fmt.Appendf(nil, `{"pod":"web-7d4b9c6f5-%04d"}`, n))
	}
	return bodies
}

// Of a thousand replicas 255 have rows of their own and the rest shares one,
// within 16 MB; an answer of any of them allocates nothing.
func TestAThousandReplicas(t *testing.T) {
	c, bodies := tracked(), thousand()
	before := heap()
	for n := range 10 * len(bodies) {
		c.identified(bodies[n%len(bodies)])
	}
	s := Snapshot{Phase: Running}
	c.fill(&s, nil)
	if n := len(s.Replicas); n != 256 || s.Replicas[255].Name != probe.Others || s.Replicas[255].Count != 7450 || s.Unnamed != 0 {
		t.Errorf("%d rows, the last %+v; want 256, the last of the 745 others", n, s.Replicas[n-1])
	}
	if c.fill(&s, nil); s.Unseen != (probe.Unseen{}) || s.Imbalance == nil || *s.Imbalance != 0 {
		t.Errorf("even replicas: %+v, imbalance %v; want no estimate of those beyond, and 0", s.Unseen, s.Imbalance)
	}
	if grown := (heap() - before) >> 20; grown > 16 {
		t.Errorf("%d MB for 256 rows, want at most 16", grown)
	}
	n := 0
	if allocs := testing.AllocsPerRun(2000, func() { c.identified(bodies[n%1000]); n++ }); allocs != 0 {
		t.Errorf("%v allocations per answer, want 0", allocs)
	}
}

// What a thousand replicas cost: an answer, and a snapshot of four a second.
func BenchmarkAThousandReplicas(b *testing.B) {
	c, bodies := tracked(), thousand()
	for n := range 5 * len(bodies) {
		c.identified(bodies[n%len(bodies)])
	}
	b.Run("Answer", func(b *testing.B) {
		b.ReportAllocs()
		for n := 0; b.Loop(); n++ {
			c.identified(bodies[n%len(bodies)])
		}
	})
	b.Run("Publish", func(b *testing.B) {
		b.ReportAllocs()
		for n := 0; b.Loop(); n++ {
			b.StopTimer()
			for i := range 2500 { // answers in between, 10,000 a second
				c.identified(bodies[(2500*n+i)%len(bodies)])
			}
			b.StartTimer()
			var s Snapshot
			c.fill(&s, nil)
		}
	})
}
