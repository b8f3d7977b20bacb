package advisor

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"headroom/advisor/model"
	"headroom/load"
	"headroom/profiles"
)

func TestObserve(t *testing.T) {
	slo := mustSLO(t, "p95<100ms,errors<5%")
	ms := time.Millisecond
	var samples []load.Sample
	for i := range 1000 { // 10 s, one every 10 ms, in reverse order
		at := time.Duration(999-i) * 10 * ms
		samples = append(samples, load.Sample{Intended: at, Sent: at + ms, Done: at + 50*ms, Status: 200})
	}
	open := Trial{Rate: 100, Length: 10 * time.Second}
	if o := Observe(open, samples, open.Length, slo, nil); o.Requests != 900 || o.Failed != 0 || o.P95 != 50*ms || o.Service != 49*ms ||
		o.Verdict != model.Pass || !o.Met || math.Abs(o.Rate-100) > 0.01 || math.Abs(o.InFlight-5) > 0.01 {
		t.Errorf("Observe(steady) = %+v", o)
	}

	slowed := slices.Clone(samples)
	for i := range slowed {
		if i%10 == 0 {
			slowed[i].Done = slowed[i].Intended + 200*ms
		}
	}
	if o := Observe(open, slowed, open.Length, slo, nil); o.Verdict != model.Fail || o.Met || o.P95 != 200*ms {
		t.Errorf("Observe(10 %% slow) = %s (%s), met %v, p95 %v; want fail", o.Verdict, o.Why, o.Met, o.P95)
	}

	failed := slices.Clone(samples)
	for i := range failed {
		if i%10 == 0 {
			failed[i].Failure = load.Timeout
		}
	}
	o := Observe(open, failed, open.Length, slo, nil)
	if o.Failed != 90 || o.Verdict != model.Fail || o.P95 != infinite || !strings.Contains(o.Why, "failed") {
		t.Errorf("Observe(10 %% failed) = %d failed, %s (%s), p95 %v; want 90, fail, infinite", o.Failed, o.Verdict, o.Why, o.P95)
	}
	if o := Observe(open, nil, open.Length, slo, nil); o.Verdict != model.Unsure || o.Met {
		t.Errorf("Observe(nothing) = %s, met %v; want unsure", o.Verdict, o.Met)
	}

	// The closed model leaves out the cold requests and what came after the end.
	slices.SortFunc(samples, func(a, b load.Sample) int { return cmp.Compare(a.Intended, b.Intended) })
	closed := Trial{Users: 10, Length: 5 * time.Second}
	if o := Observe(closed, samples, closed.Length, slo, nil); o.Requests != 466 {
		t.Errorf("closed step judged %d requests, want 466: those answered after the 30 cold ones and within 5 s", o.Requests)
	}
}

// What the end of a step cuts off came too late, but it was we who gave it up.
func TestObserveCutOffRequests(t *testing.T) {
	ms := time.Millisecond
	var samples []load.Sample
	for i := range 1000 {
		at := time.Duration(i) * 10 * ms
		s := load.Sample{Intended: at, Sent: at, Done: at + 50*ms, Status: 200}
		if i >= 800 { // the queue had become too long
			s.Done, s.Status, s.Failure = 13*time.Second, 0, load.Aborted
		}
		samples = append(samples, s)
	}
	open := Trial{Rate: 100, Length: 10 * time.Second}
	o := Observe(open, samples, open.Length, mustSLO(t, "p95<100ms,errors<1%"), nil)
	if o.Failed != 0 || o.Requests != 900 || o.P95 != infinite || o.Met || o.Short || !strings.Contains(o.Why, "700 of 895 requests were answered in time") {
		t.Errorf("Observe = %d of %d failed, p95 %v, met %v (%s); want none failed, and 200 never answered", o.Failed, o.Requests, o.P95, o.Met, o.Why)
	}
	if math.Abs(o.Rate-700.0/9) > 0.01 || o.Service != 50*ms {
		t.Errorf("rate %.2f, service %v; want those of the 700 answers in 9 s", o.Rate, o.Service)
	}
}

