package advisor

import (
	"cmp"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"headroom/advisor/model"
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
	failing     float64 // share of requests that fail
	limited     float64 // from this rate on the generator says that it was the limit; 0: never
	trials      []Trial
}

func (s *simulated) Run(_ context.Context, t Trial) (Observation, error) {
	s.trials = append(s.trials, t)
	rng := rand.New(rand.NewPCG(s.seed, t.Seed))
	free := make([]time.Duration, s.servers) // when each server is next free
	serve := func(at time.Duration) time.Duration {
		if s.servers == 0 {
			return at + s.service // as many as it takes
		}
		i := slices.Index(free, slices.Min(free))
		d := s.service
		if s.exponential {
			d = time.Duration(rng.ExpFloat64() * float64(d))
		}
		free[i] = max(free[i], at) + d
		return free[i]
	}
	var samples []load.Sample
	add := func(at, done time.Duration) {
		sample := load.Sample{Intended: at, Sent: at, Done: done, Status: 200, Replica: probe.Unknown}
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
	o := Observe(t, samples, ended, s.slo)
	o.Took, o.Replicas, o.Health.Verdict = ended, 1, load.Sound
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

// truth is the rate at which a share of exactly 5 % is over the limit, by a
// simulation long enough to know.
func truth(s simulated, limit time.Duration) float64 {
	low, high := 0.0, float64(s.servers)/s.service.Seconds()
	for range 10 {
		rate := (low + high) / 2
		s.slo = profiles.SLO{{Measure: profiles.Percentile, Quantile: 0.95, Op: profiles.Less, Limit: limit.Seconds()}}
		o, _ := s.Run(context.Background(), Trial{Rate: rate, Length: time.Duration(40_000 / rate * float64(time.Second))})
		if o.P95 < limit {
			low = rate
		} else {
			high = rate
		}
	}
	return low
}

func TestSearchFindsTheCapacity(t *testing.T) {
	for _, c := range []struct {
		name        string
		service     time.Duration
		servers     int
		exponential bool
		limit       string
	}{
		{"M/D/1", 20 * time.Millisecond, 1, false, "100ms"},
		{"M/D/4", 100 * time.Millisecond, 4, false, "300ms"},
		{"M/M/1", 20 * time.Millisecond, 1, true, "200ms"},
	} {
		t.Run(c.name, func(t *testing.T) {
			service := simulated{service: c.service, servers: c.servers, exponential: c.exponential, slo: mustSLO(t, "p95<"+c.limit+",errors<1%")}
			limit, _ := time.ParseDuration(c.limit)
			want, saturation := truth(service, limit), float64(c.servers)/c.service.Seconds()
			near, covered := 0, 0
			const seeds = 10
			for seed := range uint64(seeds) {
				s := service
				s.seed = seed
				got, err := Search(t.Context(), &s, SearchOptions{SLO: s.slo, Budget: 5 * time.Minute, Seed: seed})
				if err != nil || got.Refusal != nil {
					t.Fatalf("Search = %v, refusal %v", err, got.Refusal)
				}
				if math.Abs(got.Saturation.Value/saturation-1) > 0.1 {
					t.Errorf("seed %d: saturation %v, want %.1f", seed, got.Saturation, saturation)
				}
				if math.Abs(got.SLO.Value/want-1) <= 0.15 {
					near++
				}
				if got.SLO.Low <= want*1.02 && got.SLO.High >= want*0.98 {
					covered++
				}
				if got.Spent > got.Budget+time.Second {
					t.Errorf("seed %d: spent %v of %v", seed, got.Spent, got.Budget)
				}
			}
			if near < 8 || covered < 8 {
				t.Errorf("%d of %d seeds within 15 %% of %.2f/s, %d intervals cover it; want 8 each", near, seeds, want, covered)
			}
		})
	}
}

// A service that is three times as slow holds a third, also when the budget
// is short.
func TestSearchScalesWithTheService(t *testing.T) {
	capacity := func(service time.Duration) Capacity {
		slo := profiles.SLO{{Measure: profiles.Percentile, Quantile: 0.95, Op: profiles.Less, Limit: 5 * service.Seconds()}}
		s := &simulated{service: service, servers: 1, slo: slo}
		c, err := Search(t.Context(), s, SearchOptions{SLO: slo, Budget: 45 * time.Second})
		if err != nil || c.Refusal != nil {
			t.Fatalf("Search = %v, refusal %v", err, c.Refusal)
		}
		return c
	}
	fast, slow := capacity(20*time.Millisecond), capacity(60*time.Millisecond)
	for name, ratio := range map[string]float64{
		"saturation": fast.Saturation.Value / slow.Saturation.Value, "SLO capacity": fast.SLO.Value / slow.SLO.Value,
	} {
		if ratio < 2.3 || ratio > 4 {
			t.Errorf("%s: ratio %.2f, want about 3", name, ratio)
		}
	}
	if fast.Grade != GradeC && fast.Grade != GradeD || fast.GradeWhy == "" {
		t.Errorf("grade %s (%s) after 45 s, want C at best, and why", fast.Grade, fast.GradeWhy)
	}
}

func TestSearchRefuses(t *testing.T) {
	for _, c := range []struct {
		name    string
		service simulated
		budget  time.Duration
		code    string
		why     string
	}{
		{"the baseline misses the SLO", simulated{service: 400 * time.Millisecond, servers: 1}, 2 * time.Minute, "R1", "one request alone misses the SLO"},
		{"errors", simulated{service: 20 * time.Millisecond, servers: 1, failing: 0.2}, time.Minute, "R4", "failed"},
		{"the generator is the limit", simulated{service: 20 * time.Millisecond, servers: 1, limited: 1}, time.Minute, "R2", "40ms late"},
		{"nothing saturates", simulated{service: 20 * time.Millisecond, servers: 0}, time.Minute, "R3", "nothing saturated"},
		{"too short", simulated{service: 240 * time.Millisecond, servers: 1}, 12 * time.Second, "R10", "too short"},
		{"any queue is too much", simulated{service: 290 * time.Millisecond, servers: 1}, 10 * time.Minute, "R1", "missed the SLO"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.service.slo = mustSLO(t, "p95<300ms,errors<1%")
			got, err := Search(t.Context(), &c.service, SearchOptions{SLO: c.service.slo, Budget: c.budget})
			if err != nil {
				t.Fatal(err)
			}
			if got.Refusal == nil || got.Refusal.Code != c.code || !strings.Contains(got.Refusal.Why, c.why) || got.Refusal.Do == "" {
				t.Errorf("refusal %+v (SLO capacity %v), want %s with %q and what to do", got.Refusal, got.SLO, c.code, c.why)
			}
		})
	}
}

// A generator that is the limit only in the last steps takes those away, not
// what the steps before have shown.
func TestSearchKeepsWhatIsSound(t *testing.T) {
	slo := mustSLO(t, "p95<100ms")
	s := &simulated{service: 20 * time.Millisecond, servers: 1, slo: slo}
	whole, err := Search(t.Context(), s, SearchOptions{SLO: slo, Budget: time.Minute})
	if err != nil || whole.Refusal != nil {
		t.Fatalf("Search = %v, refusal %v", err, whole.Refusal)
	}
	cut := &spoiled{simulated{service: 20 * time.Millisecond, servers: 1, slo: slo}}
	got, err := Search(t.Context(), cut, SearchOptions{SLO: slo, Budget: time.Minute})
	if err != nil || got.Refusal != nil || got.Confirmed {
		t.Fatalf("Search = %v, refusal %v, confirmed %v; want an unconfirmed capacity", err, got.Refusal, got.Confirmed)
	}
	if got.SLO.Value < whole.SLO.Value { // a confirmation can only take away
		t.Errorf("capacity %v without the confirmation, want at least %v", got.SLO, whole.SLO)
	}
}

// spoiled has a generator that cannot do the confirming step.
type spoiled struct{ simulated }

func (s *spoiled) Run(ctx context.Context, t Trial) (Observation, error) {
	o, err := s.simulated.Run(ctx, t)
	if strings.HasPrefix(t.Name, "confirm") {
		o.Health.Verdict = load.Limited
	}
	return o, err
}

func TestSearchOptionsAreChecked(t *testing.T) {
	for _, c := range []struct {
		slo    string
		budget time.Duration
		want   string
	}{
		{"errors<1%", time.Minute, "want at least one latency percentile"},
		{"p95<1s,mean<1s", time.Minute, "got mean<1s"},
		{"p95<1s", time.Second, "--budget: got 1s, want 10s or more"},
	} {
		_, err := Search(t.Context(), &simulated{}, SearchOptions{SLO: mustSLO(t, c.slo), Budget: c.budget})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Search(%s, %v) = %v, want an error with %q", c.slo, c.budget, err, c.want)
		}
	}
}

