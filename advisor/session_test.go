package advisor

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"headroom/load"
	"headroom/probe"
	"headroom/profiles"
)

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
			Plan: plan, SLO: slo, Traffic: traffic(10, 30), Sizing: Sizing{Headroom: 200, Interval: time.Second}, Budget: 60 * time.Second,
			Replay: ReplayPlan(plan, profiles.Traffic{}, Sizing{}, 20*time.Second),
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

// An order that comes right after the start is not lost, nor one for the swarm
// before.
func TestSteeringAtOnce(t *testing.T) {
	f := newFakeFleet(10*time.Millisecond, profiles.FixedPolicy(4))
	inSession(t, f, nil, func(t *testing.T, s *Session) {
		for _, want := range []int{7, 12} {
			if err := errors.Join(s.Start(), s.SetUsers(want)); err != nil {
				t.Fatal(err)
			}
			await(t, s, "the users", func(st State) bool { return st.Phase == Swarming && st.Load.Users == want })
			s.Stop()
			await(t, s, "the end", idle)
		}
	})
}

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
		if err := errors.Join(s.Recycle(), s.ResetStats()); err != nil {
			t.Error(err)
		}
		s.TogglePause()
		await(t, s, "a pause", func(st State) bool { return st.Load.Phase == load.Paused })
		s.TogglePause()
		await(t, s, "going on", func(st State) bool { return st.Load.Phase == load.Running && st.Load.Total.Count > 0 })
		s.Stop()
		st = await(t, s, "the end", idle)
		if err := s.TogglePause(); !errors.Is(err, errNoSwarm) {
			t.Errorf("a pause of nothing = %v, want %v", err, errNoSwarm)
		}
		var hand []string
		for _, e := range st.Events {
			if e.Kind == "hand" {
				hand = append(hand, e.Text)
			}
		}
		want := []string{"12 users are wanted", "every connection is replaced before its next request", "the statistics begin anew", "a pause begins", "the load goes on"}
		if !slices.Equal(hand, want) {
			t.Errorf("the log has of the hand %q, want %q", hand, want)
		}
		if st.Problem != "" || st.Load.Phase != load.Done || st.Load.Total.Count == 0 {
			t.Errorf("ended with problem %q, phase %s, %d requests", st.Problem, st.Load.Phase, st.Load.Total.Count)
		}
		for i, e := range st.Events {
			if e.N != i+1 {
				t.Errorf("event %d has number %d", i, e.N)
			}
		}
		if err := s.SetUsers(profiles.MostUsers + 1); err == nil {
			t.Error("SetUsers of too many succeeded, want an error")
		}
		if err := s.SetUsers(0); err == nil {
			t.Error("SetUsers(0) succeeded, want an error")
		}
	})
}

// A hand takes over from a shape, in the swarm under way and the next one.
func TestArrivalsAreSteeredLive(t *testing.T) {
	f := newFakeFleet(10*time.Millisecond, profiles.FixedPolicy(4))
	shaped := func(c *Config) { c.Plan.Shape = profiles.Spike(5, 20, 4*time.Second, time.Minute) }
	inSession(t, f, shaped, func(t *testing.T, s *Session) {
		if err := s.Start(); err != nil {
			t.Fatal(err)
		}
		st := await(t, s, "the shape", func(st State) bool { return st.Load.Planned == 20 })
		if !st.Load.Shaped {
			t.Error("the load is not said to follow a shape")
		}
		if err := s.SetRate(30); err != nil {
			t.Fatal(err)
		}
		st = await(t, s, "30/s", func(st State) bool { return st.Load.Planned == 30 })
		if st.Load.Shaped || st.Plan.Rate != 30 || st.Plan.Shape != nil {
			t.Errorf("shaped %v, plan with rate %v and shape %v; want 30 and no shape", st.Load.Shaped, st.Plan.Rate, st.Plan.Shape)
		}
		if err := s.SetUsers(3); err == nil {
			t.Error("SetUsers of arrivals succeeded, want an error")
		}
		if err := s.SetRate(math.Inf(1)); err == nil {
			t.Error("SetRate(+Inf) succeeded, want an error")
		}
		if err := s.SetRate(0); err == nil {
			t.Error("SetRate(0) succeeded, want an error")
		}
		time.Sleep(time.Second) // in virtual time: a rate of no length is no stage
		s.Stop()
		st = await(t, s, "the end", idle)
		if n := len(st.Load.Stages); n < 4 || st.Load.Stages[n-2] != "0s:30/s" {
			t.Errorf("stages %v, want them to end with 30/s", st.Load.Stages)
		}
	})
	inSession(t, f, nil, func(t *testing.T, s *Session) {
		if err := s.SetRate(5); err == nil {
			t.Error("SetRate of users succeeded, want an error")
		}
	})
}

