package sim

import (
	"math"
	"testing"
	"time"

	"headroom/advisor/model"
	"headroom/profiles"
)

const quarter = 250 * time.Millisecond

// Long runs agree with queueing theory: the mean latency within 2 %.
func TestAgreesWithTheory(t *testing.T) {
	constant, exponential := Constant(quarter), Exponential(quarter)
	tests := []struct {
		name    string
		service Service
		servers int
		rho     float64
	}{
		{"M/M/1", exponential, 1, 0.5},
		{"M/M/1", exponential, 1, 0.7},
		{"M/M/4", exponential, 4, 0.7},
		{"M/M/20", exponential, 20, 0.85},
		{"M/D/1", constant, 1, 0.8},
		{"M/D/4", constant, 4, 0.7},
		{"M/G/1 lognormal", Percentiles(Percentile{0.5, quarter}, Percentile{0.95, 2 * quarter}, 0), 1, 0.7},
	}
	for _, tt := range tests {
		s := tt.service
		rate := tt.rho * float64(tt.servers) / s.Mean().Seconds()
		setup := steady(rate, time.Duration(120_000/rate*float64(time.Second)), s)
		theory := model.Station{
			Servers: tt.servers, Rate: rate, Service: s.Mean().Seconds(), ArrivalVariation: 1, ServiceVariation: s.Variation(),
		}
		got, want := fixed(t, setup, tt.servers).Latency.Mean.Seconds(), s.Mean().Seconds()+theory.Waiting().Mean
		if math.Abs(got/want-1) > 0.02 {
			t.Errorf("%s at %g: mean %.4f s, want %.4f s ± 2 %%", tt.name, tt.rho, got, want)
		}
	}
}

// Random dispatch to n replicas with queues of their own is n single queues of an
// n-th of the rate each; in turn every n-th request comes to one, so evenly that it
// waits far less, and where the fewest are it is nearly one queue before all. The
// built-in balancer has that one queue in every order.
func TestQueuesApart(t *testing.T) {
	constant, exponential := Constant(quarter), Exponential(quarter)
	station := func(servers int) model.Station {
		return model.Station{Servers: servers, Rate: 0.7 * float64(servers) / quarter.Seconds(), Service: quarter.Seconds(), ArrivalVariation: 1, ServiceVariation: 1}
	}
	oneQueue := station(5).Waiting().Mean / station(1).Waiting().Mean
	for _, tt := range []struct {
		name     string
		balancer profiles.Balancer
		service  Service
		n        int
		rho      float64
		low, hi  float64 // mean wait, as a share of that of n single queues by theory
	}{
		{"M/M/1", profiles.Balancer{Dispatch: profiles.Random, Apart: true}, exponential, 5, 0.5, 0.98, 1.02},
		{"M/M/1", profiles.Balancer{Dispatch: profiles.Random, Apart: true}, exponential, 5, 0.7, 0.98, 1.02},
		{"M/D/1", profiles.Balancer{Dispatch: profiles.Random, Apart: true}, constant, 8, 0.8, 0.98, 1.02},
		{"in turn is better", profiles.Balancer{Dispatch: profiles.RoundRobin, Apart: true}, constant, 8, 0.8, 0, 0.5},
		{"the fewest is better, and worse than one queue", profiles.Balancer{Dispatch: profiles.LeastConnections, Apart: true}, exponential, 5, 0.7, oneQueue, 0.5},
		{"one queue, which is M/M/5", profiles.Balancer{Dispatch: profiles.Random}, exponential, 5, 0.7, 0.98 * oneQueue, 1.02 * oneQueue},
	} {
		single := model.Station{Servers: 1, Rate: tt.rho / quarter.Seconds(), Service: quarter.Seconds(), ArrivalVariation: 1, ServiceVariation: tt.service.Variation()}
		rate := single.Rate * float64(tt.n)
		s := steady(rate, time.Duration(400_000/rate*float64(time.Second)), tt.service)
		r := behind(t, tt.balancer, s, profiles.FixedPolicy(tt.n))
		wait := (r.Latency.Mean - quarter).Seconds()
		if got := wait / single.Waiting().Mean; got < tt.low || got > tt.hi {
			t.Errorf("%s at %g, %s: a mean wait of %.4f s, %.3f times that of %d single queues, want %g..%g", tt.name, tt.rho, tt.balancer, wait, got, tt.n, tt.low, tt.hi)
		}
	}
}

// One replica that works on several requests at once is the same queue as
// several replicas.
func TestConcurrency(t *testing.T) {
	s := steady(11.2, time.Hour, Exponential(quarter))
	four := fixed(t, s, 4)
	s.Concurrency = 4
	if one := fixed(t, s, 1); *one.Latency != *four.Latency {
		t.Errorf("one replica: %+v, want as four replicas: %+v", *one.Latency, *four.Latency)
	}
}

