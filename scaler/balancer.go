package scaler

import (
	"container/list"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"headroom/profiles"
)

// ErrQueueFull is the answer to a request that finds MaxQueue others waiting.
var ErrQueueFull = errors.New("the queue is full")

var errClosed = errors.New("the scaler is shutting down")

// balancer gives requests to replicas: to the one that profiles.Pick chooses,
// else into a queue, oldest first. Choosing and taking the slot are one step
// under one lock, and so are freeing a slot and handing it to the oldest
// waiter; nobody waits while there is a free slot. It counts what the metrics
// of a policy need: arrivals, and requests in flight, queued ones included.
// It is safe for concurrent use, and starts no goroutine.
type balancer struct {
	concurrency int // slots of a replica
	maxQueue    int

	mu       sync.Mutex // guards the fields below and those of backends
	backends []*backend // by number: packing keeps the newest idle, which go first
	slots    []profiles.Slots
	queue    list.List // of *waiter, oldest first
	window   *profiles.Window
	closed   bool
}

// backend is a replica as the balancer sees it.
type backend struct {
	number  int
	id      string
	address string

	suspect chan struct{} // gets a value when an answer broke off; capacity 1
	idle    chan struct{} // closed when it is draining and has nothing left

	// Guarded by balancer.mu.
	index     int // into backends and slots; -1 after removal
	draining  bool
	suspended bool
	inFlight  int
	taken     int64 // requests that it was handed
	served    int64
}

// waiter is a request in the queue.
type waiter struct {
	since   time.Time
	granted chan *backend // gets the backend, or is closed with the balancer; capacity 1
}

// lease is a slot of a replica, to be released once.
type lease struct {
	*backend
	queued time.Duration
}

func newBalancer(now time.Time, concurrency, maxQueue int) *balancer {
	return &balancer{concurrency: concurrency, maxQueue: maxQueue, window: profiles.NewWindow(now)}
}

// acquire takes a slot, in the order of arrival. It waits in the queue until
// there is one or ctx is done; the error is ErrQueueFull, errClosed or the
// cause of ctx.
func (b *balancer) acquire(ctx context.Context) (lease, error) {
	b.mu.Lock()
	now := time.Now() // under the lock, so that the window never goes back
	b.window.Count(now)
	if b.closed {
		b.mu.Unlock()
		return lease{}, errClosed
	}
	if b.queue.Len() == 0 {
		if i := profiles.Pick(b.slots); i >= 0 {
			b.window.Change(now, 1)
			l := lease{backend: b.take(i)}
			b.mu.Unlock()
			return l, nil
		}
	}
	if b.queue.Len() >= b.maxQueue {
		b.mu.Unlock()
		return lease{}, ErrQueueFull
	}
	b.window.Change(now, 1)
	w := &waiter{since: now, granted: make(chan *backend, 1)}
	place := b.queue.PushBack(w)
	b.mu.Unlock()

	select {
	case be, ok := <-w.granted:
		if !ok {
			return lease{}, errClosed
		}
		return lease{be, time.Since(w.since)}, nil
	case <-ctx.Done():
		b.abandon(place, w)
		return lease{}, context.Cause(ctx)
	}
}

// abandon takes a waiter out of the queue, or gives back the slot that it was
// handed in the same moment.
func (b *balancer) abandon(place *list.Element, w *waiter) {
	b.mu.Lock()
	defer b.mu.Unlock()
	select {
	case be, ok := <-w.granted:
		if ok {
			b.give(be)
			b.window.Change(time.Now(), -1)
			b.dispatch()
		}
	default:
		b.queue.Remove(place)
		b.window.Change(time.Now(), -1)
	}
}

// release gives a slot back after an answer. Broken says that the replica
// ended the connection instead of answering: it gets nothing more until
// resume, because it may be gone, and would break whatever waits next.
func (b *balancer) release(be *backend, broken bool) {
	b.mu.Lock()
	b.window.Change(time.Now(), -1)
	if broken {
		be.suspended = true
	} else {
		be.served++
	}
	b.give(be)
	b.dispatch()
	b.mu.Unlock()
	if broken {
		select {
		case be.suspect <- struct{}{}:
		default: // it is being looked into already
		}
	}
}

