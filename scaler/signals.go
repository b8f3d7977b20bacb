package scaler

import (
	"context"
	"sync"
	"time"

	"headroom/probe"
	"headroom/profiles"
)

// signals is what decisions are made from. It is safe for concurrent use.
type signals struct {
	balancer *balancer
	pool     *pool
	meter    *meter // for run only
	used     *consumption

	mu       sync.Mutex // guards the field below
	inFlight profiles.Samples
}

func newSignals(cfg Config, b *balancer, p *pool) *signals {
	return &signals{balancer: b, pool: p, meter: newMeter(), used: &consumption{cpuLimit: cfg.CPULimit, memoryLimit: cfg.MemoryLimit}}
}

// run samples what nobody counts by itself, until ctx is done.
func (s *signals) run(ctx context.Context) {
	for wait(ctx, profiles.SampleEvery) {
		used, ok := s.meter.sample(ctx, s.pool.roots())
		now := time.Now()
		if ok {
			s.pool.setUsage(now, used)
			s.used.note(now, s.pool.ofReady(used))
		} else {
			s.used.fail()
		}
		s.sample(profiles.Sample{At: now, InFlight: float64(s.balancer.sense(now).inFlight)})
	}
}

// ofReady is what of the usage is of replicas that are ready.
func (p *pool) ofReady(used map[string]usage) map[string]usage {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make(map[string]usage, len(used))
	for _, r := range p.living {
		if u, ok := used[r.info.ID]; ok && r.info.State == probe.Ready {
			out[r.info.ID] = u
		}
	}
	return out
}

// sample remembers the requests in flight.
func (s *signals) sample(latest profiles.Sample) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inFlight = s.inFlight.Add(latest)
}

// sense is what a policy decides on, but for the number of replicas.
func (s *signals) sense(now time.Time, p *profiles.Policy) profiles.Metrics {
	here := s.balancer.sense(now)
	m := profiles.Metrics{
		Ready:    here.ready,
		Readings: s.balancer.read(now, p.Metrics),
		Idle:     here.idle,
		Waiting:  here.waiting,
		Oldest:   here.oldest,
		Active:   here.active,
		Resized:  here.resized,
		StartUp:  profiles.MedianStartUp(s.pool.startups()),
	}
	for i, metric := range p.Metrics {
		if metric.Kind == profiles.CPU || metric.Kind == profiles.Memory {
			m.Readings[i] = s.used.read(metric)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	m.InFlight = s.inFlight
	return m
}
