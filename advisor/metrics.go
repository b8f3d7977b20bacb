package advisor

import (
	"math"
	"time"

	"headroom/advisor/model"
	"headroom/profiles"
)

// Fitness says whether a metric may be scaled on.
type Fitness string

// The values of a fitness.
const (
	Good       Fitness = "good"
	Usable     Fitness = "usable"     // with what Why says against it
	Misleading Fitness = "misleading" // it would scale wrongly here
	Unmeasured Fitness = "unmeasured"
)

// MetricScore is what the measured steps say of a metric as one to scale on.
type MetricScore struct {
	Kind    profiles.Kind `json:"kind"`
	Fitness Fitness       `json:"fitness"`
	Why     string        `json:"why"`
	Tests   []MetricTest  `json:"tests,omitempty"` // those that the steps allow
}

// MetricTest is one property that a metric should have.
type MetricTest struct {
	Name    string  `json:"name"`  // linear, range, separates, clips, mix, fresh or quiet
	Value   float64 `json:"value"` // 0 where Instead says more
	Want    string  `json:"want"`
	Passed  bool    `json:"passed"`
	Instead string  `json:"instead,omitempty"` // of a figure: what is so by the nature of the metric, or why there is none
	Missing bool    `json:"missing,omitempty"` // the steps do not allow the test
}

// The limits of the tests. They are those of a proportional controller: it
// divides the metric by its target, so that the metric has to grow with the
// load, and to say by how much there is too much of it.
const (
	leastFit      = 0.9  // R² below the capacity
	leastRange    = 2.5  // at the capacity over that at a quarter of it
	leastApart    = 2    // standard deviations between what met the SLO and what missed it,
	mostApart     = 100  // of which no more are counted
	leastHeadroom = 1.15 // at 1.3 times the capacity over that at the capacity
	mostMix       = 0.5  // coefficient of variation of the service time
	mostNoise     = 0.1  // relative standard error over the window
	beyond        = 1.3  // times the capacity
)

// signals are the series of a metric over the loads that were measured, per
// replica.
type signals struct {
	kind     profiles.Kind
	load     []float64 // requests per second
	value    []float64
	passed   []float64 // values where the SLO was met for certain, clearly below the capacity
	failed   []float64 // and where it was missed, clearly above
	capacity float64   // requests per second
}

// leastLook is how long a step lasts whose CPU counts: a scaler looks at it once
// a second, so that of a shorter one it is that of half the step.
const leastLook = 3 * time.Second

// signalsOf is the series of one metric. ok is false for a metric that was not
// measured. The CPU follows what is served, whoever waits for it: of it the
// steps of the closed model and those beyond the capacity say as much; so does
// the fleet without any load, which most steps are far from.
func (c *Capacity) signalsOf(kind profiles.Kind, managed bool) (s signals, ok bool) {
	n := float64(max(1, c.Replicas))
	s = signals{kind: kind, capacity: c.SLO.Value / n}
	for _, o := range c.Steps {
		if o.Spoiled || o.Requests == 0 || o.Trial.Replicas > 0 || o.Trial.Rate == 0 && kind != profiles.CPU {
			continue
		}
		v, known := c.level(kind, o, managed)
		if !known {
			return s, false
		}
		if kind == profiles.CPU && o.Rate*leastLook.Seconds() > float64(o.Requests) {
			continue
		}
		x := o.Offered / n
		if kind == profiles.CPU {
			x = o.Rate / n
		}
		if kind == profiles.CPU || x <= s.capacity*(1+closeBracket) {
			s.load, s.value = append(s.load, x), append(s.value, v)
		}
		if o.Trial.Rate == 0 || kind == profiles.CPU && o.Host.Saturated() { // a full machine gives less CPU than is asked for
			continue
		}
		switch { // close to the capacity it is chance that decides
		case o.Verdict == model.Pass && o.Offered/n <= s.capacity*(1-goodBracket):
			s.passed = append(s.passed, v)
		case o.Verdict == model.Fail && o.Offered/n >= s.capacity*(1+goodBracket):
			s.failed = append(s.failed, v)
		}
	}
	if len(s.load) > 0 && kind == profiles.CPU && c.Idle != nil {
		s.load, s.value = append(s.load, 0), append(s.value, *c.Idle)
	}
	return s, len(s.load) > 0
}

