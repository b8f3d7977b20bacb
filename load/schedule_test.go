package load

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"headroom/profiles"
)

// intended are the offsets at which requests were due, in order.
func intended(r Result) []time.Duration {
	out := make([]time.Duration, len(r.Samples))
	for i, s := range r.Samples {
		out[i] = s.Intended
	}
	slices.Sort(out)
	return out
}

// steps goes from 10 to 30, rests for a second and comes back.
var steps = profiles.Ramp{From: 10, Stages: []profiles.Stage{
	{For: 2 * time.Second, To: 10}, {For: 4 * time.Second, To: 30}, {To: 0}, {For: time.Second}, {To: 5}, {For: 3 * time.Second, To: 5},
}}

// Arrivals come exactly when a shape says, all of them, and the run ends with
// the shape.
func TestArrivalsFollowEveryShape(t *testing.T) {
	second := time.Second
	for name, c := range map[string]struct {
		shape    profiles.Shape
		arrivals int
		length   time.Duration
	}{
		"constant": {profiles.Constant(20), 200, 10 * second},
		"steps":    {steps, 20 + 80 + 15, 10 * second},
		"spike":    {profiles.Spike(1, 50, 3*second, 2*second), 3 + 100 + 3, 8 * second},
		"sine":     {profiles.Sine{Low: 0, High: 40, Period: 5 * second}, 200, 10 * second},
		"counts":   {profiles.NewCounts([]time.Duration{second, 4 * second}, []float64{7, 30}), 37, 4 * second},
		"stamps":   {profiles.Stamps{0, 1, second / 2, second / 2, 2500 * time.Millisecond}, 5, 3 * second},
	} {
		t.Run(name, func(t *testing.T) {
			plan := openPlan(0, profiles.Even, 0)
			if plan.Shape = c.shape; plan.Length() == 0 {
				plan.RunTime = c.length
			}
			r := run(t, plan, fake(300*time.Millisecond, nil), nil)
			due := intended(r)
			if len(due) != c.arrivals || r.Loaded != c.length {
				t.Fatalf("%d arrivals in %v, want %d in %v", len(due), r.Loaded, c.arrivals, c.length)
			}
			for n, at := range due {
				if want, _ := c.shape.OffsetOf(float64(n)); at != want {
					t.Fatalf("arrival %d was due at %v, want %v", n, at, want)
				}
			}
			if len(r.Stages) > 0 || r.Total.Latency.Max > 301*time.Millisecond {
				t.Errorf("stages %v, slowest %v; want none, as nobody steered, and 300 ms", r.Stages, r.Total.Latency.Max)
			}
			before := time.Duration(0)
			for _, p := range r.Points[:len(r.Points)-1] {
				want := (c.shape.Area(p.At) - c.shape.Area(before)) / (p.At - before).Seconds()
				within(t, "planned until "+p.At.String(), p.Planned, want, 1e-6)
				before = p.At
			}
		})
	}
}

// Arrivals that were replayed one by one are not spread at random.
func TestStampsIgnoreTheProcess(t *testing.T) {
	plan := openPlan(0, profiles.Poisson, 0)
	stamps := profiles.Stamps{0, 10 * time.Millisecond, 700 * time.Millisecond}
	plan.Shape = stamps
	if diff := cmp.Diff([]time.Duration(stamps), intended(run(t, plan, fake(time.Millisecond, nil), nil))); diff != "" {
		t.Errorf("due (-want +got):\n%s", diff)
	}
}

// Users follow a shape up and down, within the time that their last request
// takes; the number of those that may still send is exact.
func TestUsersFollowEveryShape(t *testing.T) {
	for name, shape := range map[string]profiles.Shape{
		"steps": steps,
		"ramp":  profiles.Ramp{Stages: []profiles.Stage{{For: 5 * time.Second, To: 40}, {For: 5 * time.Second, To: 3}}},
		"spike": profiles.Spike(2, 60, 4*time.Second, 2*time.Second),
		"sine":  profiles.Sine{Low: 1, High: 30, Period: 10 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			plan := closedPlan(1, 1, 0)
			plan.UserShape = shape
			if plan.Length() == 0 {
				plan.RunTime = 10 * time.Second
			}
			r := run(t, plan, fake(10*time.Millisecond, nil), func(e *Engine) {
				sleep(tick + tick/5)
				for range 38 {
					s := e.Snapshot()
					planned := func(at time.Duration) int { return int(shape.At(at) + 1e-6) }
					want, before := planned(s.Elapsed), planned(s.Elapsed-followEvery)
					// At the moment of a jump some of the users are there.
					if s.Users < min(want, before) || s.Users > max(want, before) || s.Wanted != want || s.Planned != shape.At(s.Elapsed) {
						t.Errorf("after %v: %d users of %d, %v planned; want %d, from the %d just before", s.Elapsed, s.Users, s.Wanted, s.Planned, want, before)
					}
					sleep(tick)
				}
			})
			if r.Loaded != 10*time.Second || !r.Shaped {
				t.Errorf("loaded for %v, shaped %v; want 10s, true", r.Loaded, r.Shaped)
			}
			want := 0.0 // each user has 100 requests a second: one in every 10 ms
			for at := time.Duration(0); at < 10*time.Second; at += followEvery {
				want += float64(int(shape.At(at) + 1e-6))
			}
			within(t, "requests", float64(r.Total.Count), want, 0.01*want)
		})
	}
}

