package advisor

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"headroom/load"
	"headroom/profiles"
)

// While a swarm runs, a measurement takes the load over and gives it back,
// with one replica pinned and the policy in force again afterwards.
func TestAdviseTakesOverFromTheSwarm(t *testing.T) {
	policy := profiles.FixedPolicy(3)
	f := newFakeFleet(50*time.Millisecond, policy)
	inSession(t, f, func(c *Config) { c.Budget = 3 * time.Minute }, func(t *testing.T, s *Session) {
		if err := s.Start(); err != nil {
			t.Fatal(err)
		}
		await(t, s, "the swarm", func(st State) bool { return st.Load.Users == 30 })
		if err := s.Advise(); err != nil {
			t.Fatal(err)
		}
		await(t, s, "measuring", func(st State) bool { return st.Phase == Measuring && st.Search != nil && len(st.Search.Steps) > 1 })
		if err := s.Apply(); !errors.Is(err, errNoAdvice) {
			t.Errorf("Apply before there is advice = %v, want %v", err, errNoAdvice)
		}
		st := await(t, s, "advice and the swarm again", func(st State) bool { return st.Advice != nil && st.Phase == Swarming && st.Load.Users == 30 })
		target := st.Advice.Policy.Metrics[0].Target.Float()
		if target < 9 || target > 13 {
			t.Errorf("target %.1f for a service of 20/s under p95<250ms with 20 %% kept free, want about 11", target)
		}
		if got := st.Search.Capacity; got == nil || got.Replicas != 1 {
			t.Errorf("capacity %+v, want one of 1 replica", got)
		}
		if pins, followed, size, _ := f.told(); len(pins) < 2 || pins[0] != 1 || pins[len(pins)-1] != 0 || followed != 0 || size != 3 {
			t.Errorf("pins %v, followed %d policies, size %d; want pins of 1, no pin at last, no other policy, size 3", pins, followed, size)
		}
		if err := s.Apply(); err != nil {
			t.Fatal(err)
		}
		st = await(t, s, "the advice in force", func(st State) bool { return st.Applied })
		if _, _, _, policy := f.told(); st.Phase != Swarming || policy.Metrics[0].Target != st.Advice.Applied.Metrics[0].Target {
			t.Errorf("phase %s, target at the scaler %s; want the swarm to go on under %s", st.Phase, policy.Metrics[0].Target, st.Advice.Applied.Metrics[0].Target)
		}
		if err := s.Verify(); err != nil {
			t.Fatal(err)
		}
		st = await(t, s, "after", func(st State) bool { return st.After != nil })
		if held, ok := st.After.Held(); !held || !ok {
			t.Errorf("after: held %v, conclusive %v, SLO %+v; want held", held, ok, st.After.SLO)
		}
	})
}

func TestJobsNeedARunningSession(t *testing.T) {
	plan := profiles.DefaultPlan()
	plan.Target = "http://127.0.0.1:1/"
	s, err := NewSession(Config{Plan: plan})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); !errors.Is(err, errNotRunning) {
		t.Errorf("Start before Run = %v, want %v", err, errNotRunning)
	}
	plan.Users = 0
	if _, err := NewSession(Config{Plan: plan}); err == nil {
		t.Error("NewSession accepted a bad plan")
	}
}

