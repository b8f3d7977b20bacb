package target

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func checkLoad(t *testing.T, l *limiter, busy, waiting int) {
	t.Helper()
	if b, w := l.load(); b != busy || w != waiting {
		t.Errorf("load() = %d busy, %d waiting, want %d, %d", b, w, busy, waiting)
	}
}

func TestLimiterOldestFirst(t *testing.T) {
	for _, limit := range []int{1, 3} {
		synctest.Test(t, func(t *testing.T) {
			l := newLimiter(limit)
			for range limit {
				if err := l.acquire(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			var mu sync.Mutex
			var order []int
			const n = 20
			for i := range n {
				go func() {
					if err := l.acquire(t.Context()); err != nil {
						t.Error(err)
					}
					mu.Lock()
					order = append(order, i)
					mu.Unlock()
				}()
				synctest.Wait() // i waits before i+1 comes
			}
			checkLoad(t, l, limit, n)
			for i := range n {
				l.release()
				synctest.Wait()
				checkLoad(t, l, limit, n-1-i)
			}
			if !slices.IsSorted(order) || len(order) != n {
				t.Errorf("served in the order %v, want that of arrival", order)
			}
			for range limit {
				l.release()
			}
			checkLoad(t, l, 0, 0)
		})
	}
}

func TestLimiterNeverExceedsItsLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const limit, n = 3, 50
		l := newLimiter(limit)
		var mu sync.Mutex
		inside, most := 0, 0
		var requests sync.WaitGroup
		for range n {
			requests.Go(func() {
				if err := l.acquire(t.Context()); err != nil {
					t.Error(err)
				}
				mu.Lock()
				inside++
				most = max(most, inside)
				mu.Unlock()
				<-time.After(time.Second)
				mu.Lock()
				inside--
				mu.Unlock()
				l.release()
			})
		}
		synctest.Wait()
		checkLoad(t, l, limit, n-limit)
		requests.Wait()
		checkLoad(t, l, 0, 0)
		if most != limit {
			t.Errorf("up to %d at a time, want %d", most, limit)
		}
	})
}

func TestLimiterLeaving(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(1)
		if err := l.acquire(t.Context()); err != nil {
			t.Fatal(err)
		}
		ctx, leave := context.WithCancel(t.Context())
		left := make(chan error, 1)
		go func() { left <- l.acquire(ctx) }()
		synctest.Wait()
		got := make(chan error, 1)
		go func() { got <- l.acquire(t.Context()) }()
		synctest.Wait()
		checkLoad(t, l, 1, 2)

		leave()
		if err := <-left; !errors.Is(err, context.Canceled) {
			t.Errorf("acquire = %v after leaving, want %v", err, context.Canceled)
		}
		checkLoad(t, l, 1, 1)
		l.release()
		if err := <-got; err != nil {
			t.Errorf("acquire = %v behind one that left, want nil", err)
		}
		l.release()
		checkLoad(t, l, 0, 0)

		if err := l.acquire(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("acquire = %v of one that left before, want %v", err, context.Canceled)
		}
		checkLoad(t, l, 0, 0)
	})
}

// A client may leave at the moment its turn comes: whatever acquire returns,
// the slot must not be lost.
func TestLimiterLeavingAtItsTurn(t *testing.T) {
	l := newLimiter(1)
	for range 2000 {
		if err := l.acquire(t.Context()); err != nil {
			t.Fatal(err)
		}
		ctx, leave := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			if l.acquire(ctx) == nil {
				l.release()
			}
		})
		wg.Go(leave)
		wg.Go(l.release)
		wg.Wait()
		checkLoad(t, l, 0, 0)
	}
}
