package load

import (
	"fmt"
	"math"
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
	return newCollector([]string{"GET /"}, identifier, nil, 0, func() []string { return nil })
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
		case n == 39: // its latest answer was in second 29, the first of c in second 30
			want = []probe.State{probe.Serving, probe.Quiet, probe.New}
		case n >= 40:
			want = []probe.State{probe.Serving, probe.Quiet, probe.Serving}
		case n >= 30:
			want = []probe.State{probe.Serving, probe.Serving, probe.New}
		}
		if len(s.Replicas) != len(want) {
			t.Fatalf("after second %d: %d replicas, want %d", n, len(s.Replicas), len(want))
		}
		fleet := s.Fleet()
		for i, r := range s.Replicas {
			if r.State != want[i] || r.Conns != c.holding.of(i) || fleet[i].State != r.State || fleet[i].Conns != r.Conns {
				t.Fatalf("after second %d: %s is %s with %d connections, in the fleet %s with %d; want %s with %d",
					n, r.Name, r.State, r.Conns, fleet[i].State, fleet[i].Conns, want[i], c.holding.of(i))
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