// A job under way must end soon when it is stopped, whatever it is at, and
// leave the scaler to its policy.
func TestStopWhileMeasuring(t *testing.T) {
	f := newFakeFleet(50*time.Millisecond, profiles.FixedPolicy(2))
	inSession(t, f, nil, func(t *testing.T, s *Session) {
		ctx, cancel := context.WithCancel(t.Context())
		var stopped time.Time
		go func() {
			await(t, s, "the second step", func(st State) bool { return st.Search != nil && len(st.Search.Steps) == 1 && st.Load.Total.Count > 0 })
			stopped = time.Now()
			cancel()
		}()
		_, err := s.Tune(ctx, false)
		pins, followed, size, _ := f.told()
		if took := time.Since(stopped); !errors.Is(err, context.Canceled) || took > 10*time.Second {
			t.Errorf("Tune = %v after %v, want canceled within the grace of a step", err, took)
		}
		if pins[len(pins)-1] != 0 || followed != 0 || size != 2 {
			t.Errorf("pins %v, %d policies, size %d; want no pin, the policy as it was", pins, followed, size)
		}
		st := await(t, s, "the end", idle)
		if st.Problem != "" || slices.ContainsFunc(st.Events, func(e Event) bool { return e.Kind == "error" }) {
			t.Errorf("problem %q after an interruption, events %v; want no error", st.Problem, st.Events)
		}
	})
}

// Errors of what took over from the swarm are in view before the swarm goes
// on, and stopping reaches the swarm.
func TestErrorsAreShownBeforeTheSwarmGoesOn(t *testing.T) {
	f := newFakeFleet(20*time.Millisecond, profiles.FixedPolicy(4))
	bad := func(c *Config) { c.SLO = nil }
	inSession(t, f, bad, func(t *testing.T, s *Session) {
		if err := s.Start(); err != nil {
			t.Fatal(err)
		}
		await(t, s, "the swarm", func(st State) bool { return st.Load.Users == 30 })
		if err := s.Advise(); err != nil {
			t.Fatal(err)
		}
		st := await(t, s, "the problem beside the swarm", func(st State) bool { return st.Problem != "" && st.Phase == Swarming })
		if !strings.Contains(st.Problem, "--slo") {
			t.Errorf("problem %q, want one about --slo", st.Problem)
		}
		await(t, s, "the swarm again", func(st State) bool { return st.Load.Phase == load.Running && st.Load.Users == 30 })
		if err := s.SetUsers(5); err != nil {
			t.Fatal(err)
		}
		await(t, s, "5 users", func(st State) bool { return st.Load.Users == 5 })
		s.Stop()
		await(t, s, "the end", idle)
	})
}

// Applying goes beside a swarm; what needs the load waits for it, and stopping
// ends it too.
func TestApplyBesideASwarm(t *testing.T) {
	f := newFakeFleet(50*time.Millisecond, profiles.FixedPolicy(1))
	inSession(t, f, nil, func(t *testing.T, s *Session) {
		if err := s.Advise(); err != nil {
			t.Fatal(err)
		}
		await(t, s, "the advice", func(st State) bool { return st.Advice != nil && idle(st) })
		if err := s.Start(); err != nil {
			t.Fatal(err)
		}
		f.change(func(f *fakeFleet) { f.broken = errors.New("no answer") }) // so that applying waits for replicas
		if err := s.Apply(); err != nil {
			t.Fatal(err)
		}
		st := await(t, s, "the advice in force", func(st State) bool { return st.Applied })
		if st.Phase != Swarming {
			t.Errorf("phase %s, want swarming", st.Phase)
		}
		if err := s.Apply(); !errors.Is(err, ErrBusy) {
			t.Errorf("Apply meanwhile = %v, want %v", err, ErrBusy)
		}
		if err := s.Verify(); err != nil {
			t.Fatal(err)
		}
		<-time.After(5 * time.Second)
		if st := s.State(); st.Phase != Swarming {
			t.Errorf("phase %s, want the replay to wait for the replicas", st.Phase)
		}
		f.change(func(f *fakeFleet) { f.broken = nil })
		await(t, s, "the comparison, and the swarm again", func(st State) bool { return st.After != nil && st.Phase == Swarming })
		f.change(func(f *fakeFleet) { f.broken = errors.New("no answer") })
		if err := s.Apply(); err != nil {
			t.Fatal(err)
		}
		s.Stop()
		if st := await(t, s, "the end of both", idle); st.Problem != "" {
			t.Errorf("problem %q after a stop, want none", st.Problem)
		}
	})
}

