package platform

import (
	"testing"
	"time"

	"headroom/profiles"
)

// pod is one that a calculator may see.
type pod struct{ level, request int64 }

// fleetOf sums up pods with the same request, or the one given.
func fleetOf(measured []pod, unready, missing int, request int64) hpaFleet {
	f := hpaFleet{
		measured: len(measured), unready: unready, missing: missing,
		unreadyRequest: int64(unready) * request, missingRequest: int64(missing) * request,
	}
	for _, p := range measured {
		f.level += p.level
		f.request += p.request
	}
	return f
}

// cpu are measured pods that request 1000m each.
func cpu(levels ...int64) (out []pod) {
	for _, l := range levels {
		out = append(out, pod{l, 1000})
	}
	return out
}

var tenPercent = tolerances{0.1, 0.1}

// Vectors H of the reference (replica_calculator_test.go of Kubernetes), and
// edges of our own.
func TestHPACalculators(t *testing.T) {
	utilized := func(f hpaFleet, target int64, cur int) int {
		n, ok := f.utilization(cur, target, tenPercent)
		if !ok {
			n = -1
		}
		return n
	}
	averaged := func(f hpaFleet, target int64, cur int) int {
		n, ok := f.average(cur, target, tenPercent)
		if !ok {
			n = -1
		}
		return n
	}
	qps := func(levels ...int64) hpaFleet { return fleetOf(cpu(levels...), 0, 0, 0) }
	for _, c := range []struct {
		name      string
		got, want int
	}{
		{"H1", utilized(fleetOf(cpu(300, 500, 700), 0, 0, 0), 30, 3), 5},
		{"H2", utilized(fleetOf(cpu(100, 300, 500, 250, 250), 0, 0, 0), 50, 5), 3},
		{"H3", utilized(fleetOf([]pod{{1010, 900}, {1030, 1000}, {1020, 1100}}, 0, 0, 0), 100, 3), 3},
		{"H4", utilized(fleetOf(cpu(500, 700), 1, 0, 1000), 30, 3), 4},
		{"H6", utilized(fleetOf(cpu(400, 95), 0, 2, 1000), 100, 4), 3},
		{"H7", utilized(fleetOf(cpu(1900), 0, 1, 1000), 100, 2), 2},
		{"H9", averaged(qps(20000, 10000, 30000), 15000, 3), 4},
		{"H10", averaged(qps(12000, 12000, 12000, 12000, 12000), 20000, 5), 3},
		{"H11", averaged(qps(20000, 21000, 21000), 20000, 3), 3},
		{"H12", hpaLevel(3, 3, 20000, 15000, tenPercent), 4},
		{"H13", hpaLevel(3, 1, 50000, 10000, tenPercent), 5},
		{"H15", hpaLevel(5, 5, 8600, 14334, tenPercent), 3},
		{"H16", hpaLevel(3, 3, 8600, 8888, tenPercent), 3},
		{"H17", hpaPerPod(3, 8600, 2150, tenPercent), 4},
		{"H18", hpaPerPod(5, 8600, 2867, tenPercent), 3},
		{"H20", hpaPerPod(3, 20000, 5000, tenPercent), 4},
		{"H21", hpaPerPod(5, 6000, 2000, tenPercent), 3},
		{"H23", utilized(fleetOf(cpu(2000), 1, 1, 1000), 50, 3), 4},
		{"H26", utilized(fleetOf(cpu(100, 300, 500), 2, 0, 1000), 50, 5), 2},
		{"H28", utilized(fleetOf(cpu(500, 700), 0, 0, 0), 30, 2), 4},
		{"H30", averaged(qps(50000, 10000, 30000), 15000, 3), 6},
		{"G5", hpaPerPod(10, 40000, 4000, tenPercent), 10},
		{"G6", hpaPerPod(10, 41000, 4000, tenPercent), 10},

		// 56/50 x 25 is 28, and 28.000000000000004 in float64.
		{"float", utilized(hpaFleet{level: 25 * 560, request: 25 * 1000, measured: 25}, 50, 25), 29},
		{"the band includes its upper end", averaged(qps(11000), 10000, 7), 7},
		{"the band includes its lower end", averaged(qps(9000), 10000, 7), 7},
		{"just above the band", averaged(qps(11001), 10000, 1), 2},
		{"cut to whole percents, 55.9 is in the band", utilized(fleetOf(cpu(559), 0, 0, 0), 50, 1), 1},
		{"56 is not", utilized(fleetOf(cpu(560), 0, 0, 0), 50, 1), 2},
		{"no pod is measured", utilized(fleetOf(nil, 3, 0, 1000), 50, 3), -1},
		{"no pod has a sample", averaged(fleetOf(nil, 0, 3, 0), 10000, 3), -1},
		{"a missing pod carries all it should", averaged(hpaFleet{level: 2000, measured: 2, missing: 2}, 10000, 4), 3}, // 22000/4 = 5.5 of 10
		{"no guess turns the direction", averaged(hpaFleet{level: 22000, measured: 1, missing: 3}, 10000, 4), 4},       // 22000/4 = 5.5 of 10, but was 2.2
		{"a level at no replicas", hpaLevel(0, 0, 25000, 10000, tenPercent), 3},
		{"a total at no replicas", hpaPerPod(0, 25000, 10000, tenPercent), 3},
		{"nothing at no replicas", hpaPerPod(0, 0, 10000, tenPercent), 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.got != c.want {
				t.Errorf("got %d, want %d", c.got, c.want)
			}
		})
	}
}

