package advisor

import (
	"fmt"

	"headroom/profiles"
)

// SetTraffic says what the advice is for. Where a measurement has ended, the
// advice follows from it at once. While a job is under way that measures,
// applies or replays an advice it is ErrBusy.
func (s *Session) SetTraffic(t profiles.Traffic) error {
	if t.Low <= 0 || t.High < t.Low {
		return fmt.Errorf("traffic: got %s, want LOW..HIGH with 0 < LOW <= HIGH", t)
	}
	s.mu.Lock()
	if s.aside != nil || s.next != nil || s.job != nil && !s.swarming() {
		s.mu.Unlock()
		return ErrBusy
	}
	s.state.Traffic = t
	m := s.measured
	s.nudge()
	s.mu.Unlock()
	if m.Kind == "" || m.Capacity.Refusal != nil {
		return nil
	}
	_, err := s.advise(m)
	return Failure(err)
}

// traffic is what the advice is for at the moment.
func (s *Session) traffic() profiles.Traffic {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state.Traffic
}
