package platform

import (
	"fmt"
	"testing"
	"time"

	"headroom/profiles"
)

// epoch is when the tests of deciders begin.
var epoch = time.Unix(1_700_000_000, 0)

// testKPA is the decider of the vectors: stable window 60 s, threshold 2,
// rates 10, and a total of which the target is 75 %.
func testKPA(target float64) *kpa {
	k := newKPA(kpaSpec{
		target: target, total: target / 0.75, upRate: 10, downRate: 10, threshold: 2,
		window: time.Minute, burst: 101, reachable: true,
	})
	k.began = true // with one replica
	return k
}

// Section 2.5 of reference/scaling.md; each step is a decision.
func TestKPAVectors(t *testing.T) {
	type step struct {
		id            string
		at            time.Duration
		stable, burst float64
		ready, want   int
	}
	tests := []struct {
		target float64
		set    func(*kpa)
		steps  []step
	}{
		{10, nil, []step{{"K1", 0, 50, 10, 1, 5}, {"K2", 0, 100, 10, 1, 10}}},
		{10, nil, []step{{"K3", 0, 50, 50, 1, 5}, {"K4", 0, 100, 99, 1, 10}}},
		{1, nil, []step{{"K5", 0, 11, 25, 10, 25}, {"K6", 30 * time.Second, 30, 41, 40, 41}, {"K7", 62 * time.Second, 50, 56, 55, 50}}},
		{10, nil, []step{{"K9", 0, 100, 100, 8, 10}, {"K10", 0, 50, 50, 8, 5}}},
		{10, nil, []step{{"K11", 0, 1, 0, 1, 1}, {"K12", 0, 0, 0, 1, 0}}},
		{10, func(k *kpa) { k.spec.activation = 2 }, []step{{"K13", 0, 0, 0, 1, 0}, {"K14", 0, 1, 0, 1, 2}}},
		{1, inPanic, []step{{"K16", 0, 50, 30, 5, 50}}},
		{1, inPanic, []step{{"K17", 0, 20, 30, 5, 30}}},
		{1, func(k *kpa) { k.spec.upRate = 1.1 }, []step{{"K18", 0, 3, 3.1, 2, 3}}},
		{10, func(k *kpa) { k.spec.downRate, k.spec.reachable = 1.1, false }, []step{{"K20", 0, 1, 1, 100, 1}}},
		{10, nil, []step{{"K21", 0, 50, 100, 1, 10}}},
		{10, nil, []step{
			{"K22", 0, 100, 100, 1, 10}, {"K23", 0, 100, 1000, 10, 100},
			{"K24", 30 * time.Second, 1, 1, 10, 100}, {"K25", 61 * time.Second, 1, 1, 10, 1},
		}},
		{10, nil, []step{{"K26", 0, 1000, 1001, 1, 10}, {"K26 then ready 10", 0, 1000, 1001, 10, 100}}},
		{10, nil, []step{{"K27", 0, 1, 1, 100, 10}, {"K27 then ready 10", 0, 1, 1, 10, 1}}},
		{10, withDelay(5 * time.Minute), []step{
			{"K31 at 2 s", 2 * time.Second, 40, 40, 0, 4}, {"K31 at 300 s", 300 * time.Second, 0, 0, 0, 4}, {"K31 at 302 s", 302 * time.Second, 0, 0, 0, 0},
		}},
		{10, withDelay(0), []step{{"K33", 0, 40, 40, 0, 4}, {"K33 at 0.5 s", 500 * time.Millisecond, 20, 20, 0, 2}}},
		// Upstream's slow decay of two levels, TestAutoscalerScaleDownDelay/gradual.
		{10, withDelay(5 * time.Minute), []step{
			{"gradual at 9 min", 9 * time.Minute, 40, 40, 0, 4}, {"gradual at 10 min", 10 * time.Minute, 30, 30, 0, 4},
			{"gradual at 11 min", 11 * time.Minute, 0, 0, 0, 4}, {"gradual at 14 min", 14 * time.Minute, 0, 0, 0, 3}, {"gradual at 15 min", 15 * time.Minute, 0, 0, 0, 0},
		}},
	}
	for _, test := range tests {
		k := testKPA(test.target)
		if test.set != nil {
			test.set(k)
		}
		for _, s := range test.steps {
			got := k.scale(epoch.Add(s.at), s.stable, s.burst, s.ready)
			t.Run(s.id, func(t *testing.T) {
				if got.want != s.want {
					t.Errorf("scale(%v, %v, %v, ready %d) = %d, want %d", s.at, s.stable, s.burst, s.ready, got.want, s.want)
				}
			})
		}
	}
}

func inPanic(k *kpa) { k.panicked, k.most = epoch.Add(-5*time.Second), 5 }