// An answer is waited for until it is over every limit of the SLO, and no
// longer than a request may take at all.
// Users of a trial wait for their answers alone.
func TestTrialHasNoThinkTimes(t *testing.T) {
	wait := &profiles.Wait{Min: time.Second, Max: time.Second}
	base := profiles.DefaultPlan()
	base.Wait = *wait
	base.Scenario = &profiles.Scenario{Classes: []profiles.Class{{OnStart: []profiles.Task{{Wait: wait}}, Tasks: []profiles.Task{{Wait: wait}}}}}
	p := Trial{Users: 1}.plan(base, nil)
	of := p.Scenario.Classes[0]
	if p.Wait != (profiles.Wait{}) || of.OnStart[0].Wait != nil || of.Tasks[0].Wait != nil {
		t.Errorf("waits %v, of the tasks %v and %v; want none", p.Wait, of.OnStart[0].Wait, of.Tasks[0].Wait)
	}
	if is := base.Scenario.Classes[0]; is.OnStart[0].Wait != wait || is.Tasks[0].Wait != wait {
		t.Error("the scenario of the run was changed")
	}
}

func TestTrialWaitsForTheSlowestObjective(t *testing.T) {
	for _, c := range []struct {
		slo     string
		timeout time.Duration
		want    time.Duration
	}{
		{"p95<300ms", time.Minute, 2900 * time.Millisecond},
		{"p50<100ms,p99<2s", time.Minute, 8 * time.Second},
		{"p99<2s,p50<100ms,errors<1%", time.Minute, 8 * time.Second},
		{"p99<30s", time.Minute, time.Minute},
	} {
		base := profiles.DefaultPlan()
		base.Timeout = c.timeout
		if got := (Trial{Rate: 1}).plan(base, mustSLO(t, c.slo)).StopGrace; got != c.want {
			t.Errorf("grace under %s = %v, want %v", c.slo, got, c.want)
		}
	}
}

// Of several percentiles each is judged by its own limit, and the worst
// decides. What is met by figures that chance may have made is short.
func TestObservePercentiles(t *testing.T) {
	for _, c := range []struct {
		name       string
		slo        string
		n          int
		slow       int // of them, evenly spread, take 300 ms instead of 50 ms
		verdict    model.Verdict
		met, short bool
		why        string
	}{
		{"all met", "p50<100ms,p99<1s", 1000, 200, model.Pass, true, false, "0 of 1000 requests over 1s"},
		{"the lower one missed", "p50<100ms,p99<1s", 1000, 600, model.Fail, false, false, "600 of 1000 requests over 100ms"},
		{"the higher one missed", "p50<1s,p95<100ms", 1000, 200, model.Fail, false, false, "200 of 1000 requests over 100ms"},
		{"too few for the higher one", "p50<100ms,p99<1s", 60, 0, model.Unsure, false, true, "0 of 60 requests over 1s"},
		{"enough to be likely, not to prove it", "p99<1s", 200, 0, model.Unsure, true, false, "0 of 200 requests over 1s"},
		{"figures at the limit", "p95<100ms", 60, 3, model.Unsure, false, true, "3 of 60"},
		{"figures over the limit", "p95<100ms", 60, 4, model.Unsure, false, false, "4 of 60"},
		{"one missed and one short", "p95<100ms,p99<1s", 60, 12, model.Fail, false, false, "12 of 60"},
	} {
		o := Observation{Requests: c.n}
		latencies := make([]time.Duration, c.n)
		for i := range latencies {
			latencies[i] = 50 * time.Millisecond
			if i*c.slow/c.n != (i+1)*c.slow/c.n {
				latencies[i] = 300 * time.Millisecond
			}
		}
		o.judge(mustSLO(t, c.slo), witnesses(latencies))
		if o.Verdict != c.verdict || o.Met != c.met || o.Short != c.short || !strings.Contains(o.Why, c.why) {
			t.Errorf("%s: %s (%s), met %v, short %v; want %s (%s), %v, %v", c.name, o.Verdict, o.Why, o.Met, o.Short, c.verdict, c.why, c.met, c.short)
		}
		if (o.Needs > c.n) != c.short {
			t.Errorf("%s: needs %d requests after %d", c.name, o.Needs, c.n)
		}
	}
}

