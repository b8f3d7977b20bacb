package advisor

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"headroom/profiles"
)

func TestTune(t *testing.T) {
	former := profiles.FixedPolicy(1)
	t.Run("holds", func(t *testing.T) {
		f := newFakeFleet(50*time.Millisecond, former)
		priced := func(c *Config) { c.Sizing.Price = 0.35 }
		inSession(t, f, priced, func(t *testing.T, s *Session) {
			r, err := s.Tune(t.Context(), false)
			if err != nil || r.Verdict != Held || r.Wrong != nil || r.Restored {
				t.Fatalf("Tune = %s (%s), restored %v, %v; want held", r.Verdict, r.Why, r.Restored, err)
			}
			if held, _ := r.Before.Held(); held || r.Before.Stats.Latency.P95 <= r.After.Stats.Latency.P95 {
				t.Errorf("before held %v with p95 %v, after p95 %v; want not held, and better after", held, r.Before.Stats.Latency.P95, r.After.Stats.Latency.P95)
			}
			if _, _, _, policy := f.told(); policy.Metrics == nil || r.Before.Most != 1 || r.After.Most < 2 {
				t.Errorf("at most %d replicas before and %d after, want 1 and more", r.Before.Most, r.After.Most)
			}
			// The loads of the measurement between them tell nothing of a fleet.
			loads := r.Timeline.Loads()
			if len(loads) != 2 || r.Timeline.Of(loads[0])[0].Lost == nil || len(r.Timeline.Of(loads[1])[0].Moves) == 0 {
				t.Errorf("timeline\n%s\nwant a load that loses the SLO and one that the fleet grows with", tale(r.Timeline.Episodes))
			}
			before, after := r.Before, r.After
			if *before.Attainment >= *after.Attainment || *before.ReplicaSeconds != before.Length.Seconds() || *after.ReplicaSeconds <= *before.ReplicaSeconds || after.Cost == nil {
				t.Errorf("attainment %.3f with %.1f replica-seconds in %s before, %.3f with %.1f at a cost of %v after; want one replica for the whole time before, and more of both after, with a cost",
					*before.Attainment, *before.ReplicaSeconds, before.Length, *after.Attainment, *after.ReplicaSeconds, after.Cost)
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
				if len(r.Wrong) != 1 || !strings.Contains(r.Wrong[0], "replicas of max hold") || r.Corrected != nil {
					t.Errorf("wrong was %q, corrected %v; want that the load was too much for max, and no other advice", r.Wrong, r.Corrected)
				}
			})
		})
	}
	t.Run("does not hold: corrected by what the replay showed", func(t *testing.T) {
		f := newFakeFleet(50*time.Millisecond, former)
		inRange := func(c *Config) { c.Replay = ReplayPlan(c.Plan, c.Traffic, c.Sizing, 40*time.Second) }
		inSession(t, f, inRange, func(t *testing.T, s *Session) {
			go func() {
				await(t, s, "the advice in force", func(st State) bool { return st.Applied })
				f.change(func(f *fakeFleet) { f.service = 120 * time.Millisecond })
			}()
			r, err := s.Tune(t.Context(), false)
			if err != nil || r.Verdict != NotHeld || len(r.Wrong) == 0 || r.Corrected == nil {
				t.Fatalf("Tune = %s (%s), wrong %q, corrected %v, %v; want another advice", r.Verdict, r.Why, r.Wrong, r.Corrected, err)
			}
			was, is := r.Advice.Policy.Replicas, r.Corrected.Policy.Replicas
			if last := r.Wrong[len(r.Wrong)-1]; !strings.Contains(last, "while the measurement says that one holds") || is.Max <= was.Max {
				t.Errorf("wrong was %q, max %s and then %s; want the capacity, and more replicas", r.Wrong, was.Max, is.Max)
			}
		})
	})
	t.Run("holds as far as it was tried", func(t *testing.T) {
		f := newFakeFleet(50*time.Millisecond, former)
		gently := func(c *Config) {
			c.Sizing.Rise = 100
			c.Replay = ReplayPlan(c.Plan, c.Traffic, c.Sizing, 40*time.Second)
		}
		inSession(t, f, gently, func(t *testing.T, s *Session) {
			r, err := s.Tune(t.Context(), false)
			if err != nil || r.Verdict != Inconclusive || !r.Restored || r.After.Short == "" || !strings.Contains(r.Why, "held up to "+r.After.Short) {
				t.Errorf("Tune = %s (%s), restored %v, %v; want it inconclusive, and how far it came", r.Verdict, r.Why, r.Restored, err)
			}
		})
	})
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
	for code, sizing := range map[string]Sizing{
		"R8":  {Metric: profiles.Latency},
		"R9":  {Doubles: time.Second},
		"R11": {Metric: profiles.FreeWorkers, Dispatch: profiles.RoundRobin},
	} {
		t.Run("the advice is refused, not the measurement: "+code, func(t *testing.T) {
			f := newFakeFleet(50*time.Millisecond, former)
			inSession(t, f, func(c *Config) { c.Sizing = sizing }, func(t *testing.T, s *Session) {
				r, err := s.Tune(t.Context(), false)
				if _, followed, _, _ := f.told(); err == nil || r.Refusal == nil || r.Refusal.Code != code || r.Measurement.Capacity.Refusal != nil || followed != 0 {
					t.Errorf("Tune = %v with refusal %v and %d policies; want %s and none", err, r.Refusal, followed, code)
				}
			})
		})
	}
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
