package advisor

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"headroom/probe"
	"headroom/profiles"
)

// What could not be put back must be said, also where the job was stopped.
func TestScalerThatStaysPinnedIsReported(t *testing.T) {
	f := newFakeFleet(50*time.Millisecond, profiles.FixedPolicy(2))
	inSession(t, f, nil, func(t *testing.T, s *Session) {
		if err := s.Advise(); err != nil {
			t.Fatal(err)
		}
		await(t, s, "a step", func(st State) bool { return st.Search != nil && len(st.Search.Steps) == 1 })
		f.change(func(f *fakeFleet) { f.deaf = errors.New("connection refused") })
		s.Stop()
		st := await(t, s, "the end", idle)
		if want := "the scaler is still pinned: connection refused"; st.Problem != want {
			t.Errorf("problem %q, want %q", st.Problem, want)
		}
		_, _, size, _ := f.told()
		if size != 1 {
			t.Errorf("size %d while pinned, want 1", size)
		}
		// The pin goes by itself.
		await(t, s, "the policy's replicas", func(st State) bool { return st.Fleet.Up() == 2 })
	})
}

func TestSearchRefusesAChangingFleet(t *testing.T) {
	f := newFakeFleet(50*time.Millisecond, profiles.FixedPolicy(1))
	inSession(t, f, nil, func(t *testing.T, s *Session) {
		if err := s.Advise(); err != nil {
			t.Fatal(err)
		}
		await(t, s, "the first step under way", func(st State) bool { return st.Load.Total.Count > 0 })
		f.change(func(f *fakeFleet) { f.flapping = true })
		st := await(t, s, "the end", idle)
		if st.Refusal == nil || !strings.Contains(st.Refusal.Error(), "replicas") || st.Advice != nil {
			t.Errorf("refusal %v, advice %v; want a refusal about the replicas", st.Refusal, st.Advice)
		}
	})
}

// A second measurement leaves the advice that is in force in view until there
// is another; what the first led to is what the second is compared with.
func TestAnotherMeasurement(t *testing.T) {
	f := newFakeFleet(50*time.Millisecond, profiles.FixedPolicy(1))
	inSession(t, f, nil, func(t *testing.T, s *Session) {
		for _, step := range []struct {
			name string
			job  func() error
		}{{"Advise", s.Advise}, {"Apply", s.Apply}, {"Verify", s.Verify}} {
			if err := step.job(); err != nil {
				t.Fatalf("%s: %v", step.name, err)
			}
			await(t, s, "the end of "+step.name, idle)
		}
		first := s.State()
		if first.Advice == nil || !first.Applied || first.After == nil {
			t.Fatalf("advice %v, applied %v, after %v", first.Advice, first.Applied, first.After)
		}
		if err := s.Advise(); err != nil {
			t.Fatal(err)
		}
		st := await(t, s, "a step of the second", func(st State) bool { return st.Search != first.Search && len(st.Search.Steps) == 1 })
		if st.Advice != first.Advice || !st.Applied {
			t.Errorf("while measuring again: advice %v, applied %v; want those in force", st.Advice, st.Applied)
		}
		st = await(t, s, "the end of the second", idle)
		if st.Applied || st.Advice == first.Advice || st.Before != first.After || st.After != nil {
			t.Errorf("after the second: applied %v, before %v, after %v", st.Applied, st.Before, st.After)
		}
	})
}

// Whoever stops a job while the scaler is being asked has not found that it
// does not answer.
func TestStopWhileAsking(t *testing.T) {
	f := newFakeFleet(50*time.Millisecond, profiles.FixedPolicy(2))
	inSession(t, f, nil, func(t *testing.T, s *Session) {
		f.change(func(f *fakeFleet) { f.mute = true })
		if err := s.Advise(); err != nil {
			t.Fatal(err)
		}
		<-time.After(time.Second)
		s.Stop()
		st := await(t, s, "the end", idle)
		if st.Problem != "" || st.ScalerError != "" || slices.ContainsFunc(st.Events, func(e Event) bool { return e.Kind == "error" }) {
			t.Errorf("problem %q, scaler %q, events %v; want no error", st.Problem, st.ScalerError, st.Events)
		}
	})
}

