package load

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// The range of the histograms, in microseconds. Values outside are counted at
// its ends.
const (
	histLow  = 1
	histHigh = int64(time.Hour / time.Microsecond)
)

// hist is a latency histogram: bounded memory and error, mergeable.
type hist struct {
	h   *hdrhistogram.Histogram
	sum time.Duration // exact, so that the mean is

	summary Quantiles // of the first summary.Count values
}

// newHist returns one that keeps so many significant digits: 3 are 0.1 % and
// 190 kB, 2 are 1 % and 27 kB.
func newHist(digits int) *hist { return &hist{h: hdrhistogram.New(histLow, histHigh, digits)} }

func (h *hist) record(d time.Duration) { h.recordMany(d, 1) }

func (h *hist) recordMany(d time.Duration, n int64) {
	_ = h.h.RecordValues(micros(d), n) // cannot fail: the value is within the range
	h.sum += d * time.Duration(n)
}

// micros is d as the histograms count it.
func micros(d time.Duration) int64 {
	return min(max(int64((d+time.Microsecond/2)/time.Microsecond), histLow), histHigh)
}

func (h *hist) merge(from *hist) {
	h.h.Merge(from.h)
	h.sum += from.sum
}

func (h *hist) reset() {
	h.h.Reset()
	h.sum, h.summary = 0, Quantiles{}
}

// at is the value at a quantile, 0..1; 0 without values.
func (h *hist) at(quantile float64) time.Duration {
	return time.Duration(h.h.ValueAtQuantile(quantile*100)) * time.Microsecond
}

// quantiles looks through the whole histogram, unless nothing came since the
// last time.
func (h *hist) quantiles() Quantiles {
	n := h.h.TotalCount()
	if n == h.summary.Count {
		return h.summary
	}
	values := h.h.ValueAtPercentilesSlice([]float64{50, 90, 95, 99, 99.9})
	us := func(v int64) time.Duration { return time.Duration(v) * time.Microsecond }
	h.summary = Quantiles{
		Count: n,
		Min:   us(h.h.Min()), Max: us(h.h.Max()), Mean: h.sum / time.Duration(n),
		P50: us(values[0]), P90: us(values[1]), P95: us(values[2]), P99: us(values[3]), P999: us(values[4]),
	}
	return h.summary
}
