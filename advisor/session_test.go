package advisor

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"headroom/load"
	"headroom/probe"
	"headroom/profiles"
)

// fakeFleet is a scaler and the service behind it, in virtual time: each
// replica answers one request at a time after the service time, the others
// wait in line. It goes to the size it is told at once; under a policy with a
// metric it scales on the arrivals of the last second.
type fakeFleet struct {
	service time.Duration

	mu       sync.Mutex // guards the fields below
	size     int
	busy     int
	line     []chan struct{}
	policy   profiles.Policy
	pinned   time.Time // until; zero: not pinned
	pins     []int     // every size pinned, 0 for an unpin
	followed []profiles.Policy
	arrivals []time.Time
	broken   error // answer to every question
	deaf     error // answer to every order but a pin
	flapping bool  // one replica more and less every second
}

func newFakeFleet(service time.Duration, p profiles.Policy) *fakeFleet {
	return &fakeFleet{service: service, size: p.Replicas.Min, policy: p}
}

func (f *fakeFleet) Status(context.Context) (probe.Fleet, profiles.Decision, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.broken != nil {
		return probe.Fleet{}, profiles.Decision{}, f.broken
	}
	f.expire()
	fleet := probe.Fleet{Managed: true, Wanted: f.size}
	shown := f.size
	if f.flapping && time.Now().Second()%2 == 1 {
		shown++
	}
	for i := range shown {
		fleet.Replicas = append(fleet.Replicas, probe.Replica{ID: string(rune('a' + i)), State: probe.Ready, Managed: true, StartedIn: time.Second})
	}
	return fleet, profiles.Decision{}, nil
}

func (f *fakeFleet) Pin(_ context.Context, n int, ttl time.Duration) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.pins, f.pinned = append(f.pins, n), time.Now().Add(ttl)
	f.resize(n)
	return nil
}

func (f *fakeFleet) Unpin(context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.deaf != nil {
		return f.deaf
	}
	f.pins, f.pinned = append(f.pins, 0), time.Time{}
	f.resize(f.policy.Replicas.Min)
	return nil
}

func (f *fakeFleet) Follow(_ context.Context, p profiles.Policy) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.deaf != nil {
		return f.deaf
	}
	f.policy, f.pinned = p, time.Time{}
	f.followed = append(f.followed, p)
	f.resize(p.Replicas.Min)
	return nil
}

// expire ends a pin whose time is over. mu is held.
func (f *fakeFleet) expire() {
	if !f.pinned.IsZero() && !time.Now().Before(f.pinned) {
		f.pinned = time.Time{}
		f.resize(f.policy.Replicas.Min)
	}
}

// resize sets the size and lets those in line go on. mu is held.
func (f *fakeFleet) resize(n int) {
	f.size = n
	for len(f.line) > 0 && f.busy < f.size {
		close(f.line[0])
		f.line = f.line[1:]
		f.busy++
	}
}

// enter waits for a replica; the caller must leave it.
func (f *fakeFleet) enter(ctx context.Context) bool {
	f.mu.Lock()
	now := time.Now()
	f.arrivals = append(f.arrivals, now)
	for now.Sub(f.arrivals[0]) > time.Second {
		f.arrivals = f.arrivals[1:]
	}
	f.expire()
	if m := f.policy.Metrics; len(m) > 0 && f.pinned.IsZero() {
		want := int(profiles.CeilDiv(int64(len(f.arrivals))*1000, int64(m[0].Target)))
		if want = min(want, int(f.policy.Replicas.Max)); want > f.size {
			f.resize(want)
		}
	}
	if f.busy < f.size {
		f.busy++
		f.mu.Unlock()
		return true
	}
	turn := make(chan struct{})
	f.line = append(f.line, turn)
	f.mu.Unlock()
	select {
	case <-turn:
		return true
	case <-ctx.Done():
		f.mu.Lock()
		defer f.mu.Unlock()
		if i := slices.Index(f.line, turn); i >= 0 {
			f.line = slices.Delete(f.line, i, i+1)
		} else {
			f.busy-- // its turn had come just now
		}
		return false
	}
}

