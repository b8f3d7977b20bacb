package sim

import (
	"errors"
	"math"
	"sort"
	"sync"
	"time"

	"headroom/advisor/model"
	"headroom/profiles"
)

// Demand says how many replicas a load takes under an SLO. It is safe for
// concurrent use.
type Demand struct {
	capacity func(n int) float64 // arrivals per second that n replicas hold

	mu    sync.Mutex // guards known
	known []float64  // capacities of 1, 2 … replicas, as far as they were needed
}

// Linear is the demand where each replica holds the same, as it was measured:
// so many requests per second, above 0.
func Linear(perReplica float64) *Demand {
	return &Demand{capacity: func(n int) float64 { return float64(n) * perReplica }}
}

// errUnreachable is why there is no demand: no number of replicas would do.
var errUnreachable = errors.New("one request alone takes longer than the SLO allows: no number of replicas meets it")

// InTheory is the demand of Poisson arrivals at n replicas with one queue, each
// working on so many requests at once, by Allen and Cunneen: the highest rate at
// which the tightest latency percentile of the SLO is met. Without one it is
// where the replicas are busy all the time.
func InTheory(s Service, concurrency int, slo profiles.SLO) (*Demand, error) {
	saturation := float64(concurrency) / s.mean.Seconds()
	objective, ok := slo.Latency()
	if !ok {
		return Linear(saturation), nil
	}
	met := func(n int, rate float64) bool {
		waiting := model.Station{
			Servers: n * concurrency, Rate: rate, Service: s.mean.Seconds(),
			ArrivalVariation: 1, ServiceVariation: s.Variation(),
		}.Waiting()
		return s.over(objective.Limit, waiting) <= 1-objective.Quantile
	}
	if !objective.Holds(s.at(objective.Quantile).Seconds()) {
		return nil, errUnreachable
	}
	return &Demand{capacity: func(n int) float64 {
		low, high := 0.0, float64(n)*saturation
		for range 40 {
			if rate := (low + high) / 2; met(n, rate) {
				low = rate
			} else {
				high = rate
			}
		}
		return low
	}}, nil
}

// over is the share of requests with a latency above a limit, in seconds: the
// mean of what must not be waited any more over the service times.
func (s Service) over(limit float64, waiting model.Waiting) float64 {
	const steps = 200
	sum := 0.0
	for i := range steps {
		sum += waiting.Over(limit - s.at((float64(i)+0.5)/steps).Seconds())
	}
	return sum / steps
}

// Capacity is how many arrivals per second n replicas hold.
func (d *Demand) Capacity(n int) float64 { return d.capacity(n) }

// Replicas is the least number of replicas that hold so many arrivals per
// second, at most as many as are ever simulated.
func (d *Demand) Replicas(rate float64) int {
	if rate <= 0 {
		return 0
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for n := len(d.known); (n == 0 || d.known[n-1] < rate) && n < mostReplicas; n++ {
		d.known = append(d.known, d.capacity(n+1))
	}
	// What was computed may be short of what was meant by a rounding.
	return min(1+sort.SearchFloat64s(d.known, rate*(1-1e-9)), mostReplicas)
}

// smooth is over how long the rate of a replayed load is averaged: what was
// counted in a second is chance as much as load.
const smooth = 30 * time.Second

// perSecond is the demand of a load at each of its seconds.
func (d *Demand) perSecond(load profiles.Shape, length time.Duration) []int {
	width := time.Second
	switch load.(type) {
	case profiles.Counts, profiles.Stamps:
		width = smooth
	}
	out := make([]int, int(math.Ceil(length.Seconds())))
	for i := range out {
		middle := time.Duration(i)*time.Second + time.Second/2
		from, to := max(0, middle-width/2), min(length, middle+width/2)
		out[i] = d.Replicas((load.Area(to) - load.Area(from)) / (to - from).Seconds())
	}
	return out
}
