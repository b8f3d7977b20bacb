package advisor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"headroom/load"
	"headroom/profiles"
)

// TuneVerdict is how a tune ended.
type TuneVerdict string

// The verdicts of a tune.
const (
	Held         TuneVerdict = "held"
	NotHeld      TuneVerdict = "not held"
	Inconclusive TuneVerdict = "inconclusive"
	AdviceOnly   TuneVerdict = "advice only" // there is no scaler of ours to apply it to
)

// TuneResult is what a tune found and did.
type TuneResult struct {
	Measurement Measurement     `json:"measurement"`
	Refusal     *Refusal        `json:"refusal,omitempty"` // of the measurement, or of the advice; then nothing was applied, and there is no verdict
	Advice      *Recommendation `json:"advice,omitempty"`
	Before      *Outcome        `json:"before,omitempty"`
	After       *Outcome        `json:"after,omitempty"`
	Verdict     TuneVerdict     `json:"verdict"`
	Why         string          `json:"why"`
	Wrong       []string        `json:"wrong,omitempty"`     // what the advice took for granted and the load after showed to be otherwise; only where it did not hold
	Corrected   *Recommendation `json:"corrected,omitempty"` // what would be advised by that; nil: nothing else
	Restored    bool            `json:"restored"`            // the former policy is in force again
	Rise        float64         `json:"rise"`                // of the load that it was tried with, requests/s each second, where that is steepest
	Tried       []string        `json:"tried,omitempty"`     // what that load had of the traffic, and what it had not
	Timeline    Timeline        `json:"timeline"`            // of the load before, and of the same after
}

// Tune measures, advises, applies and verifies: the load of the comparison,
// the measurement, the advice put in force, the same load again. When the
// advice does not hold, or the tune is cut short after it was applied, the
// former policy is put back unless keep is set. A *Refusal is returned as the
// error, with what was found so far.
func (s *Session) Tune(ctx context.Context, keep bool) (TuneResult, error) {
	var result TuneResult
	var failed error
	ended := make(chan chan struct{}, 1)
	err := s.begin(Replaying, false, func(jobCtx context.Context, j *job) error {
		ended <- j.ended
		jobCtx, cancel := context.WithCancel(jobCtx)
		defer cancel()
		defer context.AfterFunc(ctx, cancel)()
		failed = s.tune(jobCtx, &result, keep)
		return failed
	})
	if err != nil {
		return result, err
	}
	<-<-ended // and not when the body returns: the session takes the next job from here on
	result.Timeline = s.timeline()
	return result, failed
}

func (s *Session) tune(ctx context.Context, r *TuneResult, keep bool) error {
	managed := s.config.Scaler != nil
	release, err := s.claim(ctx)
	if err != nil {
		return err
	}
	defer release()
	if managed {
		before, err := s.replay(ctx, false)
		if err != nil {
			return err
		}
		r.Before = &before
	}
	s.setPhase(Measuring)
	if r.Measurement, r.Advice, err = s.measure(ctx); err != nil {
		if !errors.As(err, &r.Refusal) { // an interruption, which the capacity knows too
			r.Refusal = r.Measurement.Capacity.Refusal
		}
		return err
	}
	if !managed || r.Advice == nil {
		r.Verdict, r.Why = AdviceOnly, "the target has no scaler of ours: the advice was not applied"
		return nil
	}
	return s.prove(ctx, r, keep)
}

// prove applies the advice, replays the load and judges it.
func (s *Session) prove(ctx context.Context, r *TuneResult, keep bool) (err error) {
	s.askScaler(ctx) // somebody else may have changed the policy since the tune began
	former := s.policy()
	defer func() {
		if keep || err == nil && r.Verdict == Held {
			return
		}
		restored := s.restore(context.WithoutCancel(ctx), former)
		r.Restored = restored == nil
		err = errors.Join(err, restored)
	}()
	s.setPhase(Applying)
	if err := s.settle(ctx, r.Advice.Applied); err != nil {
		return err
	}
	if err := s.apply(ctx); err != nil {
		return err
	}
	s.setPhase(Replaying)
	after, err := s.replay(ctx, true)
	if err != nil {
		return err
	}
	r.After = &after
	r.Rise, r.Tried = steepest(s.config.Replay), tried(s.config.Replay, s.traffic(), s.config.Sizing)
	r.Verdict, r.Why = s.judge(after, *r.Advice)
	s.note("verify", "%s: %s", r.Verdict, r.Why)
	if r.Verdict == NotHeld {
		s.learn(r)
	}
	return nil
}

// settle brings the fleet to where a policy would have it in a quiet hour, and
// waits until its windows have forgotten the measurement: the replay must not
// begin with replicas that it did not ask for itself.
func (s *Session) settle(ctx context.Context, p profiles.Policy) (err error) {
	if err := s.checkPin(ctx); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.unpin(context.WithoutCancel(ctx)))
		}
	}()
	if err := s.pin(ctx, p.Initial()); err != nil {
		return err
	}
	longest := time.Duration(0)
	for _, m := range p.Metrics {
		longest = max(longest, m.Window.Std())
	}
	if err := s.hold(ctx, p.Initial(), longest); err != nil { // the pin was for the way there
		return err
	}
	select {
	case <-time.After(longest):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (s *Session) restore(ctx context.Context, former profiles.Policy) error {
	if err := s.follow(ctx, former); err != nil {
		return err
	}
	s.update(func(st *State) { st.Applied, st.Policy = false, former })
	s.note("apply", "the former policy is in force again: min %d, max %s", former.Replicas.Min, former.Replicas.Max)
	return nil
}

// judge says whether the advice held.
func (s *Session) judge(after Outcome, advice Recommendation) (TuneVerdict, string) {
	held, ok := after.Held()
	switch {
	case !ok && after.Health.Verdict == load.Limited:
		return Inconclusive, "the load generator was the limit: " + after.Health.Reason
	case !ok:
		return Inconclusive, "there is not enough to judge it by"
	case held && after.Short != "":
		return Inconclusive, fmt.Sprintf("%s held up to %s, with %d to %d replicas", s.config.SLO, after.Short, after.Least, after.Most)
	case held:
		return Held, fmt.Sprintf("%s with %d to %d replicas", s.config.SLO, after.Least, after.Most)
	}
	why := ""
	for _, o := range after.SLO {
		if o.Valid && !o.Holds {
			why = fmt.Sprintf("%s is wanted, it is %s", o.Name, o.Format())
			break
		}
	}
	if advice.Capped != "" {
		why += "; " + advice.Capped
	}
	return NotHeld, why
}
