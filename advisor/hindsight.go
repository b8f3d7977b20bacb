package advisor

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"headroom/profiles"
)

// hindsight is what the load after showed of what an advice took for granted.
type hindsight struct {
	missed  *missed
	startUp time.Duration // the longest, from the decision to the replica that may get requests; 0: none started
	rise    float64       // of the load, requests/s each second, at most
}

// missed is the moment that cost a load its SLO for the longest time: in the
// seconds before, the one in which each replica had most to do.
type missed struct {
	load       float64 // requests/s
	up, wanted int     // replicas
}

// missSight is how far before a loss of the SLO its cause is looked for: a
// judgement looks back on the seconds before.
const missSight = 10 * time.Second

// lookBack finds in the episodes and the points of a load what it showed. In the
// closed model, in which nobody planned a rate, the load is what was answered.
func lookBack(replay profiles.Plan, episodes []Episode, points []Point) hindsight {
	h := hindsight{rise: steepest(replay)}
	for _, e := range episodes {
		for _, a := range e.Arrivals {
			if a.Created != nil && a.Ready != nil && !a.InPlace {
				h.startUp = max(h.startUp, *a.Ready-orderedBy(e.Moves, *a.Created))
			}
		}
	}
	lost, ok := longestLoss(points)
	if !ok {
		return h
	}
	worst := 0.0
	for _, p := range points {
		if p.At < lost-missSight || p.At > lost || p.Up == 0 {
			continue
		}
		m := missed{load: p.Rate, up: p.Up, wanted: p.Wanted}
		if replay.Open() {
			m.load = p.Planned
		}
		if each := m.each(); each > worst {
			worst, h.missed = each, &m
		}
	}
	return h
}

// longestLoss is when the SLO was lost for the longest time; ok is false where it
// never was. A loss of a few seconds may be chance.
func longestLoss(points []Point) (lost time.Duration, ok bool) {
	longest := time.Duration(-1)
	for _, o := range outages(points) {
		until := points[len(points)-1].At
		if o.regained != nil {
			until = *o.regained
		}
		if until-o.lost > longest {
			longest, lost, ok = until-o.lost, o.lost, true
		}
	}
	return lost, ok
}

// orderedBy is when a replica was decided on that was created at a time: the
// latest decision for more before that; without one, then.
func orderedBy(moves []Move, created time.Duration) time.Duration {
	at := created
	for _, m := range moves {
		if m.To > m.From && m.At <= created {
			at = m.At
		}
	}
	return at
}

// each is what one replica was given, in requests/s.
func (m missed) each() float64 { return m.load / float64(m.up) }

// A start-up counts as longer than what was counted on from lateStart beyond it
// on, and from lateSlack: as exactly as the scaler is asked.
const (
	lateStart = 1.1
	lateSlack = statusEvery
)

// lesson is what an advice got wrong, a sentence each, and the evidence and the
// sizing that would have been right of it.
type lesson struct {
	wrong    []string
	evidence Measurement
	sizing   Sizing
	changed  bool // they are others than those of the advice
}

func (l *lesson) say(format string, args ...any) {
	l.wrong = append(l.wrong, fmt.Sprintf(format, args...))
}

// lesson compares what an advice took for granted with what came.
func (h hindsight) lesson(m Measurement, traffic profiles.Traffic, sizing Sizing, advice Recommendation) lesson {
	l := lesson{evidence: m, sizing: sizing}
	if counted := m.startTime(sizing); counted > 0 && h.startUp > time.Duration(lateStart*float64(counted))+lateSlack {
		l.say("a replica was ready %s after the decision for it, %s were counted on", seconds(h.startUp), seconds(counted))
		l.evidence.StartUp, l.changed = append(slices.Clone(m.StartUp), h.startUp), true
		if sizing.Starts > 0 {
			l.sizing.Starts = h.startUp
		}
	}
	if h.missed != nil {
		l.explain(*h.missed, h.rise, traffic, advice)
	}
	return l
}

