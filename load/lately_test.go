package load

import (
	"testing"
	"time"

	"headroom/probe"
)

// What is older than asked for is in the times of the run and not in those of
// the last while, and neither are failures.
func TestLately(t *testing.T) {
	c := tracked("a", "b")
	c.lately = newLately(3 * time.Second)
	c.second(0, 500*time.Millisecond, 10, 10)
	var s Snapshot
	for n := 1; n < 5; n++ {
		c.add(&Sample{Sent: time.Duration(n) * time.Second, Done: time.Duration(n+1) * time.Second, Status: 500, Failure: Status, Replica: 0, Split: probe.Unsplit})
		s = c.second(n, 10*time.Millisecond, 10)
	}
	a, b := s.Replicas[0], s.Replicas[1]
	if a.Lately.Count != 30 || a.Lately.P99 != 10*time.Millisecond || a.Service.P99 != 500*time.Millisecond {
		t.Errorf("a: of the last while %+v, of the run %+v; want 30 of 10 ms, and up to 500 ms", a.Lately, a.Service)
	}
	if b.Lately != (Quantiles{}) || b.Service.Count != 10 {
		t.Errorf("b: of the last while %+v, of the run %+v; want no data, and 10", b.Lately, b.Service)
	}
	if s.Lately != a.Lately {
		t.Errorf("of all %+v, want those of a", s.Lately)
	}
	if f := s.Fleet(); f[0].Lately == nil || f[0].Lately.Count != 30 || f[0].Lately.P95 != 10*time.Millisecond || f[1].Lately != nil {
		t.Errorf("in the fleet %+v and %+v, want those of a, and nothing", f[0].Lately, f[1].Lately)
	}
	c.reset(5 * time.Second)
	if c.fill(&s, nil); s.Lately.Count != 0 {
		t.Errorf("behind a reset %+v, want no data", s.Lately)
	}
}

// Nothing is kept where nobody asks for it.
func TestNothingLately(t *testing.T) {
	c := tracked("a")
	if s := c.second(0, time.Millisecond, 10); s.Lately.Count != 0 || s.Replicas[0].Lately.Count != 0 || cap(c.lately.list) != 0 {
		t.Errorf("%+v, and room for %d, want nothing", s.Lately, cap(c.lately.list))
	}
}
