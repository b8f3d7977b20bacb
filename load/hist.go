package load

import (
	"math"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// The range of the histograms, in microseconds. Values outside are counted at
// its ends.
const (
	histLow  = 1
	histHigh = int64(time.Hour / time.Microsecond)
)

// hist is a latency histogram: bounded memory and error, mergeable. Its sum
// and its ends are exact: the edges of buckets would differ from one histogram
// to the next, and a request be faster than the fastest.
type hist struct {
	h         *hdrhistogram.Histogram
	sum       time.Duration
	low, high time.Duration // the least and the most; of nothing the most and the least there is

	summary Quantiles // of the first summary.Count values
}

// newHist returns one that keeps so many significant digits: 3 are 0.1 % and
// 190 kB, 2 are 1 % and 27 kB. Below 50 µs the microsecond is coarser.
func newHist(digits int) *hist {
	return &hist{h: hdrhistogram.New(histLow, histHigh, digits), low: math.MaxInt64, high: math.MinInt64}
}

func (h *hist) record(d time.Duration) { h.recordMany(d, 1) }

func (h *hist) recordMany(d time.Duration, n int64) {
	if n == 0 {
		return
	}
	_ = h.h.RecordValues(micros(d), n) // cannot fail: the value is within the range
	h.sum += d * time.Duration(n)
	h.low, h.high = min(h.low, d), max(h.high, d)
}

// micros is d as the histograms count it.
func micros(d time.Duration) int64 {
	return min(max(int64((d+time.Microsecond/2)/time.Microsecond), histLow), histHigh)
}

func (h *hist) merge(from *hist) {
	h.h.Merge(from.h)
	h.sum += from.sum
	h.low, h.high = min(h.low, from.low), max(h.high, from.high)
}

func (h *hist) reset() {
	h.h.Reset()
	h.sum, h.low, h.high, h.summary = 0, math.MaxInt64, math.MinInt64, Quantiles{}
}

// at is the q-quantile (0..1), that of 1 exactly; of nothing 0.
func (h *hist) at(q float64) time.Duration {
	if h.h.TotalCount() == 0 {
		return 0
	}
	return h.within(h.h.ValueAtQuantile(q * 100))
}

// within is the upper edge of a bucket, or the nearest to it that was seen.
func (h *hist) within(edge int64) time.Duration {
	return min(max(time.Duration(edge)*time.Microsecond, h.low), h.high)
}

// quantiles looks through the whole histogram, unless nothing came since the
// last time.
func (h *hist) quantiles() Quantiles {
	n := h.h.TotalCount()
	if n == h.summary.Count {
		return h.summary
	}
	v := h.h.ValueAtPercentilesSlice([]float64{50, 90, 95, 99, 99.9})
	h.summary = Quantiles{
		Count: n,
		Min:   h.low, Max: h.high, Mean: h.sum / time.Duration(n),
		P50: h.within(v[0]), P90: h.within(v[1]), P95: h.within(v[2]), P99: h.within(v[3]), P999: h.within(v[4]),
	}
	return h.summary
}
