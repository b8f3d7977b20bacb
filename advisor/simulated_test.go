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
// generator that loads it, in no time at all. Its arrivals follow from the seed
// of the trial, how long requests take is another matter each time.
type simulated struct {
	slo         profiles.SLO
	service     time.Duration
	servers     int // of each replica; 0: as many as it takes
	exponential bool
	batch       int // requests that a server takes at once from those that wait, in the time of one; 0: one
	seed        uint64
	failing     float64  // share of requests that fail
	limited     float64  // from this rate on the generator says that it was the limit; 0: never
	host        HostUse  // during every step
	grows       float64  // share by which the service time grows with each step
	leaks       float64  // share by which it grows with each request
	loses       int      // after each so many requests a server is lost for good, but for the last; 0: none is
	shared      int      // most servers that all replicas together have; 0: each its own
	tasks       []string // each request is one of them by chance; nil: there is one
	trials      []Trial
	served      int // requests so far
}

// server works on one batch at a time.
type server struct {
	start, done time.Duration // of its latest batch
	size        int           // of that; 0: there was none
}

// joins reports whether a request finds the latest batch waiting, with room.
func (s server) joins(at time.Duration, batch int) bool {
	return 0 < s.size && s.size < batch && at <= s.start
}

// begins is when a request would be worked on.
func (s server) begins(at time.Duration, batch int) time.Duration {
	if s.joins(at, batch) {
		return s.start
	}
	return max(at, s.done)
}

func (s *simulated) Run(_ context.Context, t Trial) (Observation, error) {
	s.trials = append(s.trials, t)
	slower := 1 + s.grows*float64(len(s.trials)-1)
	rng, chance := rand.New(rand.NewPCG(s.seed, t.Seed)), rand.New(rand.NewPCG(s.seed, 1<<63|uint64(len(s.trials))))
	servers := s.servers * max(1, t.Replicas)
	if s.shared > 0 {
		servers = min(servers, s.shared)
	}
	if s.loses > 0 {
		servers = max(1, servers-s.served/s.loses)
	}
	all, batch := make([]server, servers), max(1, s.batch)
	serve := func(at time.Duration) time.Duration {
		d := time.Duration(float64(s.service) * (slower + s.leaks*float64(s.served)))
		s.served++
		if s.servers == 0 {
			return at + d
		}
		if s.loses > 0 && s.served%s.loses == 0 && len(all) > 1 {
			all = all[1:]
		}
		next := 0
		for i := range all {
			if all[i].begins(at, batch) < all[next].begins(at, batch) {
				next = i
			}
		}
		if all[next].joins(at, batch) {
			all[next].size++
			return all[next].done
		}
		if s.exponential {
			d = time.Duration(chance.ExpFloat64() * float64(d))
		}
		start := all[next].begins(at, batch)
		all[next] = server{start, start + d, 1}
		return start + d
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
	low, high := 0.0, float64(s.servers*max(1, s.batch))/s.service.Seconds()
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
