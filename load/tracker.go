package load

import (
	"fmt"
	"time"

	"headroom/probe"
)

// tracker keeps what each replica answered. It belongs to the collector.
type tracker struct {
	identifier *probe.Identifier
	replicas   []replicaTally       // by number
	ready      map[string]time.Time // since when a source has had a replica as ready, by name

	// Of the run.
	answers  int64         // that name a replica
	lost     int64         // failures without an answer of a replica
	switched int64         // answers of another replica than the one before over the same connection
	dropped  int           // replicas of sources that named none: the first ones
	began    time.Duration // offset of their latest answer
	foreign  int64         // the answers up to it
	opened   int64         // connections
	users    int           // the most there were
	looked   choices       // as of the latest snapshot
	grown    int64         // answers as of the one at which there were more users than before

	unnamed int64        // answers since the last reset
	unseen  probe.Unseen // of the latest snapshot
	draws   int64        // that it was judged by
}

// choices are those that were made among the replicas, where all of them could be
// chosen for each answer, or for each connection.
type choices struct{ answers, opened int64 }

// replicaTally is what one replica answered.
type replicaTally struct {
	// Of the run.
	first, last   time.Duration // offsets of its answers
	before, since int64         // the tracker's answers before its first, and up to its latest
	calm          int64         // see probe.Presence
	met           bool          // by the latest snapshot
	own           int64         // its answers
	lost          int64         // the tracker's up to its latest answer
	gone          bool          // as of the latest snapshot, and no answer since
	warmup        probe.Warmup  // of successes

	// Since the last reset.
	count, failed int64
	counted       int64       // of count, when replicas last came or went
	there         bool        // as of then
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
	if s.Dial > 0 && s.Remote != 0 {
		t.opened++
	}
	answered := s.Status != 0 || s.Failure == Aborted
	if s.Failure != None && s.Failure != Aborted && (s.Replica == probe.Unknown || !answered) {
		t.lost++
	}
	if s.Replica == probe.Unknown || !answered && t.switched > 0 {
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
	if !answered { // the replica that its connection had stayed with
		r.count++
		r.failed++
		return
	}
	if r.since == 0 {
		r.first, r.before = s.Done, t.answers
	}
	if r.clocks == nil {
		r.clocks = newClocks(2)
	}
	t.answers++
	r.since, r.lost, r.gone = t.answers, t.lost, false
	r.first, r.last = min(r.first, s.Done), max(r.last, s.Done)
	r.own++
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
		*r = replicaTally{first: r.first, last: r.last, before: r.before, calm: r.calm, met: r.met, since: r.since, own: r.own, lost: r.lost, gone: r.gone, warmup: r.warmup}
	}
	t.unnamed = 0
}

// fill writes what is known of the replicas into a snapshot, whose connections
// are in it. Of the connections that are open each replica holds some; lately is
// what each answered in the last while, by number.
func (t *tracker) fill(s *Snapshot, open holding, lately map[int32]Quantiles) {
	id := t.identifier.Identity()
	s.Identity, s.Found, s.Sure, s.Why = id.Source.String(), len(id.Source) > 0 && !id.Given, id.Sure, id.Why
	names := t.identifier.Names()
	t.drop(names)
	t.meet(s.Users)
	answers, named, living := int64(0), int64(0), 0
	for i := t.dropped; i < len(t.replicas); i++ {
		r := &t.replicas[i]
		answers += r.own
		named += r.count
		if r.since > 0 && !r.gone && names[i] != probe.Others {
			living++
		}
	}
	s.Sticky = answers > 0 && t.switched == 0 && t.opened < answers
	s.Unnamed = t.unnamed
	for i := range t.dropped {
		s.Unnamed += t.replicas[i].count
	}
	if rows, come := t.rows(names); !probe.ComeBack(rows, come) {
		s.Why = fmt.Sprintf("%s brought %d names in %d answers, and those of replicas would have come twice each on average", s.Identity, rows, come)
		s.Identity, s.Found, s.Sure, s.Unnamed, s.Replicas = "", false, "", s.Unnamed+named, []Replica{}
		return
	}
	s.Replicas = make([]Replica, 0, len(t.replicas)-t.dropped)
	for i := t.dropped; i < len(t.replicas); i++ {
		r := &t.replicas[i]
		if r.since == 0 {
			continue
		}
		presence := t.presence(i, living)
		presence.Over = s.Phase == Done
		if s.Sticky {
			presence.Conns = open.of(i)
		}
		if at, ok := t.ready[names[i]]; ok {
			presence.Ready = new(at.Sub(s.Started))
		}
		row := Replica{
			Name: names[i], State: probe.Gone, Count: r.count, Failed: r.failed, First: r.first, Last: r.last,
			Share: float64(r.count) / float64(max(1, named)), Parts: r.parts.Means(), Lately: lately[int32(i)],
		}
		if !r.gone || presence.Conns > 0 {
			row.State = presence.State(s.Elapsed)
		}
		if r.gone = row.State == probe.Gone; r.gone && r.count == 0 {
			continue // it went before the reset
		}
		if s.Sticky {
			row.Conns = &presence.Conns
		}
		if presence.Appeared() { // at the start of a load, first answers tell of the load
			row.ColdStart = r.warmup.ColdStart()
		}
		if r.clocks != nil {
			row.Latency, row.Service = r.latency.quantiles(), r.service.quantiles()
		}
		if row.Rate, row.InFlight = r.recently(s.Recent.Over); s.Phase == Done {
			row.InFlight = nil // of load that is over
		}
		s.Replicas = append(s.Replicas, row)
	}
	t.spread(s, names, answers)
}

