package advisor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"headroom/load"
	"headroom/profiles"
)

// job is what a session does at the moment. One at a time.
type job struct {
	cancel   context.CancelFunc
	ended    chan struct{}
	swarming bool // it is a swarm, which others may take over from; guarded by Session.mu
}

// begin starts a job. A swarm under way is stopped for it; takeover says
// whether that is allowed, and the job learns whether it happened.
func (s *Session) begin(phase Phase, takeover bool, run func(ctx context.Context, wasSwarming bool) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.beginLocked(phase, takeover, run)
}

// beginLocked is begin with mu held.
func (s *Session) beginLocked(phase Phase, takeover bool, run func(ctx context.Context, wasSwarming bool) error) error {
	if s.ctx == nil || s.closed {
		return errNotRunning
	}
	before := s.job
	if before != nil && !(takeover && before.swarming) {
		return ErrBusy
	}
	ctx, cancel := context.WithCancel(s.ctx)
	j := &job{cancel: cancel, ended: make(chan struct{}), swarming: phase == Swarming}
	s.job = j
	s.state.Problem = ""
	if before == nil {
		s.state.Phase = phase
	}
	s.jobs.Go(func() {
		defer cancel()
		if before != nil {
			before.cancel()
			<-before.ended
			s.setPhase(phase)
		}
		err := run(ctx, before != nil)
		s.finish(j, err)
	})
	s.nudge()
	return nil
}

func (s *Session) finish(j *job, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var refused *Refusal
	if err != nil && !errors.Is(err, context.Canceled) && !errors.As(err, &refused) {
		s.state.Problem = err.Error()
		s.log(time.Now(), "error", "%v", err)
	}
	if s.job == j {
		s.job = nil
		s.state.Phase = Idle
	}
	close(j.ended)
	s.nudge()
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

// swarm is the job of Start.
func (s *Session) swarm(ctx context.Context) error {
	s.mu.Lock()
	plan := s.state.Plan
	if s.job != nil {
		s.job.swarming = true
	}
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

// pinned is how long a pin outlives the step it is for: a measurement that
// dies must not leave a fleet small.
const pinned = time.Minute

// measure finds the capacity of one replica. The scaler is pinned meanwhile
// and follows its policy again afterwards.
func (s *Session) measure(ctx context.Context) (err error) {
	options := SearchOptions{SLO: s.config.SLO, Budget: s.config.Budget, Seed: s.config.Plan.Seed}
	if err := options.Validate(); err != nil {
		return err
	}
	search := &SearchState{Budget: options.Budget, Left: options.Budget}
	s.update(func(st *State) { st.Search, st.Advice, st.Refusal, st.Applied = search, nil, nil, false })
	s.note("measure", "measuring for %s: what does one replica hold under %s?", options.Budget, options.SLO)
	if s.config.Scaler != nil {
		if err := s.pin(ctx, 1, pinned); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, s.follow(context.WithoutCancel(ctx), s.policy())) }()
	}
	options.Progress = func(steps []Observation, left time.Duration) {
		last := steps[len(steps)-1]
		s.note("measure", "%s: %s/s, p95 %s: %s (%s)", last.Trial.Name, profiles.FormatRate(last.Rate), latency(last.P95), last.Verdict, last.Why)
		s.update(func(st *State) {
			next := *st.Search
			next.Steps, next.Left = steps[:len(steps):len(steps)], left
			st.Search = &next
		})
	}
	capacity, err := Search(ctx, runner{s}, options)
	if err != nil {
		return err
	}
	if capacity.Replicas == 0 {
		capacity.Replicas = max(1, s.config.Replicas)
	}
	m := Measurement{
		Version: profiles.Version, Kind: "measurement", Target: s.config.Plan.Target, SLO: options.SLO.String(),
		Date: time.Now().UTC(), Machine: thisMachine(), Local: s.config.Scaler != nil, StartUp: s.startUps(), Capacity: capacity,
	}
	s.update(func(st *State) {
		next := *st.Search
		next.Now, next.Capacity = Trial{}, &capacity
		st.Search = &next
	})
	s.mu.Lock()
	s.measured = m
	s.mu.Unlock()
	return s.advise(m)
}

// advise puts the recommendation that follows from a measurement in view.
func (s *Session) advise(m Measurement) error {
	if m.Capacity.Refusal == nil && !s.config.Traffic.Known() {
		s.note("advice", "one replica holds %s; give --traffic LOW..HIGH to turn that into a policy", m.Capacity.SLO)
		return nil
	}
	advice, err := m.Advise(s.config.Traffic, s.config.Headroom, s.config.Interval)
	if refusal := (*Refusal)(nil); errors.As(err, &refusal) {
		s.note("advice", "refused: %v", refusal)
		s.update(func(st *State) { st.Refusal = refusal })
		return err
	}
	if err != nil {
		return err
	}
	s.note("advice", "min %d, max %s, target %s/s per replica (grade %s)",
		advice.Policy.Replicas.Min, advice.Policy.Replicas.Max, advice.Policy.Metrics[0].Target, advice.Grade)
	s.update(func(st *State) { st.Advice = &advice })
	return nil
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
