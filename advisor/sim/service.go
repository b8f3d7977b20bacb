package sim

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"gonum.org/v1/gonum/stat/distuv"
)

// Service is how long a replica works on one request. The zero value takes no
// time. Make others with Constant, Exponential, Percentiles or Samples.
type Service struct {
	mean        time.Duration
	exponential bool
	quantiles   []time.Duration // spread evenly over the requests, rising; none: constant or exponential
}

// Constant is the same time for every request.
func Constant(d time.Duration) Service { return Service{mean: d} }

// Exponential times have the given mean.
func Exponential(mean time.Duration) Service { return Service{mean: mean, exponential: true} }

// Percentile is a share of the requests, above 0 and below 1, and the time that
// they take at most.
type Percentile struct {
	Share float64
	Value time.Duration
}

// tableSize is how many quantiles stand for a distribution.
const tableSize = 1000

// Percentiles draws from a distribution with the given mean of which two
// percentiles are known: the lognormal one through them, which is what service
// times mostly are like, stretched to the mean. A mean of 0 is not known.
func Percentiles(low, high Percentile, mean time.Duration) Service {
	if low.Value <= 0 || high.Value <= low.Value {
		return Constant(max(mean, low.Value))
	}
	normal := distuv.UnitNormal
	from, to := normal.Quantile(low.Share), normal.Quantile(high.Share)
	slope := math.Log(float64(high.Value)/float64(low.Value)) / (to - from)
	s := Service{quantiles: make([]time.Duration, tableSize)}
	sum := 0.0
	for i := range s.quantiles {
		z := normal.Quantile((float64(i) + 0.5) / tableSize)
		v := float64(low.Value) * math.Exp(slope*(z-from))
		s.quantiles[i] = time.Duration(v)
		sum += v / tableSize
	}
	s.mean = time.Duration(sum)
	if mean > 0 {
		for i, q := range s.quantiles {
			s.quantiles[i] = time.Duration(float64(q) * float64(mean) / sum)
		}
		s.mean = mean
	}
	return s
}

// Samples draws from times that were measured, one or more in any order, each as
// often as another.
func Samples(times []time.Duration) Service {
	s := Service{quantiles: slices.Sorted(slices.Values(times))}
	for _, t := range times {
		s.mean += t
	}
	s.mean /= time.Duration(len(times))
	return s
}

// Stretched has every time f times as long.
func (s Service) Stretched(f float64) Service {
	s.mean = time.Duration(float64(s.mean) * f)
	s.quantiles = slices.Clone(s.quantiles)
	for i, q := range s.quantiles {
		s.quantiles[i] = time.Duration(float64(q) * f)
	}
	return s
}

// Mean is the mean time.
func (s Service) Mean() time.Duration { return s.mean }

// Variation is the squared coefficient of variation, (deviation/mean)².
func (s Service) Variation() float64 {
	switch {
	case s.exponential:
		return 1
	case s.quantiles == nil || s.mean == 0:
		return 0
	}
	sum := 0.0
	for _, q := range s.quantiles {
		d := float64(q)/float64(s.mean) - 1
		sum += d * d
	}
	return sum / float64(len(s.quantiles))
}

// at is the time that a share p of the requests, 0 to below 1, does not exceed.
func (s Service) at(p float64) time.Duration {
	switch {
	case s.exponential:
		return time.Duration(-math.Log1p(-p) * float64(s.mean))
	case s.quantiles == nil:
		return s.mean
	}
	return s.quantiles[int(p*float64(len(s.quantiles)))]
}

// draw is the time of the next request.
func (s *Service) draw(r *rand.Rand) time.Duration {
	switch {
	case s.exponential:
		return time.Duration(r.ExpFloat64() * float64(s.mean))
	case s.quantiles == nil:
		return s.mean
	}
	return s.quantiles[r.IntN(len(s.quantiles))]
}
