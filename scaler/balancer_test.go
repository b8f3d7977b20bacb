package scaler

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"headroom/profiles"
)

// client is a request of a test: a goroutine that waits for a lease.
type client struct {
	ctx    context.Context
	cancel context.CancelFunc

	mu    sync.Mutex // guards the fields below
	lease lease
	err   error
	done  bool
}

// arrive sends a request and returns when it has a lease or waits for one.
func arrive(t *testing.T, b *balancer) *client {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	c := &client{ctx: ctx, cancel: cancel}
	go func() { c.set(b.acquire(ctx)) }()
	synctest.Wait()
	return c
}

func (c *client) set(l lease, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lease, c.err, c.done = l, err, true
}

// retry sends a request back that its replica did not get.
func (c *client) retry(t *testing.T, b *balancer) {
	t.Helper()
	c.mu.Lock()
	lost := c.lease
	c.done = false
	c.mu.Unlock()
	go func() { c.set(b.reacquire(c.ctx, lost)) }()
	synctest.Wait()
}

// served is the ID of the replica that c got, "" while it waits.
func (c *client) served() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.done || c.err != nil {
		return ""
	}
	return c.lease.id
}

// ended reports whether c has a lease or an error.
func (c *client) ended() (bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.done, c.err
}

func (c *client) release(b *balancer) {
	b.release(&c.lease, completed)
	synctest.Wait()
}

func served(clients []*client) []string {
	ids := make([]string, len(clients))
	for i, c := range clients {
		ids[i] = c.served()
	}
	return ids
}

func expectServed(t *testing.T, what string, clients []*client, want ...string) {
	t.Helper()
	if got := served(clients); !slices.Equal(got, want) {
		t.Fatalf("%s: served by %q, want %q", what, got, want)
	}
}

func TestBalancerServesInOrderOfArrival(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBalancer(time.Now(), Config{MaxQueue: 10})
		b.add(1, "a", "")
		var clients []*client
		for range 4 {
			clients = append(clients, arrive(t, b))
			pass(time.Second)
		}
		expectServed(t, "one replica, four requests", clients, "a", "", "", "")
		clients[0].release(b)
		expectServed(t, "after the first answer", clients, "a", "a", "", "")
		clients[1].release(b)
		expectServed(t, "after the second answer", clients, "a", "a", "a", "")
		if got, want := clients[2].lease.queued, 2*time.Second; got != want {
			t.Errorf("third request: queued for %s, want %s", got, want)
		}
		clients[2].release(b)
		clients[3].release(b)
		if w := b.traffic().backends["a"]; w.served != 4 || w.inFlight != 0 {
			t.Errorf("work of the replica: got %+v, want 4 served and none in flight", w)
		}
	})
}

func TestBalancerForgetsWhoLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBalancer(time.Now(), Config{MaxQueue: 10})
		b.add(1, "a", "")
		clients := []*client{arrive(t, b), arrive(t, b), arrive(t, b)}
		clients[1].cancel()
		synctest.Wait()
		if !clients[1].done || !errors.Is(clients[1].err, context.Canceled) {
			t.Fatalf("cancelled while queued: got done %v and error %v, want context.Canceled at once", clients[1].done, clients[1].err)
		}
		if got := b.traffic(); got.inFlight != 2 || len(got.waiting) != 1 {
			t.Errorf("after it left: got %d in flight and %d waiting, want 2 and 1", got.inFlight, len(got.waiting))
		}
		clients[0].release(b)
		expectServed(t, "the next in the queue", clients, "a", "", "a")
	})
}

// A request can be cancelled in the moment in which it is handed a slot.
// Whatever it sees first, the slot must not get lost.
func TestBalancerCancelMeetsHandOver(t *testing.T) {
	for range 50 {
		synctest.Test(t, func(t *testing.T) {
			b := newBalancer(time.Now(), Config{MaxQueue: 10})
			b.add(1, "a", "")
			first, second, third := arrive(t, b), arrive(t, b), arrive(t, b)
			b.release(&first.lease, completed)
			second.cancel()
			synctest.Wait()
			if second.err == nil {
				second.release(b)
			}
			expectServed(t, "the last in the queue", []*client{third}, "a")
			third.release(b)
			if got := b.traffic(); got.inFlight != 0 || got.backends["a"].inFlight != 0 {
				t.Fatalf("at the end: got %+v, want nothing in flight", got)
			}
		})
	}
}

func TestBalancerLimitsTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBalancer(time.Now(), Config{MaxQueue: 2})
		waiting := []*client{arrive(t, b), arrive(t, b)}
		refused := arrive(t, b)
		if !errors.Is(refused.err, errQueueFull) {
			t.Fatalf("third request with room for two: got error %v, want errQueueFull", refused.err)
		}
		if got := b.traffic(); got.inFlight != 2 || got.reason != reasonNone {
			t.Errorf("no replica: got %d in flight because of %s, want 2 because of %s", got.inFlight, got.reason, reasonNone)
		}
		b.add(1, "a", "")
		synctest.Wait()
		expectServed(t, "after a replica was added", waiting, "a", "")
		if got := b.traffic().reason; got != reasonBusy {
			t.Errorf("a busy replica: got reason %s, want %s", got, reasonBusy)
		}
		if again := arrive(t, b); again.done {
			t.Errorf("with room in the queue again: got %v at once, want it to wait", again.err)
		}
	})
}

func TestBalancerUsesEachSlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBalancer(time.Now(), Config{Concurrency: 2, MaxQueue: 10})
		b.add(1, "a", "")
		b.add(2, "b", "")
		var clients []*client
		for range 5 {
			clients = append(clients, arrive(t, b))
		}
		expectServed(t, "two replicas with two slots", clients, "a", "b", "a", "b", "")
		clients[3].release(b)
		expectServed(t, "after an answer of b", clients, "a", "b", "a", "b", "b")
	})
}

// Of idle replicas the oldest is used, so that the newest can go, whichever
// was ready first.
func TestBalancerPacks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBalancer(time.Now(), Config{MaxQueue: 10})
		b.add(3, "c", "")
		b.add(1, "a", "")
		b.add(2, "b", "")
		clients := []*client{arrive(t, b), arrive(t, b)}
		expectServed(t, "three idle replicas", clients, "a", "b")
		clients[0].release(b)
		expectServed(t, "the next request", []*client{arrive(t, b)}, "a")
	})
}

func TestBalancerDrains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBalancer(time.Now(), Config{MaxQueue: 10})
		a := b.add(1, "a", "")
		b.add(2, "b", "")
		clients := []*client{arrive(t, b), arrive(t, b), arrive(t, b)}
		b.drain(a)
		if isClosed(a.idle) {
			t.Fatal("drained with a request in flight: idle at once")
		}
		clients[0].release(b)
		if !isClosed(a.idle) {
			t.Error("drained, after its last answer: not idle")
		}
		expectServed(t, "a draining replica is free", clients, "a", "b", "")
		if got := b.remove(a); got != 1 {
			t.Errorf("removed: got %d served, want 1", got)
		}
		clients[1].release(b)
		expectServed(t, "the other replica is free", clients, "a", "b", "b")

		c := b.add(3, "c", "")
		b.drain(c)
		if !isClosed(c.idle) {
			t.Error("drained without a request: not idle")
		}
	})
}

// What breaks off may be dead: the queue must not be poured into it.
func TestBalancerSuspendsWhatBreaksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBalancer(time.Now(), Config{MaxQueue: 10})
		a := b.add(1, "a", "")
		clients := []*client{arrive(t, b), arrive(t, b)}
		b.release(&clients[0].lease, broken)
		synctest.Wait()
		expectServed(t, "after a broken answer", clients, "a", "")
		select {
		case <-a.suspect:
		default:
			t.Error("after a broken answer: nobody is told")
		}
		b.resume(a)
		synctest.Wait()
		expectServed(t, "after it was found alive", clients, "a", "a")
		clients[1].release(b)
		if got := b.remove(a); got != 1 {
			t.Errorf("served: got %d, want 1, as one of two answers broke off", got)
		}
	})
}

// A replica can be removed with requests in flight; they end some time later.
func TestBalancerReleaseAfterRemoval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBalancer(time.Now(), Config{MaxQueue: 10})
		a := b.add(1, "a", "")
		b.add(2, "b", "")
		late := arrive(t, b)
		b.remove(a)
		late.release(b)
		if got := b.traffic(); got.inFlight != 0 || got.backends["b"].inFlight != 0 {
			t.Errorf("after the late release: got %+v, want nothing in flight", got)
		}
		expectServed(t, "the next request", []*client{arrive(t, b)}, "b")
	})
}

func TestBalancerCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBalancer(time.Now(), Config{MaxQueue: 10})
		waiting := arrive(t, b)
		b.close()
		synctest.Wait()
		for _, c := range []*client{waiting, arrive(t, b)} {
			if !errors.Is(c.err, errClosed) {
				t.Errorf("closed: got error %v, want errClosed", c.err)
			}
		}
		if got := b.traffic().inFlight; got != 0 {
			t.Errorf("closed: got %d in flight, want 0", got)
		}
	})
}

func TestBalancerMeasures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBalancer(time.Now(), Config{MaxQueue: 1})
		window := profiles.Duration(10 * time.Second)
		metrics := []profiles.Metric{{Kind: profiles.InFlight, Window: window}, {Kind: profiles.RPS, Window: window}}
		if got := b.read(time.Now(), metrics); got[0].Valid || got[1].Valid {
			t.Errorf("before anything was seen: got %+v, want nothing valid", got)
		}
		b.add(1, "a", "")
		busy, queued := arrive(t, b), arrive(t, b)
		arrive(t, b) // refused, but it arrived
		pass(5 * time.Second)
		queued.cancel()
		busy.release(b)
		pass(5 * time.Second)
		got := b.read(time.Now(), metrics)
		want := []profiles.Reading{{Total: 1000, Valid: true}, {Total: 300, Valid: true}}
		if !slices.Equal(got, want) {
			t.Errorf("two in flight (one queued) for 5 of 10 s, three arrivals: got %+v, want %+v", got, want)
		}
	})
}
