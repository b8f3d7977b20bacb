package scaler

import (
	"slices"
	"time"

	"headroom/profiles"
)

// backend is a replica as the balancer sees it.
type backend struct {
	number  int
	id      string
	address string

	suspect chan struct{} // gets a value when a request broke off; capacity 1
	idle    chan struct{} // closed when it is draining and has nothing left

	// Guarded by balancer.mu.
	index     int // into backends and slots; -1 after removal
	draining  bool
	suspended bool
	inFlight  int
	stuck     int // of them: answered 504, but not by the replica
	served    int64
	handed    []time.Time // by slot: when its request was handed over; zero where there is none
	vacant    []int       // of handed

	// What follows from it, and what was counted of it.
	serving bool // may get requests
	free    bool // serving, and has none
	since   time.Time
}

// begin takes a slot.
func (be *backend) begin(now time.Time) (slot int) {
	be.inFlight++
	last := len(be.vacant) - 1
	if last < 0 {
		be.handed = append(be.handed, now)
		return len(be.handed) - 1
	}
	slot, be.vacant = be.vacant[last], be.vacant[:last]
	be.handed[slot] = now
	return slot
}

// end frees a slot.
func (be *backend) end(slot int) {
	be.inFlight--
	be.handed[slot] = time.Time{}
	be.vacant = append(be.vacant, slot)
}

// oldest is when the first of the requests in flight was handed over; zero
// without any.
func (be *backend) oldest() (first time.Time) {
	for _, at := range be.handed {
		if !at.IsZero() && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	return first
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
	now := time.Now()
	at, _ := slices.BinarySearchFunc(b.backends, number, func(e *backend, n int) int { return e.number - n })
	b.backends = slices.Insert(b.backends, at, be)
	b.slots = slices.Insert(b.slots, at, profiles.Slots{})
	b.reindex(at)
	b.meters.Resize(now)
	b.update(now, be)
	b.dispatch(now)
	return be
}

// resume ends the suspension of a replica that answered a question. When it
// has broken another request since then, it stays suspended, to be asked again.
func (b *balancer) resume(be *backend) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(be.suspect) > 0 {
		return
	}
	now := time.Now()
	be.suspended = false
	b.update(now, be)
	b.dispatch(now)
}

// drain gives a replica nothing new. Its idle channel is closed when it has
// nothing left. It is called once.
func (b *balancer) drain(be *backend) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	be.draining = true
	b.meters.Resize(now)
	b.update(now, be)
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
		now := time.Now()
		if !be.draining {
			b.meters.Resize(now) // a suspension is soon over, and no change of size
		}
		b.update(now, be)
	}
	return be.served
}

// reindex tells the backends from index i on where they are.
func (b *balancer) reindex(i int) {
	for ; i < len(b.backends); i++ {
		b.backends[i].index = i
	}
}

// suspend gives a replica nothing new until resume.
func (b *balancer) suspend(now time.Time, be *backend) {
	be.suspended = true
	b.update(now, be)
}

// accuse suspends a replica and has it asked whether it still answers.
func (b *balancer) accuse(now time.Time, be *backend) {
	b.suspend(now, be)
	notify(be.suspect)
}

// idleSince is when a replica in service became idle, if it is.
func (b *balancer) idleSince(be *backend) (since time.Time, idle bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return be.since, be.free
}

// suspendIdle suspends a replica, unless it has got a request since it became
// idle; then it returns false.
func (b *balancer) suspendIdle(be *backend, since time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !be.free || !be.since.Equal(since) {
		return false
	}
	b.suspend(time.Now(), be)
	return true
}

// update brings what follows from the state of a backend in line with it: what
// dispatch sees, the counts, and the end of its draining.
func (b *balancer) update(now time.Time, be *backend) {
	serving := be.index >= 0 && !be.draining && !be.suspended
	free := serving && be.inFlight == 0
	if be.index >= 0 {
		limit := 0
		if serving {
			limit = b.concurrency
		}
		b.slots[be.index] = profiles.Slots{InFlight: be.inFlight, Limit: limit}
	}
	if serving != be.serving {
		be.serving = serving
		b.serving += sign(serving)
	}
	if free != be.free {
		be.free, be.since = free, now
		b.meters.Spare(now, sign(free))
	}
	if be.draining && be.inFlight == 0 && !isClosed(be.idle) {
		close(be.idle)
	}
}

func sign(up bool) int {
	if up {
		return 1
	}
	return -1
}
