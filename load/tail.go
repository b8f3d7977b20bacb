package load

import (
	"math"
	"slices"
	"time"

	"headroom/advisor/model"
)

// Unbounded is a latency of requests of which too many failed.
const Unbounded = time.Duration(math.MaxInt64)

// Tail is the 95th percentile of the latency over a whole run, and what it may
// as well be: the middle 90 % of what the run would give if it were repeated.
// A request that failed is slower than any.
type Tail struct {
	P95  time.Duration `json:"p95"`
	Low  time.Duration `json:"low"`
	High time.Duration `json:"high"` // like the others: Unbounded where too many failed
}

const (
	mostSpans   = 64
	fewestSpans = 5 // with less, nothing can be said of how sure the tail is
	tailAt      = 0.95
	tailSeed    = 1 // of the bootstrap: the same run gives the same interval
)

// span is what came back within some seconds.
type span struct {
	seconds int
	bins    Histogram // of successes
	failed  int64     // but on this machine
}

func (s *span) merge(other span) {
	s.seconds += other.seconds
	s.failed += other.failed
	s.bins = mergeBins(s.bins, other.bins)
}

// mergeBins adds two histograms.
func mergeBins(a, b Histogram) Histogram {
	out := make(Histogram, 0, max(len(a), len(b)))
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0].Time < b[0].Time:
			out, a = append(out, a[0]), a[1:]
		case a[0].Time > b[0].Time:
			out, b = append(out, b[0]), b[1:]
		default:
			out, a, b = append(out, Bin{a[0].Time, a[0].Count + b[0].Count}), a[1:], b[1:]
		}
	}
	return append(append(out, a...), b...)
}

// spans divide a run into parts of equal length, of which the last may be
// shorter. Of a long run each is longer, so that there are never many.
type spans struct {
	parts  []span
	length int // of each, in seconds
}

// add takes a second of the run. What comes after the load belongs to its last
// second.
func (s *spans) add(t *tally, loading bool) {
	next := span{bins: bins(t.latency.h), failed: t.failed - t.local}
	if loading {
		next.seconds = 1
	}
	s.length = max(s.length, 1)
	if n := len(s.parts); n > 0 && (!loading || s.parts[n-1].seconds < s.length) {
		s.parts[n-1].merge(next)
		return
	}
	if len(s.parts) == mostSpans {
		s.parts, s.length = halved(s.parts), 2*s.length
	}
	s.parts = append(s.parts, next)
}

// halved merges each pair.
func halved(parts []span) []span {
	var out []span
	for pair := range slices.Chunk(parts, 2) {
		both := pair[0]
		if len(pair) == 2 {
			both.merge(pair[1])
		}
		out = append(out, both)
	}
	return out
}

// tail is that of the run, with the requests that its end cut off; nil where
// there is too little to say how sure it is. Its interval is by the block
// bootstrap (Künsch 1989), of spans twice as long as most requests take, so
// that those which waited in one line are in one.
func (s *spans) tail(cutOff []wait) *Tail {
	parts := slices.Clone(s.parts)
	if len(parts) < fewestSpans {
		return nil
	}
	p95 := newPool(parts).tail(inOrder)
	last := &parts[len(parts)-1]
	for _, w := range cutOff {
		if !w.opened && w.age >= p95 { // over it, whatever would have come
			last.merge(span{bins: Histogram{{w.age, w.count}}})
		}
	}
	p95 = newPool(parts).tail(inOrder)
	for length := s.length; time.Duration(length)*time.Second < 2*p95 && len(parts) >= 2*fewestSpans; length *= 2 {
		parts = halved(parts)
	}
	all := newPool(parts)
	low, high, ok := model.Resample(tailSeed, func(draw func(int) int) (float64, bool) {
		v := all.tail(func(int) int { return draw(len(parts)) })
		return float64(v), v > 0
	})
	if !ok || p95 == 0 {
		return nil
	}
	return &Tail{p95, bounded(low), bounded(high)}
}

// bounded is a latency in nanoseconds, which may have become a little more than
// there is.
func bounded(v float64) time.Duration {
	if v >= float64(Unbounded) {
		return Unbounded
	}
	return time.Duration(v)
}

// pool adds up spans, again and again.
type pool struct {
	times  []time.Duration // all there are, rising
	parts  [][]place
	failed []int64 // of each part
	sums   []int64 // by the times
}

// place says how often a time was measured.
type place struct {
	at    int // of the time
	count int64
}

func newPool(parts []span) *pool {
	p := &pool{}
	for _, part := range parts {
		for _, b := range part.bins {
			p.times = append(p.times, b.Time)
		}
	}
	slices.Sort(p.times)
	p.times = slices.Compact(p.times)
	p.sums = make([]int64, len(p.times))
	for _, part := range parts {
		var places []place
		for _, b := range part.bins {
			at, _ := slices.BinarySearch(p.times, b.Time)
			places = append(places, place{at, b.Count})
		}
		p.parts, p.failed = append(p.parts, places), append(p.failed, part.failed)
	}
	return p
}

// inOrder takes each part once.
func inOrder(i int) int { return i }

// tail is the percentile of as many parts as there are, of which pick says
// which; 0 where nothing came. See judgeTimes for its rank.
func (p *pool) tail(pick func(i int) int) time.Duration {
	clear(p.sums)
	known, failed := int64(0), int64(0)
	for i := range p.parts {
		n := pick(i)
		failed += p.failed[n]
		for _, place := range p.parts[n] {
			p.sums[place.at] += place.count
			known += place.count
		}
	}
	if known+failed == 0 {
		return 0
	}
	rank := int64(tailAt*float64(known+failed) + 0.5)
	for at, seen := 0, int64(0); at < len(p.sums); at++ {
		if seen += p.sums[at]; seen >= rank {
			return p.times[at]
		}
	}
	return Unbounded
}
