package advisor

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"headroom/load"
	"headroom/probe"
	"headroom/profiles"
)

// notices counts what the log says of replicas that get nothing.
func notices(st State) (n int, last string) {
	for _, e := range st.Events {
		if e.Kind == NoticeEvent {
			n, last = n+1, e.Text
		}
	}
	return n, last
}

// Of two replicas only one answers, until it is both.
func TestReplicasThatGetNothingAreNoticed(t *testing.T) {
	f := newFakeFleet(10*time.Millisecond, profiles.FixedPolicy(2))
	f.named = 1
	behind := func(c *Config) { c.Behind = true }
	inSession(t, f, behind, func(t *testing.T, s *Session) {
		nameTwo(s)
		time.Sleep(time.Minute) // for which there was no load
		if err := s.Start(); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		noticed := func(st State) bool { return len(st.Notices) > 0 }
		st := await(t, s, "a notice", noticed)
		if after := time.Since(began); after < 5*time.Second || after > 10*time.Second {
			t.Errorf("noticed after %v, want 5 to 10 s", after)
		}
		if _, text := notices(st); st.Notices[0].Kind != probe.NoticePinned || !strings.Contains(text, "1 of 2 replicas have had nothing for") || !strings.Contains(text, "(b)") {
			t.Errorf("got %v and in the log %q, want that b gets nothing", st.Notices, text)
		}
		s.TogglePause()
		await(t, s, "silence in a pause", func(st State) bool { return st.Load.Phase == load.Paused && !noticed(st) })
		time.Sleep(time.Minute)
		f.change(func(f *fakeFleet) { f.named = 2 })
		s.TogglePause()
		st = await(t, s, "20 s more", func(st State) bool { return st.Load.Elapsed > 90*time.Second })
		if n, text := notices(st); n != 1 || noticed(st) {
			t.Errorf("with both answering: %d in the log, the last %q, and %v now; want 1 and none", n, text, st.Notices)
		}
		s.ResetStats()
		for range 40 {
			if st = s.State(); noticed(st) {
				t.Fatalf("after a reset: %v, want silence", st.Notices)
			}
			time.Sleep(tick)
		}
	})
}

// A scaler that chooses the replicas itself may leave one idle.
func TestReplicasThatTheScalerLeavesIdleAreNot(t *testing.T) {
	f := newFakeFleet(10*time.Millisecond, profiles.FixedPolicy(2))
	f.named = 1
	inSession(t, f, nil, func(t *testing.T, s *Session) {
		nameTwo(s)
		if err := s.Start(); err != nil {
			t.Fatal(err)
		}
		st := await(t, s, "30 s", func(st State) bool { return st.Load.Elapsed > 30*time.Second })
		if n, text := notices(st); n != 0 || len(st.Load.Replicas) != 1 {
			t.Errorf("%d notices, the last %q, and %d replicas; want none, and one", n, text, len(st.Load.Replicas))
		}
	})
}

// nameTwo lets the answers of a fakeFleet name a and b.
func nameTwo(s *Session) {
	for _, id := range []string{"a", "b"} {
		s.identifier.Identify(&probe.Answer{Status: 200, Body: fmt.Appendf(nil, `{"hostname":%q}`, id)})
	}
}
