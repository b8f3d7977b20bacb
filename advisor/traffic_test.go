package advisor

import (
	"errors"
	"strings"
	"testing"
	"time"

	"headroom/profiles"
)

// A traffic that is said after the measurement gives the advice at once, and
// another one gives another.
func TestSetTraffic(t *testing.T) {
	f := newFakeFleet(50*time.Millisecond, profiles.FixedPolicy(2))
	inSession(t, f, func(c *Config) { c.Traffic = profiles.Traffic{} }, func(t *testing.T, s *Session) {
		for _, wrong := range []profiles.Traffic{{}, traffic(-1, 5), traffic(5, 4)} {
			if err := s.SetTraffic(wrong); err == nil || !strings.HasPrefix(err.Error(), "traffic: got ") {
				t.Errorf("SetTraffic(%s) = %v, want that it is refused", wrong, err)
			}
		}
		if err := s.Advise(); err != nil {
			t.Fatal(err)
		}
		if err := s.SetTraffic(traffic(10, 30)); !errors.Is(err, ErrBusy) {
			t.Errorf("SetTraffic while measuring = %v, want %v", err, ErrBusy)
		}
		st := await(t, s, "the measurement", func(st State) bool { return idle(st) && st.Search.Capacity != nil })
		if st.Advice != nil || st.Traffic.Known() {
			t.Fatalf("advice %v for traffic %s, want none", st.Advice, st.Traffic)
		}
		if err := s.SetTraffic(traffic(10, 30)); err != nil {
			t.Fatal(err)
		}
		first := s.State()
		if first.Advice == nil || first.Traffic != traffic(10, 30) || first.Phase != Idle {
			t.Fatalf("advice %v for traffic %s while %s, want one at once", first.Advice, first.Traffic, first.Phase)
		}
		if err := s.Start(); err != nil {
			t.Fatal(err)
		}
		if err := s.SetTraffic(traffic(100, 300)); err != nil {
			t.Fatalf("beside a swarm: %v", err)
		}
		few, many := first.Advice.Policy.Replicas, s.State().Advice.Policy.Replicas
		if many.Min <= few.Min || many.Max <= few.Max {
			t.Errorf("replicas %+v for ten times the traffic of %+v", many, few)
		}
	})
}

// Before a measurement the traffic waits for it.
func TestSetTrafficBeforeMeasuring(t *testing.T) {
	f := newFakeFleet(50*time.Millisecond, profiles.FixedPolicy(2))
	inSession(t, f, func(c *Config) { c.Traffic = profiles.Traffic{} }, func(t *testing.T, s *Session) {
		if err := s.SetTraffic(traffic(10, 30)); err != nil {
			t.Fatal(err)
		}
		if err := s.Advise(); err != nil {
			t.Fatal(err)
		}
		await(t, s, "the advice", func(st State) bool { return idle(st) && st.Advice != nil })
	})
}
