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
)

// action is a step of the property test; n chooses whom it concerns.
type action struct {
	kind string
	n    int
}

var actions = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) action {
	return action{
		kind: rapid.SampledFrom([]string{"arrive", "arrive", "arrive", "release", "release", "break", "resume", "cancel", "add", "drain", "remove"}).Draw(t, "kind"),
		n:    rapid.IntRange(0, 99).Draw(t, "n"),
	}
}), 1, 60)

// reference is the balancer as slowly and plainly as it can be said: a list of
// replicas, a list of those who wait, and one rule that is applied until it
// does not apply any more.
type reference struct {
	concurrency, maxQueue int
	replicas              []*referenceReplica
	queue                 []int
	served                map[int]string // by request: a replica, "full" or "left"
}

type referenceReplica struct {
	number    int
	id        string
	working   []int
	closed    bool // draining
	suspended bool
	removed   bool
}

// settle gives the oldest waiter to the first idle replica, else to the first
// of those with the fewest requests, as long as there are both.
func (m *reference) settle() {
	for len(m.queue) > 0 {
		var best *referenceReplica
		for _, r := range m.replicas {
			if r.closed || r.suspended || r.removed || len(r.working) >= m.concurrency {
				continue
			}
			if best == nil || len(r.working) < len(best.working) {
				best = r
			}
		}
		if best == nil {
			return
		}
		best.working = append(best.working, m.queue[0])
		m.served[m.queue[0]] = best.id
		m.queue = m.queue[1:]
	}
}

func (m *reference) arrive(n int) {
	m.queue = append(m.queue, n)
	m.settle()
	if len(m.queue) > m.maxQueue {
		m.queue = slices.DeleteFunc(m.queue, func(q int) bool { return q == n })
		m.served[n] = "full"
	}
}

func TestBalancerAgainstReference(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		concurrency := rapid.IntRange(1, 3).Draw(rt, "concurrency")
		maxQueue := rapid.IntRange(1, 5).Draw(rt, "maxQueue")
		steps := actions.Draw(rt, "steps")
		var failure error
		synctest.Test(t, func(t *testing.T) { failure = compare(t, concurrency, maxQueue, steps) })
		if failure != nil {
			rt.Fatal(failure)
		}
	})
}

// compare applies the steps to a balancer and to the reference.
func compare(t *testing.T, concurrency, maxQueue int, steps []action) error {
	b := newBalancer(time.Now(), Config{Concurrency: concurrency, MaxQueue: maxQueue})
	m := &reference{concurrency: concurrency, maxQueue: maxQueue, served: map[int]string{}}
	var clients []*client
	var backends []*backend
	defer func() { // nothing may be left in the bubble
		for _, c := range clients {
			c.cancel()
		}
		synctest.Wait()
	}()
	for i, a := range steps {
		apply(t, a, b, m, &clients, &backends)
		synctest.Wait()
		for n, c := range clients {
			got := c.served()
			switch {
			case errors.Is(c.err, ErrQueueFull):
				got = "full"
			case errors.Is(c.err, context.Canceled):
				got = "left"
			}
			if got != m.served[n] {
				return fmt.Errorf("after step %d, %v: request %d got %q, want %q", i, a, n, got, m.served[n])
			}
		}
		level := len(m.queue)
		for _, r := range m.replicas {
			level += len(r.working)
		}
		if got := b.traffic(); got.inFlight != level || len(got.waiting) != len(m.queue) {
			return fmt.Errorf("after step %d, %v: got %d in flight and %d waiting, want %d and %d", i, a, got.inFlight, len(got.waiting), level, len(m.queue))
		}
	}
	return nil
}

func apply(t *testing.T, a action, b *balancer, m *reference, clients *[]*client, backends *[]*backend) {
	// The replica or request that the action concerns, if there is one.
	var r *referenceReplica
	var be *backend
	if len(m.replicas) > 0 {
		i := a.n % len(m.replicas)
		r, be = m.replicas[i], (*backends)[i]
	}
	switch a.kind {
	case "arrive":
		m.arrive(len(*clients))
		*clients = append(*clients, arrive(t, b))
	case "release", "break":
		if r == nil || len(r.working) == 0 {
			return
		}
		n := r.working[0]
		r.working = r.working[1:]
		r.suspended = r.suspended || a.kind == "break"
		how := completed
		if a.kind == "break" {
			how = broken
		}
		b.release(&(*clients)[n].lease, how)
		m.settle()
	case "resume":
		if r != nil && !r.removed {
			r.suspended = false
			b.resume(be)
			m.settle()
		}
	case "cancel":
		if len(m.queue) == 0 {
			return
		}
		i := a.n % len(m.queue)
		n := m.queue[i]
		m.queue = slices.Delete(m.queue, i, i+1)
		m.served[n] = "left"
		(*clients)[n].cancel()
	case "add":
		// Numbers come in any order; the list of the reference is in theirs.
		number := 1000*a.n + len(m.replicas)
		id := fmt.Sprint("r", number)
		at := 0
		for at < len(m.replicas) && m.replicas[at].number < number {
			at++
		}
		m.replicas = slices.Insert(m.replicas, at, &referenceReplica{number: number, id: id})
		*backends = slices.Insert(*backends, at, b.add(number, id, ""))
		m.settle()
	case "drain":
		if r != nil && !r.closed && !r.removed {
			r.closed = true
			b.drain(be)
		}
	case "remove":
		if r != nil && !r.removed {
			r.removed = true
			b.remove(be)
		}
	}
}