// ago are marks with their age in seconds.
type ago struct {
	n   int
	age float64
}

func marks(now time.Time, of ...ago) (out []hpaMark) {
	for _, m := range of {
		out = append(out, hpaMark{now.Add(-time.Duration(m.age * float64(time.Second))), m.n})
	}
	return out
}

func windows(up, down int32) *hpaBehavior {
	return &hpaBehavior{ScaleUp: &hpaRules{Window: &up}, ScaleDown: &hpaRules{Window: &down}}
}

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// Vectors B of the reference (TestScalingWithRules).
func TestHPARateLimit(t *testing.T) {
	up := func(policies ...hpaPolicy) *hpaBehavior { return &hpaBehavior{ScaleUp: &hpaRules{Policies: policies}} }
	down := func(policies ...hpaPolicy) *hpaBehavior {
		return &hpaBehavior{ScaleDown: &hpaRules{Policies: policies}}
	}
	chosen := func(b *hpaBehavior, way string) *hpaBehavior {
		for _, r := range []*hpaRules{b.ScaleUp, b.ScaleDown} {
			if r != nil {
				r.Select = way
			}
		}
		return b
	}
	p := func(n int32) hpaPolicy { return hpaPolicy{policyPods, n, 60} }
	pc := func(n int32) hpaPolicy { return hpaPolicy{policyPercent, n, 60} }
	usual := &hpaBehavior{}
	for _, c := range []struct {
		name           string
		cur, want      int
		low, high      int
		rules          *hpaBehavior
		added, removed int // 30 s ago
		desired        int
		reason         profiles.Reason
	}{
		{"B1", 5, 7, 3, 8, usual, 0, 0, 7, hpaWithinRange},
		{"B2", 3, 1, 2, 8, usual, 0, 0, 2, hpaTooFew},
		{"B3", 1, 0, 0, 10, usual, 0, 0, 0, hpaWithinRange},
		{"B4", 20, 1000, 1, 10, usual, 0, 0, 10, hpaTooMany},
		{"B5", 100, 1000, 100, 150, usual, 0, 0, 150, hpaTooMany},
		{"B6", 3, 1000, 1, 2000, up(pc(1)), 0, 0, 4, hpaUpLimit},
		{"B7", 10, 50, 1, 1000, usual, 0, 0, 20, hpaUpLimit},
		{"B9", 10, 500, 1, 1000, up(p(2), pc(100)), 0, 0, 20, hpaUpLimit},
		{"B10", 10, 50, 1, 1000, up(p(30)), 0, 0, 40, hpaUpLimit},
		{"B11", 10, 50, 1, 1000, up(pc(200)), 0, 0, 30, hpaUpLimit},
		{"B12", 100, 2, 1, 1000, down(p(20), pc(1)), 0, 0, 80, hpaDownLimit},
		{"B14", 10, 2, 5, 1000, down(pc(100)), 0, 0, 5, hpaTooFew},
		{"B15", 10, 2, 1, 1000, down(p(5)), 0, 0, 5, hpaDownLimit},
		{"B16", 100, 500, 1, 1000, up(p(5)), 15, 0, 100, hpaUpLimit},
		{"B18", 100, 500, 1, 1000, up(pc(200)), 15, 0, 255, hpaUpLimit},
		{"B20", 100, 2, 1, 1000, down(p(5)), 0, 15, 100, hpaDownLimit},
		{"B23", 100, 0, 0, 1000, down(pc(10)), 0, 30, 100, hpaDownLimit},
		{"B26", 3, 60, 1, 100, up(pc(700)), 0, 0, 24, hpaUpLimit},
		{"B27", 3, 60, 1, 20, up(pc(700)), 0, 0, 20, hpaTooMany},
		{"B28", 10, 0, 1, 1000, down(p(100)), 0, 0, 1, hpaTooFew},

		// The other direction counts too: 15 of 100 were taken away, so that
		// the period began with 115.
		{"removed before adding", 100, 500, 1, 1000, up(p(5)), 0, 15, 120, hpaUpLimit},
		{"added before removing", 100, 2, 1, 1000, down(p(5)), 15, 0, 80, hpaDownLimit},
		{"the smallest change", 10, 500, 1, 1000, chosen(up(p(2), pc(100)), selectMin), 0, 0, 12, hpaUpLimit},
		{"the smallest change down", 100, 2, 1, 1000, chosen(down(p(20), pc(1)), selectMin), 0, 0, 99, hpaDownLimit},
		{"disabled", 10, 50, 1, 1000, chosen(up(p(2)), selectDisabled), 0, 0, 10, hpaUpLimit},
		{"disabled down", 10, 2, 1, 1000, chosen(down(p(2)), selectDisabled), 0, 0, 10, hpaDownLimit},
		{"a percentage of nothing", 0, 5, 0, 10, up(pc(100)), 0, 0, 0, hpaUpLimit},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newHPA(c.low, c.high, c.rules)
			d.ups, d.downs = marks(noon, ago{c.added, 30}), marks(noon, ago{c.removed, 30})
			if n, reason := d.limit(noon, c.cur, c.want); n != c.desired || reason != c.reason {
				t.Errorf("limit(%d -> %d) = %d, %s, want %d, %s", c.cur, c.want, n, reason, c.desired, c.reason)
			}
		})
	}
	t.Run("B26 in whole", func(t *testing.T) {
		n, ok := fleetOf([]pod{{100, 100}, {200, 100}, {300, 100}}, 0, 0, 0).utilization(3, 10, tenPercent)
		if n != 60 || !ok {
			t.Errorf("cpu asks for %d, %v, want 60", n, ok)
		}
	})
}

