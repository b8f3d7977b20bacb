package target

import (
	"container/list"
	"context"
	"sync"
)

// limiter lets limit requests through at a time; the others wait, and the one
// that came first goes first. It is safe for concurrent use.
type limiter struct {
	limit int

	mu    sync.Mutex // guards the fields below
	busy  int        // slots taken; below limit only while nobody waits
	queue list.List  // of chan struct{}, oldest first; closed when its turn comes
}

func newLimiter(limit int) *limiter { return &limiter{limit: limit} }

// acquire waits for a slot, which release gives back. When ctx ends first it
// leaves the queue and returns the error of ctx.
func (l *limiter) acquire(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	l.mu.Lock()
	if l.busy < l.limit {
		l.busy++
		l.mu.Unlock()
		return nil
	}
	turn := make(chan struct{})
	place := l.queue.PushBack(turn)
	l.mu.Unlock()

	select {
	case <-turn:
		return nil
	case <-ctx.Done():
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-turn: // the slot came at the same moment: the next one gets it
		l.pass()
	default:
		l.queue.Remove(place)
	}
	return ctx.Err()
}

func (l *limiter) release() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pass()
}

// pass hands a slot to whoever has waited longest. The caller holds mu.
func (l *limiter) pass() {
	if first := l.queue.Front(); first != nil {
		close(l.queue.Remove(first).(chan struct{}))
		return
	}
	l.busy--
}

// load is how many hold a slot and how many wait for one.
func (l *limiter) load() (busy, waiting int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.busy, l.queue.Len()
}