// waitsAtMost is the share of the requests of M/D/1 that wait for at most t
// (Erlang 1909), for short times: its terms alternate.
func waitsAtMost(t, service, rho float64) float64 {
	sum := 0.0
	for k := range int(t/service) + 1 {
		x := rho * (float64(k) - t/service)
		sum += math.Pow(x, float64(k)) / math.Gamma(float64(k)+1) * math.Exp(-x)
	}
	return (1 - rho) * sum
}

func TestPercentileOfMD1(t *testing.T) {
	for _, rho := range []float64{0.287, 0.5, 0.8} {
		rate := rho / quarter.Seconds()
		r := fixed(t, steady(rate, time.Duration(60_000/rate*float64(time.Second)), Constant(quarter)), 1)
		got := waitsAtMost(r.Latency.P95.Seconds()-quarter.Seconds(), quarter.Seconds(), rho)
		if math.Abs(got-0.95) > 0.006 {
			t.Errorf("at %g: %.4f of the requests should be within the simulated p95 of %s, want 0.95", rho, got, r.Latency.P95)
		}
	}
}

// What a replica holds under an SLO depends on how many there are: by theory,
// 1.148/s of 250 ms alone under p95 <= 500 ms, and by simulation up to 3.6/s
// each of 16. The approximation errs on the side of caution where the load is
// low.
func TestDemand(t *testing.T) {
	objectives := slo(t, "p95<=500ms")
	d, err := InTheory(Constant(quarter), 1, objectives)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		n         int
		low, high float64
	}{{1, 0.9, 1.15}, {4, 2.6, 2.95}, {16, 3.5, 3.7}} {
		if got := d.capacity(tt.n) / float64(tt.n); got < tt.low || got > tt.high {
			t.Errorf("each of %d replicas holds %.3f, want %g..%g", tt.n, got, tt.low, tt.high)
		}
	}
	for _, tt := range []struct {
		rate float64
		want int
	}{{0, 0}, {0.1, 1}, {d.capacity(5), 5}, {d.capacity(5) * 1.001, 6}} {
		if got := d.Replicas(tt.rate); got != tt.want {
			t.Errorf("Replicas(%g) = %d, want %d", tt.rate, got, tt.want)
		}
	}
	if got := Linear(10).Replicas(200); got != 20 {
		t.Errorf("Linear(10).Replicas(200) = %d, want 20", got)
	}
	if _, err := InTheory(Constant(quarter), 1, slo(t, "p95<200ms")); err == nil {
		t.Error("an SLO below the service time: got a demand, want that no number of replicas meets it")
	}
	if d, err := InTheory(Constant(quarter), 2, nil); err != nil || d.Replicas(80) != 10 {
		t.Errorf("without an SLO, 2 at once: got %d for 80/s, %v, want 10, the saturation", d.Replicas(80), err)
	}
}

func TestService(t *testing.T) {
	lognormal := Percentiles(Percentile{0.5, 100 * time.Millisecond}, Percentile{0.95, 300 * time.Millisecond}, 0)
	tests := []struct {
		name      string
		of        Service
		mean      time.Duration
		variation float64
		within    float64
	}{
		{"constant", Constant(quarter), quarter, 0, 0},
		{"exponential", Exponential(quarter), quarter, 1, 0},
		{"equal percentiles", Percentiles(Percentile{0.5, 100}, Percentile{0.95, 100}, 110), 110, 0, 0},
		// sigma = ln 3/1.645 = 0.668: mean 100 ms e^(sigma²/2), variation e^(sigma²)-1
		{"lognormal", lognormal, 125 * time.Millisecond, 0.562, 0.02},
		{"lognormal with its mean", Percentiles(Percentile{0.5, 100 * time.Millisecond}, Percentile{0.95, 300 * time.Millisecond}, 130*time.Millisecond),
			130 * time.Millisecond, 0.562, 0.02},
		{"samples: squares off their mean 400, 0 and 400, of 60 squared", Samples([]time.Duration{80, 40, 60}), 60, 2. / 27, 1e-9},
		{"samples, stretched", Samples([]time.Duration{80, 40, 60}).Stretched(1.5), 90, 2. / 27, 1e-9},
		{"exponential, stretched", Exponential(quarter).Stretched(2), 2 * quarter, 1, 0},
	}
	for _, tt := range tests {
		if got := tt.of.Mean(); math.Abs(float64(got)/float64(tt.mean)-1) > tt.within {
			t.Errorf("%s: Mean() = %s, want %s", tt.name, got, tt.mean)
		}
		if got := tt.of.Variation(); math.Abs(got-tt.variation) > tt.within {
			t.Errorf("%s: Variation() = %g, want %g", tt.name, got, tt.variation)
		}
	}
	if got := lognormal.at(0.95); got < 295*time.Millisecond || got > 305*time.Millisecond {
		t.Errorf("lognormal: p95 %s, want 300ms", got)
	}
	if got := Exponential(quarter).at(0.5); got.Round(time.Millisecond) != 173*time.Millisecond {
		t.Errorf("exponential: median %s, want 173ms", got)
	}
}
