package advisor

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"headroom/advisor/model"
	"headroom/load"
	"headroom/probe"
	"headroom/profiles"
)

// answered is how many replicas named themselves. Names beyond those that are
// told apart are none of replicas: something else stands where they are looked
// for.
func answered(replicas []load.Replica) int {
	if slices.ContainsFunc(replicas, func(r load.Replica) bool { return r.Name == probe.Others }) {
		return 0
	}
	return len(replicas)
}

// enoughToSee is how many answers for each replica are enough to have seen all
// of them: of some that get the same share one is missed once in e^20.
const enoughToSee = 20

// fleetChanged reports whether a fleet that nobody here governs grew or shrank
// during a step, as far as its answers name the replicas.
func (s *Session) fleetChanged(samples []load.Sample, ended time.Duration) bool {
	grown := s.newcomer(samples, ended) // which remembers those it sees
	return grown || leaver(samples, ended)
}

// newcomer reports whether a replica that no answer of this session had named
// answered in the second half of a step first, though there had been enough
// answers to see it: then a fleet that nobody here governs has grown.
func (s *Session) newcomer(samples []load.Sample, ended time.Duration) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.met == nil {
		s.met = map[int32]bool{}
	}
	var late []int32
	early := 0
	for _, sample := range samples {
		switch {
		case sample.Replica == probe.Unknown:
		case sample.Done > ended/2:
			late = append(late, sample.Replica)
		default:
			s.met[sample.Replica] = true
			early++
		}
	}
	enough, grown := early >= enoughToSee*(len(s.met)+1), false
	for _, replica := range late {
		grown = grown || enough && !s.met[replica]
		s.met[replica] = true
	}
	return grown
}

// leaver reports whether a replica that had its part in the first half of a
// step answered nothing of the second. One that got less than half of an equal
// share may be one that a balancer which packs needs only now and then.
func leaver(samples []load.Sample, ended time.Duration) bool {
	first, second := map[int32]int{}, map[int32]int{}
	early, late := 0, 0
	for _, sample := range samples {
		switch {
		case sample.Replica == probe.Unknown:
		case sample.Done > ended/2:
			second[sample.Replica]++
			late++
		default:
			first[sample.Replica]++
			early++
		}
	}
	if late < enoughToSee*len(first) {
		return false
	}
	for replica, n := range first {
		if second[replica] == 0 && n >= enoughToSee && 2*n*len(first) >= early {
			return true
		}
	}
	return false
}

// errGrown ends a part of a search: the fleet is no longer the one whose
// saturation was measured.
var errGrown = errors.New("more replicas answer than before")

// grew reports whether more replicas answered a step of the open model than any
// rung of the ladder. Its last rungs have all of them at work, however requests
// are spread, so that those that had enough answers have seen every one.
func (s *search) grew(o Observation) bool {
	if o.Trial.Rate == 0 || o.Replicas != 0 || o.Spoiled {
		return false
	}
	heard := 0
	for _, rung := range rungs(s.steps) {
		heard += rung.Requests
	}
	before := mostAnswered(rungs(s.steps))
	return before > 0 && o.Answered > before && heard >= enoughToSee*o.Answered
}

func mostAnswered(steps []Observation) (most int) {
	for _, o := range steps {
		most = max(most, o.Answered)
	}
	return most
}

// afresh begins a search anew after a step which showed that the fleet has grown.
// The steps until then are of another fleet, or of one that grew meanwhile, but for
// those of one user alone, whom one replica serves.
func (s *search) afresh(c Capacity) Capacity {
	last := len(s.steps) - 1
	before, now, lost := mostAnswered(rungs(s.steps)), s.steps[last].Answered, 0
	s.steps = slices.Clone(s.steps) // others look at those
	for i := range s.steps {
		if o := &s.steps[i]; o.Trial.Users != 1 && !o.Spoiled {
			o.Spoiled, o.Verdict, o.Why = true, model.Unsure, fmt.Sprintf("%s answered then, and %d later", profiles.Plural(before, "replica", "replicas"), now)
			lost++
		}
	}
	s.steps[last].Why = fmt.Sprintf("%s answered before, and %d now: the others may have come meanwhile", profiles.Plural(before, "replica", "replicas"), now)
	return Capacity{
		Baseline: c.Baseline, Service: c.Service, Replicas: c.Replicas, Control: c.Control,
		Grown: fmt.Sprintf("the fleet grew from %d to %s while it was measured: the %d steps until then count for nothing", before, profiles.Plural(now, "replica", "replicas"), lost),
	}
}

// blameGrowth is the refusal of a search; one that lacked time because the fleet
// had grown says that.
func (c *Capacity) blameGrowth() *Refusal {
	if c.Refusal == nil || c.Grown == "" || !slices.Contains([]string{unsaturated, "R10", "R13"}, c.Refusal.Code) {
		return c.Refusal
	}
	return &Refusal{"R5", c.Grown + ", and for others there was too little time", "keep the fleet at one size while it is measured, or give --budget more time"}
}
