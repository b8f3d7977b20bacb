package advisor

import (
	"cmp"
	"slices"
	"time"
)

// Timeline says how a fleet followed its load: what the load did, what the
// scaler decided, when replicas came to answer and went, and what that meant
// for the SLO. All its times are offsets since the session began. It is a
// value.
type Timeline struct {
	Episodes    []Episode    `json:"episodes,omitempty"`    // one a load step, in the order of time
	Annotations []Annotation `json:"annotations,omitempty"` // the same and more, one a moment, in the order of time
}

// Episode is one load step and what came of it. What did not happen, or is not
// known, is absent.
type Episode struct {
	Load    time.Duration  `json:"load"`            // start of the load that the step belongs to
	At      time.Duration  `json:"at"`              // when the load began to change; of a planned step up to a second early
	Settled time.Duration  `json:"settled"`         // when it had changed
	Until   *time.Duration `json:"until,omitempty"` // the next step, or the end of the load; nil: it goes on
	Cause   Cause          `json:"cause"`
	Open    bool           `json:"open,omitempty"` // From and To are arrivals per second, else users
	From    float64        `json:"from"`
	To      float64        `json:"to"`

	Moves    []Move      `json:"moves,omitempty"`    // the decisions that changed how many replicas are wanted
	Arrivals []Arrival   `json:"arrivals,omitempty"` // replicas that came, or answered for the first time
	Leaving  []Departure `json:"leaving,omitempty"`  // replicas that went
	Failures *int64      `json:"failures,omitempty"` // requests that failed while they went, whoever answered; nil: nothing is known of that time

	Missed   bool           `json:"missed,omitempty"`   // the SLO was lost before the step and not yet regained
	Lost     *time.Duration `json:"lost,omitempty"`     // when the SLO was lost first
	Regained *time.Duration `json:"regained,omitempty"` // when it was regained for good, of a loss before the step within it; nil: it was not, or was not lost
	Outside  time.Duration  `json:"outside,omitempty"`  // how long in all it was lost, up to now or the end of the load
}

// Cause is why the load changed.
type Cause string

// The causes of a load step.
const (
	Began   Cause = "start" // of a load
	Planned Cause = "plan"
	ByHand  Cause = "hand"
)

// Move is a change of the number of replicas that a scaler wants.
type Move struct {
	At   time.Duration `json:"at"`
	From int           `json:"from"`
	To   int           `json:"to"`
	Why  string        `json:"why,omitempty"` // empty: the decision was followed by another before it was seen
}

// Arrival is a replica that came into a load. Created and Ready are absent
// where it was there before the step, or no scaler tells.
type Arrival struct {
	ID       string         `json:"id"`
	Created  *time.Duration `json:"created,omitempty"`
	Ready    *time.Duration `json:"ready,omitempty"`
	Answered *time.Duration `json:"answered,omitempty"` // its first answer
	InPlace  bool           `json:"inPlace,omitempty"`  // it came after one that went by itself: it says nothing of the load
}

// Departure is a replica that had to go, or went by itself.
type Departure struct {
	ID       string         `json:"id"`
	Leaving  time.Duration  `json:"leaving"` // when it got nothing new any more, as first seen; of one that went by itself its end or its last answer
	Gone     *time.Duration `json:"gone,omitempty"`
	ByItself bool           `json:"byItself,omitempty"` // it ended, or fell silent while others answered, and nobody is known to have told it to go
}

// facts are what a timeline is made from, in any order. Times are offsets
// since the session began.
type facts struct {
	Now      time.Duration
	Loads    []stretch
	Points   []Point
	Edits    []edit
	Moves    []Move
	Replicas []life
}

// stretch is a load from its start to its end.
type stretch struct {
	At   time.Duration
	End  *time.Duration // without the wait for the last answers; nil: it goes on
	Open bool           // arrivals per second, else users
}

// edit is something done by hand to a load.
type edit struct {
	At    time.Duration
	Text  string
	Steer bool // it changes how much load there is
}

