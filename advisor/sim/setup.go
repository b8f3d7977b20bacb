package sim

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"headroom/profiles"
)

// Setup is everything but the scaler: what comes, what serves it, and what it
// is judged by. It is a value. Start from Default.
type Setup struct {
	Load     profiles.Shape    // arrivals per second
	Arrivals profiles.Arrivals // how they are spread; single arrivals of a trace come as they came
	Length   time.Duration     // of the load, above 0; what is in flight at its end is finished
	Start    time.Time         // of the load; schedules depend on it
	Seed     uint64            // of everything random

	Service     Service         // time of one request; the others that a replica works on do not slow it down
	Concurrency int             // requests that a replica works on at once, 1 or more
	StartUp     []time.Duration // each replica takes one of these until it is ready, at random; none: no time
	Stop        time.Duration   // that a replica still lasts when it was to go and has finished
	CPU         time.Duration   // CPU time of one request; 0: not known, and cpu cannot be a metric
	CPULimit    profiles.Milli  // cores that a replica may use, which cpu in percent is of

	Dispatch profiles.Dispatch // order in which replicas get requests; empty: that of the scaler's balancer
	MaxQueue int               // requests that may wait for a replica; those beyond are refused
	MaxWait  time.Duration     // that a request may wait for a replica
	Timeout  time.Duration     // that a client waits for its answer; 0: for ever. Its replica then stops working on it
	Pinned   float64           // share of the requests that come on a connection which stays with its replica, 0..1
	Clients  int               // such connections, 1 or more

	SLO    profiles.SLO // on all requests; percentiles of the latency, mean, max, errors and rps
	Demand *Demand      // how many replicas a rate takes; nil: that in theory
}

// Default is a service of one request at a time behind the built-in scaler with
// its defaults.
func Default() Setup {
	return Setup{
		Arrivals: profiles.Poisson, Start: time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC), Seed: 1,
		Concurrency: 1, CPULimit: 1000, MaxQueue: 1000, MaxWait: 2 * time.Minute, Clients: 100,
	}
}

// Scaler is what decides how many replicas there are, and what is before them.
type Scaler struct {
	Policy   profiles.Policy  // that says what is measured, how often it decides, and with how many it begins
	Decider  profiles.Decider // with an empty history; it is used up
	Balancer profiles.Balancer
}

// Follow has a policy followed by the scaler of some platform; the error says
// what of it that cannot do. It is safe for concurrent use.
type Follow func(profiles.Policy) (Scaler, error)

// Built is the Follow of Headroom's own scaler.
func Built(p profiles.Policy) (Scaler, error) {
	within := p
	if p.Replicas.Max == profiles.Unlimited {
		within.Replicas.Max = mostReplicas
	}
	d, err := within.Decider()
	return Scaler{Policy: p, Decider: d}, err
}

// Balancer is that of a scaler, with the order of dispatch that was asked for,
// if any.
func (s Setup) Balancer(of Scaler) profiles.Balancer {
	b := of.Balancer
	b.Dispatch = cmp.Or(s.Dispatch, b.Dispatch, profiles.Pack)
	return b
}

// Limits of what is simulated: a mistyped number shall not take all memory.
const (
	mostReplicas = 10_000
	mostLength   = 35 * 24 * time.Hour
	mostArrivals = 1e9
)

// Validate returns all problems, each naming the flag that sets the value.
func (s Setup) Validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if s.Length <= 0 || s.Length > mostLength {
		bad("--run-time: got %s, want more than 0 and at most %s", profiles.Duration(s.Length), profiles.Duration(mostLength))
	} else if n := s.Load.Area(s.Length); n > mostArrivals {
		bad("traffic: got %.3g arrivals, want at most %.0g", n, float64(mostArrivals))
	}
	if s.Service.mean <= 0 || s.Service.mean > time.Hour {
		bad("--service-time: got %s, want more than 0 and at most 1h", profiles.Duration(s.Service.mean))
	}
	if s.Concurrency < 1 || s.Concurrency > 10_000 {
		bad("--concurrency: got %d, want 1..10000", s.Concurrency)
	}
	if s.Pinned < 0 || s.Pinned > 1 {
		bad("--pinned: got %g %%, want 0%%..100%%", 100*s.Pinned)
	}
	if s.Clients < 1 || s.Clients > 1_000_000 {
		bad("--clients: got %d, want 1..1000000", s.Clients)
	}
	for _, o := range s.SLO {
		if o.Task != "" || o.Measure == profiles.FirstEvent || o.Measure == profiles.Gap {
			bad("--slo: got %s, want objectives on the latency, errors or rps of all requests: single tasks and streams are not simulated", o)
		}
	}
	return errors.Join(errs...)
}

// Simulable returns why the metrics of a policy cannot be simulated, if so. Those
// of one that keeps its size decide nothing.
func (s Setup) Simulable(p profiles.Policy) error {
	if p.Fixed() {
		return nil
	}
	for i, m := range p.Metrics {
		switch {
		case m.Kind == profiles.CPU && s.CPU <= 0:
			return fmt.Errorf("metrics[%d].kind: got cpu, want the CPU time of a request too: --cpu-per-request, or a measurement that has it", i)
		case m.Kind == profiles.Memory || m.Kind == profiles.Custom:
			return fmt.Errorf("metrics[%d].kind: got %s, want one that is simulated: rps, in_flight, queue, free_workers, cpu or latency", i, m.Kind)
		}
	}
	return nil
}
