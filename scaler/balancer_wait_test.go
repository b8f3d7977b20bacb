package scaler

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestBalancerLimitsTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBalancer(time.Now(), Config{MaxWait: 10 * time.Second})
		b.add(1, "a", "")
		busy, first := arrive(t, b), arrive(t, b)
		pass(time.Second)
		second := arrive(t, b)
		pass(9*time.Second - 1)
		expectServed(t, "just before the limit", []*client{first, second}, "", "")
		if done, err := first.ended(); done {
			t.Fatalf("just before the limit: got %v, want it to wait", err)
		}
		pass(1)
		_, err := first.ended()
		if done, _ := second.ended(); !errors.Is(err, errWaited) || done {
			t.Errorf("at the limit of the first: got %v, and the second done %v; want errWaited, and that it waits", err, done)
		}
		busy.release(b)
		expectServed(t, "the next in the queue", []*client{second}, "a")
		if got := b.traffic().inFlight; got != 1 {
			t.Errorf("got %d in flight, want 1", got)
		}
	})
}

// A request that its replica did not get is next, goes elsewhere, and has
// waited since it arrived.
func TestBalancerTakesBackWhatWasNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBalancer(time.Now(), Config{MaxQueue: 1, MaxWait: 10 * time.Second})
		a, _ := b.add(1, "a", ""), b.add(2, "b", "")
		lost, other := arrive(t, b), arrive(t, b)
		queued := arrive(t, b)
		pass(4 * time.Second)
		lost.retry(t, b)
		expectServed(t, "the replica that refused", []*client{lost, queued}, "", "")
		if len(a.suspect) != 1 {
			t.Error("the replica that refused: nobody is told to look at it")
		}
		if got := b.traffic(); got.inFlight != 3 || len(got.waiting) != 2 {
			t.Errorf("got %d in flight and %d waiting, want 3 and 2", got.inFlight, len(got.waiting))
		}
		other.release(b)
		expectServed(t, "another replica is free", []*client{lost, queued}, "b", "")
		if got, want := lost.lease.queued, 4*time.Second; got != want {
			t.Errorf("queued for %s, want %s", got, want)
		}
		pass(5 * time.Second)
		lost.retry(t, b) // a is still suspended, and b is now
		pass(time.Second)
		if !errors.Is(lost.err, errWaited) || !errors.Is(queued.err, errWaited) {
			t.Errorf("10 s after they arrived: got %v and %v, want errWaited", lost.err, queued.err)
		}
		late := arrive(t, b)
		pass(9 * time.Second)
		b.add(3, "c", "")
		synctest.Wait()
		expectServed(t, "a new replica", []*client{late}, "c")
		pass(time.Second)
		late.retry(t, b)
		if !errors.Is(late.err, errWaited) {
			t.Errorf("not sent after the limit: got %v, want errWaited", late.err)
		}
		if got := b.traffic().inFlight; got != 0 {
			t.Errorf("at the end: got %d in flight, want 0", got)
		}
	})
}

func TestBalancerTakesNothingBackWhenClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBalancer(time.Now(), Config{})
		b.add(1, "a", "")
		lost := arrive(t, b)
		b.close()
		lost.retry(t, b)
		if got := b.traffic().inFlight; !errors.Is(lost.err, errClosed) || got != 0 {
			t.Errorf("got %v and %d in flight, want errClosed and none", lost.err, got)
		}
	})
}

// A stuck request has its slot until it is released, and no longer.
func TestBalancerCountsStuckRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBalancer(time.Now(), Config{})
		a := b.add(1, "a", "")
		began := time.Now()
		stuck := arrive(t, b)
		pass(time.Second)
		b.stick(&stuck.lease)
		next := arrive(t, b)
		expectServed(t, "while the only replica is stuck", []*client{next}, "")
		if w := b.traffic().backends["a"]; w.stuck != 1 || w.inFlight != 1 || !w.oldest.Equal(began) {
			t.Errorf("got %+v, want one stuck that is in flight since %s", w, began)
		}
		if got := b.sense(time.Now()); got.inFlight != 2 || len(got.idle) != 0 {
			t.Errorf("got %+v, want two in flight and nothing idle", got)
		}
		stuck.release(b)
		expectServed(t, "after the replica answered", []*client{next}, "a")
		next.release(b)
		b.stick(&next.lease) // its end and its timeout met
		if w := b.traffic().backends["a"]; w.stuck != 0 || w.inFlight != 0 || w.served != 1 || len(a.suspect) != 0 {
			t.Errorf("got %+v, want nothing stuck, and one served in time", w)
		}
	})
}

// Slots come and go while requests wait.
func TestBalancerCapacityUpAndDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBalancer(time.Now(), Config{Concurrency: 2})
		var clients []*client
		for range 6 {
			clients = append(clients, arrive(t, b))
		}
		a := b.add(1, "a", "")
		synctest.Wait()
		expectServed(t, "a replica with two slots", clients, "a", "a", "", "", "", "")
		b.drain(a)
		c := b.add(3, "c", "")
		synctest.Wait()
		expectServed(t, "another while the first drains", clients, "a", "a", "c", "c", "", "")
		clients[0].release(b)
		clients[2].release(b)
		expectServed(t, "one answer of each", clients, "a", "a", "c", "c", "c", "")
		b.drain(c)
		clients[3].release(b)
		expectServed(t, "when both drain", clients, "a", "a", "c", "c", "c", "")
		b.add(2, "b", "")
		synctest.Wait()
		expectServed(t, "a third", clients, "a", "a", "c", "c", "c", "b")
		for _, n := range []int{1, 4, 5} {
			clients[n].release(b)
		}
		if !isClosed(a.idle) || !isClosed(c.idle) {
			t.Errorf("at the end: idle is %v and %v, want both", isClosed(a.idle), isClosed(c.idle))
		}
	})
}

func BenchmarkBalancer(b *testing.B) {
	bal := newBalancer(time.Now(), Config{})
	for i := range 10 {
		bal.add(i, string(rune('a'+i)), "")
	}
	b.ReportAllocs()
	for b.Loop() {
		l, _ := bal.acquire(b.Context())
		bal.release(&l, completed)
	}
}
