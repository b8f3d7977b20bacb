package advisor

import (
	"strings"
	"testing"
	"time"

	"headroom/profiles"
)

// A rehearsal has what was measured and what was said, and no more requests than
// can be simulated in a second.
func TestRehearsal(t *testing.T) {
	m := computingService("p95<300ms")
	for _, c := range []struct {
		name    string
		traffic profiles.Traffic
		of      Sizing
		length  time.Duration
		load    string
		starts  time.Duration
	}{
		{"an hour", traffic(5, 40), Sizing{}, time.Hour, "1h of this traffic", 10 * time.Second},
		{"a start-up that was said", traffic(5, 40), Sizing{Starts: time.Minute, Dispatch: profiles.RoundRobin}, time.Hour, "1h of this traffic", time.Minute},
		{"as much as can be", traffic(5, 4000), Sizing{}, 16 * time.Minute, "16m of this traffic", 10 * time.Second},
	} {
		s, load, err := m.Rehearsal(c.traffic, c.of)
		if err != nil || s.Length != c.length || load != c.load || s.StartUp[0] != c.starts {
			t.Errorf("%s: %s of %q, start-up %v, %v; want %s of %q, %s", c.name, s.Length, load, s.StartUp, err, c.length, c.load, c.starts)
		}
		if s.SLO.String() != m.SLO || s.CPU != 70*time.Millisecond || s.Concurrency != 1 || s.Demand.Capacity(3) != 30 {
			t.Errorf("%s: got %+v, want the service as it was measured", c.name, s)
		}
		if want := c.of.Dispatch; want != "" && s.Dispatch != want {
			t.Errorf("%s: dispatch %s, want %s", c.name, s.Dispatch, want)
		}
	}
	if _, _, err := m.Rehearsal(traffic(5, 100_000), Sizing{}); err == nil || !strings.Contains(err.Error(), "requests/s are too many to simulate") {
		t.Errorf("100000/s: %v, want that it is too much", err)
	}
	m.Capacity.Refusal = &Refusal{Code: "R1"}
	if _, _, err := m.Rehearsal(traffic(5, 40), Sizing{}); err == nil || !strings.Contains(err.Error(), "has no capacity") {
		t.Errorf("without a capacity: %v, want that there is none", err)
	}
}

// Of three days the one around the rise of the second is rehearsed, at the time
// at which it was.
func TestRehearsalOfATrace(t *testing.T) {
	h := mustHistory(t, counted(monday, 72*time.Hour, time.Hour, func(at time.Time) float64 {
		if since := at.Sub(monday); since >= 36*time.Hour && since < 40*time.Hour {
			return 30
		}
		return 10
	}), time.UTC)
	s, load, err := computingService("p95<300ms").Rehearsal(h.Traffic(), Sizing{History: h})
	if err != nil {
		t.Fatal(err)
	}
	if s.Length != 24*time.Hour || !s.Start.Equal(monday.Add(24*time.Hour)) || load != "the 24h of the trace around its steepest rise (from 2026-01-06 00:00 UTC)" {
		t.Errorf("%s of %q from %s, want the second day", s.Length, load, s.Start)
	}
	if before, after := s.Load.At(12*time.Hour-time.Second), s.Load.At(12*time.Hour); before != 10 || after != 30 || s.Load.Area(s.Length) != 3600*(20*10+4*30) {
		t.Errorf("%g/s, then %g/s at noon, %g in all; want 10, 30 and %d", before, after, s.Load.Area(s.Length), 3600*(20*10+4*30))
	}
}
