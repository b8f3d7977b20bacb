package load

import (
	"slices"
	"time"

	"headroom/profiles"
)

// wait is what is known of requests without an answer: they have been due for
// so long, so their latency is at least that.
type wait struct {
	row     int32 // of the request; noRow: nobody has taken it
	age     time.Duration
	count   int64
	opened  bool          // its answer is a stream
	begun   bool          // whose first event has come
	silence time.Duration // since the latest event
}

const (
	noRow   int32 = -1
	allRows int32 = -2
)

// heard notes what a stream has told until the offset at.
func (w *wait) heard(opened bool, found Stream, at time.Duration) {
	if w.opened, w.begun = opened, found.Events > 0; w.begun {
		w.silence = at - found.Last
	}
}

// since is how long nothing has come of it.
func (w *wait) since() time.Duration {
	if w.begun {
		return w.silence
	}
	return w.age
}

// streamsOpen counts the streams of a row that go on.
func streamsOpen(waits []wait, row int32) (n int64) {
	for i := range waits {
		if w := &waits[i]; w.opened && (row == allRows || row == w.row) {
			n += w.count
		}
	}
	return n
}

// unbegun are those that wait for a first event.
func unbegun(waits []wait) []wait {
	return slices.DeleteFunc(slices.Clone(waits), func(w wait) bool { return w.begun })
}

// silences are those that wait for another event, and for how long.
func silences(waits []wait) (out []wait) {
	for _, w := range waits {
		if w.begun {
			w.age = w.silence
			out = append(out, w)
		}
	}
	return out
}

// judge fills in the objectives. Those of the last seconds are judged while
// there is load.
func (c *collector) judge(s *Snapshot, over time.Duration, waits []wait) {
	for _, o := range c.slo {
		all, recent, concerned := &c.total, c.recent, waits
		switch row := slices.Index(c.names, o.Task); {
		case len(c.tasks) == 0:
		case row >= 0:
			all, recent = &c.tasks[row], c.watched[row]
			concerned = c.of(waits, func(n int32) bool { return n == int32(row) })
		case o.Measure == profiles.FirstEvent:
			concerned = c.of(waits, func(n int32) bool { return !c.plain(n) })
		}
		s.SLO = append(s.SLO, all.objective(o, over, concerned))
		if s.Phase == Running {
			s.RecentSLO = append(s.RecentSLO, recent.sum.objective(o, recent.sum.over, concerned))
		}
	}
}

// of are the waits of the rows that belong. An arrival that nobody has taken
// has no row yet: of these as large a share counts as of all other requests.
func (c *collector) of(waits []wait, belongs func(row int32) bool) (out []wait) {
	ours, all := int64(0), c.total.count
	for row := range c.tasks {
		if belongs(int32(row)) {
			ours += c.tasks[row].count
		}
	}
	for i := range waits {
		if w := &waits[i]; w.row != noRow {
			all += w.count
			if belongs(w.row) {
				ours += w.count
				out = append(out, *w)
			}
		}
	}
	part := 0.0
	for _, w := range waits {
		if w.row == noRow && all > 0 {
			part += float64(w.count) * float64(ours) / float64(all)
			w.count = int64(part)
			part -= float64(w.count)
			if w.count > 0 {
				out = append(out, w)
			}
		}
	}
	return out
}
