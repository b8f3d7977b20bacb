package advisor

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"headroom/advisor/model"
	"headroom/profiles"
)

// service is a measured capacity, written down: one request at a time, and CPU
// that is base cores + slope core seconds a request.
type service struct {
	takes       time.Duration
	varies      float64 // coefficient of variation
	base, slope float64
	noise       float64 // cores, up and down in turn
}

func (s service) measured() *Capacity {
	most := 1 / s.takes.Seconds()
	c := &Capacity{
		Replicas: 1, Service: s.takes, Saturation: Interval{Value: most, High: most}, SLO: Interval{Value: 0.7 * most, Low: 0.66 * most, High: 0.73 * most},
		Baseline: Observation{Service: s.takes, P50: s.takes, P95: s.takes + time.Duration(1.645*s.varies*float64(s.takes))},
	}
	for i, share := range []float64{0.2, 0.35, 0.5, 0.6, 0.65, 0.7, 0.85, 0.95} {
		rate := share * most
		verdict := model.Pass
		if share > 0.7 {
			verdict = model.Fail
		}
		waits := share * share / 2 / (1 - share) // M/D/1
		cores := s.base + s.slope*rate + s.noise*float64(i%2*2-1)
		c.Steps = append(c.Steps, Observation{
			Trial: Trial{Rate: rate}, Requests: 1000, Offered: rate, Rate: rate, InFlight: share + waits, Verdict: verdict,
			P50: s.takes + fromSeconds(waits/rate), Host: HostUse{Known: true, Cores: 8, Replicas: cores},
		})
	}
	return c
}

func TestMetricScores(t *testing.T) {
	ms := time.Millisecond
	usual := circumstances{traffic: traffic(50, 200), window: 10 * time.Second, interval: 5 * time.Second, startUp: 20 * time.Second, limit: 300 * ms, managed: true}
	with := func(change func(*circumstances)) circumstances {
		now := usual
		change(&now)
		return now
	}
	fast := service{takes: 25 * ms, slope: 0.025}
	for _, c := range []struct {
		name    string
		service service
		now     circumstances
		kind    profiles.Kind
		want    Fitness
		says    string
	}{
		{"requests are alike", fast, usual, profiles.RPS, Good, "requests are alike and short"},
		{"requests are a mix", service{takes: 25 * ms, varies: 1}, usual, profiles.RPS, Usable, "varies by 100 %"},
		{"requests are long", service{takes: 5 * time.Second}, usual, profiles.RPS, Usable, "one request takes 5s"},
		{"little traffic", fast, with(func(n *circumstances) { n.traffic = traffic(1, 2) }), profiles.RPS, Usable, "22 % up or down"},
		{"it grows with the load", fast, usual, profiles.InFlight, Good, "does not care how long a request takes"},
		{"little traffic in flight", fast, with(func(n *circumstances) { n.traffic = traffic(1, 2) }), profiles.InFlight, Usable, "22 % up or down"},
		{"nobody may wait for a replica", fast, usual, profiles.Queue, Misleading, "one comes after 25 s (start-up 20 s + interval 5.0 s), and the SLO leaves 275ms"},
		{"a batch may", fast, with(func(n *circumstances) { n.limit = time.Minute }), profiles.Queue, Good, "leaves 60 s for waiting"},
		{"how long they start is not known", fast, with(func(n *circumstances) { n.startUp = 0 }), profiles.Queue, Usable, "not known"},
		{"busy and free many times a second", fast, usual, profiles.FreeWorkers, Usable, "many times between two looks"},
		{"long requests, one at a time", service{takes: 5 * time.Second}, usual, profiles.FreeWorkers, Good, "spare ones take what arrives"},
		{"computing", fast, usual, profiles.CPU, Good, "25ms of CPU a request), is at 70 % at the capacity and at 100 % at saturation"},
		{"sleeping", service{takes: 25 * ms, slope: 0.0015}, usual, profiles.CPU, Misleading, "it is at 4 % when the SLO is about to be missed, and at 6 % at saturation: 94 % of the 25ms"},
		{"spinning", service{takes: 25 * ms, base: 0.95, slope: 0.001}, usual, profiles.CPU, Misleading, "already at a quarter"},
		{"much without load", service{takes: 25 * ms, base: 0.5, slope: 0.012}, usual, profiles.CPU, Usable, "50 % without load"},
		{"nearly all without load", service{takes: 25 * ms, base: 0.6, slope: 0.001}, usual, profiles.CPU, Misleading, "never scale in"},
		{"noisy", service{takes: 25 * ms, slope: 0.024, noise: 0.25}, usual, profiles.CPU, Usable, "only roughly"},
		{"no scaler tells", fast, with(func(n *circumstances) { n.managed = false }), profiles.CPU, Unmeasured, "only a scaler tells"},
		{"hardly more at the capacity than at a quarter", service{takes: 25 * ms, base: 0.26, slope: 0.024}, usual, profiles.CPU, Usable, "it is only 2.2 times what it is at a quarter"},
		{"never memory", fast, usual, profiles.Memory, Misleading, "hardly falls when they are gone"},
		{"never latency", fast, usual, profiles.Latency, Misleading, "never offered"},
	} {
		for _, s := range c.service.measured().scoreMetrics(c.now) {
			if s.Kind == c.kind && (s.Fitness != c.want || !strings.Contains(s.Why, c.says)) {
				t.Errorf("%s: %s is %s (%s), want %s with %q", c.name, s.Kind, s.Fitness, s.Why, c.want, c.says)
			}
		}
	}
}

