package load

import "time"

// window counts what came back within the last seconds.
type window struct {
	second tally                // the present one
	recent [recentSeconds]tally // ring of the last finished ones
	sum    tally                // of the ring
	n      int                  // seconds finished so far
}

func newWindow() *window {
	w := &window{second: newTally(2), sum: newTally(2)}
	for i := range w.recent {
		w.recent[i] = newTally(2)
	}
	return w
}

// endSecond closes the present second, which took so long, and returns it.
func (w *window) endSecond(length time.Duration) *tally {
	w.second.over = length
	slot := &w.recent[w.n%recentSeconds]
	*slot, w.second = w.second, *slot
	w.second.reset()
	w.n++
	w.sum.reset()
	for i := range min(w.n, recentSeconds) {
		w.sum.merge(&w.recent[i])
	}
	return slot
}

// reset forgets what came back so far.
func (w *window) reset() {
	w.second.reset()
	w.sum.reset()
	for i := range w.recent {
		w.recent[i].reset()
	}
}