// told is what the scaler was told so far, its present size and policy.
func (f *fakeFleet) told() (pins []int, followed, size int, policy profiles.Policy) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.pins), len(f.followed), f.size, f.policy
}

func (f *fakeFleet) leave() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.busy--
	f.resize(f.size)
}

// conn is a connection to the fleet.
func (f *fakeFleet) conn(ctx context.Context, start time.Time) load.Conn {
	return &fleetConn{f, ctx, start}
}

type fleetConn struct {
	fleet *fakeFleet
	ctx   context.Context
	start time.Time
}

func (c *fleetConn) Do(s *load.Sample) error {
	s.Sent, s.Replica = time.Since(c.start), probe.Unknown
	if c.fleet.enter(c.ctx) {
		<-time.After(c.fleet.service)
		c.fleet.leave()
		s.Status = 200
	} else {
		s.Failure = load.Aborted
	}
	s.Done = time.Since(c.start)
	return nil
}

func (c *fleetConn) Close() {}

// inSession runs a session against a fleet in virtual time.
func inSession(t *testing.T, f *fakeFleet, edit func(*Config), body func(*testing.T, *Session)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		plan := profiles.DefaultPlan()
		plan.Target, plan.Users, plan.SpawnRate, plan.StopGrace = "http://127.0.0.1:1/", 30, 10, 5*time.Second
		plan.Wait = profiles.Wait{Min: time.Second, Max: time.Second, Pacing: true}
		slo, err := profiles.ParseSLO("p95<250ms,errors<1%")
		if err != nil {
			t.Fatal(err)
		}
		c := Config{
			Plan: plan, SLO: slo, Traffic: traffic(10, 30), Headroom: 200, Interval: time.Second, Budget: 60 * time.Second,
			Replay: ReplayPlan(plan, profiles.Traffic{}, 20*time.Second),
		}
		if f != nil {
			c.Scaler, c.Policy, c.NewConn = f, f.policy, f.conn
		}
		if edit != nil {
			edit(&c)
		}
		s, err := NewSession(c)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		go s.Run(ctx)
		<-s.States()
		body(t, s)
		cancel()
		<-s.Done()
	})
}

// await returns the first State that is as wanted, within ten minutes.
func await(t *testing.T, s *Session, what string, wanted func(State) bool) State {
	t.Helper()
	states, limit := s.States(), time.After(10*time.Minute)
	for {
		select {
		case state := <-states:
			if wanted(state) {
				return state
			}
		case <-limit:
			t.Fatalf("never: %s; the last state is %q, problem %q", what, s.State().Phase, s.State().Problem)
		}
	}
}

func idle(s State) bool { return s.Phase == Idle }

func TestSwarmIsSteeredLive(t *testing.T) {
	f := newFakeFleet(10*time.Millisecond, profiles.FixedPolicy(4))
	inSession(t, f, nil, func(t *testing.T, s *Session) {
		if err := s.Start(); err != nil {
			t.Fatal(err)
		}
		await(t, s, "30 users", func(st State) bool { return st.Load.Users == 30 })
		if err := s.SetUsers(12); err != nil {
			t.Fatal(err)
		}
		st := await(t, s, "12 users", func(st State) bool { return st.Load.Users == 12 })
		if st.Plan.Users != 12 {
			t.Errorf("the plan has %d users, want 12", st.Plan.Users)
		}
		if err := s.Start(); !errors.Is(err, ErrBusy) {
			t.Errorf("Start while swarming = %v, want %v", err, ErrBusy)
		}
		s.TogglePause()
		await(t, s, "a pause", func(st State) bool { return st.Load.Phase == load.Paused })
		s.TogglePause()
		await(t, s, "going on", func(st State) bool { return st.Load.Phase == load.Running })
		s.Stop()
		st = await(t, s, "the end", idle)
		if st.Problem != "" || st.Load.Phase != load.Done || st.Load.Total.Count == 0 {
			t.Errorf("ended with problem %q, phase %s, %d requests", st.Problem, st.Load.Phase, st.Load.Total.Count)
		}
		for i, e := range st.Events {
			if e.N != i+1 {
				t.Errorf("event %d has number %d", i, e.N)
			}
		}
		if err := s.SetUsers(0); err == nil {
			t.Error("SetUsers(0) succeeded, want an error")
		}
	})
}