// One stall far below the limit must not make the whole step look like a few
// requests, and real queueing must.
func TestWorthOfRequests(t *testing.T) {
	objective := mustSLO(t, "p95<400ms")[0]
	rng := rand.New(rand.NewPCG(1, 2))
	worth := func(latency func(i int) float64) float64 {
		latencies := make([]time.Duration, 252)
		for i := range latencies {
			latencies[i] = fromSeconds(latency(i))
		}
		return weigh(objective, latencies).worth
	}
	quiet := func(int) float64 { return 0.05 + 0.005*rng.Float64() }
	if got := worth(quiet); got < 0.5 {
		t.Errorf("independent requests are worth %.2f, want most", got)
	}
	stalled := func(i int) float64 { // 300 ms, worked off by the twelve behind it
		if i >= 100 && i < 112 {
			return 0.05 + 0.3*float64(112-i)/12
		}
		return quiet(i)
	}
	if got := worth(stalled); got < 0.2 {
		t.Errorf("requests with one stall among them are worth %.2f, want some", got)
	}
	level := 0.0
	queued := func(int) float64 {
		level = max(0, level+rng.NormFloat64()*0.01)
		return 0.05 + level
	}
	if got := worth(queued); got > 0.1 {
		t.Errorf("requests behind a slow queue are worth %.2f, want few", got)
	}
}

func TestFinding(t *testing.T) {
	for _, c := range []struct {
		o    Observation
		want string
	}{
		{Observation{}, "nothing"},
		{Observation{Requests: 9, Spoiled: true, Verdict: model.Unsure, Met: true}, "spoiled"},
		{Observation{Requests: 9, Verdict: model.Pass, Met: true}, "met"},
		{Observation{Requests: 9, Verdict: model.Fail}, "missed"},
		{Observation{Requests: 9, Verdict: model.Unsure, Met: true}, "met?"},
		{Observation{Requests: 9, Verdict: model.Unsure, Short: true}, "met?"},
		{Observation{Requests: 9, Verdict: model.Unsure}, "missed?"},
	} {
		if got := c.o.Finding(); got != c.want {
			t.Errorf("Finding of %+v = %q, want %q", c.o, got, c.want)
		}
	}
}

// What others did is said once for all steps, by the worst of them.
func TestCompany(t *testing.T) {
	beside := func(pressure, steal *float64) Observation {
		return Observation{Health: load.Health{Pressure: pressure, Steal: steal}, Why: "0 of 9"}
	}
	little, some, much := 0.01, 0.3, 0.9
	for _, c := range []struct {
		name  string
		steps []Observation
		want  string
	}{
		{"nothing is known", []Observation{beside(nil, nil)}, ""},
		{"nothing worth a word", []Observation{beside(&little, &little)}, ""},
		{"the worst", []Observation{beside(&some, nil), beside(&much, nil), beside(&little, nil), beside(nil, nil)},
			"in 2 of 4 steps others were at work: at most, somebody on this machine waits for a processor 90 % of the time"},
		{"both kinds", []Observation{beside(&some, nil), beside(nil, &some)},
			"in 2 of 2 steps others were at work: at most, somebody on this machine waits for a processor 30 % of the time; its host takes 30 % of its processors away"},
	} {
		if got := Company(c.steps); got != c.want {
			t.Errorf("%s: Company = %q, want %q", c.name, got, c.want)
		}
	}
	if got := beside(&some, nil).Decisive(); got != "0 of 9" {
		t.Errorf("Decisive = %q, want nothing of others", got)
	}
}
