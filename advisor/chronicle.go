package advisor

import (
	"slices"
	"time"

	"headroom/load"
	"headroom/probe"
	"headroom/profiles"
)

// maxFacts bounds each kind of what a session remembers for its timeline; the
// older half goes when it is full.
const maxFacts = 1000

// chronicle collects the facts of a timeline while a session goes on. It
// belongs to the session's lock.
type chronicle struct {
	facts  Facts // without Now and Points
	wanted *int  // replicas, by the latest look at the scaler; nil: there was none
	stale  bool  // there is more than the timeline tells
}

// keep adds a fact to those of its kind.
func keep[T any](list []T, one T) []T {
	if len(list) >= maxFacts {
		list = slices.Clone(list[len(list)-maxFacts/2:])
	}
	return append(list, one)
}

// noteLoad follows the present load of a swarm or a replay. Those of a
// measurement are no traffic: the fleet is held, and the load jumps as the
// search wants.
func (c *chronicle) noteLoad(began time.Time, phase Phase, run load.Snapshot) {
	at := run.Started.Sub(began)
	n := len(c.facts.Loads) - 1
	if known := n >= 0 && c.facts.Loads[n].At == at; !known {
		if over := run.Phase == load.Done; run.Started.IsZero() || over || phase != Swarming && phase != Replaying {
			return
		}
		c.facts.Loads = keep(c.facts.Loads, Stretch{At: at, Open: run.Open})
		n = len(c.facts.Loads) - 1
	}
	if l := &c.facts.Loads[n]; l.End == nil && (run.Phase == load.Draining || run.Phase == load.Done) {
		end := at + run.Loaded
		l.End, c.stale = &end, true
	}
}

// noteMove notes that a scaler wants another number of replicas, with the
// decision where it is the one that did it: between two looks at the scaler
// there may have been several.
func (c *chronicle) noteMove(at time.Duration, wanted int, decision profiles.Decision, decided time.Duration) {
	was := c.wanted
	c.wanted = &wanted
	if was == nil || *was == wanted {
		return
	}
	m := Move{At: at, From: *was, To: wanted}
	if decision.Current == *was && decision.Desired == wanted {
		m.At, m.Why = decided, decision.Why()
	}
	c.facts.Moves, c.stale = keep(c.facts.Moves, m), true
}

// noteReplicas notes what is new about the replicas. What a scaler knows
// exactly is taken from it; that a replica must go is known by the look that
// first shows it. A replica without a scaler is gone when it has been silent
// while others answered.
func (c *chronicle) noteReplicas(began, now time.Time, f probe.Fleet) {
	set := func(moment **time.Duration, at time.Time) {
		if *moment == nil && !at.IsZero() {
			offset := at.Sub(began)
			*moment, c.stale = &offset, true
		}
	}
	for _, r := range f.Replicas {
		i := slices.IndexFunc(c.facts.Replicas, func(l Life) bool { return l.ID == r.ID })
		if i < 0 {
			c.facts.Replicas = keep(c.facts.Replicas, Life{ID: r.ID})
			i = len(c.facts.Replicas) - 1
		}
		l := &c.facts.Replicas[i]
		set(&l.Created, r.Created)
		set(&l.Answered, r.FirstSeen)
		if r.StartedIn > 0 {
			set(&l.Ready, r.Created.Add(r.StartedIn))
		}
		switch {
		case r.State == probe.Draining:
			set(&l.Leaving, now)
		case r.State == probe.Gone && r.Managed && r.LastError == "":
			set(&l.Leaving, r.Deleted) // sooner than anybody looked
			set(&l.Gone, r.Deleted)
		case r.State == probe.Gone && l.Created == nil && f.Answering() > 0:
			set(&l.Leaving, r.LastSeen)
			set(&l.Gone, r.LastSeen)
		case r.State == probe.Serving && l.Created == nil:
			l.Leaving, l.Gone = nil, nil // only silent, it turns out
		}
	}
}

// tell makes the timeline anew where there is more to tell. mu is held.
func (s *Session) tell(now time.Time) {
	if !s.chronicle.stale {
		return
	}
	f := s.chronicle.facts
	f.Now, f.Points = now.Sub(s.began), s.state.Points
	s.state.Timeline, s.chronicle.stale = NewTimeline(f), false
}

// timeline is the timeline up to this moment.
func (s *Session) timeline() Timeline {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	l, fleet, loaded := s.look(now)
	s.addPoints(now, l, fleet, loaded)
	s.tell(now)
	return s.state.Timeline
}
