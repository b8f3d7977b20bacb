package advisor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"headroom/load"
	"headroom/profiles"
)

// job is one thing that a session does. One has the load at a time; another
// may wait to take it over from a swarm, and one goes on beside a swarm:
//
//	job    has the load
//	next   takes it over when the swarm has ended, which it sees to itself
//	aside  leaves it alone; next waits for it while the swarm goes on
type job struct {
	cancel context.CancelFunc
	ended  chan struct{}
	phase  Phase // guarded by Session.mu
}

// swarming reports whether the load is that of a swarm, which others may take
// over. mu is held.
func (s *Session) swarming() bool { return s.job != nil && s.job.phase == Swarming }

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
	if s.next != nil || !takeover && (swarm != nil || aside != nil) || swarm != nil && !s.swarming() {
		return ErrBusy
	}
	ctx, j := s.newJob(phase)
	if swarm == nil {
		s.job, s.state.Phase = j, phase
		if phase == Swarming {
			s.swarmed = nil // until it has an engine
		}
	} else {
		s.next = j
	}
	s.jobs.Go(func() {
		if aside != nil {
			<-aside.ended
		}
		if swarm != nil {
			swarm.cancel()
			<-swarm.ended
		}
		if swarm != nil && ctx.Err() != nil { // stopped before its turn came
			s.finish(j, nil)
			return
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
	if s.aside != nil || s.next != nil || s.closed {
		return ErrBusy
	}
	ctx, j := s.newJob(Applying)
	s.aside = j
	s.jobs.Go(func() { s.finish(j, run(ctx)) })
	return nil
}

// newJob makes a job that ends with the session. mu is held.
func (s *Session) newJob(phase Phase) (context.Context, *job) {
	ctx, cancel := context.WithCancel(s.ctx)
	s.state.Problem = ""
	s.nudge()
	return ctx, &job{cancel: cancel, ended: make(chan struct{}), phase: phase}
}

// finish ends a job; the load goes to the one that waits for it.
func (s *Session) finish(j *job, err error) {
	s.fail(err)
	j.cancel()
	s.mu.Lock()
	defer s.mu.Unlock()
	switch j {
	case s.aside:
		s.aside = nil
	case s.job:
		s.job, s.next, s.state.Phase = s.next, nil, Idle
		if s.job != nil {
			s.state.Phase = s.job.phase
		}
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

func (s *Session) setPhase(p Phase) { s.update(func(st *State) { st.Phase = p }) }

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
	s.mu.Lock()
	engine, err := s.show(plan, keep)
	s.mu.Unlock()
	if err != nil {
		return load.Result{}, err
	}
	return s.drive(ctx, engine)
}

// show makes the engine of a plan and puts it in view. mu is held.
func (s *Session) show(plan profiles.Plan, keep int) (*load.Engine, error) {
	options := load.Options{Identifier: s.identifier, SLO: s.config.SLO, Keep: keep, Lately: s.config.Lately, NewConn: s.config.NewConn}
	if s.swarming() {
		options.Thresholds = s.config.Thresholds
	}
	engine, err := load.New(plan, options)
	if err != nil {
		return nil, err
	}
	s.engine, s.pointed = engine, 0
	if s.swarming() {
		s.swarmed = engine
	}
	return engine, nil
}

func (s *Session) drive(ctx context.Context, engine *load.Engine) (load.Result, error) {
	stop := context.AfterFunc(ctx, engine.Stop)
	defer stop()
	return engine.Run(s.ctx)
}

// swarm is the job of Start, and what a job that took over from it ends with.
func (s *Session) swarm(ctx context.Context, j *job) error {
	// One step: who steers finds the engine of the plan, or comes before it was read.
	s.mu.Lock()
	plan := s.state.Plan
	j.phase, s.state.Phase = Swarming, Swarming
	engine, err := s.show(plan, 0)
	s.mu.Unlock()
	if err != nil {
		return err
	}
	s.note("run", "swarming %s with %s", plan.ShownTarget(), describePlan(plan))
	result, err := s.drive(ctx, engine)
	if err != nil {
		return err
	}
	if result.EndedBy != "" {
		s.note("run", "the threshold %s was missed, which ended the load", result.EndedBy)
	}
	s.note("run", "stopped after %s: %s", result.Elapsed.Round(time.Second), describeResult(result.Total))
	return nil
}

// describeResult counts what came of a swarm. A stream that its end cut off is
// none of the requests.
func describeResult(r load.Stats) string {
	text := fmt.Sprintf("%s, %d failed", profiles.Plural(r.Count, "request", "requests"), r.Failed)
	if n := r.OpenStreams(); n > 0 {
		text += fmt.Sprintf(", %s still open", profiles.Plural(n, "stream", "streams"))
	}
	return text
}

func describePlan(p profiles.Plan) string {
	switch {
	case p.Open():
		return fmt.Sprintf("%s arrivals, %s", p.Process(), describeShape(p.Load(), func(rate float64) string { return profiles.FormatRate(rate) + "/s" }))
	case p.UserShape != nil:
		return describeShape(p.UserShape, func(users float64) string { return profiles.Plural(int(users), "user", "users") })
	}
	return fmt.Sprintf("%s, %s started per second", profiles.Plural(p.Users, "user", "users"), profiles.FormatRate(p.SpawnRate))
}

// describeRise says how steep a load is, or nothing of one that never rises.
func describeRise(p profiles.Plan) string {
	rise := steepest(p)
	if rise == 0 {
		return ""
	}
	return fmt.Sprintf(", rising by %s requests/s each second at most", profiles.FormatRate(rise))
}

// fewStages are as many as are worth reading.
const fewStages = 8

// describeShape writes "10/s", or "10/s to 40/s and back" for a load that
// changes.
func describeShape(s profiles.Shape, text func(float64) string) string {
	length, _ := profiles.LengthOf(s)
	switch s := s.(type) {
	case profiles.Sine:
		return fmt.Sprintf("%s to %s and back every %v", text(s.Low), text(s.High), profiles.Duration(s.Period))
	case profiles.Ramp:
		if len(s.Stages) <= fewStages {
			return describeRamp(s, text)
		}
		return fmt.Sprintf("%d stages in %v", len(s.Stages), profiles.Duration(length))
	case profiles.Constant:
		return text(float64(s))
	}
	return fmt.Sprintf("%.0f recorded in %v", s.Area(length), profiles.Duration(length.Round(time.Second)))
}

func describeRamp(r profiles.Ramp, load func(float64) string) string {
	text, at := load(r.At(0)), r.At(0)
	for i, stage := range r.Stages {
		switch {
		case stage.To == at:
		case i == len(r.Stages)-1 && stage.To == r.From:
			text += " and back"
		default:
			text += " to " + load(stage.To)
		}
		at = stage.To
	}
	return text
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
	s.note("apply", "the scaler follows the advice: %s", describePolicy(advice.Applied))
	return s.awaitFleet(ctx, fmt.Sprintf("%d %s up", advice.Applied.Replicas.Min, plural(advice.Applied.Replicas.Min)),
		func(up, _ int) bool { return up >= advice.Applied.Replicas.Min })
}

// replay performs the load that before and after are compared under, and keeps
// what came of it as the one or the other.
func (s *Session) replay(ctx context.Context, after bool) (Outcome, error) {
	label := "before"
	if after {
		label = "after"
	}
	s.note("verify", "%s: the same load, %s%s", label, describePlan(s.config.Replay), describeRise(s.config.Replay))
	watch := s.watchFleet()
	result, err := s.perform(ctx, s.config.Replay, 0)
	seen := watch()
	if err != nil {
		return Outcome{}, err
	}
	if err := ctx.Err(); err != nil {
		return Outcome{}, err
	}
	o := outcomeOf(result, seen, s.config.SLO, s.config.Sizing.Price)
	o.Short, _ = short(s.config.Replay, s.traffic(), s.config.Sizing)
	s.note("verify", "%s: p95 %s, %s/s, %.2f %% failed, %d %s answered", label, latency(o.Stats.Latency.P95),
		profiles.FormatRate(o.Stats.Rate()), o.Stats.FailShare()*100, len(o.Replicas), plural(len(o.Replicas)))
	s.update(func(st *State) {
		if after {
			st.After = &o
		} else {
			st.Before = &o
		}
	})
	return o, nil
}

func latency(d time.Duration) string {
	if d == infinite {
		return "unbounded"
	}
	return profiles.FormatLatency(d)
}
