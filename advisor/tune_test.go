package advisor

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"headroom/load"
	"headroom/profiles"
)

func TestTune(t *testing.T) {
	former := profiles.FixedPolicy(1)
	t.Run("holds", func(t *testing.T) {
		f := newFakeFleet(50*time.Millisecond, former)
		inSession(t, f, nil, func(t *testing.T, s *Session) {
			r, err := s.Tune(t.Context(), false)
			if err != nil || r.Verdict != Held || r.Restored {
				t.Fatalf("Tune = %s (%s), restored %v, %v; want held", r.Verdict, r.Why, r.Restored, err)
			}
			before, _ := r.Before.Held()
			if before || r.Before.Stats.Latency.P95 <= r.After.Stats.Latency.P95 {
				t.Errorf("before held %v with p95 %v, after p95 %v; want not held, and better after", before, r.Before.Stats.Latency.P95, r.After.Stats.Latency.P95)
			}
			if _, _, _, policy := f.told(); policy.Metrics == nil || r.Before.Most != 1 || r.After.Most < 2 {
				t.Errorf("at most %d replicas before and %d after, want 1 and more", r.Before.Most, r.After.Most)
			}
			// The loads of the measurement between them tell nothing of a fleet.
			loads := r.Timeline.Loads()
			if len(loads) != 2 || r.Timeline.Of(loads[0])[0].Lost == nil || len(r.Timeline.Of(loads[1])[0].Moves) == 0 {
				t.Errorf("timeline\n%s\nwant a load that loses the SLO and one that the fleet grows with", tale(r.Timeline.Episodes))
			}
			if m := r.Measurement; m.Kind != "measurement" || len(m.StartUp) == 0 || !m.Local {
				t.Errorf("measurement %q with %d start-up times, local %v", m.Kind, len(m.StartUp), m.Local)
			}
		})
	})
	for name, keep := range map[string]bool{"does not hold: restored": false, "does not hold: kept": true} {
		t.Run(name, func(t *testing.T) {
			f := newFakeFleet(50*time.Millisecond, former)
			overload := func(c *Config) { c.Replay.Users, c.Replay.SpawnRate = 300, 1000 } // ten times the traffic that was said
			inSession(t, f, overload, func(t *testing.T, s *Session) {
				r, err := s.Tune(t.Context(), keep)
				if err != nil || r.Verdict != NotHeld || r.Restored == keep {
					t.Fatalf("Tune = %s (%s), restored %v, %v; want not held, restored %v", r.Verdict, r.Why, r.Restored, err, !keep)
				}
				if _, _, _, policy := f.told(); (policy.Metrics == nil) == keep {
					t.Errorf("the scaler follows %+v, want the former policy: %v", policy, !keep)
				}
			})
		})
	}
	t.Run("does not hold: what is restored was in force just before", func(t *testing.T) {
		f := newFakeFleet(50*time.Millisecond, former)
		overload := func(c *Config) { c.Replay.Users, c.Replay.SpawnRate = 300, 1000 }
		inSession(t, f, overload, func(t *testing.T, s *Session) {
			go func() {
				await(t, s, "measuring", func(st State) bool { return st.Phase == Measuring })
				f.change(func(f *fakeFleet) { f.policy = profiles.FixedPolicy(2) })
			}()
			r, err := s.Tune(t.Context(), false)
			if _, _, size, policy := f.told(); err != nil || !r.Restored || policy.Replicas.Min != 2 || size != 2 {
				t.Errorf("Tune = %v, restored %v with min %d and %d replicas; want the 2 that somebody set meanwhile", err, r.Restored, policy.Replicas.Min, size)
			}
		})
	})
	t.Run("somebody else has the scaler", func(t *testing.T) {
		f := newFakeFleet(50*time.Millisecond, former)
		f.claimed = "process 1"
		inSession(t, f, nil, func(t *testing.T, s *Session) {
			if r, err := s.Tune(t.Context(), false); err == nil || err.Error() != "claimed by process 1" || r.Before != nil || len(f.pins) > 0 {
				t.Errorf("Tune = %v, before %v, pins %v; want it refused before any load", err, r.Before, f.pins)
			}
			f.change(func(f *fakeFleet) { f.claimed = "" })
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				await(t, s, "the load before", func(st State) bool { return st.Phase == Replaying && st.Loaded })
				f.change(func(f *fakeFleet) {
					if f.claimed == "" {
						t.Error("during the load before nobody has the scaler")
					}
				})
				cancel()
			}()
			s.Tune(ctx, false)
			if f.change(func(*fakeFleet) {}); f.claimed != "" {
				t.Errorf("afterwards %s still has it", f.claimed)
			}
		})
	})
	t.Run("interrupted after it was applied: restored", func(t *testing.T) {
		f := newFakeFleet(50*time.Millisecond, former)
		inSession(t, f, nil, func(t *testing.T, s *Session) {
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				await(t, s, "the advice in force", func(st State) bool { return st.Applied })
				cancel()
			}()
			r, err := s.Tune(ctx, false)
			if _, _, _, policy := f.told(); !errors.Is(err, context.Canceled) || !r.Restored || policy.Metrics != nil {
				t.Errorf("Tune = %v, restored %v, metrics at the scaler %v; want canceled and the former policy", err, r.Restored, policy.Metrics)
			}
		})
	})
	t.Run("interrupted before it was applied, kept: not pinned", func(t *testing.T) {
		f := newFakeFleet(50*time.Millisecond, former)
		inSession(t, f, nil, func(t *testing.T, s *Session) {
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				await(t, s, "settling", func(st State) bool { return st.Phase == Applying && !st.Applied })
				cancel()
			}()
			_, err := s.Tune(ctx, true)
			if pins, followed, _, _ := f.told(); !errors.Is(err, context.Canceled) || followed != 0 || pins[len(pins)-1] != 0 {
				t.Errorf("Tune = %v, %d policies, pins %v; want canceled, none, and no pin", err, followed, pins)
			}
		})
	})
	t.Run("refused: nothing is changed", func(t *testing.T) {
		f := newFakeFleet(400*time.Millisecond, former)
		inSession(t, f, nil, func(t *testing.T, s *Session) {
			r, err := s.Tune(t.Context(), false)
			var refusal *Refusal
			if !errors.As(err, &refusal) || refusal.Code != "R1" || r.Measurement.Capacity.Refusal == nil {
				t.Fatalf("Tune = %v, want refusal R1", err)
			}
			st := await(t, s, "the refusal", func(st State) bool { return st.Phase == Idle })
			if _, _, size, policy := f.told(); st.Refusal == nil || st.Advice != nil || policy.Metrics != nil || size != 1 {
				t.Errorf("state with refusal %v and advice %v, fleet of %d", st.Refusal, st.Advice, size)
			}
		})
	})
	t.Run("beside somebody who has pinned the scaler: refused, and the pin stays", func(t *testing.T) {
		f := newFakeFleet(50*time.Millisecond, former)
		inSession(t, f, nil, func(t *testing.T, s *Session) {
			for name, begin := range map[string]func() error{
				"tune": func() error { _, err := s.Tune(t.Context(), false); return err },
				"advise": func() error {
					if err := s.Advise(); err != nil {
						return err
					}
					return errors.New(await(t, s, "the end", idle).Problem)
				},
			} {
				if err := f.Pin(t.Context(), 3, time.Hour); err != nil {
					t.Fatal(err)
				}
				err := begin()
				if pins, followed, size, _ := f.told(); err == nil || !strings.Contains(err.Error(), "the scaler is pinned to 3 by somebody else") ||
					strings.Contains(err.Error(), "\n") || pins[len(pins)-1] != 3 || followed != 0 || size != 3 {
					t.Errorf("%s: %v with pins %v, %d policies; want it refused in a line and the pin left alone", name, err, pins, followed)
				}
			}
		})
	})
	t.Run("without a scaler it stops after the advice", func(t *testing.T) {
		f := newFakeFleet(50*time.Millisecond, profiles.FixedPolicy(1))
		foreign := func(c *Config) { c.Scaler, c.Replicas = nil, 1 }
		inSession(t, f, foreign, func(t *testing.T, s *Session) {
			r, err := s.Tune(t.Context(), false)
			if pins, followed, _, _ := f.told(); err != nil || r.Verdict != AdviceOnly || r.Advice == nil || r.Before != nil || len(pins)+followed != 0 {
				t.Errorf("Tune = %s, advice %v, before %v, %v; want advice only", r.Verdict, r.Advice, r.Before, err)
			}
		})
	})
}

