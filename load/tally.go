package load

import "time"

// tally counts the requests of a stretch of time.
type tally struct {
	over                          time.Duration
	count, failed, aborted, bytes int64
	eventless                     int64 // failed, of requests whose answers are no streams
	local                         int64 // of those that failed: on this machine
	unanswered                    int64 // of those aborted: without an answer that is a stream
	abortedAge                    time.Duration
	clocks                                     // of successes
	failures                      *clocks      // nil before the first one
	digits                        int          // of the histograms
	streams                       *streamTally // nil before the first one
}

func newTally(digits int) tally { return tally{clocks: *newClocks(digits), digits: digits} }

// clocks are the times of requests on both clocks. Those of successes and of
// failures are never in one.
type clocks struct{ latency, service *hist }

func newClocks(digits int) *clocks { return &clocks{newHist(digits), newHist(digits)} }

func (c *clocks) record(s *Sample) {
	c.latency.record(s.Latency())
	c.service.record(s.Service())
}

func (c *clocks) merge(from *clocks) {
	c.latency.merge(from.latency)
	c.service.merge(from.service)
}

func (c *clocks) reset() {
	c.latency.reset()
	c.service.reset()
}

func (t *tally) add(s *Sample) {
	if s.Stream != nil {
		t.streamed().end(s)
	} else {
		t.bytes += s.Bytes // those of a stream were counted when they came
	}
	if s.Failure == Aborted {
		t.aborted++
		if s.Stream == nil {
			t.unanswered++
			t.abortedAge = max(t.abortedAge, s.Latency())
		}
		return
	}
	t.count++
	if s.Failure != None {
		t.failed++
		if s.Failure == Local {
			t.local++
		}
		t.failing().record(s)
		return
	}
	t.record(s)
}

// failing is the times of the failures. Many stretches have none.
func (t *tally) failing() *clocks {
	if t.failures == nil {
		t.failures = newClocks(t.digits)
	}
	return t.failures
}

func (t *tally) reset() {
	t.over, t.count, t.failed, t.local, t.aborted, t.unanswered, t.bytes, t.abortedAge, t.eventless = 0, 0, 0, 0, 0, 0, 0, 0, 0
	t.clocks.reset()
	if t.failures != nil {
		t.failures.reset()
	}
	if t.streams != nil {
		t.streams.reset()
	}
}

func (t *tally) merge(u *tally) {
	t.over += u.over
	t.count += u.count
	t.failed += u.failed
	t.eventless += u.eventless
	t.local += u.local
	t.aborted += u.aborted
	t.unanswered += u.unanswered
	t.abortedAge = max(t.abortedAge, u.abortedAge)
	t.bytes += u.bytes
	t.clocks.merge(&u.clocks)
	if u.failures != nil {
		t.failing().merge(u.failures)
	}
	if u.streams != nil {
		t.streamed().merge(u.streams)
	}
}

// totals is what has come so far, for the history.
func (t *tally) totals() Totals {
	out := Totals{Count: t.count, Failed: t.failed, Bytes: t.bytes, Latency: t.latency.quantiles()}
	if h := t.latency; out.Latency.Count > 0 {
		v := h.h.ValueAtPercentilesSlice([]float64{66, 75, 80, 98, 99.99})
		out.P66, out.P75, out.P80, out.P98, out.P9999 = h.within(v[0]), h.within(v[1]), h.within(v[2]), h.within(v[3]), h.within(v[4])
	}
	return out
}

// stats is what the tally says while so many of its streams go on.
func (t *tally) stats(name string, over time.Duration, open int64) Stats {
	s := Stats{
		Name: name, Over: over, Count: t.count, Failed: t.failed, Aborted: t.aborted, AbortedAge: t.abortedAge, Bytes: t.bytes,
		Latency: t.latency.quantiles(), Service: t.service.quantiles(),
	}
	if t.failures != nil {
		s.FailedLatency, s.FailedService = t.failures.latency.quantiles(), t.failures.service.quantiles()
	}
	if t.streams != nil && t.streams.count+t.streams.events+open > 0 {
		s.Streams = &Streams{Count: t.streams.count, Complete: t.streams.complete, Open: open, Events: t.streams.events,
			TTFT: t.streams.ttft.quantiles(), Gap: t.streams.gap.quantiles()}
	}
	return s
}