// add puts a ready replica into service.
func (b *balancer) add(number int, id, address string) *backend {
	be := &backend{
		number: number, id: id, address: address,
		suspect: make(chan struct{}, 1),
		idle:    make(chan struct{}),
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	at, _ := slices.BinarySearchFunc(b.backends, number, func(e *backend, n int) int { return e.number - n })
	b.backends = slices.Insert(b.backends, at, be)
	b.slots = slices.Insert(b.slots, at, profiles.Slots{Limit: b.concurrency})
	b.reindex(at)
	b.dispatch()
	return be
}

// resume ends the suspension after a broken answer.
func (b *balancer) resume(be *backend) {
	b.mu.Lock()
	defer b.mu.Unlock()
	be.suspended = false
	b.update(be)
	b.dispatch()
}

// drain gives a replica nothing new. Its idle channel is closed when it has
// nothing left. It is called once.
func (b *balancer) drain(be *backend) {
	b.mu.Lock()
	defer b.mu.Unlock()
	be.draining = true
	b.update(be)
	if be.inFlight == 0 {
		close(be.idle)
	}
}

// remove takes a replica out of service and returns how many requests it
// answered. What it still has in flight stays counted until it is released.
func (b *balancer) remove(be *backend) (served int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if i := be.index; i >= 0 {
		b.backends = slices.Delete(b.backends, i, i+1)
		b.slots = slices.Delete(b.slots, i, i+1)
		b.reindex(i)
		be.index = -1
	}
	return be.served
}

// reindex tells the backends from index i on where they are.
func (b *balancer) reindex(i int) {
	for ; i < len(b.backends); i++ {
		b.backends[i].index = i
	}
}

// close refuses everything from now on, also what is waiting.
func (b *balancer) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	now := time.Now()
	for e := b.queue.Front(); e != nil; e = b.queue.Front() {
		close(b.queue.Remove(e).(*waiter).granted)
		b.window.Change(now, -1)
	}
}

// take uses a slot of the backend at index i.
func (b *balancer) take(i int) *backend {
	be := b.backends[i]
	be.inFlight++
	be.taken++
	b.update(be)
	return be
}

// give frees a slot.
func (b *balancer) give(be *backend) {
	be.inFlight--
	b.update(be)
	if be.draining && be.inFlight == 0 {
		close(be.idle)
	}
}

// update brings what Pick sees in line with the backend.
func (b *balancer) update(be *backend) {
	if be.index < 0 {
		return
	}
	s := profiles.Slots{InFlight: be.inFlight, Limit: b.concurrency}
	if be.draining || be.suspended {
		s.Limit = 0
	}
	b.slots[be.index] = s
}

// dispatch hands free slots to the oldest waiters.
func (b *balancer) dispatch() {
	for b.queue.Len() > 0 {
		i := profiles.Pick(b.slots)
		if i < 0 {
			return
		}
		b.queue.Remove(b.queue.Front()).(*waiter).granted <- b.take(i)
	}
}

// read measures the metrics of a policy.
func (b *balancer) read(now time.Time, metrics []profiles.Metric) []profiles.Reading {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make([]profiles.Reading, len(metrics))
	for i, m := range metrics {
		switch m.Kind {
		case profiles.RPS:
			out[i] = b.window.Rate(now, m.Window.Std())
			if m.Panic != nil {
				out[i].Burst = b.window.Rate(now, m.Panic.Window.Std()).Total
			}
		case profiles.InFlight:
			out[i] = b.window.Average(now, m.Window.Std())
			if m.Panic != nil {
				out[i].Burst = b.window.Average(now, m.Panic.Window.Std()).Total
			}
		}
	}
	return out
}

// traffic is the state of the balancer at one moment.
type traffic struct {
	inFlight int // queued ones included
	waiting  []time.Time
	reason   string // why they wait
	backends map[string]work
}

// work is what one replica has done and does.
type work struct {
	inFlight int
	served   int64
}

// The reasons why requests wait, as EverAI names them.
const (
	reasonBusy = "WorkerBusy"
	reasonNone = "NoWorker"
)

func (b *balancer) traffic() traffic {
	b.mu.Lock()
	defer b.mu.Unlock()
	t := traffic{
		inFlight: b.window.Level(),
		waiting:  make([]time.Time, 0, b.queue.Len()),
		reason:   reasonNone,
		backends: make(map[string]work, len(b.backends)),
	}
	for e := b.queue.Front(); e != nil; e = e.Next() {
		t.waiting = append(t.waiting, e.Value.(*waiter).since)
	}
	for i, be := range b.backends {
		if b.slots[i].Limit > 0 {
			t.reason = reasonBusy
		}
		t.backends[be.id] = work{be.inFlight, be.served}
	}
	return t
}