// Vectors S of the reference (TestNormalizeDesiredReplicas, with and without
// behavior).
func TestHPAStabilisation(t *testing.T) {
	for _, c := range []struct {
		name      string
		cur, want int
		recent    []ago
		rules     *hpaBehavior // nil: none
		desired   int
	}{
		{"S1", 5, 5, nil, nil, 5},
		{"S2", 3, 3, []ago{{4, 120}, {5, 60}}, nil, 5},
		{"S3", 3, 3, []ago{{1, 120}, {2, 60}}, nil, 3},
		{"S4", 3, 3, []ago{{10, 600}, {9, 540}}, nil, 3},
		{"S6", 100, 5, nil, windows(0, 0), 5},
		{"S7", 100, 3, []ago{{4, 120}, {5, 60}}, windows(0, 180), 5},
		{"S8", 1, 7, []ago{{4, 120}, {5, 60}}, windows(300, 0), 4},
		{"S10", 1, 3, []ago{{4, 120}, {5, 60}}, windows(0, 300), 3},
		{"S11", 1, 100, []ago{{10, 600}, {9, 540}}, windows(0, 0), 100},
		{"S14", 2, 1, []ago{{2, 6000}, {3, 180}}, windows(300, 300), 2},

		// The end of the window belongs to it without behavior, and not with.
		{"the end without behavior", 9, 3, []ago{{5, 300}}, nil, 5},
		{"the end with behavior", 9, 3, []ago{{5, 300}}, windows(0, 300), 3},
		{"just within", 9, 3, []ago{{5, 299.999}}, windows(0, 300), 5},
		{"never up because demand fell", 2, 1, []ago{{9, 60}}, windows(0, 300), 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newHPA(1, 1000, c.rules)
			d.recent = marks(noon, c.recent...)
			if got := d.stabilise(noon, c.cur, c.want); got != c.desired {
				t.Errorf("stabilise(%d, %d) = %d, want %d", c.cur, c.want, got, c.desired)
			}
			if last := d.recent[len(d.recent)-1]; last.n != c.want {
				t.Errorf("it remembers %d, want %d, as it was asked for", last.n, c.want)
			}
		})
	}
}