// The newest user leaves first, and its request is answered.
func TestNewestUsersLeaveAfterTheirRequest(t *testing.T) {
	plan := closedPlan(1, 1, 0)
	plan.UserShape = profiles.Ramp{Stages: []profiles.Stage{{To: 5}, {For: 2500 * time.Millisecond, To: 5}, {To: 2}, {For: 2 * time.Second, To: 2}}}
	r := run(t, plan, fake(time.Second, nil), nil)
	if n := r.Total; n.Count != 3*5+2*2 || n.Aborted+n.Failed > 0 {
		t.Errorf("%d requests, %d aborted; want 19, 0", n.Count, n.Aborted)
	}
}

// The schedule goes on from where it is: what is left until the next arrival
// shrinks or grows with the rate.
func TestSetRateHasNoJump(t *testing.T) {
	r := run(t, openPlan(10, profiles.Even, 5*time.Second), fake(time.Millisecond, nil), func(e *Engine) {
		sleep(3050 * time.Millisecond)
		e.SetRate(20)
		sleep(950 * time.Millisecond)
		e.SetRate(2)
	})
	var want []time.Duration
	for n := range 31 {
		want = append(want, time.Duration(n)*100*time.Millisecond)
	}
	for n := range 19 {
		want = append(want, 3075*time.Millisecond+time.Duration(n)*50*time.Millisecond)
	}
	want = append(want, 4250*time.Millisecond, 4750*time.Millisecond)
	got := intended(r)
	if len(got) != len(want) {
		t.Fatalf("%d arrivals, want %d: %v", len(got), len(want), got)
	}
	for n := range got {
		if (got[n] - want[n]).Abs() > time.Microsecond {
			t.Fatalf("arrival %d was due at %v, want %v", n, got[n], want[n])
		}
	}
	if diff := cmp.Diff([]string{"0s:10/s", "3.05s:10/s", "0s:20/s", "950ms:20/s", "0s:2/s", "1s:2/s"}, r.Stages); diff != "" {
		t.Errorf("stages (-want +got):\n%s", diff)
	}
}

// A rate that rises brings back arrivals that had been beyond the end.
func TestSetRateBeforeTheNextArrival(t *testing.T) {
	r := run(t, openPlan(0.01, profiles.Even, 10*time.Second), fake(time.Millisecond, nil), func(e *Engine) {
		sleep(4 * time.Second)
		e.SetRate(50)
	})
	within(t, "requests", float64(r.Total.Count), 300, 1)
}

