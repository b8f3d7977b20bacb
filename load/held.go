package load

import (
	"sync"
	"time"
)

// held are the connections that are open. It is safe for concurrent use.
type held struct {
	mu     sync.Mutex
	opened int64                   // so far, which number them
	since  map[int64]time.Duration // offsets, by number
}

// add numbers a connection that was opened at an offset.
func (h *held) add(at time.Duration) int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.since == nil {
		h.since = map[int64]time.Duration{}
	}
	h.opened++
	h.since[h.opened] = at
	return h.opened
}

// remove forgets a connection that was closed; it may be forgotten twice.
func (h *held) remove(number int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.since, number)
}

// look returns how many there are, and for how long the oldest has been open.
func (h *held) look(now time.Duration) (open int, oldest time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, at := range h.since {
		oldest = max(oldest, now-at)
	}
	return len(h.since), oldest
}