func TestScalerThatGoesAwayIsReported(t *testing.T) {
	f := newFakeFleet(10*time.Millisecond, profiles.FixedPolicy(1))
	inSession(t, f, nil, func(t *testing.T, s *Session) {
		f.change(func(f *fakeFleet) { f.broken = errors.New("connection refused") })
		st := await(t, s, "the error", func(st State) bool { return st.ScalerError != "" })
		if last := st.Events[len(st.Events)-1]; last.Kind != "error" || !strings.Contains(last.Text, "connection refused") {
			t.Errorf("last event %+v, want the error", last)
		}
		f.change(func(f *fakeFleet) { f.broken = nil })
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
		{"all of the capacity kept free", func(c *Config) { c.Sizing.Headroom = 1000 }, "--headroom: got 100%, want 0% or more and less than 100%"},
		{"a short budget", func(c *Config) { c.Budget = time.Second }, "--budget: got 1s, want"},
		{"decisions too often", func(c *Config) { c.Sizing.Interval = 500 * time.Millisecond }, "--interval: got 500ms, want 1s to 10m"},
		{"decisions too seldom", func(c *Config) { c.Sizing.Interval = 11 * time.Minute }, "--interval: got 11m0s, want 1s to 10m"},
		{"decisions every ten minutes", func(c *Config) { c.Sizing.Interval = 10 * time.Minute }, ""},
		{"negative replicas", func(c *Config) { c.Replicas = -1 }, "--replicas: got -1, want 1 or more"},
		{"a short replay", func(c *Config) { c.Replay = ReplayPlan(plan, traffic(1, 2), Sizing{}, time.Second) }, "--verify: got 1s, want 5s or more"},
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

// The policy in force is what the scaler says, also when somebody else has
// changed it.
func TestPolicyInForceIsTheScalers(t *testing.T) {
	f := newFakeFleet(10*time.Millisecond, profiles.FixedPolicy(1))
	inSession(t, f, nil, func(t *testing.T, s *Session) {
		if st := s.State(); st.Policy.Replicas.Min != 1 {
			t.Errorf("policy %+v, want the one of the scaler", st.Policy)
		}
		if err := f.Follow(t.Context(), profiles.FixedPolicy(3)); err != nil {
			t.Fatal(err)
		}
		await(t, s, "the other policy", func(st State) bool { return st.Policy.Replicas.Min == 3 })
	})
}

// The log says since when a replica has been silent, but of one that the scaler
// leaves idle.
func TestSilentReplicasAreLogged(t *testing.T) {
	last := time.Date(2026, 1, 2, 12, 54, 0, 0, time.UTC)
	step := func(state probe.State, managed bool) probe.Fleet {
		return probe.Fleet{Replicas: []probe.Replica{{ID: "b", State: state, Managed: managed, Answered: true, LastSeen: last}}}
	}
	for _, c := range []struct {
		name    string
		config  Config
		managed bool
		want    []string
	}{
		{"by the answers", Config{}, false, []string{"b answers", "b has been quiet since 12:54:00", "b answers again", "b is gone: nothing since 12:54:00", "b answers again"}},
		{"of a scaler that leaves it idle", Config{Scaler: newFakeFleet(0, profiles.FixedPolicy(1))}, true, []string{"b answers", "b is gone", "b answers again"}},
		{"of a scaler behind a balancer", Config{Scaler: newFakeFleet(0, profiles.FixedPolicy(1)), Behind: true}, true,
			[]string{"b answers", "b has been quiet since 12:54:00", "b answers again", "b is gone", "b answers again"}},
	} {
		s := &Session{config: c.config, seen: map[string]probe.State{}, answered: map[string]bool{}}
		for _, state := range []probe.State{probe.New, probe.Serving, probe.Quiet, probe.Quiet, probe.Serving, probe.Gone, probe.Serving} {
			s.noticeReplicas(last, step(state, c.managed))
		}
		var got []string
		for _, e := range s.state.Events {
			got = append(got, e.Text)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// The last State says that it is the last.
func TestLastState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		plan := profiles.DefaultPlan()
		plan.Target = "http://service/"
		s, err := NewSession(Config{Plan: plan})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Stop(); !errors.Is(err, errNotRunning) {
			t.Errorf("Stop before Run = %v, want %v", err, errNotRunning)
		}
		ctx, cancel := context.WithCancel(t.Context())
		states := s.States()
		go s.Run(ctx)
		time.Sleep(time.Second)
		if st := <-states; st.Ended {
			t.Error("a session that runs has ended")
		}
		cancel()
		<-s.Done()
		if st := <-states; !st.Ended {
			t.Error("the last State does not say so")
		}
	})
}