// What a hand did can be done again: the stages are a shape with the same
// arrivals.
func TestSteeredLoadCanBeRepeated(t *testing.T) {
	for name, c := range map[string]struct {
		plan  profiles.Plan
		steer func(*Engine)
	}{
		"open": {openPlan(10, profiles.Even, 20*time.Second), func(e *Engine) {
			sleep(4 * time.Second)
			e.SetRate(30)
			sleep(3 * time.Second)
			e.TogglePause()
			sleep(2 * time.Second)
			e.TogglePause()
			sleep(4 * time.Second)
			e.SetRate(5)
		}},
		"closed": {closedPlan(20, 4, 20*time.Second), func(e *Engine) {
			sleep(2 * time.Second)
			e.SetSpawnRate(10)
			sleep(4 * time.Second)
			e.SetUsers(3)
			sleep(2 * time.Second)
			e.TogglePause()
			sleep(2 * time.Second)
			e.SetUsers(12)
			e.TogglePause()
		}},
		"paused at the end": {openPlan(10, profiles.Even, 6*time.Second), func(e *Engine) {
			sleep(3 * time.Second)
			e.TogglePause()
		}},
		"a shape": {func() profiles.Plan {
			p := openPlan(0, profiles.Even, 0)
			p.Shape = steps
			return p
		}(), func(e *Engine) {
			sleep(3 * time.Second)
			e.SetRate(7)
		}},
	} {
		first := run(t, c.plan, fake(10*time.Millisecond, nil), c.steer)
		again, shape := c.plan, profiles.Ramp{}
		for _, text := range first.Stages {
			stage, err := profiles.ParseStage(text)
			if err != nil || stage.Rate != first.Open {
				t.Fatalf("%s: stage %q: %+v, %v", name, text, stage, err)
			}
			shape.Stages = append(shape.Stages, stage.Value)
		}
		again.RunTime, again.Rate, again.Shape, again.UserShape = 0, 0, nil, nil
		if first.Open {
			again.Shape = shape
		} else {
			again.UserShape = shape
		}
		second := run(t, again, fake(10*time.Millisecond, nil), nil)
		if second.Loaded != first.Loaded {
			t.Errorf("%s: %v lasted %v, want %v", name, first.Stages, second.Loaded, first.Loaded)
		}
		within(t, name+": requests of the repetition", float64(second.Total.Count), float64(first.Total.Count), 2+0.005*float64(first.Total.Count))
		if first.Shaped {
			t.Errorf("%s: the load is said to follow its shape, after it was steered", name)
		}
	}
}

// What is asked for before the run counts; what is asked for after it does
// not.
func TestSteeringOutsideOfTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		plan := closedPlan(50, 5, 4*time.Second)
		e, err := New(plan, fake(3500*time.Millisecond, nil))
		if err != nil {
			t.Fatal(err)
		}
		e.TogglePause()
		e.SetSpawnRate(1)
		e.SetUsers(3)
		time.AfterFunc(5*time.Second, func() {
			e.SetUsers(100)
			e.TogglePause()
		})
		r, err := e.Run(t.Context())
		if err != nil || r.Total.Count != 4 || r.Wanted != 3 {
			t.Errorf("Run = %d requests, %d users wanted, %v; want 4, 3", r.Total.Count, r.Wanted, err)
		}
		if diff := cmp.Diff([]string{"0s:1", "2s:3", "2s:3"}, r.Stages); diff != "" {
			t.Errorf("stages (-want +got):\n%s", diff)
		}
	})
}

// A pause makes a shape that much longer.
func TestPauseShiftsAShape(t *testing.T) {
	plan := openPlan(0, profiles.Even, 0)
	plan.Shape = steps
	r := run(t, plan, fake(10*time.Millisecond, nil), func(e *Engine) {
		ends := func(want time.Duration) {
			sleep(tick / 2)
			if s := e.Snapshot(); s.Ends != want {
				t.Errorf("after %v it ends at %v, want %v", s.Elapsed, s.Ends, want)
			}
			sleep(tick / 2)
		}
		ends(10 * time.Second)
		sleep(2750 * time.Millisecond)
		e.TogglePause()
		sleep(4500 * time.Millisecond)
		ends(14500 * time.Millisecond)
		sleep(250 * time.Millisecond)
		e.TogglePause()
		ends(15 * time.Second)
	})
	if r.Total.Count != 115 || r.Loaded != 15*time.Second {
		t.Errorf("%d requests in %v, want 115 in 15s", r.Total.Count, r.Loaded)
	}
}

// A hand changes the load, not when it ends; a pause moves no RunTime.
func TestSteeringLeavesTheEnd(t *testing.T) {
	shape, timed := openPlan(0, profiles.Even, 0), openPlan(5, profiles.Even, 10*time.Second)
	shape.Shape = steps
	for name, plan := range map[string]profiles.Plan{"shape": shape, "run time": timed} {
		r := run(t, plan, fake(10*time.Millisecond, nil), func(e *Engine) {
			sleep(2 * time.Second)
			e.SetRate(20)
			if name == "run time" {
				e.TogglePause()
				sleep(time.Second)
				e.TogglePause()
			}
			sleep(tick)
			if got := e.Snapshot().Ends; got != 10*time.Second {
				t.Errorf("%s: it ends at %v, want 10s", name, got)
			}
		})
		if r.Loaded != 10*time.Second {
			t.Errorf("%s: it ended at %v, want 10s", name, r.Loaded)
		}
	}
}
