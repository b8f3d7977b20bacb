package advisor

import (
	"slices"
	"time"

	"headroom/load"
	"headroom/probe"
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
