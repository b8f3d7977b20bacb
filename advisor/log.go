package advisor

import (
	"fmt"
	"maps"
	"time"

	"headroom/probe"
	"headroom/profiles"
)

// noticeReplicas logs replicas that appear, answer for the first time, fall
// silent, go and come back. A scaler that chooses who answers leaves some
// silent on purpose. mu is held.
func (s *Session) noticeReplicas(now time.Time, f probe.Fleet) {
	chosen := s.config.Scaler != nil && !s.config.Behind
	for _, r := range f.Replicas {
		was, known := s.seen[r.ID]
		if was == r.State || chosen && r.State == probe.Quiet {
			continue
		}
		s.seen[r.ID] = r.State
		switch {
		case r.State == probe.New, r.State == probe.Serving:
			if !s.answered[r.ID] {
				s.answered[r.ID] = true
				s.log(now, "replica", "%s answers%s", r.ID, sinceStep(r))
			} else if was == probe.Gone || was == probe.Quiet {
				s.log(now, "replica", "%s answers again", r.ID)
			}
		case r.State == probe.Starting && r.Since.After(s.began):
			s.log(now, "replica", "%s starts", r.ID)
		case r.State == probe.Ready && was == probe.Starting:
			s.log(now, "replica", "%s is ready", r.ID)
		case r.State == probe.Suspect:
			s.log(now, "replica", "%s gets no requests: %s", r.ID, r.LastError)
		case r.State == probe.Failing:
			s.log(now, "replica", "%s ended by itself: %s", r.ID, r.LastError)
		case r.State == probe.Quiet && known:
			s.log(now, "replica", "%s has been quiet since %s", r.ID, r.LastSeen.Format(time.TimeOnly))
		case r.State == probe.Gone && known && r.Answered && !r.Managed:
			s.log(now, "replica", "%s is gone: nothing since %s", r.ID, r.LastSeen.Format(time.TimeOnly))
		case r.State == probe.Gone && known:
			s.log(now, "replica", "%s is gone", r.ID)
		}
	}
}

// noticeLoad logs what the charts mark and nothing else tells: the load steps of
// a plan, once they have come to rest, and the SLO lost and regained. mu is held.
func (s *Session) noticeLoad(now time.Time, t Timeline) {
	for _, e := range t.Episodes {
		if e.Cause == Planned && e.At > s.stepped && now.Sub(s.began)-e.Settled >= stepRest {
			s.stepped = e.At
			s.log(s.began.Add(e.At), "load", "%s", e.Change())
		}
	}
	for _, a := range t.Annotations {
		if (a.Kind == SLOLost || a.Kind == SLORegained) && a.At > s.judged {
			s.judged = a.At
			s.log(s.began.Add(a.At), "slo", "%s", a.Text)
		}
	}
}

// forgetNames takes what is no replica any more out of what was logged. mu is
// held.
func (s *Session) forgetNames(f probe.Fleet) {
	there := map[string]bool{}
	for _, r := range f.Replicas {
		there[r.ID] = true
	}
	gone := func(id string) bool { return !there[id] }
	maps.DeleteFunc(s.seen, func(id string, _ probe.State) bool { return gone(id) })
	maps.DeleteFunc(s.answered, func(id string, _ bool) bool { return gone(id) })
}

// sinceStep says how long a replica took to answer, where that is known.
func sinceStep(r probe.Replica) string {
	if r.AfterStep == nil {
		return ""
	}
	return fmt.Sprintf(", %s after the load step", profiles.FormatLatency(*r.AfterStep))
}

// log adds an event. mu is held. Earlier States keep their own view of the
// log.
func (s *Session) log(now time.Time, kind, format string, args ...any) {
	n := 1
	if l := len(s.state.Events); l > 0 {
		n = s.state.Events[l-1].N + 1
	}
	events := s.state.Events
	if len(events) >= maxEvents {
		events = append([]Event(nil), events[len(events)-maxEvents/2:]...)
	}
	s.state.Events = append(events, Event{N: n, At: now, Kind: kind, Text: fmt.Sprintf(format, args...)})
}