// A job that waits to take the load over leaves it to the swarm: keys still
// reach that, and stopping ends all of them.
func TestSwarmIsSteeredWhileAnotherJobWaits(t *testing.T) {
	f := newFakeFleet(20*time.Millisecond, profiles.FixedPolicy(2))
	inSession(t, f, nil, func(t *testing.T, s *Session) {
		if err := s.Advise(); err != nil {
			t.Fatal(err)
		}
		await(t, s, "the advice", func(st State) bool { return st.Advice != nil && idle(st) })
		measured := s.State().Search
		begin := func(waits func() error) {
			t.Helper()
			f.change(func(f *fakeFleet) { f.broken = errors.New("no answer") }) // so that applying does not end
			for _, job := range []func() error{s.Start, s.Apply, waits} {
				if err := job(); err != nil {
					t.Fatal(err)
				}
			}
			await(t, s, "the swarm", func(st State) bool { return st.Phase == Swarming && st.Load.Users == 30 })
		}
		begin(s.Advise)
		if err := s.SetUsers(7); err != nil {
			t.Fatal(err)
		}
		await(t, s, "7 users", func(st State) bool { return st.Load.Users == 7 })
		s.TogglePause()
		await(t, s, "a pause", func(st State) bool { return st.Load.Phase == load.Paused })
		s.TogglePause()
		for name, job := range map[string]func() error{"Advise": s.Advise, "Apply": s.Apply, "Start": s.Start} {
			if err := job(); !errors.Is(err, ErrBusy) {
				t.Errorf("%s while two jobs wait = %v, want %v", name, err, ErrBusy)
			}
		}
		s.Stop()
		if st := await(t, s, "the end of all", idle); st.Problem != "" || st.Load.Phase != load.Done || st.Search != measured {
			t.Errorf("ended with problem %q, load %s, another measurement begun: %v; want all stopped", st.Problem, st.Load.Phase, st.Search != measured)
		}
		if err := s.SetUsers(30); err != nil {
			t.Fatal(err)
		}
		begin(s.Verify)
		f.change(func(f *fakeFleet) { f.broken = nil })
		await(t, s, "the comparison, and the swarm again", func(st State) bool { return st.After != nil && st.Phase == Swarming })
		if err := s.Verify(); err != nil {
			t.Fatal(err)
		}
		if err := s.Apply(); !errors.Is(err, ErrBusy) { // while the swarm drains
			t.Errorf("Apply while a replay waits for the swarm to end = %v, want %v", err, ErrBusy)
		}
	})
}

// A swarm that ends by itself leaves the load to the job that waits for it:
// between the two the session is not idle.
func TestSwarmThatEndsBeforeItsSuccessor(t *testing.T) {
	f := newFakeFleet(20*time.Millisecond, profiles.FixedPolicy(2))
	inSession(t, f, func(c *Config) { c.Plan.RunTime = 10 * time.Second }, func(t *testing.T, s *Session) {
		if err := s.Advise(); err != nil {
			t.Fatal(err)
		}
		await(t, s, "the advice", func(st State) bool { return st.Advice != nil && idle(st) })
		f.change(func(f *fakeFleet) { f.broken = errors.New("no answer") })
		for _, job := range []func() error{s.Start, s.Apply, s.Verify} {
			if err := job(); err != nil {
				t.Fatal(err)
			}
		}
		st := await(t, s, "the end of the swarm", func(st State) bool { return st.Phase != Swarming })
		if st.Phase != Replaying || st.Swarm.Phase != load.Done {
			t.Errorf("phase %s with the swarm %s, want the replay to have the load", st.Phase, st.Swarm.Phase)
		}
		f.change(func(f *fakeFleet) { f.broken = nil })
		await(t, s, "the comparison", func(st State) bool { return st.After != nil })
	})
}

