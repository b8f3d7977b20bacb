package load

import (
	"context"
	"sync"
	"time"
)

// hiccupEvery is between two beats of the clock that nobody waits for.
const hiccupEvery = 10 * time.Millisecond

// enoughBeats is how many it takes to judge by them: of fewer a single hiccup
// is too large a share.
const enoughBeats = 100

// hiccups are how late the beats of a clock are that does nothing else. What
// holds them up, a process that is stopped or gets no processor, holds up every
// send and every answer as well, and would pass for the target's doing: no
// request shows it where all users are busy, and in the closed model none
// does. A beat that was missed counts with what it missed by, so the
// distribution is over time: p95 is what one moment in twenty was late by at
// least (Tene, jHiccup). It is safe for concurrent use.
type hiccups struct {
	mu   sync.Mutex // guards the fields below
	late *hist
	next time.Time // beat
}

func newHiccups(start time.Time) *hiccups {
	return &hiccups{late: newHist(2), next: start.Add(hiccupEvery)}
}

// run beats until ctx ends.
func (h *hiccups) run(ctx context.Context) {
	timer := time.NewTimer(hiccupEvery)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-ctx.Done():
			h.beat(time.Now()) // it may end with what held it up
			return
		}
		timer.Reset(time.Until(h.beat(time.Now())))
	}
}

// beat counts the beats that were due until now, and returns when the next one
// is.
func (h *hiccups) beat(now time.Time) time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	for ; !h.next.After(now); h.next = h.next.Add(hiccupEvery) {
		h.late.record(now.Sub(h.next))
	}
	return h.next
}

// at is the hiccup at a quantile, and the p99; 0 for too few beats.
func (h *hiccups) at(quantile float64) (at, p99 time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.late.h.TotalCount() < enoughBeats {
		return 0, 0
	}
	return h.late.at(quantile), h.late.at(0.99)
}

// reset forgets the beats so far.
func (h *hiccups) reset() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.late.reset()
}