// withDelay has the spec of the vectors about the delay: no panic, and no
// stable window.
func withDelay(d time.Duration) func(*kpa) {
	return func(k *kpa) {
		k.spec.delay, k.spec.threshold, k.spec.window = d, 100, 0
		if d > 0 {
			k.delayed = newMaxWindow(d, knativeTick)
		}
	}
}

func TestKPAVectorsThatChangeTheSpec(t *testing.T) {
	t.Run("K32b", func(t *testing.T) {
		k := testKPA(10)
		withDelay(5 * time.Minute)(k)
		k.scale(epoch, 40, 40, 0)
		if got := k.scale(epoch.Add(time.Minute), 0, 0, 0).want; got != 4 {
			t.Errorf("while reachable: %d, want 4", got)
		}
		k.spec.reachable = false
		if got := k.scale(epoch.Add(62*time.Second), 0, 0, 0).want; got != 0 {
			t.Errorf("once unreachable: %d, want 0 at once", got)
		}
	})
	t.Run("K34", func(t *testing.T) {
		k := testKPA(10)
		if got := k.scale(epoch, 100, 101, 1).want; got != 10 {
			t.Errorf("target 10: %d, want 10", got)
		}
		k.spec.target, k.spec.total = 1, 1/0.75
		if got := k.scale(epoch, 100, 101, 10).want; got != 100 {
			t.Errorf("target 1: %d, want 100", got)
		}
	})
}

// Excess burst capacity: K29 and K30, and floor(ready total - capacity - burst)
// with total 10/0.75 for the rest.
func TestKPAExcessBurstCapacity(t *testing.T) {
	tests := []struct {
		id                   string
		target, burst        float64
		stable, panic        float64
		ready, want, wantEBC int
	}{
		{"K29", 181, -1, 21, 26, 1, 1, -1},
		{"K30", 10, 0, 50, 49, 1, 5, 0},
		{"below", 10, 101, 50, 10, 1, 5, -98}, // 13.33 - 101 - 10
		{"above", 10, 75, 50, 10, 10, 5, 48},  // 133.33 - 75 - 10
		{"none ready", 10, 81, 1000, 888, 0, 10, -969},
	}
	for _, test := range tests {
		t.Run(test.id, func(t *testing.T) {
			k := testKPA(test.target)
			k.spec.burst = test.burst
			got := k.scale(epoch, test.stable, test.panic, test.ready)
			if got.want != test.want || got.excess != test.wantEBC {
				t.Errorf("scale = %d with excess %d, want %d with %d", got.want, got.excess, test.want, test.wantEBC)
			}
		})
	}
}

// Targets: T1 to T10, in a cluster with a concurrency fraction of 1 unless the
// case says otherwise.
func TestKnativeTargetVectors(t *testing.T) {
	tests := []struct {
		id            string
		terms         knativeTerms
		fraction      float64
		target, total float64
	}{
		{"T1", knativeTerms{metric: "rps"}, 1, 140, 200},
		{"T2", knativeTerms{metric: "rps", target: 1}, 1, 0.7, 1},
		{"T3", knativeTerms{metric: "rps", utilization: 75}, 1, 150, 200},
		{"T4", knativeTerms{metric: "rps", target: 300}, 1, 210, 300},
		{"T5", knativeTerms{hard: 12, utilization: 75}, 0.8, 9, 12},
		{"T6", knativeTerms{hard: 10}, 0.8, 8, 10},
		{"T7", knativeTerms{target: 10, utilization: 75}, 1, 7.5, 10},
		{"T8", knativeTerms{hard: 1, target: 10}, 1, 1, 1},
		{"T9", knativeTerms{target: 1}, 0.001, 0.01, 1},
		{"T10", knativeTerms{target: 500}, 1, 500, 500},
		{"the usual concurrency", knativeTerms{}, 0.7, 70, 100},
		{"a target below the hard limit", knativeTerms{hard: 10, target: 4}, 1, 4, 4},
	}
	for _, test := range tests {
		t.Run(test.id, func(t *testing.T) {
			target, total := test.terms.resolve(knativeCluster{concurrencyFraction: test.fraction, concurrency: 100, rps: 200})
			if target != test.target || total != test.total {
				t.Errorf("resolve = %g of %g, want %g of %g", target, total, test.target, test.total)
			}
		})
	}
}

// knativeWith is a Service with these annotations.
func knativeWith(annotations string) []byte {
	return []byte("apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: web}\nspec:\n  template:\n    metadata:\n      annotations:\n" +
		annotations + "    spec: {containers: [{image: web}]}\n")
}