// readings are totals, of which a negative one could not be read.
func readings(totals ...profiles.Milli) (out []profiles.Reading) {
	for _, total := range totals {
		out = append(out, profiles.Reading{Total: max(0, total), Valid: total >= 0})
	}
	return out
}

func resource(name string, utilization int32) hpaMetric {
	return hpaMetric{Type: "Resource", Resource: &hpaSource{Name: name, Target: hpaTarget{Type: targetUtilization, Utilization: &utilization}}}
}

func podsMetric(name string, average quantity) hpaMetric {
	s := &hpaSource{Target: hpaTarget{Type: targetAverage, Average: &average}}
	s.Metric.Name = name
	return hpaMetric{Type: "Pods", Pods: s}
}

// hpaOf is a decider for metrics within bounds.
func hpaOf(low, high int, b *hpaBehavior, metrics ...hpaMetric) *hpaDecider {
	d := newHPA(low, high, b)
	for _, m := range metrics {
		s, ok := m.signal()
		if !ok {
			panic("no signal")
		}
		d.signals = append(d.signals, s)
	}
	return d
}

// Vectors M of the reference (horizontal_test.go).
func TestHPALoop(t *testing.T) {
	rps := func() hpaMetric { return podsMetric("http_requests_per_second", 10_000) }
	for _, c := range []struct {
		name      string
		d         *hpaDecider
		cur       int
		readings  []profiles.Reading
		desired   int
		reason    profiles.Reason
		limitedBy profiles.Reason
		valid     bool
	}{
		{"M1", hpaOf(3, 10, nil, rps()), 0, readings(50_000), 0, hpaDisabled, "", true},
		{"M2", hpaOf(3, 10, nil, rps()), 2, readings(20_000), 3, hpaBelowMin, "", true},
		{"M3", hpaOf(1, 5, nil, rps()), 10, readings(20_000), 5, hpaAboveMax, "", true},
		{"M5", hpaOf(1, 2000, nil, rps()), 3, readings(10_000_000), 6, "pods metric http_requests_per_second above target", hpaUpLimit, true},
		{"M7", hpaOf(1, 10, &hpaBehavior{}, resource("cpu", 50), rps()), 5, readings(5*30_000, -1), 5, "FailedGetPodsMetric", "", true},

		{"doubling of few allows 4", hpaOf(1, 2000, nil, rps()), 1, readings(10_000_000), 4, "pods metric http_requests_per_second above target", hpaUpLimit, true},
		{"all metrics fail", hpaOf(1, 10, nil, resource("cpu", 50), rps()), 5, readings(-1, -1), 5, "FailedGetPodsMetric", "", false},
		{"a failing metric does not keep from growing", hpaOf(1, 10, nil, resource("cpu", 50), rps()), 5, readings(5*80_000, -1), 8, "cpu resource utilization (percentage of request) above target", "", true},
		{"the highest metric wins", hpaOf(1, 20, nil, resource("cpu", 50), rps()), 5, readings(5*80_000, 90_000), 9, "pods metric http_requests_per_second above target", "", true},
		{"within the band", hpaOf(1, 20, nil, rps()), 12, readings(130_000), 12, hpaWithinRange, "", true},
		{"the controller has just started", hpaOf(1, 20, nil, rps()), 12, readings(30_000), 12, hpaAllBelow, hpaDownStabilized, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := c.d.Decide(noon, profiles.Metrics{Replicas: c.cur, Ready: c.cur, Readings: c.readings})
			if got.Desired != c.desired || got.Reason != c.reason || got.LimitedBy != c.limitedBy || got.Valid != c.valid {
				t.Errorf("Decide = %+v, want %d, %q, limited by %q, valid %v", got, c.desired, c.reason, c.limitedBy, c.valid)
			}
		})
	}
	// Four replicas were asked for and one pod exists, none is starting: the
	// pods that there are count.
	t.Run("M6", func(t *testing.T) {
		n, _ := fleetOf([]pod{{200, 200}}, 0, 0, 0).utilization(4, 50, tenPercent)
		d := hpaOf(1, 10, windows(0, 0), resource("cpu", 50))
		out := profiles.Decision{Current: 4, Raw: n}
		d.settle(noon, &out)
		if out.Desired != 2 {
			t.Errorf("Decide = %+v, want 2", out)
		}
	})
}

