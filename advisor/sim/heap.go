package sim

import "time"

// kind is what happens in an event.
type kind uint8

const (
	finished kind = iota // a request, on its replica
	started              // a replica is ready
	stopped              // a replica that was to go is gone
	decision             // is due
	sampling             // of the requests in flight, and of the fleet
	patience             // of the first request in a queue is over
)

// event is something that will happen, but for arrivals: of these there is one
// at a time, and it is kept apart.
type event struct {
	at      time.Duration
	seq     uint64        // of those at the same time the first that was planned comes first
	arrived time.Duration // of the request
	replica int32         // by its number; 0: none
	kind    kind
	cut     bool // the client gives up then
}

func (e *event) before(f *event) bool {
	return e.at < f.at || e.at == f.at && e.seq < f.seq
}

// agenda holds what will happen, the next first: a heap in which each has four
// below it, which is half as high as one with two, and keeps those that are
// compared in a row of memory.
type agenda struct {
	events []event
	seq    uint64
}

func (a *agenda) push(e event) {
	a.seq++
	e.seq = a.seq
	a.events = append(a.events, e)
	i := len(a.events) - 1
	for i > 0 {
		above := (i - 1) / 4
		if !e.before(&a.events[above]) {
			break
		}
		a.events[i] = a.events[above]
		i = above
	}
	a.events[i] = e
}

// pop takes the next event; there must be one.
func (a *agenda) pop() event {
	first := a.events[0]
	n := len(a.events) - 1
	last := a.events[n]
	a.events = a.events[:n]
	if n == 0 {
		return first
	}
	i := 0
	for {
		least := 4*i + 1
		if least >= n {
			break
		}
		for k := least + 1; k < min(4*i+5, n); k++ {
			if a.events[k].before(&a.events[least]) {
				least = k
			}
		}
		if !a.events[least].before(&last) {
			break
		}
		a.events[i] = a.events[least]
		i = least
	}
	a.events[i] = last
	return first
}