func TestReplayPlan(t *testing.T) {
	plan := profiles.DefaultPlan()
	same := ReplayPlan(plan, profiles.Traffic{}, time.Minute)
	if same.Open() || same.RunTime != time.Minute || same.Users != plan.Users {
		t.Errorf("ReplayPlan without traffic = %+v, want the plan for a minute", same)
	}
	plan.UserShape, plan.OnBusy = profiles.Spike(1, 5, time.Second, time.Second), profiles.Dropped
	if p := ReplayPlan(plan, profiles.Traffic{}, time.Minute); p.Open() || p.Length() != 3*time.Second {
		t.Errorf("ReplayPlan of a spike of users = %+v, want the spike", p)
	}
	ramp := ReplayPlan(plan, traffic(10, 40), 100*time.Second)
	if ramp.UserShape != nil || ramp.OnBusy != profiles.Queued {
		t.Errorf("ReplayPlan with traffic = %+v, want nothing but the traffic, every arrival of it", ramp)
	}
	for _, c := range []struct {
		at   time.Duration
		want float64
	}{{0, 10}, {20 * time.Second, 25}, {40 * time.Second, 40}, {79 * time.Second, 40}, {90 * time.Second, 25}, {100 * time.Second, 0}} {
		if got := ramp.Load().At(c.at); got != c.want {
			t.Errorf("rate at %v = %v, want %v", c.at, got, c.want)
		}
	}
	if got := steepest(ramp); math.Abs(got-0.75) > 1e-9 || steepest(same) != 0 {
		t.Errorf("steepest = %v, and %v of users; want 30 requests/s in 40 s, and none", got, steepest(same))
	}
}

func TestOutcomeHeld(t *testing.T) {
	valid, missed, unknown := load.Objective{Valid: true, Holds: true}, load.Objective{Valid: true}, load.Objective{}
	for _, c := range []struct {
		name     string
		o        Outcome
		held, ok bool
	}{
		{"no objectives", Outcome{}, false, false},
		{"all met", Outcome{SLO: []load.Objective{valid, valid}}, true, true},
		{"one missed", Outcome{SLO: []load.Objective{valid, missed}}, false, true},
		{"one not known", Outcome{SLO: []load.Objective{valid, unknown}}, false, false},
		{"one missed, whatever another is", Outcome{SLO: []load.Objective{unknown, missed}}, false, true},
		{"the generator was the limit", Outcome{SLO: []load.Objective{missed}, Health: load.Health{Verdict: load.Limited}}, false, false},
	} {
		if held, ok := c.o.Held(); held != c.held || ok != c.ok {
			t.Errorf("%s: Held() = %v, %v; want %v, %v", c.name, held, ok, c.held, c.ok)
		}
	}
}