// A fleet is followed through a day's end: down only after the window, then at
// the pace of the policy, and never below min.
func TestHPAFollowsAFallingLoad(t *testing.T) {
	down := &hpaBehavior{ScaleDown: &hpaRules{Policies: []hpaPolicy{{policyPods, 2, 60}}}}
	d := hpaOf(5, 20, down, podsMetric("http_requests_per_second", 10_000))
	n := 12
	sizes := map[time.Duration]int{}
	for at := time.Duration(0); at <= 10*time.Minute; at += 15 * time.Second {
		load := profiles.Milli(120_000)
		if at >= time.Minute {
			load = 30_000
		}
		n = d.Decide(noon.Add(at), profiles.Metrics{Replicas: n, Ready: n, Readings: readings(load)}).Desired
		sizes[at] = n
	}
	// The last recommendation of 12 was at 45 s, so that it no longer counts at
	// 345 s; from then on 2 go in each minute.
	for at, want := range map[time.Duration]int{
		330 * time.Second: 12, 345 * time.Second: 10, 390 * time.Second: 10, 405 * time.Second: 8, 465 * time.Second: 6, 525 * time.Second: 5, 600 * time.Second: 5,
	} {
		if sizes[at] != want {
			t.Errorf("after %s there are %d, want %d", at, sizes[at], want)
		}
	}
}

// Replicas that start are pods without a sample: they hold back a second step.
func TestHPACountsStartingReplicas(t *testing.T) {
	d := hpaOf(1, 20, &hpaBehavior{}, podsMetric("http_requests_per_second", 10_000))
	got := d.Decide(noon, profiles.Metrics{Replicas: 10, Ready: 5, Readings: readings(100_000)})
	if got.Desired != 10 {
		t.Errorf("Decide = %+v, want 10: 100/s are enough for those that come", got)
	}
}

// steady is called over and over with the time going on.
func steady(d profiles.Decider, tick time.Duration, m profiles.Metrics) func() {
	now := noon
	return func() {
		now = now.Add(tick)
		m.Replicas = max(1, d.Decide(now, m).Desired)
		m.Ready = m.Replicas
	}
}

// benchmarkDecide is a decision in the steady state.
func benchmarkDecide(b *testing.B, d profiles.Decider, tick time.Duration, m profiles.Metrics) {
	b.ReportAllocs()
	step := steady(d, tick, m)
	for range 1000 {
		step()
	}
	for b.Loop() {
		step()
	}
}

func wantNoAllocations(t *testing.T, d profiles.Decider, tick time.Duration, m profiles.Metrics) {
	t.Helper()
	step := steady(d, tick, m)
	for range 1000 {
		step()
	}
	if n := testing.AllocsPerRun(1000, step); n != 0 {
		t.Errorf("Decide allocates %v times, want none", n)
	}
}

func busyHPA() (profiles.Decider, profiles.Metrics) {
	d := hpaOf(5, 20, &hpaBehavior{}, podsMetric("http_requests_per_second", 10_000), resource("cpu", 70), resource("memory", 80))
	return d, profiles.Metrics{Replicas: 10, Ready: 9, Readings: readings(120_000, 600_000, 700_000)}
}

func BenchmarkDecideHPA(b *testing.B) {
	d, m := busyHPA()
	benchmarkDecide(b, d, 15*time.Second, m)
}

func TestHPADecidesWithoutAllocation(t *testing.T) {
	d, m := busyHPA()
	wantNoAllocations(t, d, 15*time.Second, m)
}
