package scaler

import (
	"container/list"
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"headroom/profiles"
)

// errQueueFull is the answer to a request that finds MaxQueue others waiting.
var errQueueFull = errors.New("the queue is full")

var (
	errClosed = errors.New("the scaler is shutting down")
	errWaited = errors.New("waited for a replica") // for as long as it may
)

// balancer gives requests to replicas: to the one that the order of dispatch
// chooses, else into a queue, oldest first. Choosing and taking the slot are
// one step under one lock, and so are freeing a slot and handing it to the
// oldest waiter; nobody waits while there is a free slot. It counts what the
// metrics of a policy need. It is safe for concurrent use, and starts no
// goroutine.
type balancer struct {
	concurrency int // slots of a replica
	maxQueue    int
	maxWait     time.Duration

	// starved gets a value when a request begins to wait while no replica is
	// in service; capacity 1.
	starved chan struct{}

	mu       sync.Mutex // guards the fields below and those of backends
	backends []*backend // by number: packing keeps the newest idle, which go first
	slots    []profiles.Slots
	picker   *profiles.Picker
	queue    list.List // of *waiter, oldest first
	arrivals int64
	serving  int // backends in service
	closed   bool
	meters   *profiles.Meters
}

// waiter is a request in the queue.
type waiter struct {
	lease   // complete when granted is closed, unless the balancer was closed
	granted chan struct{}
}

// lease is a slot of a replica, to be released once.
type lease struct {
	*backend
	slot    int
	order   int64 // of arrival
	arrived time.Time
	queued  time.Duration // until the slot was handed over

	// Guarded by balancer.mu.
	released bool
	late     bool // the client has its 504
}

// outcome is how a request ended.
type outcome int

const (
	completed outcome = iota // answered by its replica, in time
	abandoned                // given up by the client, or too late for it: says nothing about the replica
	broken                   // the replica ended the connection, or never answered
)

func newBalancer(now time.Time, cfg Config) *balancer {
	cfg = cfg.withDefaults()
	return &balancer{
		concurrency: cfg.Concurrency,
		maxQueue:    cfg.MaxQueue,
		maxWait:     cfg.MaxWait,
		starved:     make(chan struct{}, 1),
		picker:      profiles.NewPicker(cfg.Dispatch, rand.Uint64()),
		meters:      profiles.NewMeters(now),
	}
}

// acquire takes a slot, in the order of arrival. It waits in the queue until
// there is one or ctx is done; the error is errQueueFull, errWaited, errClosed
// or the cause of ctx.
func (b *balancer) acquire(ctx context.Context) (lease, error) {
	b.mu.Lock()
	now := time.Now() // under the lock, so that the meters never go back
	b.meters.Arrive(now, 1)
	if b.closed {
		b.mu.Unlock()
		return lease{}, errClosed
	}
	b.arrivals++
	l := lease{order: b.arrivals, arrived: now}
	if b.queue.Len() == 0 {
		if i := b.picker.Pick(b.slots); i >= 0 {
			b.meters.Flow(now, 1)
			b.take(now, i, &l)
			b.mu.Unlock()
			return l, nil
		}
	}
	if b.queue.Len() >= b.maxQueue {
		b.mu.Unlock()
		return lease{}, errQueueFull
	}
	b.meters.Flow(now, 1)
	place := b.enqueue(now, l)
	b.mu.Unlock()
	return b.wait(ctx, place)
}

// reacquire takes a slot for a request that its replica did not get, as no
// connection could be made. It is next in the queue, as if it had never left,
// and its waiting time goes on; the replica gets nothing more until resume.
func (b *balancer) reacquire(ctx context.Context, lost lease) (lease, error) {
	b.mu.Lock()
	now := time.Now()
	b.accuse(now, lost.backend)
	b.give(now, lost)
	l := lease{order: lost.order, arrived: lost.arrived}
	var err error
	switch {
	case b.closed:
		err = errClosed
	case now.Sub(l.arrived) >= b.maxWait:
		err = errWaited
	}
	if err != nil {
		b.meters.Flow(now, -1)
		b.mu.Unlock()
		return lease{}, err
	}
	place := b.enqueue(now, l)
	b.dispatch(now)
	b.mu.Unlock()
	return b.wait(ctx, place)
}