// What is chosen is what is good, rates first; what somebody insists on is
// taken with a warning, or refused where it misleads.
func TestChooseMetric(t *testing.T) {
	ms := time.Millisecond
	for _, c := range []struct {
		name    string
		service service
		slo     string
		asked   profiles.Kind
		want    profiles.Kind // empty: refused
		says    string        // of the note or the refusal
	}{
		{"rates by themselves", service{takes: 25 * ms, slope: 0.025}, "p95<300ms", "", profiles.RPS, ""},
		{"in flight for a mix", service{takes: 25 * ms, varies: 1, slope: 0.025}, "p95<300ms", "", profiles.InFlight, ""},
		{"free workers where asked for", service{takes: 5 * time.Second}, "p95<20s", profiles.FreeWorkers, profiles.FreeWorkers, ""},
		{"computing, by CPU", service{takes: 25 * ms, slope: 0.025}, "p95<300ms", profiles.CPU, profiles.CPU, ""},
		{"sleeping, by CPU", service{takes: 25 * ms, slope: 0.0015}, "p95<300ms", profiles.CPU, "", "cpu cannot be scaled on here: it is at 4 %"},
		{"by latency", service{takes: 25 * ms, slope: 0.025}, "p95<300ms", profiles.Latency, "", "never offered"},
		{"a mix by its rate", service{takes: 25 * ms, varies: 1}, "p95<300ms", profiles.RPS, profiles.RPS, "rps was asked for: the time of a request varies by 100 %"},
		{"a queue that may wait", service{takes: 250 * ms}, "p95<60s", profiles.Queue, profiles.Queue, ""},
	} {
		capacity := c.service.measured()
		r, err := Recommend(Needs{
			Sizing: Sizing{Headroom: 200, Metric: c.asked}, Capacity: capacity.PerReplica(), Evidence: capacity, SLO: mustSLO(t, c.slo),
			Traffic: traffic(50, 200), StartUp: 20 * time.Second, Managed: true, Service: c.service.takes,
		})
		var refusal *Refusal
		switch {
		case c.want == "":
			if !errors.As(err, &refusal) || refusal.Code != "R8" || !strings.Contains(refusal.Why, c.says) || refusal.Do == "" {
				t.Errorf("%s: Recommend = %v, want R8 with %q", c.name, err, c.says)
			}
			continue
		case err != nil:
			t.Errorf("%s: Recommend = %v", c.name, err)
			continue
		}
		if m := r.Policy.Metrics[0]; m.Kind != c.want || m.Target <= 0 || !strings.Contains(strings.Join(r.Notes, "\n"), c.says) || r.Chosen == "" {
			t.Errorf("%s: scales on %s %s (%s) with the notes %q, want %s with %q", c.name, m.Kind, m.Target, r.Chosen, r.Notes, c.want, c.says)
		}
		for _, v := range r.Values {
			if v.Low > v.Value || v.High < v.Value || v.Formula == "" || v.Why == "" || v.Unit == "" {
				t.Errorf("%s: value %+v lacks its formula, unit, reason or interval", c.name, v)
			}
		}
	}
}

// A machine that other programs keep busy leaves a replica less than a core:
// what it got at most is then its limit, if its requests compute.
func TestCPUOnABusyMachine(t *testing.T) {
	ms := time.Millisecond
	for _, c := range []struct {
		name    string
		slope   float64 // core seconds a request, of 30 ms
		crowded bool
		want    Fitness
	}{
		{"computing, alone on its machine", 0.029, false, Good},
		{"computing for 20 of 30 ms, the rest it waits for a core", 0.02, true, Good},
		{"the same on a machine with free cores", 0.02, false, Usable},
		{"sleeping, beside programs that compute", 0.002, true, Misleading},
	} {
		capacity := service{takes: 30 * ms, slope: c.slope}.measured()
		capacity.HostLimited = c.crowded
		now := circumstances{traffic: traffic(50, 200), window: 10 * time.Second, interval: 5 * time.Second, limit: 300 * ms, managed: true}
		for _, score := range capacity.scoreMetrics(now) {
			if score.Kind == profiles.CPU && score.Fitness != c.want {
				t.Errorf("%s: CPU is %s (%s), want %s", c.name, score.Fitness, score.Why, c.want)
			}
		}
	}
}

