package scaler

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"headroom/profiles"
)

// action is a step of the property test; n chooses whom it concerns.
type action struct {
	kind string
	n    int
}

var actions = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) action {
	return action{
		kind: rapid.SampledFrom([]string{
			"arrive", "arrive", "arrive", "release", "release", "break", "give up", "stick", "unsent",
			"ask", "ask", "resume", "resume", "cancel", "add", "drain", "remove", "pass",
		}).Draw(t, "kind"),
		n: rapid.IntRange(0, 99).Draw(t, "n"),
	}
}), 1, 60)

// reference is the balancer as slowly and plainly as it can be said: a list of
// replicas, a list of those who wait, and one rule that is applied until it
// does not apply any more.
type reference struct {
	Config
	now      time.Duration
	turn     int // the place in the list after the last choice
	replicas []*referenceReplica
	arrived  []time.Duration // by request
	queue    []int
	outcome  map[int]string // by request: a replica, "full", "left" or "waited"
}

type referenceReplica struct {
	number    int
	id        string
	working   []int
	late      []int // of working
	served    int64
	closed    bool // draining
	suspended bool
	accused   bool // broke a request since it was asked
}

func (m *reference) open(r *referenceReplica) bool {
	return !r.closed && !r.suspended && len(r.working) < m.Concurrency
}

// choose is the replica for the next request, nil without one. What Random
// chooses only has to be open; which it is, the balancer says.
func (m *reference) choose(random string) *referenceReplica {
	candidates := slices.Clone(m.replicas)
	if m.Dispatch == profiles.LeastConnections || m.Dispatch == profiles.RoundRobin {
		if m.turn >= len(candidates) {
			m.turn = 0
		}
		candidates = slices.Concat(m.replicas[m.turn:], m.replicas[:m.turn])
	}
	candidates = slices.DeleteFunc(candidates, func(r *referenceReplica) bool {
		return !m.open(r) || m.Dispatch == profiles.Random && r.id != random
	})
	if m.Dispatch == profiles.Pack || m.Dispatch == profiles.LeastConnections {
		slices.SortStableFunc(candidates, func(a, b *referenceReplica) int { return len(a.working) - len(b.working) })
	}
	if len(candidates) == 0 {
		return nil
	}
	m.turn = slices.Index(m.replicas, candidates[0]) + 1
	return candidates[0]
}

// settle gives the oldest waiters to replicas as long as there are both. Got
// says what the balancer did.
func (m *reference) settle(got func(request int) string) {
	for len(m.queue) > 0 {
		first := m.queue[0]
		r := m.choose(got(first))
		if r == nil {
			return
		}
		r.working = append(r.working, first)
		m.outcome[first] = r.id
		m.queue = m.queue[1:]
	}
}

// expire ends the waiting of those who have waited for long enough.
func (m *reference) expire() {
	m.queue = slices.DeleteFunc(m.queue, func(q int) bool {
		over := m.now-m.arrived[q] >= m.MaxWait
		if over {
			m.outcome[q] = "waited"
		}
		return over
	})
}

// level is what is in flight.
func (m *reference) level() int {
	n := len(m.queue)
	for _, r := range m.replicas {
		n += len(r.working)
	}
	return n
}

func TestBalancerAgainstReference(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		cfg := Config{
			Concurrency: rapid.IntRange(1, 3).Draw(rt, "concurrency"),
			MaxQueue:    rapid.IntRange(1, 5).Draw(rt, "maxQueue"),
			MaxWait:     time.Minute,
			Dispatch:    rapid.SampledFrom(profiles.Dispatches).Draw(rt, "dispatch"),
		}
		steps := actions.Draw(rt, "steps")
		var failure error
		synctest.Test(t, func(t *testing.T) { failure = compare(t, cfg, steps) })
		if failure != nil {
			rt.Fatal(failure)
		}
	})
}

// pair is a balancer and its reference, to which the same happens.
type pair struct {
	*testing.T
	balancer  *balancer
	reference *reference
	clients   []*client
	backends  []*backend // those of reference.replicas
}

// compare applies the steps to both.
func compare(t *testing.T, cfg Config, steps []action) error {
	p := &pair{
		T: t, balancer: newBalancer(time.Now(), cfg),
		reference: &reference{Config: cfg, outcome: map[int]string{}},
	}
	defer func() { // nothing may be left in the bubble
		for _, c := range p.clients {
			c.cancel()
		}
		synctest.Wait()
	}()
	for i, a := range steps {
		p.apply(a)
		synctest.Wait()
		p.reference.settle(p.outcome)
		if err := p.difference(); err != nil {
			return fmt.Errorf("after step %d, %v: %w", i, a, err)
		}
	}
	return nil
}

// outcome is what became of a request, "" while it waits.
func (p *pair) outcome(request int) string {
	c := p.clients[request]
	got := c.served()
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case errors.Is(c.err, errQueueFull):
		return "full"
	case errors.Is(c.err, errWaited):
		return "waited"
	case errors.Is(c.err, context.Canceled):
		return "left"
	}
	return got
}

func (p *pair) difference() error {
	b, m := p.balancer, p.reference
	for n := range p.clients {
		if got, want := p.outcome(n), m.outcome[n]; got != want {
			return fmt.Errorf("request %d got %q, want %q", n, got, want)
		}
	}
	got := b.traffic()
	if got.inFlight != m.level() || len(got.waiting) != len(m.queue) {
		return fmt.Errorf("got %d in flight and %d waiting, want %d and %d", got.inFlight, len(got.waiting), m.level(), len(m.queue))
	}
	ready, free := 0, 0
	for _, r := range m.replicas {
		w := got.backends[r.id]
		if w.inFlight != len(r.working) || w.stuck != len(r.late) || w.served != r.served || w.oldest.IsZero() != (w.inFlight == 0) {
			return fmt.Errorf("%s: got %+v, want %d in flight, %d stuck, %d served", r.id, w, len(r.working), len(r.late), r.served)
		}
		if !r.closed && !r.suspended {
			ready++
			if len(r.working) == 0 {
				free++
			}
		}
	}
	if s := b.sense(time.Now()); s.ready != ready || len(s.idle) != free || s.waiting != len(m.queue) || s.inFlight != m.level() {
		return fmt.Errorf("got %+v, want %d ready, %d free, %d waiting", s, ready, free, len(m.queue))
	}
	return nil
}