// brokenRunner fails at its third trial.
type brokenRunner struct {
	simulated
	err error
}

func (b *brokenRunner) Run(ctx context.Context, t Trial) (Observation, error) {
	if len(b.trials) == 2 {
		return Observation{}, b.err
	}
	return b.simulated.Run(ctx, t)
}

func TestSearchEndsWithTheRunner(t *testing.T) {
	slo := mustSLO(t, "p95<300ms")
	b := &brokenRunner{simulated{service: 20 * time.Millisecond, servers: 1, slo: slo}, errors.New("the scaler is gone")}
	c, err := Search(t.Context(), b, SearchOptions{SLO: slo, Budget: time.Minute})
	if !errors.Is(err, b.err) || len(c.Steps) != 2 {
		t.Errorf("Search = %d steps, %v; want 2 and %v", len(c.Steps), err, b.err)
	}
}

func TestObserve(t *testing.T) {
	slo := mustSLO(t, "p95<100ms,errors<5%")
	ms := time.Millisecond
	var samples []load.Sample
	for i := range 1000 { // 10 s, one every 10 ms, in reverse order
		at := time.Duration(999-i) * 10 * ms
		samples = append(samples, load.Sample{Intended: at, Sent: at + ms, Done: at + 50*ms, Status: 200})
	}
	open := Trial{Rate: 100, Length: 10 * time.Second}
	if o := Observe(open, samples, open.Length, slo); o.Requests != 900 || o.Failed != 0 || o.P95 != 50*ms || o.Service != 49*ms ||
		o.Verdict != model.Pass || !o.Met || math.Abs(o.Rate-100) > 0.01 || math.Abs(o.InFlight-5) > 0.01 {
		t.Errorf("Observe(steady) = %+v", o)
	}

	slowed := slices.Clone(samples)
	for i := range slowed {
		if i%10 == 0 {
			slowed[i].Done = slowed[i].Intended + 200*ms
		}
	}
	if o := Observe(open, slowed, open.Length, slo); o.Verdict != model.Fail || o.Met || o.P95 != 200*ms {
		t.Errorf("Observe(10 %% slow) = %s (%s), met %v, p95 %v; want fail", o.Verdict, o.Why, o.Met, o.P95)
	}

	failed := slices.Clone(samples)
	for i := range failed {
		if i%10 == 0 {
			failed[i].Failure = load.Timeout
		}
	}
	o := Observe(open, failed, open.Length, slo)
	if o.Failed != 90 || o.Verdict != model.Fail || o.P95 != infinite || !strings.Contains(o.Why, "failed") {
		t.Errorf("Observe(10 %% failed) = %d failed, %s (%s), p95 %v; want 90, fail, infinite", o.Failed, o.Verdict, o.Why, o.P95)
	}
	if o := Observe(open, nil, open.Length, slo); o.Verdict != model.Unsure || o.Met {
		t.Errorf("Observe(nothing) = %s, met %v; want unsure", o.Verdict, o.Met)
	}

	// The closed model leaves out the cold requests and what came after the end.
	slices.SortFunc(samples, func(a, b load.Sample) int { return cmp.Compare(a.Intended, b.Intended) })
	closed := Trial{Users: 10, Length: 5 * time.Second}
	if o := Observe(closed, samples, closed.Length, slo); o.Requests != 466 {
		t.Errorf("closed step judged %d requests, want 466: those answered after the 30 cold ones and within 5 s", o.Requests)
	}
}