// While a swarm runs, a measurement takes the load over and gives it back,
// with one replica pinned and the policy in force again afterwards.
func TestAdviseTakesOverFromTheSwarm(t *testing.T) {
	policy := profiles.FixedPolicy(3)
	f := newFakeFleet(50*time.Millisecond, policy)
	inSession(t, f, nil, func(t *testing.T, s *Session) {
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
		if target < 9 || target > 15 {
			t.Errorf("target %.1f for a service of 20/s under p95<250ms with 20 %% kept free, want about 12", target)
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

func TestScalerThatGoesAwayIsReported(t *testing.T) {
	f := newFakeFleet(10*time.Millisecond, profiles.FixedPolicy(1))
	inSession(t, f, nil, func(t *testing.T, s *Session) {
		f.mu.Lock()
		f.broken = errors.New("connection refused")
		f.mu.Unlock()
		st := await(t, s, "the error", func(st State) bool { return st.ScalerError != "" })
		if last := st.Events[len(st.Events)-1]; last.Kind != "error" || !strings.Contains(last.Text, "connection refused") {
			t.Errorf("last event %+v, want the error", last)
		}
		f.mu.Lock()
		f.broken = nil
		f.mu.Unlock()
		await(t, s, "the recovery", func(st State) bool { return st.ScalerError == "" })
	})
}

func TestNewestStateWins(t *testing.T) {
	f := newFakeFleet(10*time.Millisecond, profiles.FixedPolicy(1))
	inSession(t, f, nil, func(t *testing.T, s *Session) {
		slow := s.States()
		<-time.After(10 * time.Second)
		first := <-slow
		if first.Seq < 30 {
			t.Errorf("after 10 s the mailbox holds state %d, want the newest", first.Seq)
		}
		if second := <-slow; second.Seq != first.Seq+1 {
			t.Errorf("the state after %d is %d", first.Seq, second.Seq)
		}
		if n := len(first.Points); n < 9 || n > 11 {
			t.Errorf("%d points after 10 s, want one a second", n)
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

func TestReplayPlan(t *testing.T) {
	plan := profiles.DefaultPlan()
	same := ReplayPlan(plan, profiles.Traffic{}, time.Minute)
	if same.Open() || same.RunTime != time.Minute || same.Users != plan.Users {
		t.Errorf("ReplayPlan without traffic = %+v, want the plan for a minute", same)
	}
	ramp := ReplayPlan(plan, traffic(10, 40), 100*time.Second)
	for _, c := range []struct {
		at   time.Duration
		want float64
	}{{0, 10}, {20 * time.Second, 25}, {40 * time.Second, 40}, {79 * time.Second, 40}, {90 * time.Second, 25}, {100 * time.Second, 0}} {
		if got := ramp.Load().At(c.at); got != c.want {
			t.Errorf("rate at %v = %v, want %v", c.at, got, c.want)
		}
	}
}

// Every second of the engine is in the history once, also where publishing and
// the engine's seconds drift apart.
func TestHistoryHasEverySecond(t *testing.T) {
	f := newFakeFleet(10*time.Millisecond, profiles.FixedPolicy(4))
	inSession(t, f, nil, func(t *testing.T, s *Session) {
		<-time.After(3300 * time.Millisecond)
		if err := s.Start(); err != nil {
			t.Fatal(err)
		}
		<-time.After(20500 * time.Millisecond)
		s.Stop()
		st := await(t, s, "the end", idle)
		loaded, requests := 0, 0.0
		for i, p := range st.Points {
			if i > 0 && p.At-st.Points[i-1].At < 400*time.Millisecond {
				t.Errorf("points %d and %d are %v apart", i-1, i, p.At-st.Points[i-1].At)
			}
			if p.Users > 0 {
				loaded++
			}
			requests += p.Rate
		}
		if loaded < 20 || loaded > 21 {
			t.Errorf("%d points with users, want 20 or 21", loaded)
		}
		if total := float64(st.Load.Total.Count); requests < total*0.95 || requests > total*1.05 {
			t.Errorf("the history has %.0f requests, the run %.0f", requests, total)
		}
	})
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
		if st := await(t, s, "the end", idle); st.Problem != "" {
			t.Errorf("problem %q after an interruption, want none", st.Problem)
		}
	})
}

// What could not be put back must be said, also where the job was stopped.
func TestScalerThatStaysPinnedIsReported(t *testing.T) {
	f := newFakeFleet(50*time.Millisecond, profiles.FixedPolicy(2))
	inSession(t, f, nil, func(t *testing.T, s *Session) {
		if err := s.Advise(); err != nil {
			t.Fatal(err)
		}
		await(t, s, "a step", func(st State) bool { return st.Search != nil && len(st.Search.Steps) == 1 })
		f.mu.Lock()
		f.deaf = errors.New("connection refused")
		f.mu.Unlock()
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
		f.mu.Lock()
		f.flapping = true
		f.mu.Unlock()
		st := await(t, s, "the end", idle)
		if st.Refusal == nil || !strings.Contains(st.Refusal.Error(), "replicas") || st.Advice != nil {
			t.Errorf("refusal %v, advice %v; want a refusal about the replicas", st.Refusal, st.Advice)
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
		f.mu.Lock()
		f.broken = errors.New("no answer") // so that applying waits for replicas
		f.mu.Unlock()
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
		f.mu.Lock()
		f.broken = nil
		f.mu.Unlock()
		await(t, s, "the comparison, and the swarm again", func(st State) bool { return st.After != nil && st.Phase == Swarming })
		f.mu.Lock()
		f.broken = errors.New("no answer")
		f.mu.Unlock()
		if err := s.Apply(); err != nil {
			t.Fatal(err)
		}
		s.Stop()
		if st := await(t, s, "the end of both", idle); st.Problem != "" {
			t.Errorf("problem %q after a stop, want none", st.Problem)
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

func TestConfigValidate(t *testing.T) {
	plan := profiles.DefaultPlan()
	plan.Target = "http://127.0.0.1:1/"
	for _, c := range []struct {
		name string
		edit func(*Config)
		want string // empty: valid
	}{
		{"only a plan", func(*Config) {}, ""},
		{"no target", func(c *Config) { c.Plan.Target = "" }, "target: got nothing"},
		{"all of the capacity kept free", func(c *Config) { c.Headroom = 1000 }, "--headroom: got 100%, want 0% or more and less than 100%"},
		{"a short budget", func(c *Config) { c.Budget = time.Second }, "--budget: got 1s, want"},
		{"negative replicas", func(c *Config) { c.Replicas = -1 }, "--replicas: got -1, want 1 or more"},
		{"a short replay", func(c *Config) { c.Replay = ReplayPlan(plan, traffic(1, 2), time.Second) }, "--verify: got 1s, want 5s or more"},
		{"a replay without an end", func(c *Config) { c.Replay = plan }, "--verify: got 0s"},
	} {
		config := Config{Plan: plan}
		c.edit(&config)
		err := config.Validate()
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), c.want)) {
			t.Errorf("%s: Validate() = %v, want %q", c.name, err, c.want)
		}
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
