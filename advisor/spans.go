package advisor

import (
	"cmp"
	"fmt"
	"time"
)

// spanned fills in Low and High of a value that follows from times: what it would
// be at the shortest and the longest start-up that was measured, and at the
// service times of the beginning and the end of the measurement.
func (s sized) spanned(v Value, at func(sized) float64) Value {
	v.Value = at(s)
	v = exact(v)
	low, high := s.serviceTimes()
	for _, start := range []time.Duration{cmp.Or(s.Fastest, s.StartUp), s.StartUp} {
		for _, service := range []time.Duration{low, high} {
			other := s
			other.StartUp, other.Service = start, service
			other.timing = other.Needs.timing(s.kind)
			x := at(other)
			v.Low, v.High = min(v.Low, x), max(v.High, x)
		}
	}
	return v
}

// serviceTimes are the least and the most that one request alone took.
func (n Needs) serviceTimes() (low, high time.Duration) {
	low, high = n.Service, n.Service
	if n.Evidence != nil && n.Evidence.Control != nil && n.Evidence.Control.Service > 0 {
		low, high = min(low, n.Evidence.Control.Service), max(high, n.Evidence.Control.Service)
	}
	return low, high
}

// raise is a bound of replicas where something else asks for more than the rate.
func raise(v, to Value, what, why string) Value {
	if v.Value >= to.Value {
		return v
	}
	v.Rejected = append(v.Rejected, Rejection{fmt.Sprintf("%.0f, by the rate", v.Value), "it is less than " + what})
	v.Formula = fmt.Sprintf("max(%.0f by the rate, %s) = %.0f", v.Value, what, to.Value)
	v.Value, v.Low, v.High = to.Value, max(v.Low, to.Low), max(v.High, to.High)
	v.Why, v.Unit = why, plural(int(to.Value))
	return v
}
