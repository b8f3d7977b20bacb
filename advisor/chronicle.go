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
	facts  facts          // without Now and Points
	wanted *int           // replicas, by the latest look at the scaler; nil: there was none
	stale  bool           // there is more than the timeline tells
	source string         // of the names of replicas in the answers
	rest   int            // so many of the latest points are like the one before them
	places map[string]int // of the replicas in facts, by ID; nil: to be made
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
		c.facts.Loads = keep(c.facts.Loads, stretch{At: at, Open: run.Open})
		n = len(c.facts.Loads) - 1
	}
	if l := &c.facts.Loads[n]; l.End == nil && (run.Phase == load.Draining || run.Phase == load.Done) {
		end := at + run.Loaded
		l.End, c.stale = &end, true
	}
}

// maxTrace bounds the points of a timeline: hours of a load that never rests.
const maxTrace = 15_000

// notePoint keeps a second of a load. The charts thin theirs, and steps of
// seconds would vanish with that; here only those go that tell nothing, in the
// middle of a rest that is longer than what smooth looks at on both sides.
func (c *chronicle) notePoint(p Point) {
	p = Point{At: p.At, Planned: p.Planned, Failed: p.Failed, SLO: p.SLO}
	points := c.facts.Points
	if n := len(points); n > 0 && p.rests(points[n-1]) {
		c.rest++
	} else {
		c.rest = 0
	}
	points, c.stale = append(points, p), true
	if c.rest > 2*smoothing {
		points = slices.Delete(points, len(points)-1-smoothing, len(points)-smoothing)
		c.rest--
	}
	if len(points) > maxTrace {
		points, c.rest = load.Halve(points), 0
	}
	c.facts.Points = points
}

// rests reports whether nothing has happened since the point before.
func (p Point) rests(before Point) bool {
	judgement := (p.SLO == nil) == (before.SLO == nil) && (p.SLO == nil || *p.SLO == *before.SLO)
	return judgement && p.Planned == before.Planned && p.Failed == 0 && before.Failed == 0
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

// noteSource notes where the answers carry the names of replicas, and reports
// whether earlier names fell with that: what carried them turned out to name no
// replica. The replicas that only those names told of are forgotten.
func (c *chronicle) noteSource(source string) (fell bool) {
	fell = c.source != "" && c.source != source
	c.source = source
	if fell {
		c.facts.Replicas = slices.DeleteFunc(c.facts.Replicas, func(l life) bool { return l.Created == nil })
		c.places, c.stale = nil, true
	}
	return fell
}

// life is what is known of a replica so far; nil for one that there is nothing
// to tell of, as it was there before and has never answered, and once there
// are maxFacts of them.
func (c *chronicle) life(began time.Time, r probe.Replica) *life {
	if c.places == nil {
		c.places = map[string]int{}
		for i, l := range c.facts.Replicas {
			c.places[l.ID] = i
		}
	}
	i, known := c.places[r.ID]
	if !known {
		tells := r.Answered || r.State == probe.Draining || r.Created.After(began) || r.Deleted.After(began)
		if i = len(c.facts.Replicas); !tells || i >= maxFacts {
			return nil
		}
		c.places[r.ID], c.facts.Replicas = i, append(c.facts.Replicas, life{ID: r.ID})
	}
	return &c.facts.Replicas[i]
}

// noteReplicas notes what is new about the replicas. What a scaler or a list of
// workers knows exactly is taken from it; that a replica must go is known by the
// look that first shows it. One that nobody told to go, and that has been silent
// while others answered, went by itself, for all that is known.
func (c *chronicle) noteReplicas(began, now time.Time, f probe.Fleet) {
	set := func(moment **time.Duration, at time.Time) {
		if *moment == nil && !at.IsZero() {
			offset := at.Sub(began)
			*moment, c.stale = &offset, true
		}
	}
	answering := f.Answering() > 0
	for _, r := range f.Replicas {
		l := c.life(began, r)
		if l == nil {
			continue
		}
		set(&l.Created, r.Created)
		set(&l.Answered, r.FirstSeen)
		if r.StartedIn > 0 && !r.Created.IsZero() {
			set(&l.Ready, r.Created.Add(r.StartedIn))
		}
		told := r.State == probe.Gone && (r.Managed || r.Listed)
		silent := r.Answered && !r.Managed && (r.State == probe.Gone || r.State == probe.Quiet)
		switch {
		case r.State == probe.Draining:
			if l.ByItself { // only silent, before it was told to go
				l.Leaving, l.Gone, l.ByItself = nil, nil, false
			}
			set(&l.Leaving, now)
		case told || silent && answering:
			gone := now
			if !r.Deleted.IsZero() {
				gone = r.Deleted // sooner than anybody looked
			} else if r.Answered {
				gone = r.LastSeen
			}
			if l.Leaving == nil {
				l.ByItself = !told || r.LastError != ""
			}
			set(&l.Leaving, gone)
			set(&l.Gone, latest(gone, began.Add(*l.Leaving)))
		case r.State == probe.Serving && l.ByItself && !r.Managed:
			l.Leaving, l.Gone, l.ByItself, c.stale = nil, nil, false, true
		}
	}
}

// latest is the later of two moments.
func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// tell makes the timeline anew where there is more to tell. mu is held.
func (s *Session) tell(now time.Time) {
	if !s.chronicle.stale {
		return
	}
	f := s.chronicle.facts
	f.Now = now.Sub(s.began)
	s.state.Timeline, s.chronicle.stale = newTimeline(f), false
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
