package advisor

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"headroom/load"
	"headroom/profiles"
)

// Start swarms the target as planned.
func (s *Session) Start() error {
	return s.begin(Swarming, false, s.swarm)
}

// Stop ends what is under way: a swarm in peace, a measurement or a replay
// without a result. It does not wait for the end.
func (s *Session) Stop() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx == nil || s.closed {
		return errNotRunning
	}
	for _, j := range []*job{s.job, s.next, s.aside} {
		if j != nil {
			j.cancel()
		}
	}
	return nil
}

// SetUsers changes the users of the swarm under way, and of the next one,
// instead of a shape.
func (s *Session) SetUsers(n int) error {
	if n < 1 || n > profiles.MostUsers {
		return fmt.Errorf("users: got %d, want 1 to %d", n, profiles.MostUsers)
	}
	return s.steer(false, func(e *load.Engine) { e.SetUsers(n) }, func(p *profiles.Plan) { p.Users, p.UserShape = n, nil },
		profiles.Plural(n, "user is", "users are")+" wanted")
}

// SetSpawnRate changes how many users start per second.
func (s *Session) SetSpawnRate(perSecond float64) error {
	if !(perSecond > 0) || math.IsInf(perSecond, 1) {
		return fmt.Errorf("spawn rate: got %v, want more than 0 per second, and finite", perSecond)
	}
	return s.steer(false, func(e *load.Engine) { e.SetSpawnRate(perSecond) }, func(p *profiles.Plan) { p.SpawnRate = perSecond },
		profiles.FormatRate(perSecond)+" users start per second")
}

// SetRate changes how many arrivals per second come in the swarm under way,
// and in the next one, instead of a shape.
func (s *Session) SetRate(perSecond float64) error {
	if !(perSecond > 0) || perSecond > profiles.MostRate {
		return fmt.Errorf("rate: got %v, want more than 0 per second, and %d at most", perSecond, profiles.MostRate)
	}
	return s.steer(true, func(e *load.Engine) { e.SetRate(perSecond) }, func(p *profiles.Plan) { p.Rate, p.Shape = perSecond, nil },
		profiles.FormatRate(perSecond)+" arrivals come per second")
}

// steer changes the load of one model, and notes what a swarm under way was
// told.
func (s *Session) steer(open bool, live func(*load.Engine), planned func(*profiles.Plan), told string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch is := s.state.Plan.Open(); {
	case is && !open:
		return errors.New("users: the load is a rate of arrivals, not a number of users")
	case open && !is:
		return errors.New("rate: the load is a number of users, not a rate of arrivals")
	}
	planned(&s.state.Plan)
	if s.swarming() && s.swarmed != nil {
		live(s.swarmed)
		s.noteHand(told, true)
	}
	s.nudge()
	return nil
}

// TogglePause stops sending, or goes on, without ending the run.
func (s *Session) TogglePause() error {
	return s.withEngine(true, func(e *load.Engine) string {
		switch paused, ok := e.TogglePause(); {
		case !ok:
			return ""
		case paused:
			return "a pause begins"
		}
		return "the load goes on"
	})
}

// Recycle replaces every connection before its next request.
func (s *Session) Recycle() error {
	return s.withEngine(false, func(e *load.Engine) string {
		e.Recycle()
		return "every connection is replaced before its next request"
	})
}

// ResetStats forgets the totals of the run.
func (s *Session) ResetStats() error {
	return s.withEngine(false, func(e *load.Engine) string {
		e.ResetStats()
		return "the statistics begin anew"
	})
}

var errNoSwarm = errors.New("there is no swarm under way")

// withEngine changes the swarm under way and notes what do says it did, if
// anything; steers says that it changes how much load there is.
func (s *Session) withEngine(steers bool, do func(*load.Engine) string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.swarming() || s.swarmed == nil {
		return errNoSwarm
	}
	if told := do(s.swarmed); told != "" {
		s.noteHand(told, steers)
		s.nudge()
	}
	return nil
}

// noteHand notes what a hand did to a swarm. mu is held.
func (s *Session) noteHand(told string, steers bool) {
	now := time.Now()
	s.log(now, "hand", "%s", told)
	c := &s.chronicle
	c.facts.Edits, c.stale = keep(c.facts.Edits, edit{now.Sub(s.began), told, steers}), true
}

// Advise measures the capacity and derives a policy. A swarm under way makes
// room and comes back afterwards.
func (s *Session) Advise() error {
	return s.begin(Measuring, true, func(ctx context.Context, _ *job) error {
		release, err := s.claim(ctx)
		if err != nil {
			return err
		}
		defer release()
		_, _, err = s.measure(ctx)
		return err
	})
}

// Apply puts the advice in force at the scaler, beside a swarm under way.
func (s *Session) Apply() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.config.Scaler == nil:
		return errors.New("there is no scaler to apply it to: export the policy instead")
	case s.state.Advice == nil:
		return errNoAdvice
	case s.swarming():
		return s.beside(s.apply)
	}
	return s.beginLocked(Applying, false, func(ctx context.Context, _ *job) error { return s.apply(ctx) })
}

// Verify replays the load for the comparison under the policy in force.
func (s *Session) Verify() error {
	return s.begin(Replaying, true, func(ctx context.Context, _ *job) error {
		release, err := s.claim(ctx)
		if err != nil {
			return err
		}
		defer release()
		_, err = s.replay(ctx, s.State().Applied)
		return err
	})
}

// Measured is the latest measurement, or what was left of the first when it was
// interrupted; ok is false before.
func (s *Session) Measured() (m Measurement, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.measured, s.measured.Kind != ""
}
