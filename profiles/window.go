package profiles

import "time"

// WindowResolution is the width of the cells of a Window: short enough for an interval of
// one second, long enough that MaxWindow is a few thousand cells.
const WindowResolution = 100 * time.Millisecond

const bucketCount = int(MaxWindow/WindowResolution) + 1

// Window remembers a level that changes in steps (requests in flight) and the
// events that happened (arrivals), exactly for the present bucket and in
// buckets of 100 ms for the last MaxWindow. The level is integrated over
// time, not sampled. It takes its times from the caller and is not safe for
// concurrent use. Times must not go back.
type Window struct {
	start   time.Time
	last    time.Duration // since start, up to which area is complete
	level   int64
	cells   []cell        // ring, indexed by bucket number
	present *cell         // of the bucket of last
	end     time.Duration // of that bucket
}

type cell struct {
	bucket int64
	area   int64 // level x nanoseconds
	events int64
}

// NewWindow begins to remember at start, with a level of 0.
func NewWindow(start time.Time) *Window {
	w := &Window{start: start, cells: make([]cell, bucketCount)}
	for i := range w.cells {
		w.cells[i].bucket = -1
	}
	w.open(0)
	return w
}

// Change adds delta to the level at time now.
func (w *Window) Change(now time.Time, delta int) { w.change(now.Sub(w.start), delta) }

func (w *Window) change(to time.Duration, delta int) {
	w.advance(to)
	w.level += int64(delta)
}

// Count notes one event at time now.
func (w *Window) Count(now time.Time) { w.Add(now, 1) }

// Add notes n events at time now, or a quantity of n units that Sum adds up.
func (w *Window) Add(now time.Time, n int64) { w.add(now.Sub(w.start), n) }

func (w *Window) add(to time.Duration, n int64) {
	w.advance(to)
	w.present.events += n
}

// Level is the present level.
func (w *Window) Level() int { return int(w.level) }

// Average is the time-weighted mean level over the last width before now, in
// whole buckets. It is not valid before the first of them is full; after that
// the mean is taken over what there is.
func (w *Window) Average(now time.Time, width time.Duration) Reading {
	area, _, span := w.sum(now, width)
	if span <= 0 {
		return Reading{}
	}
	return Reading{Total: perSpan(area, span), Valid: true}
}

// Rate is the number of events per second over the last width before now,
// valid as Average is.
func (w *Window) Rate(now time.Time, width time.Duration) Reading {
	_, events, span := w.sum(now, width)
	if span <= 0 {
		return Reading{}
	}
	return Reading{Total: perSpan(events*int64(time.Second), span), Valid: true}
}

// Sum is the number of events in the last width before now, in whole buckets.
func (w *Window) Sum(now time.Time, width time.Duration) int64 {
	_, events, _ := w.sum(now, width)
	return events
}

// perSpan is n/span rounded to thousandths, in two steps because n x 1000 may
// not fit.
func perSpan(n int64, span time.Duration) Milli {
	s := int64(span)
	return Milli(n/s*1000 + (n%s*1000+s/2)/s)
}

// sum adds up the whole buckets that end before now and lie within width. The
// bucket that is still filling does not count: a rate over 3 ms would be
// noise.
func (w *Window) sum(now time.Time, width time.Duration) (area, events int64, span time.Duration) {
	w.advance(now.Sub(w.start))
	current := int64(w.last / WindowResolution)
	first := max(0, current-int64(min(width, MaxWindow)/WindowResolution))
	for b := first; b < current; b++ {
		if c := w.cells[int(b%int64(bucketCount))]; c.bucket == b {
			area += c.area
			events += c.events
		}
	}
	return area, events, time.Duration(current-first) * WindowResolution
}

// advance integrates the level up to a time since start.
func (w *Window) advance(to time.Duration) {
	switch {
	case w.level == 0 && to > w.end: // nothing to add up
		w.last = to
		w.open(int64(to / WindowResolution))
	case to-w.last > MaxWindow: // everything before is forgotten anyway
		w.last = max(w.last, (to - MaxWindow).Truncate(WindowResolution))
		w.open(int64(w.last / WindowResolution))
	}
	for w.last < to {
		next := min(to, w.end)
		w.present.area += w.level * int64(next-w.last)
		w.last = next
		if next == w.end {
			w.open(int64(next / WindowResolution))
		}
	}
}

// open goes on in the cell of a bucket, emptied if it held an older one.
func (w *Window) open(bucket int64) {
	w.present = &w.cells[int(bucket%int64(bucketCount))]
	w.end = time.Duration(bucket+1) * WindowResolution
	if w.present.bucket != bucket {
		*w.present = cell{bucket: bucket}
	}
}
