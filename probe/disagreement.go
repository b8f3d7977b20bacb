package probe

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// settled is how long numbers must have been the same before they are held
// against each other: the sources are asked at different moments.
const settled = 10 * time.Second

// foreign reports whether those that answer are none of those that the scaler
// or a list of workers has: the names are of different kinds, and only their
// numbers can be compared.
func (f Fleet) foreign() bool {
	listed, own, others := false, false, false
	for _, r := range f.Replicas {
		known := r.Managed || r.Listed
		listed = listed || known
		own = own || known && r.Answered
		others = others || !known && r.Answered
	}
	return listed && others && !own
}

// disagreement says in a sentence where the sources contradict each other; ok
// is false where they do not, where that may be by chance or of the moment, and
// where other notices explain why few answer.
func disagreement(now time.Time, s Sight, explained bool) (n Notice, ok bool) {
	say := func(format string, args ...any) (Notice, bool) {
		text := fmt.Sprintf(format, args...)
		about, _, _ := strings.Cut(text, "; ")
		return Notice{NoticeDisagree, "the sources disagree: " + text, about}, true
	}
	scaler, workers := s.Fleet.Statement(FromScaler), s.Fleet.Statement(FromWorkers)
	byScaler, scalerKnows := scaler.ready(now, settled)
	listed, listKnows := workers.ready(now, settled)
	if scalerKnows && listKnows && byScaler != listed {
		return say("the scaler has %d ready, the list of workers %d", byScaler, listed)
	}
	if explained {
		return Notice{}, false
	}
	if strangers := s.strangers(now, scaler, workers); len(strangers) > 0 && !s.Fleet.foreign() {
		return say("%d answer that neither the scaler nor a list of workers has (%s)", len(strangers), list(strangers))
	}
	says, ready, who := scaler, byScaler, "the scaler"
	if !scalerKnows {
		says, ready, who = workers, listed, "the list of workers"
	}
	answering := s.Fleet.Answering()
	few := (scalerKnows || listKnows) && answering > 0 && answering < ready && !s.Balanced
	if !few || !s.shares(now, says.Since, ready) || s.byChance(now, ready, answering) {
		return Notice{}, false
	}
	if says.Apart {
		return say("%d ready by %s, %d answering, under other names, so that only the numbers can be compared", ready, who, answering)
	}
	return say("%d ready by %s, %d answering; %s", ready, who, answering, cure)
}

// within is how far back answers are looked at to tell who answers now.
const within = 10 * time.Second

// byChance reports whether chance explains that of so many replicas no more
// answer: with 2.5 % or more, if each is as likely as any other to get an answer
// of the last seconds, or where connections stay with their replicas, one that
// is open.
func (s Sight) byChance(now time.Time, replicas, answering int) bool {
	draws := s.Rate * min(now.Sub(s.Since), within).Seconds()
	if s.Sticky {
		draws = float64(s.Conns)
	}
	const tail = 0.025
	// The expected number that get nothing is no less than the chance of any, and
	// so many draws are many to go through.
	if m := float64(replicas); m*math.Exp(-draws/m) < tail {
		return false
	}
	return hitAtMost(int(draws), replicas, answering) >= tail
}

// strangers are the replicas that go on answering although the sources, which
// name the others, have had no such replica for a while.
func (s Sight) strangers(now time.Time, sources ...Statement) []string {
	var since time.Time // the latest change of any
	asked := false
	for _, source := range sources {
		if source.Known == nil {
			continue
		}
		asked = true
		if source.Since.After(since) {
			since = source.Since
		}
	}
	if !asked || !s.Fleet.Managed && !s.Fleet.Listed || now.Sub(since) < settled {
		return nil
	}
	var out []string
	for _, r := range s.Fleet.Replicas {
		if r.Answered && r.ID != Others && !r.Managed && !r.Listed && r.State != Gone && r.LastSeen.Sub(since) >= leftOutFor {
			out = append(out, r.ID)
		}
	}
	return out
}