// What is tested is said with its figure, what is so by nature or was not tested
// in words; a metric that fails is not good.
func TestMetricTests(t *testing.T) {
	now := circumstances{traffic: traffic(50, 200), window: 10 * time.Second, interval: 5 * time.Second, startUp: 20 * time.Second, limit: 300 * time.Millisecond, managed: true}
	busy := service{takes: 25 * time.Millisecond, slope: 0.025}.measured()
	few := service{takes: 25 * time.Millisecond, slope: 0.025}.measured()
	few.Steps = few.Steps[5:7] // one that passed, one that failed, both near the capacity
	high := service{takes: 25 * time.Millisecond, slope: 0.025}.measured()
	high.Steps = high.Steps[2:] // from half of the saturation on, where what waits grows steeply
	mixed := service{takes: 25 * time.Millisecond, slope: 0.025}.measured()
	mixed.Steps[7].Host.Replicas = 0.55 // of a load that missed the SLO
	for _, c := range []struct {
		name     string
		capacity *Capacity
		kind     profiles.Kind
		test     string
		passed   bool
		missing  bool
		instead  string
		fitness  Fitness
	}{
		{"CPU grows", busy, profiles.CPU, "range", true, false, "", Good},
		{"CPU tells", busy, profiles.CPU, "separates", true, false, "", Good},
		{"CPU of a step that missed is as that of those that met it", mixed, profiles.CPU, "separates", false, false, "", Usable},
		{"nothing clearly met or missed", few, profiles.RPS, "separates", false, true, "not enough steps", Good},
		{"no step says what is in flight at a quarter", high, profiles.InFlight, "range", false, true, "the steps do not reach so low", Good},
		{"arrivals have no end", busy, profiles.RPS, "clips", true, false, "by its nature: what arrives", Good},
		{"free workers end at none", busy, profiles.FreeWorkers, "clips", false, false, "by its nature: it ends at none", Usable},
		{"fewer are free where the SLO is missed", busy, profiles.FreeWorkers, "separates", true, false, "", Usable},
	} {
		for _, score := range c.capacity.scoreMetrics(now) {
			if score.Kind != c.kind {
				continue
			}
			if score.Fitness != c.fitness {
				t.Errorf("%s: %s (%s), want %s", c.name, score.Fitness, score.Why, c.fitness)
			}
			i := slices.IndexFunc(score.Tests, func(t MetricTest) bool { return t.Name == c.test })
			if i < 0 {
				t.Errorf("%s: no test %q in %+v", c.name, c.test, score.Tests)
				continue
			}
			got := score.Tests[i]
			figure := got.Instead == "" && got.Value != 0 && got.Want != ""
			if got.Passed != c.passed || got.Missing != c.missing || !strings.HasPrefix(got.Instead, c.instead) || figure != (c.instead == "") {
				t.Errorf("%s: %+v, want it passed: %v, missing: %v, with %q", c.name, got, c.passed, c.missing, c.instead)
			}
		}
	}
}

// A platform that scales on memory is told what speaks against it.
func TestMemoryNote(t *testing.T) {
	capacity := service{takes: 25 * time.Millisecond, slope: 0.025}.measured()
	for _, c := range []struct {
		within *Ability
		want   bool
	}{
		{nil, false}, {&Ability{Name: "knative", Metrics: []profiles.Kind{profiles.RPS}}, false},
		{&Ability{Name: "hpa", Metrics: []profiles.Kind{profiles.CPU, profiles.Memory}}, true},
	} {
		r, err := Recommend(Needs{
			Sizing: Sizing{Headroom: 200, Within: c.within}, Capacity: capacity.PerReplica(), Evidence: capacity, SLO: mustSLO(t, "p95<300ms"),
			Traffic: traffic(50, 200), StartUp: 20 * time.Second, Managed: true, Service: capacity.Service,
		})
		if said := strings.Contains(strings.Join(r.Notes, "\n"), "hpa can scale on memory too, which is misleading: "); err != nil || said != c.want {
			t.Errorf("within %v: notes %q, %v; want one on memory: %v", c.within, r.Notes, err, c.want)
		}
	}
}