// rows is how many names have one of their own, and in how many answers they came.
func (t *tracker) rows(names []string) (n int, answers int64) {
	for i := t.dropped; i < len(t.replicas); i++ {
		if r := &t.replicas[i]; r.since > 0 && names[i] != probe.Others {
			n++
			answers += r.own
		}
	}
	return n, answers
}

// meet notes of the replicas that are met for the first time what had been chosen
// by the snapshot before, since the load last grew to as many users as there are.
// Where connections stay, as far as is known, each is a choice, whoever opens it.
// What came since that snapshot is in no order, and counts as nothing.
func (t *tracker) meet(users int) {
	calm := t.looked.answers - t.grown
	switch {
	case t.switched == 0:
		calm = t.looked.opened
	case users > t.users:
		calm = 0
	}
	for i := range t.replicas {
		if r := &t.replicas[i]; r.since > 0 && !r.met {
			r.calm, r.met = calm, true
		}
	}
	if users > t.users {
		t.users, t.grown = users, t.answers
	}
	t.looked = choices{t.answers, t.opened}
}

// drop forgets the replicas whose source turned out to name none: those that
// others name are met for the first time from then on.
func (t *tracker) drop(names []string) {
	for t.dropped < len(t.replicas) && names[t.dropped] == "" {
		r := &t.replicas[t.dropped]
		r.clocks = nil // nobody will look at them, and there may be many
		t.began, t.foreign = max(t.began, r.last), max(t.foreign, r.since)
		t.dropped++
	}
}

// presence is what the answers tell of whether a replica is there, where so many
// are.
func (t *tracker) presence(i, living int) probe.Presence {
	r := &t.replicas[i]
	return probe.Presence{
		Began: t.began, First: r.first, Last: r.last, Before: max(0, r.before-t.foreign), Calm: r.calm, Met: i + 1 - t.dropped,
		Own: r.own, Among: r.since - max(r.before, t.foreign), Missed: t.answers - r.since, Lost: t.lost - r.lost, Living: living,
	}
}

// spread writes into a snapshot how the answers spread over the replicas that
// are there, of which each answer, or each connection where those stay, goes to
// one. Of the replicas beyond those that are told apart nothing is known, and so
// nothing is said of how many there are.
func (t *tracker) spread(s *Snapshot, names []string, answers int64) {
	var counts []int64
	own, before, changed, others := int64(0), 0, false, false
	for i := t.dropped; i < len(t.replicas); i++ {
		r := &t.replicas[i]
		if names[i] == probe.Others {
			others = others || r.since > 0
			continue
		}
		there := r.since > 0 && !r.gone
		changed = changed || there != r.there
		if r.there {
			before++
		}
		if r.there = there; there {
			counts = append(counts, r.count-r.counted)
			own += r.own
		}
	}
	if changed && before > 0 { // from here on they share
		for i := range t.replicas {
			t.replicas[i].counted = t.replicas[i].count
		}
	} else if excess, ok := probe.Imbalance(counts); ok {
		s.Imbalance = &excess
	}
	if others {
		s.Unseen = probe.Unseen{}
		return
	}
	draws := own
	if s.Sticky { // where each goes is chosen once
		draws = int64(float64(t.opened) * float64(own) / float64(answers))
	}
	if t.unseen.Seen != len(counts) || t.draws != draws { // it is not cheap, and often the same
		t.unseen, t.draws = probe.EstimateUnseen(len(counts), draws), draws
	}
	s.Unseen = t.unseen
}

// recently is the rate of the last seconds, which took so long, and how many
// requests it had in flight, nil without an answer: by Little's law L = λW, with
// λ its answers per second and W the mean of what they took (Operations
// Research 9, 1961), which is the time that they took over that of the seconds.
func (r *replicaTally) recently(over time.Duration) (rate float64, inFlight *float64) {
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
