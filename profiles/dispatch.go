package profiles

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// Dispatch is the order in which replicas get requests. It decides whether a
// fleet that scales in by idle time (max_idle_time) ever does so. With n
// replicas, λ requests per second and a service time of S seconds:
//
//	pack               about λS replicas are busy, the others stay idle and can go
//	least-connections  ties go in turn, so a lightly loaded fleet is used like round-robin
//	round-robin        each replica is used every n/λ s, so none is idle for longer: the fleet does not
//	                   shrink below λ x max_idle_time, however little it has to do
//	random             each is used every n/λ s on average; a gap of max_idle_time has probability
//	                   exp(-max_idle_time x λ/n), so the fleet shrinks late and by chance; requests also wait
//	                   for a busy replica less evenly, unless each works on several at once
//
// Scale-in by the level of a metric does not depend on it.
type Dispatch string

// The orders of dispatch.
const (
	Pack             Dispatch = "pack"              // the idle replica of lowest index, else the fewest in flight
	LeastConnections Dispatch = "least-connections" // the fewest in flight; ties in turn
	RoundRobin       Dispatch = "round-robin"       // each in turn, full ones left out
	Random           Dispatch = "random"            // any that is not full
)

// Dispatches are all orders, the usual one first.
var Dispatches = []Dispatch{Pack, LeastConnections, RoundRobin, Random}

// ParseDispatch reads the name of an order.
func ParseDispatch(s string) (Dispatch, error) {
	if d := Dispatch(s); slices.Contains(Dispatches, d) {
		return d, nil
	}
	names := make([]string, len(Dispatches))
	for i, d := range Dispatches {
		names[i] = string(d)
	}
	last := len(names) - 1
	return "", fmt.Errorf("got %q, want %s or %s", s, strings.Join(names[:last], ", "), names[last])
}

// Balancer is how requests get to replicas, and where they wait. The zero value
// is that of Headroom's own scaler: one queue before all, and Pack.
type Balancer struct {
	Dispatch Dispatch // the order in which replicas get requests; empty: Pack
	Apart    bool     // each request goes to a replica at once and waits there, whatever the others do
}

// String says it in a few words.
func (b Balancer) String() string {
	where := "one queue before all replicas"
	if b.Apart {
		where = "a queue at each replica"
	}
	return fmt.Sprintf("%s, %s", cmp.Or(b.Dispatch, Pack), where)
}

// Slots is what dispatch needs to know of one replica: how many requests it
// works on and how many it may. A replica that must not get any has a Limit
// of 0.
type Slots struct {
	InFlight, Limit int
}

func (s Slots) full() bool { return s.InFlight >= s.Limit }

// Picker chooses replicas by one order, and remembers whose turn it is, by
// index: when the fleet changes, one replica may have two turns in a row, or
// wait for another round. It is not safe for concurrent use.
type Picker struct {
	order  Dispatch
	turn   int // the index after the one that was chosen last
	random *rand.Rand
}

// NewPicker returns a picker for one of the Dispatches. The seed matters to
// Random only.
func NewPicker(order Dispatch, seed uint64) *Picker {
	return &Picker{order: order, random: rand.New(rand.NewPCG(seed, 0))}
}

// Pick chooses the replica for the next request, by its index; -1 when all
// are full.
func (p *Picker) Pick(fleet []Slots) int {
	switch p.order {
	case LeastConnections:
		return p.inTurn(fleet, func(a, b Slots) bool { return a.InFlight < b.InFlight })
	case RoundRobin:
		return p.inTurn(fleet, func(Slots, Slots) bool { return false })
	case Random:
		return p.any(fleet)
	}
	return Pick(fleet)
}

// inTurn chooses the first best of those that are not full, beginning after
// the last choice.
func (p *Picker) inTurn(fleet []Slots, better func(a, b Slots) bool) int {
	if p.turn >= len(fleet) {
		p.turn = 0
	}
	best := -1
	for k := range fleet {
		i := (p.turn + k) % len(fleet)
		if !fleet[i].full() && (best < 0 || better(fleet[i], fleet[best])) {
			best = i
		}
	}
	if best >= 0 {
		p.turn = best + 1
	}
	return best
}

// any chooses among those that are not full, each with the same probability.
func (p *Picker) any(fleet []Slots) int {
	open := 0
	for _, r := range fleet {
		if !r.full() {
			open++
		}
	}
	if open == 0 {
		return -1
	}
	skip := p.random.IntN(open)
	for i, r := range fleet {
		if r.full() {
			continue
		}
		if skip == 0 {
			return i
		}
		skip--
	}
	return -1
}

// Pick chooses in the order Pack: the idle replica of lowest index, else the
// one with the fewest in flight among those below their limit, the lowest
// index breaking ties; -1 when all are full. A fleet that is larger than its
// load keeps its last replicas idle, so that they can go.
func Pick(fleet []Slots) int {
	best := -1
	for i, r := range fleet {
		if r.full() {
			continue
		}
		if r.InFlight == 0 {
			return i
		}
		if best < 0 || r.InFlight < fleet[best].InFlight {
			best = i
		}
	}
	return best
}