// explain says why the SLO was lost: each replica held less than was measured, or
// there were too few of them, for good or until others came.
func (l *lesson) explain(at missed, rise float64, traffic profiles.Traffic, advice Recommendation) {
	one := l.evidence.Capacity.Each().Value
	most := int(advice.Applied.Replicas.Max)
	load, each, holds := profiles.FormatRate(at.load), profiles.FormatRate(at.each()), profiles.FormatRate(one)
	switch short := at.load > float64(most)*one; {
	case at.each() < leastReach*one:
		l.say("the SLO was missed at %s requests/s for each of %d %s, which is far less than the %s that one holds: something else was in the way", each, at.up, plural(at.up), holds)
	case at.each() <= one:
		l.say("the SLO was missed at %s requests/s for each of %d %s, while the measurement says that one holds %s", each, at.up, plural(at.up), holds)
		l.evidence.Capacity, l.changed = l.evidence.Capacity.lessened(at.each()/one), true
	case short && advice.Capped != "":
		l.say("%s requests/s are more than the %d %s hold that this machine carries: the advice, of up to %s, was not tried in full", load, most, plural(most), advice.Policy.Replicas.Max)
	case short:
		l.say("%s requests/s are more than the %d %s of max hold", load, most, plural(most))
	default:
		l.say("%d %s up and %d wanted when %s requests/s came: one holds %s", at.up, upWord(at.up), at.wanted, load, holds)
		l.blameRise(rise, traffic)
	}
}

// blameRise compares the rise of the load with the one that was planned for. Of a
// trace it is the trace that is right.
func (l *lesson) blameRise(rise float64, traffic profiles.Traffic) {
	planned, past := l.sizing.slope(traffic), l.sizing.History
	if past != nil {
		_, rose := past.greatestRise()
		planned = max(planned, rose)
	}
	if rise <= planned*1.001 { // what is less is rounding
		return
	}
	l.say("the load rose by %s requests/s each second, %s", profiles.FormatRate(rise), plannedRise(planned))
	if past == nil {
		l.sizing.Rise, l.changed = profiles.MilliOf(rise), true
	}
}

func plannedRise(planned float64) string {
	if planned == 0 {
		return "and no rise was planned for"
	}
	return fmt.Sprintf("and %s were planned for", profiles.FormatRate(planned))
}

func upWord(replicas int) string {
	if replicas == 1 {
		return "replica was"
	}
	return "replicas were"
}

// times is an interval of another value, as wide for its size.
func (i Interval) times(factor float64) Interval {
	i.Value, i.Low, i.High = i.Value*factor, i.Low*factor, i.High*factor
	return i
}

// lessened is a capacity of which each replica holds only so large a share of what
// it was measured to, alone and with others.
func (c Capacity) lessened(share float64) Capacity {
	c.SLO = c.SLO.times(share)
	if m := c.Scaling; m != nil && m.SLO != nil {
		less := *m
		less.SLO = new(m.SLO.times(share))
		c.Scaling = &less
	}
	return c
}

// learn says of an advice that did not hold what it got wrong, and what it would
// be with what is known now.
func (s *Session) learn(r *TuneResult) {
	timeline := s.timeline()
	loads := timeline.Loads()
	if len(loads) == 0 {
		return
	}
	began := loads[len(loads)-1]
	s.mu.Lock()
	points := pointsOf(s.state.Points, began, time.Since(s.began))
	s.mu.Unlock()
	seen := lookBack(s.config.Replay, timeline.Of(began), points)
	r.Wrong, r.Corrected = seen.correct(r.Measurement, s.traffic(), s.config.Sizing, *r.Advice)
	for _, text := range r.Wrong {
		s.note("verify", "%s", text)
	}
	if r.Corrected != nil {
		s.note("verify", "it would be %s", describePolicy(r.Corrected.Policy))
	}
}

// correct is the lesson of an advice, and the advice that follows from it; nil
// where that would be the same, or none.
func (h hindsight) correct(m Measurement, traffic profiles.Traffic, sizing Sizing, advice Recommendation) (wrong []string, corrected *Recommendation) {
	l := h.lesson(m, traffic, sizing, advice)
	switch {
	case len(l.wrong) == 0:
		return []string{"nothing that the advice rests on was otherwise: it may be chance, or another program; a longer --verify would tell"}, nil
	case !l.changed:
		return l.wrong, nil
	}
	next, err := l.evidence.Advise(traffic, l.sizing)
	if refusal := (*Refusal)(nil); errors.As(err, &refusal) {
		return append(l.wrong, "with that nothing can be advised: "+refusal.Error()), nil
	}
	if err != nil || describePolicy(next.Policy) == describePolicy(advice.Policy) {
		return l.wrong, nil
	}
	return l.wrong, &next
}