// level is a metric during a step, per replica.
func (c *Capacity) level(kind profiles.Kind, o Observation, managed bool) (v float64, known bool) {
	n := float64(max(1, c.Replicas))
	busy := o.Rate * c.Service.Seconds() // Little's law: requests in service
	switch kind {
	case profiles.RPS:
		return o.Offered / n, true
	case profiles.InFlight:
		return o.InFlight / n, true
	case profiles.Queue:
		return max(0, o.InFlight-busy) / n, true
	case profiles.FreeWorkers:
		return max(0, 1-busy/n/float64(c.Concurrency())), true
	case profiles.CPU:
		return o.Host.Replicas / n, managed && o.Host.Known
	case profiles.Latency:
		return o.P50.Seconds(), o.P50 != infinite
	}
	return 0, false
}

// Concurrency is how many requests one replica works on at once: by Little's
// law at saturation, the asymptotic knee of the throughput.
func (c *Capacity) Concurrency() int {
	return max(1, int(math.Round(c.Saturation.Value*c.Service.Seconds()/float64(max(1, c.Replicas)))))
}

// variation is the coefficient of variation of the service time of one user
// alone, from its quantiles: of a normal distribution p95 is 1.645 deviations
// above p50. Squares would take the one stall of a busy machine for a habit.
func (c *Capacity) variation() float64 {
	o := c.Baseline
	if o.Service <= 0 || o.P95 == infinite {
		return 0
	}
	return (o.P95 - o.P50).Seconds() / 1.645 / o.Service.Seconds()
}

// The share of the service time from which on a request computes rather than
// waits: of the time alone, and of one in which it waits for processors that
// others keep busy.
const (
	computing = 0.8
	crowded   = 0.5
)

// circumstances are what a metric has to be good for, besides the steps.
type circumstances struct {
	traffic  profiles.Traffic
	bursts   float64 // variance of the arrivals in a window over that of a Poisson stream; below 1: as of one
	window   time.Duration
	interval time.Duration
	startUp  time.Duration // 0: not known
	limit    time.Duration // the SLO's latency
	managed  bool          // a scaler told what its replicas use
}

// spare is how long a request may wait within the SLO.
func (now circumstances) spare(service time.Duration) time.Duration { return max(0, now.limit-service) }

// scoreMetrics judges every metric on the measured steps, the usual one first.
// Nobody measures memory here: of it is said what holds everywhere.
func (c *Capacity) scoreMetrics(now circumstances) []MetricScore {
	var out []MetricScore
	for _, kind := range []profiles.Kind{profiles.RPS, profiles.InFlight, profiles.Queue, profiles.FreeWorkers, profiles.CPU, profiles.Latency} {
		score := MetricScore{Kind: kind}
		s, ok := c.signalsOf(kind, now.managed)
		if ok {
			score.Tests = c.tests(s, now)
			score.Fitness, score.Why = c.fitness(s, score.Tests, now)
			score.demote()
		} else {
			score.Fitness, score.Why = Unmeasured, "no step says anything of it"
			if kind == profiles.CPU {
				score.Why = "only a scaler tells what its replicas use: run them under headroom scaler, or tune a command"
			}
		}
		out = append(out, score)
	}
	return append(out, MetricScore{Kind: profiles.Memory, Fitness: Misleading,
		Why: "it grows with what is loaded and kept, not with the requests that come, and hardly falls when they are gone: it would add replicas late, or for ever, and take none away"})
}
