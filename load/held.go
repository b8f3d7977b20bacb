package load

import (
	"sync"
	"sync/atomic"
	"time"

	"headroom/probe"
)

// heldConn is a connection that is open.
type heldConn struct {
	number int64         // of those of the run, from 1
	since  time.Duration // offset
	// replica gave its latest answer, probe.Unknown before the first. Only the
	// user of the connection writes it.
	replica atomic.Int32
}

// answered notes which replica gave an answer, probe.Unknown where that is not
// known, and reports whether another one gave the answer before it.
func (h *heldConn) answered(replica int32) (switched bool) {
	last := h.replica.Load()
	if replica == probe.Unknown || replica == last {
		return false
	}
	h.replica.Store(replica) // a store costs more than a look
	return last != probe.Unknown
}

// held are the connections that are open. It is safe for concurrent use.
type held struct {
	mu     sync.Mutex
	opened int64 // so far
	open   map[*heldConn]struct{}
}

// add notes a connection that was opened at an offset.
func (h *held) add(at time.Duration) *heldConn {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.open == nil {
		h.open = map[*heldConn]struct{}{}
	}
	h.opened++
	c := &heldConn{number: h.opened, since: at}
	c.replica.Store(probe.Unknown)
	h.open[c] = struct{}{}
	return c
}

// remove forgets a connection that was closed; it may be forgotten twice, and
// nil is none.
func (h *held) remove(c *heldConn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.open, c)
}

// holding is what connections are open at a moment.
type holding struct {
	open   int
	oldest time.Duration // for how long the oldest has been
	by     []int         // by the number of the replica that gave the latest answer
}

// look counts them at an offset.
func (h *held) look(now time.Duration) holding {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := holding{open: len(h.open)}
	for c := range h.open {
		out.oldest = max(out.oldest, now-c.since)
		n := int(c.replica.Load())
		if n < 0 {
			continue
		}
		if n >= len(out.by) {
			out.by = append(out.by, make([]int, n+1-len(out.by))...)
		}
		out.by[n]++
	}
	return out
}

// of is how many connections a replica holds.
func (h holding) of(replica int) int {
	if replica >= len(h.by) {
		return 0
	}
	return h.by[replica]
}
