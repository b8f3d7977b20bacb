package advisor

import (
	"fmt"
	"slices"
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
		if _, text := notices(st); st.Notices[0].Kind != probe.NoticeLeftOut || !strings.Contains(text, "1 of 2 replicas has had nothing for") || !strings.Contains(text, "(b)") {
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

// The log speaks of a notice when it begins, is about others or ends, and not of
// each time that it comes and goes.
func TestTheLogFollowsNotices(t *testing.T) {
	began := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	pinned := func(about string) probe.Notice {
		return probe.Notice{Kind: probe.NoticePinned, Text: about + " has had nothing: it is pinned", About: about}
	}
	s := &Session{told: map[probe.NoticeKind]told{}}
	for i, about := range strings.Split("b b b - b - c c c c c c c c c c c - - - - - - - - - - - -", " ") {
		if s.state.Notices = nil; about != "-" {
			s.state.Notices = []probe.Notice{pinned(about)}
		}
		s.tellNotices(began.Add(time.Duration(i) * time.Second))
	}
	var got []string
	for _, e := range s.state.Events {
		got = append(got, e.At.Format("05 ")+e.Text)
	}
	want := []string{"00 b has had nothing: it is pinned", "10 c has had nothing: it is pinned", "26 no longer since 09:00:16: c has had nothing"}
	if !slices.Equal(got, want) {
		t.Errorf("the log has %q, want %q", got, want)
	}
}

// Behind another balancer the scaler's own service may still be what chooses.
func TestHandedThroughTheScaler(t *testing.T) {
	for _, c := range []struct {
		name   string
		before handed
		now    handed
		want   bool
	}{
		{"all through it", handed{map[string]int64{"a": 100}, 10}, handed{map[string]int64{"a": 150, "b": 50}, 110}, true},
		{"past it", handed{map[string]int64{"a": 100}, 10}, handed{map[string]int64{"a": 100, "b": 0}, 110}, false},
		{"past it, with some checks of others", handed{map[string]int64{"a": 100}, 10}, handed{map[string]int64{"a": 105}, 110}, false},
		{"no answer yet", handed{map[string]int64{"a": 100}, 10}, handed{map[string]int64{"a": 100}, 10}, false},
		{"one that is no longer listed", handed{map[string]int64{"a": 100, "b": 100}, 0}, handed{map[string]int64{"b": 160}, 100}, true},
	} {
		if got := c.before.through(c.now); got != c.want {
			t.Errorf("%s: through = %v, want %v", c.name, got, c.want)
		}
	}
}
