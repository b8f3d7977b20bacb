package advisor

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"headroom/load"
	"headroom/probe"
	"headroom/profiles"
)

// simulated is a service with a FIFO queue in front of its servers, and the
// generator that loads it, in no time at all.
type simulated struct {
	slo         profiles.SLO
	service     time.Duration
	servers     int
	exponential bool
	seed        uint64
	failing     float64  // share of requests that fail
	limited     float64  // from this rate on the generator says that it was the limit; 0: never
	host        HostUse  // during every step
	grows       float64  // share by which the service time grows with each step
	shared      int      // most servers that all replicas together have; 0: each its own
	tasks       []string // each request is one of them by chance; nil: there is one
	trials      []Trial
}

func (s *simulated) Run(_ context.Context, t Trial) (Observation, error) {
	s.trials = append(s.trials, t)
	service := time.Duration(float64(s.service) * (1 + s.grows*float64(len(s.trials)-1)))
	rng := rand.New(rand.NewPCG(s.seed, t.Seed))
	servers := s.servers * max(1, t.Replicas)
	if s.shared > 0 {
		servers = min(servers, s.shared)
	}
	free := make([]time.Duration, servers) // when each server is next free
	serve := func(at time.Duration) time.Duration {
		if s.servers == 0 {
			return at + service // as many as it takes
		}
		i := slices.Index(free, slices.Min(free))
		d := service
		if s.exponential {
			d = time.Duration(rng.ExpFloat64() * float64(d))
		}
		free[i] = max(free[i], at) + d
		return free[i]
	}
	var samples []load.Sample
	add := func(at, done time.Duration) {
		sample := load.Sample{Intended: at, Sent: at, Done: done, Status: 200, Replica: probe.Unknown}
		if len(s.tasks) > 0 {
			sample.Task = rng.Int32N(int32(len(s.tasks)))
		}
		if rng.Float64() < s.failing {
			sample.Status, sample.Failure = 500, load.Status
		}
		samples = append(samples, sample)
	}
	ended := t.Length
	if t.Users > 0 {
		next := make([]time.Duration, t.Users) // when each user sends next
		for {
			u := slices.Index(next, slices.Min(next))
			if next[u] >= t.Length || t.Requests > 0 && len(samples) >= t.Requests {
				break
			}
			done := serve(next[u])
			add(next[u], done)
			next[u] = done
		}
		if t.Requests > 0 {
			ended = min(ended, slices.Max(next))
		}
	} else {
		for at := time.Duration(0); ; {
			at += time.Duration(rng.ExpFloat64() / t.Rate * float64(time.Second))
			if at >= t.Length {
				break
			}
			add(at, serve(at))
		}
	}
	o := Observe(t, samples, ended, s.slo, s.tasks)
	o.Took, o.Replicas, o.Health.Verdict, o.Host = ended, max(1, t.Replicas), load.Sound, s.host
	if s.limited > 0 && max(t.Rate, o.Rate) > s.limited {
		o.Health.Verdict, o.Health.Reason = load.Limited, "requests leave 40ms late (p99)"
	}
	return o, nil
}

func mustSLO(t *testing.T, s string) profiles.SLO {
	t.Helper()
	slo, err := profiles.ParseSLO(s)
	if err != nil {
		t.Fatal(err)
	}
	return slo
}

// truth is the highest rate at which the percentiles of the SLO are met, by a
// simulation long enough to know.
func truth(s simulated) float64 {
	low, high := 0.0, float64(s.servers)/s.service.Seconds()
	for range 10 {
		rate := (low + high) / 2
		if o, _ := s.Run(context.Background(), Trial{Rate: rate, Length: fromSeconds(40_000 / rate)}); o.Met {
			low = rate
		} else {
			high = rate
		}
	}
	return low
}
