package load

import (
	"time"

	"headroom/probe"
)

// tracker keeps what each replica answered. It belongs to the collector.
type tracker struct {
	identifier *probe.Identifier
	replicas   []replicaTally // by number
	answers    int64          // of the run that name a replica
	unnamed    int64
	switched   int64        // answers of another replica than the one before over the same connection
	unseen     probe.Unseen // of the latest snapshot
	draws      int64        // that it was judged by
}

// replicaTally is what one replica answered.
type replicaTally struct {
	// Of the run.
	first, last   time.Duration // offsets of its answers
	before, since int64         // the tracker's answers before its first, and up to its latest
	warmup        probe.Warmup  // of successes

	// Since the last reset.
	count, failed int64
	*clocks                   // of successes; nil before the first answer
	parts         probe.Parts // of successes
	second        turnout     // of the present second
	recent        [recentSeconds]turnout
}

// turnout is answers and the work on them.
type turnout struct {
	count  int64
	worked time.Duration
}

func (t *tracker) add(s *Sample) {
	if s.Replica == probe.Unknown {
		if s.Status != 0 {
			t.unnamed++
		}
		return
	}
	for int(s.Replica) >= len(t.replicas) {
		t.replicas = append(t.replicas, replicaTally{})
	}
	if s.Switched {
		t.switched++
	}
	r := &t.replicas[s.Replica]
	if r.since == 0 {
		r.first, r.before = s.Done, t.answers
	}
	if r.clocks == nil {
		r.clocks = newClocks(2)
	}
	t.answers++
	r.since = t.answers
	r.first, r.last = min(r.first, s.Done), max(r.last, s.Done)
	r.count++
	worked := s.Worked()
	r.second.count++
	r.second.worked += worked
	switch s.Failure {
	case None:
		r.record(s)
		r.parts.Add(s.Split, s.Service())
		r.warmup.Add(s.Done, worked)
	case Aborted: // behind its head, which is no failure
	default:
		r.failed++
	}
}

// endSecond closes the present second, which takes the place of one of the
// last ones.
func (t *tracker) endSecond(slot int) {
	for i := range t.replicas {
		r := &t.replicas[i]
		r.recent[slot], r.second = r.second, turnout{}
	}
}

// reset forgets the totals, not who there is.
func (t *tracker) reset() {
	for i := range t.replicas {
		r := &t.replicas[i]
		*r = replicaTally{first: r.first, last: r.last, before: r.before, since: r.since, warmup: r.warmup}
	}
	t.unnamed, t.switched = 0, 0
}

// fill writes what is known of the replicas into a snapshot, whose connections
// are in it. Of the connections that are open each replica holds some.
func (t *tracker) fill(s *Snapshot, open holding) {
	s.Unnamed = t.unnamed
	id := t.identifier.Identity()
	s.Identity, s.Found, s.Sure, s.Why = id.Source.String(), len(id.Source) > 0 && !id.Given, id.Sure, id.Why
	names := t.identifier.Names()
	var named int64
	var counts []int64
	for i := range t.replicas {
		switch r := &t.replicas[i]; {
		case names[i] == "": // where it came from turned out to name no replica
			s.Unnamed += r.count
			r.clocks = nil // nobody will look at them, and there may be many
		case r.count > 0:
			named += r.count
			counts = append(counts, r.count)
		}
	}
	s.Replicas = make([]Replica, 0, len(counts))
	for i := range t.replicas {
		r := &t.replicas[i]
		if r.count == 0 || names[i] == "" {
			continue
		}
		presence := probe.Presence{First: r.first, Last: r.last, Before: r.before, Missed: t.answers - r.since, Conns: open.of(i), Known: len(counts)}
		row := Replica{
			Name: names[i], State: presence.State(s.Elapsed), Count: r.count, Failed: r.failed, First: r.first, Last: r.last,
			Share: float64(r.count) / float64(named), Conns: presence.Conns, ColdStart: r.warmup.ColdStart(),
			Latency: r.latency.quantiles(), Service: r.service.quantiles(), Parts: r.parts.Means(),
		}
		if row.Rate, row.InFlight = r.lately(s.Recent.Over); s.Phase == Done {
			row.InFlight = nil // of load that is over
		}
		s.Replicas = append(s.Replicas, row)
	}
	if excess, ok := probe.Imbalance(counts); ok {
		s.Imbalance = &excess
	}
	draws := named
	if s.Sticky = t.switched == 0 && s.Conns.Opened < named; s.Sticky {
		draws = s.Conns.Opened // where each goes is chosen once
	}
	if t.unseen.Seen != len(counts) || t.draws != draws { // it is not cheap, and often the same
		t.unseen, t.draws = probe.EstimateUnseen(len(counts), draws), draws
	}
	s.Unseen = t.unseen
}

// lately is the rate of the last seconds, which took so long, and how many
// requests it had in flight, nil without an answer: by Little's law L = λW, with
// λ its answers per second and W the mean of what they took (Operations
// Research 9, 1961), which is the time that they took over that of the seconds.
func (r *replicaTally) lately(over time.Duration) (rate float64, inFlight *float64) {
	var sum turnout
	for _, second := range r.recent {
		sum.count += second.count
		sum.worked += second.worked
	}
	if sum.count > 0 && over > 0 {
		inFlight = new(sum.worked.Seconds() / over.Seconds())
	}
	return perSecond(sum.count, over), inFlight
}