// knativeDecider decides for a Service with these annotations.
func knativeDecider(t testing.TB, annotations string) profiles.Decider {
	t.Helper()
	f, err := openKnative(knativeWith(annotations))
	if err != nil {
		t.Fatal(err)
	}
	d, err := f.decider()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func annotation(name, value string) string {
	return fmt.Sprintf("        autoscaling.knative.dev/%s: %q\n", name, value)
}

var tenRPS = annotation("metric", "rps") + annotation("target", "10") + annotation("min-scale", "5") + annotation("max-scale", "20")

func level(replicas, ready int, total, burst float64) profiles.Metrics {
	return profiles.Metrics{Replicas: replicas, Ready: ready, Readings: []profiles.Reading{{Total: profiles.MilliOf(total), Burst: profiles.MilliOf(burst), Valid: true}}}
}

// The Knative columns of section 10. The first decision, with as much load as
// the fleet carries, is in panic mode, as after every start; 61 s later it is
// over.
func TestKnativeExample(t *testing.T) {
	full := annotation("target-utilization-percentage", "100")
	tests := []struct {
		rps         float64
		annotations string
		want        []int
	}{
		{120, tenRPS, []int{18}}, {120, tenRPS + full, []int{12}},
		{130, tenRPS, []int{19}}, {130, tenRPS + full, []int{13}},
		{125, tenRPS, []int{18}}, {125, tenRPS + full, []int{13}},
		{200, tenRPS, []int{20}}, {200, tenRPS + full, []int{20}},
		{30, tenRPS, []int{6, 5}}, {30, tenRPS + full, []int{6, 5}},
	}
	for _, test := range tests {
		t.Run(fmt.Sprintf("%g rps, %d annotations", test.rps, len(test.annotations)), func(t *testing.T) {
			d := knativeDecider(t, test.annotations)
			n := 12
			if first := d.Decide(epoch, level(n, n, 70, 70)); first.Desired != n || first.Reason != kpaPanicking || first.LimitedBy != kpaNoDecrease {
				t.Errorf("at the start: %v, want to stay at 12 in panic mode", first)
			}
			for i, want := range test.want {
				got := d.Decide(epoch.Add(61*time.Second+time.Duration(i)*knativeTick), level(n, n, test.rps, test.rps))
				if got.Desired != want {
					t.Errorf("decision %d at %d replicas = %v, want %d", i, n, got, want)
				}
				n = got.Desired
			}
		})
	}
}

// What a decision says about itself.
func TestKPAReasons(t *testing.T) {
	at := func(d profiles.Decider, m profiles.Metrics) profiles.Decision { return d.Decide(epoch, m) }
	tests := []struct {
		name        string
		annotations string
		metrics     profiles.Metrics
		want        string
	}{
		{"stable", tenRPS, level(5, 1, 42, 6), "5 -> 6: stable mode"},
		{"panic", tenRPS, level(5, 1, 20, 98), "5 -> 14: panic mode"},
		{"max", tenRPS, level(5, 1, 20, 980), "5 -> 20: panic mode, max-scale"},
		{"min", tenRPS, level(5, 1, 7, 7), "stays at 5: stable mode, min-scale"},
		{"initial", tenRPS + annotation("initial-scale", "8"), level(5, 1, 7, 7), "5 -> 8: stable mode, initial-scale"},
		{"initial reached before", tenRPS + annotation("initial-scale", "1"), level(5, 1, 7, 7), "stays at 5: stable mode, min-scale"},
		{"activation", annotation("activation-scale", "3"), level(0, 0, 1, 1), "0 -> 3: stable mode, activation-scale"},
		{"no data", tenRPS, profiles.Metrics{Replicas: 5, Ready: 1, Readings: []profiles.Reading{{Total: 1}}}, "stays at 5: no metric could be read"},
		{"no readings", tenRPS, profiles.Metrics{Replicas: 5, Ready: 1}, "stays at 5: no metric could be read"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := at(knativeDecider(t, test.annotations), test.metrics)
			if got.String() != test.want {
				t.Errorf("Decide = %q, want %q", got, test.want)
			}
			if got.Valid != (got.Reason != profiles.NoData) {
				t.Errorf("Valid = %v with reason %s", got.Valid, got.Reason)
			}
		})
	}
}