// life is what is known of a replica. What is not known, or has not happened,
// is nil.
type life struct {
	ID       string
	Created  *time.Duration
	Ready    *time.Duration
	Answered *time.Duration // its first answer
	Leaving  *time.Duration // when it had to go, or went by itself
	Gone     *time.Duration
	ByItself bool
}

// newTimeline puts facts in order. It does not change them.
//
// What belongs to which step is a matter of time and direction: see owner.
func newTimeline(f facts) Timeline {
	loads := inOrder(f.Loads, func(l stretch) time.Duration { return l.At })
	moves := inOrder(f.Moves, func(m Move) time.Duration { return m.At })
	edits := inOrder(f.Edits, func(e edit) time.Duration { return e.At })
	var out Timeline
	for i, l := range loads {
		if i+1 < len(loads) && (l.End == nil || *l.End > loads[i+1].At) {
			l.End = &loads[i+1].At
		}
		end := max(l.At, f.Now)
		if l.End != nil {
			end = max(l.At, *l.End)
			l.End = &end
		}
		points := pointsOf(f.Points, l.At, end)
		c := course{episodes: stepsOf(l, points, edits), end: end}
		c.decide(moves)
		c.inhabit(f.Replicas)
		c.judge(outages(points))
		c.mourn(points)
		out.Episodes = append(out.Episodes, c.episodes...)
		out.Annotations = append(out.Annotations, c.notes...)
	}
	out.Annotations = append(out.Annotations, annotations(out.Episodes, moves, edits, f.Replicas)...)
	slices.SortStableFunc(out.Annotations, func(a, b Annotation) int { return cmp.Compare(a.At, b.At) })
	return out
}

func inOrder[T any](list []T, at func(T) time.Duration) []T {
	out := slices.Clone(list)
	slices.SortStableFunc(out, func(a, b T) int { return cmp.Compare(at(a), at(b)) })
	return out
}

// course is the episodes of one load in the making.
type course struct {
	episodes []Episode
	end      time.Duration // of the load, or now
	notes    []Annotation
}

// The directions in which a load and a fleet change.
const (
	up    = 1
	down  = -1
	aside = 0 // has nothing to do with the load
)

// owner is the step that something at a time in a direction belongs to: of the
// steps before it the latest that went the same way, else the latest. A fleet
// that grows answers a load that grew; one that shrinks after a new step up
// still answers the step down before that, as it waits for a stabilization
// time. What has no direction belongs to the latest, and what comes before the
// first step or after the load to none.
func (c *course) owner(at time.Duration, direction int) *Episode {
	if at > c.end {
		return nil
	}
	var latest *Episode
	for i := len(c.episodes) - 1; i >= 0; i-- {
		e := &c.episodes[i]
		switch {
		case e.At > at:
			continue
		case e.direction() == direction:
			return e
		case latest == nil:
			latest = e
		}
	}
	return latest
}

func (e *Episode) direction() int {
	if e.To < e.From {
		return down
	}
	return up
}

// decide gives each decision to its step.
func (c *course) decide(moves []Move) {
	for _, m := range moves {
		direction := up
		if m.To < m.From {
			direction = down
		}
		if e := c.owner(m.At, direction); e != nil {
			e.Moves = append(e.Moves, m)
		}
	}
}

