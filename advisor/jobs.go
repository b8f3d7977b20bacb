package advisor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"headroom/load"
	"headroom/profiles"
)

// job is one thing that a session does.
type job struct {
	cancel   context.CancelFunc
	ended    chan struct{}
	swarming bool // others may take the load over from it; guarded by Session.mu
}

// begin starts a job. Where takeover is set it waits for what goes on beside a
// swarm, stops the swarm, and lets it go on afterwards.
func (s *Session) begin(phase Phase, takeover bool, run func(context.Context, *job) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.beginLocked(phase, takeover, run)
}

// beginLocked is begin with mu held.
func (s *Session) beginLocked(phase Phase, takeover bool, run func(context.Context, *job) error) error {
	if s.ctx == nil || s.closed {
		return errNotRunning
	}
	swarm, aside := s.job, s.aside
	if !takeover && (swarm != nil || aside != nil) || swarm != nil && !swarm.swarming {
		return ErrBusy
	}
	ctx, j := s.newJob()
	s.job, j.swarming = j, phase == Swarming
	if swarm == nil {
		s.state.Phase = phase
	}
	s.jobs.Go(func() {
		if aside != nil {
			<-aside.ended
		}
		if swarm != nil {
			swarm.cancel()
			<-swarm.ended
			s.setPhase(phase)
		}
		err := run(ctx, j)
		if swarm != nil && ctx.Err() == nil {
			s.fail(err)
			err = s.swarm(ctx, j)
		}
		s.finish(j, err)
	})
	return nil
}

// beside starts a job that leaves the load to the swarm under way. mu is held.
func (s *Session) beside(run func(context.Context) error) error {
	if s.aside != nil || s.closed {
		return ErrBusy
	}
	ctx, j := s.newJob()
	s.aside = j
	s.jobs.Go(func() { s.finish(j, run(ctx)) })
	return nil
}

// newJob makes a job that ends with the session. mu is held.
func (s *Session) newJob() (context.Context, *job) {
	ctx, cancel := context.WithCancel(s.ctx)
	s.state.Problem = ""
	s.nudge()
	return ctx, &job{cancel: cancel, ended: make(chan struct{})}
}

func (s *Session) finish(j *job, err error) {
	s.fail(err)
	j.cancel()
	s.mu.Lock()
	defer s.mu.Unlock()
	switch j {
	case s.aside:
		s.aside = nil
	case s.job:
		s.job = nil
		s.state.Phase = Idle
	}
	close(j.ended)
	s.nudge()
}

// fail shows what went wrong in a job, if anything did.
func (s *Session) fail(err error) {
	if err = Failure(err); err == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.Problem = err.Error()
	s.log(time.Now(), "error", "%v", err)
}

// Failure is what went wrong in a job: its error without interruptions, which
// somebody wanted, and refusals, which are results.
func Failure(err error) error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var rest []error
		for _, e := range joined.Unwrap() {
			rest = append(rest, Failure(e))
		}
		return errors.Join(rest...)
	}
	var refused *Refusal
	if errors.Is(err, context.Canceled) || errors.As(err, &refused) {
		return nil
	}
	return err
}

func (s *Session) setPhase(p Phase) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.Phase = p
	s.nudge()
}

func (s *Session) note(kind, format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log(time.Now(), kind, format, args...)
}

// update changes the state under the lock and shows it.
func (s *Session) update(change func(*State)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.state)
	s.nudge()
}

// perform runs one plan to its end with the engine in view of every State.
// Cancelling ctx stops it in peace first if it is a swarm, and cuts off what
// is still under way when the plan's grace is over.
func (s *Session) perform(ctx context.Context, plan profiles.Plan, keep int) (load.Result, error) {
	engine, err := load.New(plan, load.Options{
		Identifier: s.identifier, SLO: s.config.SLO, Keep: keep, NewConn: s.config.NewConn,
	})
	if err != nil {
		return load.Result{}, err
	}
	s.mu.Lock()
	s.engine, s.pointed = engine, 0
	session := s.ctx
	s.mu.Unlock()
	stop := context.AfterFunc(ctx, engine.Stop)
	defer stop()
	return engine.Run(session)
}

// swarm is the job of Start, and what a job that took over from it ends with.
func (s *Session) swarm(ctx context.Context, j *job) error {
	s.mu.Lock()
	plan := s.state.Plan
	j.swarming = true
	s.state.Phase = Swarming
	s.mu.Unlock()
	s.note("run", "swarming %s with %s", plan.Target, describePlan(plan))
	result, err := s.perform(ctx, plan, 0)
	if err != nil {
		return err
	}
	s.note("run", "stopped after %s: %d requests, %d failed", result.Elapsed.Round(time.Second), result.Total.Count, result.Total.Failed)
	return nil
}

func describePlan(p profiles.Plan) string {
	if p.Open() {
		return fmt.Sprintf("%s arrivals at %s/s", p.Arrivals, profiles.FormatRate(p.Load().At(0)))
	}
	return fmt.Sprintf("%d users, %s started per second", p.Users, profiles.FormatRate(p.SpawnRate))
}

