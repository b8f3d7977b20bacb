package load

import (
	"math"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"headroom/profiles"
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
// 180 KiB, 2 are 1 % and 25 KiB.
func newHist(digits int) *hist { return &hist{h: hdrhistogram.New(histLow, histHigh, digits)} }

func (h *hist) record(d time.Duration) {
	us := min(max(int64((d+time.Microsecond/2)/time.Microsecond), histLow), histHigh)
	_ = h.h.RecordValue(us) // cannot fail: the value is within the range
	h.sum += d
}

func (h *hist) merge(from *hist) {
	h.h.Merge(from.h)
	h.sum += from.sum
}

func (h *hist) reset() {
	h.h.Reset()
	h.sum, h.summary = 0, Quantiles{}
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

// objective judges o on a distribution of successes next to so many failures.
// A failed request has no latency that anyone could wait for, so it counts as
// slower than any: with n successes and f failures, the q-quantile of all is
// the q(n+f)/n-quantile of the successes, and infinite beyond 1.
func (h *hist) objective(o profiles.Objective, failed int64, over time.Duration) Objective {
	out := Objective{Objective: o, Name: o.String()}
	n := h.h.TotalCount()
	all := n + failed
	switch o.Measure {
	case profiles.Throughput:
		out.Value, out.Valid = perSecond(all, over), over > 0
	case profiles.Errors:
		out.Value, out.Valid = float64(failed)/float64(max(all, 1)), all > 0
	case profiles.Mean:
		out.Value, out.Valid = h.sum.Seconds()/float64(max(n, 1)), n > 0
	default:
		q := 1.0
		if o.Measure == profiles.Percentile {
			q = o.Quantile
		}
		out.Valid = all > 0
		if q *= float64(all) / float64(max(n, 1)); q > 1 {
			out.Value = math.Inf(1)
		} else {
			out.Value = float64(h.h.ValueAtQuantile(q*100)) / 1e6
		}
	}
	out.Holds = out.Valid && o.Holds(out.Value)
	return out
}