// inhabit gives each replica to the step that brought it, and to the one that
// took it away. One that was there before the load, or of which no scaler
// tells, comes with its first answer. One that went by itself did so for no step,
// so it stands with the latest, and so does the one that comes in its place: the
// next after it.
func (c *course) inhabit(replicas []life) {
	for _, r := range replicas {
		direction := down
		if r.ByItself {
			direction = aside
		}
		if e := c.since(r.Leaving, direction); e != nil {
			e.Leaving = append(e.Leaving, Departure{r.ID, *r.Leaving, notBefore(r.Gone, r.Leaving), r.ByItself})
		}
	}
	var arrivals []Arrival
	for _, r := range replicas {
		if c.since(r.Created, up) != nil {
			arrivals = append(arrivals, Arrival{ID: r.ID, Created: r.Created, Ready: notBefore(r.Ready, r.Created), Answered: notBefore(r.Answered, r.Created)})
		} else if c.since(r.Answered, up) != nil {
			arrivals = append(arrivals, Arrival{ID: r.ID, Answered: r.Answered})
		}
	}
	slices.SortStableFunc(arrivals, func(a, b Arrival) int { return cmp.Compare(a.Came(), b.Came()) })
	for _, a := range arrivals {
		e := c.owner(a.Came(), up)
		if latest := c.owner(a.Came(), aside); latest.vacant(a.Came()) > 0 {
			e, a.InPlace = latest, true
		}
		e.Arrivals = append(e.Arrivals, a)
	}
	for i := range c.episodes {
		slices.SortStableFunc(c.episodes[i].Leaving, func(a, b Departure) int { return cmp.Compare(a.Leaving, b.Leaving) })
	}
}

// vacant is how many replicas had gone by themselves since the step, up to a
// moment, in whose place none has come.
func (e *Episode) vacant(at time.Duration) int {
	n := 0
	for _, d := range e.Leaving {
		if d.ByItself && d.Leaving <= at {
			n++
		}
	}
	for _, a := range e.Arrivals {
		if a.InPlace {
			n--
		}
	}
	return n
}

// since is the owner of something that may not have happened.
func (c *course) since(at *time.Duration, direction int) *Episode {
	if at == nil {
		return nil
	}
	return c.owner(*at, direction)
}

// Came is the earliest that is known of an arrival.
func (a Arrival) Came() time.Duration {
	if a.Created != nil {
		return *a.Created
	}
	return *a.Answered
}

// notBefore is at, unless it lies before what it cannot: clocks of two
// machines differ, and a name may come back.
func notBefore(at, begin *time.Duration) *time.Duration {
	if at == nil || *at < *begin {
		return nil
	}
	return at
}

// judge gives each time outside the SLO to the step that it began after, also
// where it went on beyond the next one, which is then noted there.
func (c *course) judge(outages []outage) {
	for _, o := range outages {
		c.note(o.lost, SLOLost, "the SLO is lost")
		until := c.end
		if o.regained != nil {
			until = *o.regained
			c.note(until, SLORegained, "the SLO is regained")
		}
		last := -1
		for i := range c.episodes {
			e := &c.episodes[i]
			if e.At <= o.lost {
				last = i
			} else if e.At < until {
				e.Missed = true
				if e.Until == nil || until <= *e.Until {
					e.Regained = o.regained
				}
			}
		}
		if last < 0 {
			continue
		}
		e := &c.episodes[last]
		if e.Lost == nil {
			e.Lost = &o.lost
		}
		e.Regained = o.regained
		e.Outside += until - o.lost
	}
}

// mourn counts the failures while replicas went. They are all that failed in
// those seconds: a connection that broke names no replica.
func (c *course) mourn(points []Point) {
	for i := range c.episodes {
		e := &c.episodes[i]
		if len(e.Leaving) == 0 {
			continue
		}
		n, any := 0.0, false
		for j, p := range points {
			if j > 0 && slices.ContainsFunc(e.Leaving, func(d Departure) bool { return d.during(points[j-1].At, p.At, c.end) }) {
				any = true
				n += max(0, p.Failed) * (p.At - points[j-1].At).Seconds()
			}
		}
		if any {
			failures := int64(n + 0.5)
			e.Failures = &failures
		}
	}
}

// leavingSlack is how much later than it happened leaving may have been seen,
// and how much later than that a request may be counted as failed.
const leavingSlack = time.Second

// during reports whether the replica was leaving within a time.
func (d Departure) during(begin, end, now time.Duration) bool {
	gone := now
	if d.Gone != nil {
		gone = *d.Gone
	}
	return end > d.Leaving-leavingSlack && begin < gone+leavingSlack
}