// The way to zero, by the table of rest.
func TestKPAToZero(t *testing.T) {
	type step struct {
		at              time.Duration
		replicas, ready int
		load            float64
		want            int
		limit           profiles.Reason
	}
	tests := []struct {
		name        string
		annotations string
		steps       []step
	}{
		{"the activator is in the path already", "", []step{
			{0, 1, 1, 5, 1, ""},
			{30 * time.Second, 1, 1, 0, 1, kpaActive}, // active for 30 s only
			{60 * time.Second, 1, 1, 0, 1, kpaNoTraffic},
			{62 * time.Second, 1, 1, 0, 0, ""},
			{64 * time.Second, 0, 0, 0, 0, ""},
			{66 * time.Second, 0, 0, 1, 1, ""},                                             // from zero
			{70 * time.Second, 1, 0, 0, 1, kpaQueued},                                      // gone before the replica was ready
			{66*time.Second + activationTimeout - 1, 1, 0, 0, 1, kpaQueued},                // as long as it may take
			{66*time.Second + activationTimeout, 1, 0, 0, 0, ""},                           // given up
			{66*time.Second + activationTimeout + time.Second, 0, 0, 80, 2, ""},            // 80 of 70
			{66*time.Second + activationTimeout + time.Minute, 2, 2, 140, 2, ""},           // ready
			{66*time.Second + activationTimeout + 62*time.Second, 2, 2, 0, 1, kpaDownRate}, // by half
		}},
		{"the activator must come into the path first", annotation("target-burst-capacity", "0"), []step{
			{0, 1, 1, 5, 1, ""},
			{60 * time.Second, 1, 1, 0, 1, kpaNoTraffic},
			{62 * time.Second, 1, 1, 0, 1, kpaGrace},
			{89 * time.Second, 1, 1, 0, 1, kpaGrace},
			{90 * time.Second, 1, 1, 0, 0, ""},
		}},
		{"retention", annotation("scale-to-zero-pod-retention-period", "90s"), []step{
			{0, 1, 1, 5, 1, ""},
			{60 * time.Second, 1, 1, 0, 1, kpaNoTraffic},
			{149 * time.Second, 1, 1, 0, 1, kpaRetention},
			{150 * time.Second, 1, 1, 0, 0, ""},
		}},
		{"load in between", annotation("target-burst-capacity", "0"), []step{
			{0, 1, 1, 5, 1, ""},
			{60 * time.Second, 1, 1, 0, 1, kpaNoTraffic},
			{70 * time.Second, 1, 1, 5, 1, ""},
			{100 * time.Second, 1, 1, 0, 1, kpaActive},
			{130 * time.Second, 1, 1, 0, 1, kpaNoTraffic},
			{159 * time.Second, 1, 1, 0, 1, kpaGrace},
			{160 * time.Second, 1, 1, 0, 0, ""},
		}},
		{"a fleet that rests above zero", annotation("min-scale", "1") + annotation("activation-scale", "4"), []step{
			{0, 1, 1, 5, 4, kpaActivation},
			{2 * time.Second, 4, 1, 0, 1, kpaMin},
		}},
		{"pinned while nothing is known of a time before", "", []step{
			{0, 0, 0, 0, 0, ""},
			{2 * time.Second, 1, 0, 0, 1, kpaGrace},
			{30 * time.Second, 1, 1, 0, 0, ""},
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := knativeDecider(t, annotation("metric", "concurrency")+test.annotations)
			for _, s := range test.steps {
				got := d.Decide(epoch.Add(s.at), level(s.replicas, s.ready, s.load, s.load))
				if got.Desired != s.want || got.LimitedBy != s.limit {
					t.Errorf("at %v, %d replicas, load %g: %q, want %d limited by %q", s.at, s.replicas, s.load, got, s.want, s.limit)
				}
			}
		})
	}
}

// The HPA class is decided by Kubernetes.
func TestKnativeHPAClass(t *testing.T) {
	d := knativeDecider(t, annotation("class", knativeHPA)+annotation("metric", "cpu")+annotation("target", "50")+annotation("max-scale", "20"))
	got := d.Decide(epoch, level(4, 4, 4*75, 0)) // 75 % each asks for 4 x 1.5
	if got.Desired != 6 {
		t.Errorf("Decide = %v, want 6", got)
	}
}

func TestKPADoesNotAllocate(t *testing.T) {
	d := knativeDecider(t, tenRPS+annotation("scale-down-delay", "5m"))
	m := level(5, 5, 60, 40)
	now := epoch
	if n := testing.AllocsPerRun(1000, func() {
		now = now.Add(knativeTick)
		m.Readings[0].Total = (m.Readings[0].Total + 7919) % 200_000
		d.Decide(now, m)
	}); n != 0 {
		t.Errorf("Decide allocates %g times", n)
	}
}

func BenchmarkDecideKnative(b *testing.B) {
	d := knativeDecider(b, tenRPS+annotation("scale-down-delay", "5m"))
	m := level(5, 5, 60, 40)
	now := epoch
	b.ReportAllocs()
	for b.Loop() {
		now = now.Add(knativeTick)
		m.Readings[0].Total = (m.Readings[0].Total + 7919) % 200_000
		d.Decide(now, m)
	}
}