// Of a target without a scaler the replicas that answer are counted: advice for
// one from what several hold would be several times too high.
func TestForeignReplicasAreCounted(t *testing.T) {
	for _, c := range []struct {
		name        string
		said, named int
		want        int
		note        string // empty: none
	}{
		{"nobody says anything", 0, 0, 1, ""},
		{"said, and no answer names one", 3, 0, 3, ""},
		{"as many as were said", 3, 3, 3, ""},
		{"fewer: not every name need be seen", 3, 2, 3, ""},
		{"more than were said", 1, 3, 3, "3 replicas answered, not 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFakeFleet(50*time.Millisecond, profiles.FixedPolicy(3))
			f.named = c.named
			foreign := func(config *Config) { config.Scaler, config.Replicas = nil, c.said }
			inSession(t, f, foreign, func(t *testing.T, s *Session) {
				for i := range c.named {
					s.identifier.Identify(&probe.Answer{Status: 200, Body: fmt.Appendf(nil, `{"hostname":"pod-%d"}`, i)})
				}
				if err := s.Advise(); err != nil {
					t.Fatal(err)
				}
				st := await(t, s, "the advice", func(st State) bool { return st.Advice != nil })
				m, _ := s.Measured()
				if m.Capacity.Replicas != c.want {
					t.Errorf("capacity of %d replicas, want %d", m.Capacity.Replicas, c.want)
				}
				all, one := m.Capacity.SLO.Value, m.Capacity.PerReplica().Float()
				if all < 30 || math.Abs(one*float64(c.want)/all-1) > 0.01 {
					t.Errorf("%.1f/s for one of %d that hold %.1f/s together, want about 50/s shared by them", one, c.want, all)
				}
				noted := slices.ContainsFunc(st.Events, func(e Event) bool { return c.note != "" && strings.Contains(e.Text, c.note) })
				if noted != (c.note != "") {
					t.Errorf("noted %v, want an event only for %q", noted, c.note)
				}
			})
		})
	}
}

// A target that scales by itself grows while it is measured: the step in which a
// new replica answers first counts for nothing, and is repeated.
func TestForeignFleetThatGrows(t *testing.T) {
	f := newFakeFleet(10*time.Millisecond, profiles.FixedPolicy(1))
	f.named = 1
	foreign := func(config *Config) { config.Scaler, config.Replicas = nil, 1 }
	inSession(t, f, foreign, func(t *testing.T, s *Session) {
		for i := range 2 {
			s.identifier.Identify(&probe.Answer{Status: 200, Body: fmt.Appendf(nil, `{"hostname":"pod-%d"}`, i)})
		}
		if err := s.Advise(); err != nil {
			t.Fatal(err)
		}
		st := await(t, s, "a step of the open model", func(st State) bool { return st.Search != nil && st.Search.Now.Rate > 0 })
		<-time.After(st.Search.Now.Length * 3 / 4)
		f.change(func(f *fakeFleet) { f.named, f.size = 2, 2 })
		st = await(t, s, "the end", idle)
		m, _ := s.Measured()
		if repeated := m.Capacity.Spent - lengths(m.Capacity.Steps); repeated < 2*time.Second || m.Capacity.Replicas != 2 {
			t.Errorf("%d steps of %v and %v spent, %d replicas, refusal %v; want a step repeated, and 2", len(st.Search.Steps), lengths(m.Capacity.Steps), m.Capacity.Spent, m.Capacity.Replicas, st.Refusal)
		}
	})
}

func lengths(steps []Observation) (sum time.Duration) {
	for _, o := range steps {
		sum += o.Took
	}
	return sum
}