// What the swarm met stays in view, whatever runs after it; another swarm takes
// its place.
func TestStateKeepsTheSwarm(t *testing.T) {
	f := newFakeFleet(20*time.Millisecond, profiles.FixedPolicy(4))
	inSession(t, f, nil, func(t *testing.T, s *Session) {
		if st := s.State(); st.Swarm != nil {
			t.Errorf("swarm %+v before there was one", st.Swarm)
		}
		if err := s.Start(); err != nil {
			t.Fatal(err)
		}
		st := await(t, s, "the swarm", func(st State) bool { return st.Load.Users == 30 })
		if st.Swarm == nil || st.Swarm.Users != 30 {
			t.Fatalf("swarm %+v, want its 30 users", st.Swarm)
		}
		if err := s.Advise(); err != nil {
			t.Fatal(err)
		}
		st = await(t, s, "a step", func(st State) bool { return st.Search != nil && len(st.Search.Steps) == 2 })
		if st.Swarm.Phase != load.Done || st.Swarm.Started.Equal(st.Load.Started) || st.Swarm.Total.Count < 30 {
			t.Errorf("while measuring, swarm %s with %d requests; want it done and all of it", st.Swarm.Phase, st.Swarm.Total.Count)
		}
		first := st.Swarm.Started
		await(t, s, "the swarm again", func(st State) bool {
			return st.Phase == Swarming && st.Swarm.Started.After(first) && st.Swarm.Users == 30
		})
		s.Stop()
		st = await(t, s, "the end", idle)
		if st.Swarm.Phase != load.Done || st.Swarm.Total.Count != st.Load.Total.Count {
			t.Errorf("at the end, swarm %s with %d requests; want it done with %d", st.Swarm.Phase, st.Swarm.Total.Count, st.Load.Total.Count)
		}
	})
}

func TestDescribePlan(t *testing.T) {
	open := profiles.DefaultPlan()
	open.Rate = 50
	users := profiles.DefaultPlan()
	users.Users, users.SpawnRate = 20, 2.5
	even := open
	even.Arrivals = profiles.Even
	steps := open
	steps.Shape = profiles.Ramp{From: 1, Stages: []profiles.Stage{{For: time.Second, To: 5}, {To: 9}, {For: time.Second, To: 9}}}
	spike, wave, long, counts, stamps := users, open, open, open, open
	spike.UserShape = profiles.Spike(1, 20, time.Minute, time.Second)
	wave.Shape = profiles.Sine{Low: 1, High: 9, Period: 5 * time.Minute}
	long.Shape = profiles.Ramp{Stages: make([]profiles.Stage, 9)}
	counts.Shape = profiles.NewCounts([]time.Duration{time.Minute, 2 * time.Minute}, []float64{7, 30})
	stamps.Shape = profiles.Stamps{0, 1, 2}
	for want, plan := range map[string]profiles.Plan{
		"1 user to 20 users to 1 user":                         spike,
		"poisson arrivals, 1.00/s to 9.00/s and back every 5m": wave,
		"poisson arrivals, 9 stages in 0s":                     long,
		"poisson arrivals, 37 recorded in 2m":                  counts,
		"constant arrivals, 3 recorded in 1s":                  stamps,
		"20 users, 2.50 started per second":                    users,
		"poisson arrivals, 50.0/s":                             open,
		"constant arrivals, 50.0/s":                            even,
		"poisson arrivals, 10.0/s to 40.0/s and back":          ReplayPlan(open, traffic(10, 40), Sizing{}, time.Minute),
		"poisson arrivals, 10.0/s":                             ReplayPlan(open, traffic(10, 10), Sizing{}, time.Minute),
		"poisson arrivals, 1.00/s to 5.00/s to 9.00/s":         steps,
	} {
		if got := describePlan(plan); got != want {
			t.Errorf("describePlan = %q, want %q", got, want)
		}
	}
}
