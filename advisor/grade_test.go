package advisor

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestGrade(t *testing.T) {
	inf := math.Inf(1)
	ms := time.Millisecond
	good := Capacity{
		SLO: Interval{Value: 100, Low: 98, High: 102}, settled: 99, passed: 95, failed: 105, missed: 102, over: true, Confirmed: true, Budget: 5 * time.Minute,
		Baseline: Observation{Service: 20 * ms}, Control: &Observation{Service: 20 * ms},
	}
	for _, c := range []struct {
		name  string
		with  func(*Capacity)
		want  Grade
		why   string
		raise string
	}{
		{"as good as one replica count can be", func(*Capacity) {}, GradeB, "only one number of replicas", "a second replica count"},
		{"a bracket of 8 %", func(c *Capacity) { c.missed = 107 }, GradeB, "99.0/s met the SLO and 107/s missed it, 8 % apart", "a longer --budget"},
		{"a bracket of 20 %", func(c *Capacity) { c.missed = 119 }, GradeC, "20 % apart", "a longer --budget"},
		{"a bracket of 50 %", func(c *Capacity) { c.missed = 150 }, GradeD, "the next load that missed it is 52 % higher", "a longer --budget"},
		{"50 % below saturation, and nothing missed", func(c *Capacity) { c.missed, c.over = 150, false }, GradeD, "nothing says where it ends below saturation, which is 52 % higher", "a longer --budget"},
		{"8 % below saturation, and nothing missed", func(c *Capacity) { c.missed, c.over = 107, false }, GradeB, "99.0/s met the SLO and saturation is at 107/s, 8 % apart", "a longer --budget"},
		{"a step that could not be used", func(c *Capacity) { c.Doubt = "the generator was the limit" }, GradeC, "the generator was the limit", "nothing else to do"},
		{"other programs kept its machine full", func(c *Capacity) { c.Host = HostUse{Known: true, Cores: 2, Busy: 2, Replicas: 0.7, Load: 0.1} }, GradeC, "other programs kept 1.20 of the 2 cores busy", "nothing else to do"},
		{"or did while it saturated", func(c *Capacity) {
			c.Host, c.HostLimited = HostUse{Known: true, Cores: 2, Busy: 1.8, Replicas: 0.4, Load: 0.1}, true
		}, GradeC, "other programs kept 1.30 of the 2 cores busy", "nothing else to do"},
		{"its machine was full of the service", func(c *Capacity) { c.Host = HostUse{Known: true, Cores: 2, Busy: 2, Replicas: 1.7, Load: 0.1} }, GradeB, "only one number of replicas", "a second"},
		{"an interval of 8 %", func(c *Capacity) { c.SLO.High = 114 }, GradeB, "lies between 98.0 and 114", "a longer --budget"},
		{"an interval of 20 %", func(c *Capacity) { c.SLO.Low, c.SLO.High = 80, 120 }, GradeC, "lies between 80.0 and 120", "a longer --budget"},
		{"no bound below", func(c *Capacity) { c.SLO.Low = 0 }, GradeD, "lies below", "a longer --budget"},
		{"no bound above", func(c *Capacity) { c.SLO.High = inf }, GradeD, "lies above 98.0", "a longer --budget"},
		{"45 s for all of it", func(c *Capacity) { c.Budget = 45 * time.Second }, GradeC, "the whole search had only 45s", "a longer --budget"},
		{"not confirmed", func(c *Capacity) { c.Confirmed = false }, GradeC, "it was not confirmed", "a longer --budget"},
		{"failed below what passed", func(c *Capacity) { c.passed, c.failed = 98, 96 }, GradeC, "98.0/s passed and 96.0/s failed", "a longer --budget"},
		{"missed below what is settled on", func(c *Capacity) { c.missed = 97 }, GradeC, "the steps contradict each other", "a longer --budget"},
		{"no control", func(c *Capacity) { c.Control = nil }, GradeB, "was not controlled", "a longer --budget"},
		{"a drift of 10 %", func(c *Capacity) { c.Control = &Observation{Service: 22 * ms} }, GradeC, "took 20ms at first and 22ms at the end", "as fast at the end"},
		{"which may be chance", func(c *Capacity) {
			c.Control = &Observation{Service: 22 * ms, Deviation: 20 * ms, Requests: 100}
		}, GradeB, "only one number of replicas", "a second"},
	} {
		capacity := good
		c.with(&capacity)
		got := assess(capacity.flaws())
		if got.Grade != c.want || !strings.Contains(got.GradeWhy, c.why) || !strings.Contains(strings.Join(got.Raise, ", "), c.raise) {
			t.Errorf("%s: grade %s (%s), want %s with %q, raised by %q", c.name, got.Grade, got, c.want, c.why, c.raise)
		}
	}
}

func TestAssess(t *testing.T) {
	second, longer := flaw{GradeB, "one count", "a second"}, flaw{GradeC, "too wide", "more time"}
	unsure := flaw{GradeC, "not confirmed", "more time"}
	for _, c := range []struct {
		name  string
		first []flaw
		more  []flaw
		want  Grade
		why   string
		raise []string
	}{
		{"nothing speaks against it", nil, nil, GradeA, "closely bracketed", nil},
		{"the worst decides", []flaw{second, longer}, nil, GradeC, "too wide", []string{"more time"}},
		{"what mends several is said once", []flaw{longer, unsure}, nil, GradeC, "too wide; not confirmed", []string{"more time"}},
		{"better flaws add nothing", []flaw{longer}, []flaw{second}, GradeC, "too wide", []string{"more time"}},
		{"worse ones replace", []flaw{second}, []flaw{longer}, GradeC, "too wide", []string{"more time"}},
		{"equal ones join", []flaw{second}, startFlaws([]time.Duration{1}), GradeB, "one count; the start-up time was measured once", []string{"a second", "3 measured start-ups"}},
		{"no start-up is assumed", []flaw{second}, startFlaws(nil), GradeC, "is not known", []string{"a measurement of replicas under a scaler"}},
		{"three are enough", []flaw{second}, startFlaws(make([]time.Duration, 3)), GradeB, "one count", []string{"a second"}},
	} {
		got := assess(c.first).with(c.more)
		if got.Grade != c.want || !strings.HasPrefix(got.GradeWhy, c.why) && !strings.Contains(got.GradeWhy, c.why) || !slices.Equal(got.Raise, c.raise) {
			t.Errorf("%s: %s (%s), raised by %q; want %s (%s), %q", c.name, got.Grade, got.GradeWhy, got.Raise, c.want, c.why, c.raise)
		}
	}
}