// measure finds the capacity of one replica and advises a policy; the advice is
// nil when no traffic is known. The scaler is pinned meanwhile. A *Refusal is
// an error here, and in the measurement if it is one of the capacity.
func (s *Session) measure(ctx context.Context) (m Measurement, advice *Recommendation, err error) {
	options := SearchOptions{SLO: s.config.SLO, Budget: s.config.Budget, Seed: s.config.Plan.Seed}
	if err := options.Validate(); err != nil {
		return m, nil, err
	}
	s.update(func(st *State) { st.Search = &SearchState{Budget: options.Budget, Left: options.Budget} })
	s.note("measure", "measuring for %s: what does one replica hold under %s?", options.Budget, options.SLO)
	if s.config.Scaler != nil {
		// Also after a pin that failed: it may have been made all the same.
		defer func() { err = errors.Join(err, s.unpin(context.WithoutCancel(ctx))) }()
		if err := s.pin(ctx, 1); err != nil {
			return m, nil, err
		}
	}
	options.Progress = func(steps []Observation, left time.Duration) {
		last := steps[len(steps)-1]
		s.note("measure", "%s: %s/s, p95 %s: %s (%s)", last.Trial.Name, profiles.FormatRate(last.Rate), latency(last.P95), last.Verdict, last.Why)
		s.updateSearch(func(search *SearchState) { search.Steps, search.Left = steps[:len(steps):len(steps)], left })
	}
	capacity, err := Search(ctx, runner{s}, options)
	s.updateSearch(func(search *SearchState) { search.Now = Trial{} })
	if err != nil {
		return m, nil, err
	}
	if capacity.Replicas == 0 {
		capacity.Replicas = max(1, s.config.Replicas)
	}
	m = Measurement{
		Version: profiles.Version, Kind: "measurement", Target: s.config.Plan.Target, SLO: options.SLO.String(),
		Date: time.Now().UTC(), Machine: thisMachine(), Local: s.config.Scaler != nil, StartUp: s.startUps(), Capacity: capacity,
	}
	s.updateSearch(func(search *SearchState) { search.Capacity = &capacity })
	s.mu.Lock()
	s.measured = m
	s.mu.Unlock()
	advice, err = s.advise(m)
	return m, advice, err
}

// updateSearch changes a copy of the search in view.
func (s *Session) updateSearch(change func(*SearchState)) {
	s.update(func(st *State) {
		next := *st.Search
		change(&next)
		st.Search = &next
	})
}

// advise puts the recommendation that follows from a measurement in view. An
// earlier one that is in force stays in view until there is another.
func (s *Session) advise(m Measurement) (*Recommendation, error) {
	if m.Capacity.Refusal == nil && !s.config.Traffic.Known() {
		s.note("advice", "one replica holds %s; give --traffic LOW..HIGH to turn that into a policy", m.Capacity.SLO)
		return nil, nil
	}
	advice, err := m.Advise(s.config.Traffic, s.config.Headroom, s.config.Interval)
	if refusal := (*Refusal)(nil); errors.As(err, &refusal) {
		s.note("advice", "refused: %v", refusal)
		s.update(func(st *State) {
			st.Refusal = refusal
			if !st.Applied {
				st.Advice = nil
			}
		})
		return nil, err
	}
	if err != nil {
		return nil, err
	}
	s.note("advice", "min %d, max %s, target %s/s per replica (grade %s)",
		advice.Policy.Replicas.Min, advice.Policy.Replicas.Max, advice.Policy.Metrics[0].Target, advice.Grade)
	s.update(func(st *State) {
		if st.Applied { // what it led to is what the next one is compared with
			st.Before = st.After
		}
		st.Advice, st.Refusal, st.Applied, st.After = &advice, nil, false, nil
	})
	return &advice, nil
}

// apply puts the advice in force and waits until its min is up.
func (s *Session) apply(ctx context.Context) error {
	s.mu.Lock()
	advice := s.state.Advice
	s.mu.Unlock()
	if advice == nil {
		return errNoAdvice
	}
	if err := s.follow(ctx, advice.Applied); err != nil {
		return err
	}
	s.update(func(st *State) { st.Applied, st.Policy = true, advice.Applied })
	s.note("apply", "the scaler follows the advice: min %d, max %s, target %s/s per replica",
		advice.Applied.Replicas.Min, advice.Applied.Replicas.Max, advice.Applied.Metrics[0].Target)
	return s.awaitFleet(ctx, fmt.Sprintf("%d replicas up", advice.Applied.Replicas.Min),
		func(up, _ int) bool { return up >= advice.Applied.Replicas.Min })
}

// replay performs the load that before and after are compared under.
func (s *Session) replay(ctx context.Context, label string) (Outcome, error) {
	s.note("verify", "%s: the same load, %s", label, describePlan(s.config.Replay))
	watch := s.watchFleet()
	result, err := s.perform(ctx, s.config.Replay, 0)
	least, most := watch()
	if err != nil {
		return Outcome{}, err
	}
	if err := ctx.Err(); err != nil {
		return Outcome{}, err
	}
	o := Outcome{
		Label: label, Stats: result.Total, SLO: result.SLO, Replicas: result.Replicas,
		Least: least, Most: most, Health: result.Health,
	}
	s.note("verify", "%s: p95 %s, %s/s, %.2f %% failed, %d replicas answered", label,
		latency(o.Stats.Latency.P95), profiles.FormatRate(o.Stats.Rate()), o.Stats.FailShare()*100, len(o.Replicas))
	return o, nil
}

func latency(d time.Duration) string {
	if d == infinite {
		return "unbounded"
	}
	return profiles.FormatLatency(d)
}