// wait returns when a waiter has its slot, and takes it out of the queue when
// it will not get one.
func (b *balancer) wait(ctx context.Context, place *list.Element) (lease, error) {
	w := place.Value.(*waiter)
	timer := time.NewTimer(b.maxWait - time.Since(w.arrived))
	defer timer.Stop()
	var err error
	select {
	case <-w.granted:
		if w.backend == nil {
			return lease{}, errClosed
		}
		return w.lease, nil
	case <-ctx.Done():
		err = context.Cause(ctx)
	case <-timer.C:
		err = errWaited
	}
	b.abandon(place)
	return lease{}, err
}

// abandon takes a waiter out of the queue, or gives back the slot that it was
// handed in the same moment.
func (b *balancer) abandon(place *list.Element) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	switch w := place.Value.(*waiter); {
	case !isClosed(w.granted):
		b.dequeue(now, place)
		b.meters.Flow(now, -1)
	case w.backend != nil:
		b.meters.Flow(now, -1)
		b.give(now, w.lease)
		b.dispatch(now)
	}
}

// stick notes that the client of a request has its answer, a timeout, while
// the replica still works on it. The request keeps its slot until release,
// which may have come before.
func (b *balancer) stick(l *lease) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !l.released {
		l.late = true
		l.stuck++
	}
}

// release gives a slot back. A replica that broke a request off gets nothing
// more until resume, because it may be gone, and would break whatever waits
// next.
func (b *balancer) release(l *lease, how outcome) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	b.meters.Flow(now, -1)
	l.released = true
	if l.late {
		l.stuck--
	}
	switch {
	case how == completed && !l.late:
		l.served++
		b.meters.Answer(now, now.Sub(l.arrived))
	case how == broken:
		b.accuse(now, l.backend)
	}
	b.give(now, *l)
	b.dispatch(now)
}

// close refuses everything from now on, also what is waiting.
func (b *balancer) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	now := time.Now()
	for e := b.queue.Front(); e != nil; e = b.queue.Front() {
		w := b.dequeue(now, e)
		b.meters.Flow(now, -1)
		close(w.granted)
	}
}

// dispatch hands free slots to the oldest waiters.
func (b *balancer) dispatch(now time.Time) {
	for b.queue.Len() > 0 {
		i := b.picker.Pick(b.slots)
		if i < 0 {
			return
		}
		w := b.dequeue(now, b.queue.Front())
		b.take(now, i, &w.lease)
		close(w.granted)
	}
}

// enqueue has a request wait behind all that arrived before it. When no
// replica is in service, it says so to whoever decides.
func (b *balancer) enqueue(now time.Time, l lease) *list.Element {
	w := &waiter{lease: l, granted: make(chan struct{})}
	before := b.queue.Back()
	for before != nil && before.Value.(*waiter).order > l.order {
		before = before.Prev()
	}
	b.meters.Line(now, 1)
	if b.serving == 0 {
		notify(b.starved)
	}
	if before == nil {
		return b.queue.PushFront(w)
	}
	return b.queue.InsertAfter(w, before)
}

func (b *balancer) dequeue(now time.Time, place *list.Element) *waiter {
	b.meters.Line(now, -1)
	return b.queue.Remove(place).(*waiter)
}

// take uses a slot of the backend at index i for a lease.
func (b *balancer) take(now time.Time, i int, l *lease) {
	l.backend = b.backends[i]
	l.queued = now.Sub(l.arrived)
	l.slot = l.backend.begin(now)
	b.update(now, l.backend)
}

// give frees the slot of a lease.
func (b *balancer) give(now time.Time, l lease) {
	l.backend.end(l.slot)
	b.update(now, l.backend)
}

// notify sends on a channel of capacity 1, unless it holds a value.
func notify(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