// Without a traffic there is no policy to advise, and no flag is named that
// the command may not have.
func TestMeasurementWithoutTraffic(t *testing.T) {
	f := newFakeFleet(50*time.Millisecond, profiles.FixedPolicy(2))
	edit := func(c *Config) { c.Scaler, c.Replicas, c.Traffic = nil, 2, profiles.Traffic{} }
	inSession(t, f, edit, func(t *testing.T, s *Session) {
		if err := s.Advise(); err != nil {
			t.Fatal(err)
		}
		st := await(t, s, "the end", func(st State) bool { return idle(st) && st.Search != nil })
		last := st.Events[len(st.Events)-1].Text
		if !strings.HasPrefix(last, "2 replicas: ") || strings.Contains(last, "--") || st.Advice != nil || st.Problem != "" {
			t.Errorf("last event %q, advice %v, problem %q", last, st.Advice, st.Problem)
		}
	})
}

// A fleet that does not get to where it should be is told as it was last seen,
// with what the scaler answers meanwhile.
func TestFleetThatDoesNotComeIsReported(t *testing.T) {
	for name, c := range map[string]struct {
		broken error
		want   string
	}{
		"it answers":         {nil, "the scaler did not get to 1 replica up within 2m0s: last seen were 2 of 2 replicas up"},
		"it does not answer": {errors.New("connection refused"), "the scaler did not get to 1 replica up within 2m0s: last seen were 2 of 2 replicas up, and now: connection refused"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFakeFleet(50*time.Millisecond, profiles.FixedPolicy(2))
			inSession(t, f, nil, func(t *testing.T, s *Session) {
				f.change(func(f *fakeFleet) { f.stuck, f.broken = true, c.broken })
				if err := s.Advise(); err != nil {
					t.Fatal(err)
				}
				if st := await(t, s, "the end", func(st State) bool { return idle(st) && st.Problem != "" }); st.Problem != c.want {
					t.Errorf("problem %q, want %q", st.Problem, c.want)
				}
			})
		})
	}
	f := probe.Fleet{Wanted: 1, Replicas: []probe.Replica{{State: probe.Failing}, {State: probe.Starting}, {State: probe.Starting}}}
	if got, want := describeFleet(f), "0 of 1 replica up, 2 starting, 1 failing"; got != want {
		t.Errorf("describeFleet = %q, want %q", got, want)
	}
}

// With a scaler and time two replicas are measured last, the rung and the arrivals
// alike; the fleet is pinned to their number, and given back.
func TestTwoReplicasArePinned(t *testing.T) {
	f := newFakeFleet(50*time.Millisecond, profiles.FixedPolicy(3))
	inSession(t, f, func(c *Config) { c.Budget = 4 * time.Minute }, func(t *testing.T, s *Session) {
		if err := s.Advise(); err != nil {
			t.Fatal(err)
		}
		await(t, s, "the end", idle)
		m, _ := s.Measured()
		two := m.Capacity.Scaling
		if two == nil || two.SLO == nil || two.SLO.Value < m.Capacity.SLO.Value || two.SLO.Value > 40 {
			t.Fatalf("scaling %+v beside %v of one, want more, and less than 40/s", two, m.Capacity.SLO)
		}
		pins, _, size, _ := f.told()
		var sizes []int // one after the other
		for _, n := range pins {
			if len(sizes) == 0 || sizes[len(sizes)-1] != n {
				sizes = append(sizes, n)
			}
		}
		if !slices.Equal(sizes, []int{1, 2, 0}) || size != 3 {
			t.Errorf("pinned to %v and then %d, want 1, 2, released and 3", sizes, size)
		}
		for _, o := range m.Capacity.Steps {
			if want := max(1, o.Trial.Replicas); o.Replicas != want {
				t.Errorf("step %q was of %d replicas, want %d", o.Trial.Name, o.Replicas, want)
			}
		}
	})
}
