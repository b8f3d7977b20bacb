package advisor

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"headroom/advisor/sim"
	"headroom/profiles"
)

// What a target of CPU is told in depends on who follows the policy, on how much
// a replica had while it was measured, and on what it is said to have there.
func TestCPUTarget(t *testing.T) {
	// At its target of 8 requests/s a replica uses 0.07 core seconds for each, or
	// twice that on two threads.
	const oneThread, twoThreads = 0.07, 0.14
	percent := &Ability{Name: "ecs", Metrics: []profiles.Kind{profiles.CPU}, Follow: sim.Built}
	cores := &Ability{Name: "hpa", Metrics: []profiles.Kind{profiles.CPU}, Follow: sim.Built, Cores: true}
	for _, c := range []struct {
		name     string
		slope    float64 // core seconds a request
		measured profiles.Milli
		said     profiles.Milli
		within   *Ability
		target   profiles.Milli
		unit     string // of the policy's metric
		shown    string // unit of the value
		says     string // among its inputs; of a refusal, all of it
	}{
		{"nobody in particular", oneThread, 0, 0, nil, 56_000, "", "% of one core per replica", "where a replica requests 1 core"},
		{"who uses more than a core", twoThreads, 0, 0, nil, 1120, "cores", "cores per replica", "a replica uses more than one"},
		{"measured under a limit", oneThread, 800, 0, nil, 70_000, "", "% of 0.8 cores per replica", "the 0.8 cores that its scaler let a replica use"},
		{"measured under a limit of more", twoThreads, 2000, 0, nil, 56_000, "", "% of 2 cores per replica", "the 2 cores that its scaler let a replica use"},
		{"measured under a limit of one core", oneThread, 1000, 0, nil, 56_000, "", "% of one core per replica", "the 1 core that its scaler"},
		{"it has another one there", oneThread, 800, 1600, nil, 35_000, "", "% of 1.6 cores per replica", "the 1.6 cores that a replica has there, as was said"},
		{"a platform that takes cores", oneThread, 0, 0, cores, 560, "cores", "cores per replica", "hpa takes cores, which hold whatever"},
		{"and a limit", oneThread, 800, 0, cores, 560, "cores", "cores per replica", "hpa takes cores"},
		{"and more than a core", twoThreads, 0, 0, cores, 1120, "cores", "cores per replica", "hpa takes cores"},
		{"a platform that knows percent", oneThread, 0, 0, percent, 56_000, "", "% of one core per replica", "ecs takes percent of what a replica has there: 1 core, as --cpu-limit says nothing else"},
		{"and its size was said", oneThread, 0, 2000, percent, 28_000, "", "% of 2 cores per replica", "the 2 cores that a replica has there"},
		{"and it was measured under a limit", oneThread, 800, 0, percent, 70_000, "", "% of 0.8 cores per replica", "that its scaler let a replica use"},
		{"and it uses more than a core", twoThreads, 0, 0, percent, 0, "", "", "a replica needs 1.12 cores at the target, more than the 1 core it has there: its CPU would never show that there is too much load (R14): say with --cpu-limit how many cores it has"},
		{"and it uses more, of which enough is there", twoThreads, 0, 1400, percent, 80_000, "", "% of 1.4 cores per replica", "the 1.4 cores"},
		{"it has less there than it needs", oneThread, 0, 500, cores, 0, "", "", "a replica needs 0.56 cores at the target, more than the 0.5 cores it has there"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := computingService("p95<300ms")
			measured := service{takes: 70 * time.Millisecond, slope: c.slope}.measured()
			m.Capacity.Steps, m.Capacity.CPU, m.Capacity.CPULimit = measured.Steps, fromSeconds(c.slope), c.measured
			r, err := m.Advise(traffic(5, 40), Sizing{Headroom: 200, Metric: profiles.CPU, CPULimit: c.said, Within: c.within})
			if c.target == 0 {
				var refusal *Refusal
				if !errors.As(err, &refusal) || !strings.Contains(refusal.Error(), c.says) {
					t.Errorf("Advise = %v, want %q", err, c.says)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got := r.Policy.Metrics[0]
			if got.Target != c.target || got.Unit != c.unit {
				t.Errorf("target %s %q, want %s %q", got.Target, got.Unit, c.target, c.unit)
			}
			i := slices.IndexFunc(r.Values, func(v Value) bool { return v.Name == "target" })
			if i < 0 {
				t.Fatal("got no value of the target")
			}
			if v := r.Values[i]; v.Unit != c.shown || !strings.Contains(strings.Join(v.Inputs, "\n"), c.says) {
				t.Errorf("shown in %q by %q, want %q and %q", v.Unit, v.Inputs, c.shown, c.says)
			}
		})
	}
}

// The same load is as much of the same limit in the simulator, so that a limit
// changes nothing of what comes of the policy.
func TestCPUTargetIsSimulatedOfItsLimit(t *testing.T) {
	var plain float64
	for _, c := range []struct {
		name           string
		measured, said profiles.Milli
		want           profiles.Milli
	}{{"none", 0, 0, 1000}, {"measured", 800, 0, 800}, {"said", 800, 1600, 1600}} {
		m := computingService("p95<300ms")
		m.Capacity.CPULimit = c.measured
		of := Sizing{Headroom: 200, Metric: profiles.CPU, CPULimit: c.said}
		s, _, err := m.Rehearsal(traffic(5, 40), of)
		if err != nil || s.CPULimit != c.want {
			t.Fatalf("%s: Rehearsal = a limit of %s, %v; want %s", c.name, s.CPULimit, err, c.want)
		}
		r, err := m.Advise(traffic(5, 40), of)
		if err != nil {
			t.Fatal(err)
		}
		ours, err := sim.Built(r.Policy)
		if err != nil {
			t.Fatal(err)
		}
		f, err := forecast(s, ours)
		if err != nil {
			t.Fatal(err)
		}
		if plain == 0 {
			plain = f.ReplicaHours
		}
		if f.ReplicaHours < 0.99*plain || f.ReplicaHours > 1.01*plain {
			t.Errorf("%s: %.3f replica-hours, want the %.3f without a limit", c.name, f.ReplicaHours, plain)
		}
	}
}

// A replica that was given half a core is full at half a core.
func TestCPULimitIsTheMost(t *testing.T) {
	for _, c := range []struct {
		limit profiles.Milli
		want  Fitness
		says  string
	}{
		{0, Usable, "it is at 35 % at the capacity"},
		{500, Good, "is at 70 % at the capacity and at 100 % at saturation"},
		{2000, Usable, "it is at 35 % at the capacity"}, // it is one thread that computes
	} {
		capacity := service{takes: 50 * time.Millisecond, slope: 0.025}.measured()
		capacity.CPULimit = c.limit
		now := circumstances{traffic: traffic(50, 200), window: 10 * time.Second, interval: 5 * time.Second, limit: 300 * time.Millisecond, managed: true}
		for _, score := range capacity.scoreMetrics(now) {
			if score.Kind == profiles.CPU && (score.Fitness != c.want || !strings.Contains(score.Why, c.says)) {
				t.Errorf("limit %s: CPU is %s (%s), want %s with %q", c.limit, score.Fitness, score.Why, c.want, c.says)
			}
		}
	}
}

// Less CPU than the capacity took speaks against that capacity, whatever the
// policy scales on.
func TestLessCPUThanMeasured(t *testing.T) {
	for _, c := range []struct {
		said profiles.Milli
		note bool // 10 requests/s take 0.7 cores
	}{{0, false}, {500, true}, {700, false}, {2000, false}} {
		r, err := computingService("p95<300ms").Advise(traffic(5, 40), Sizing{Headroom: 200, CPULimit: c.said})
		if err != nil {
			t.Fatal(err)
		}
		const want = "with 0.5 cores a replica holds less than was measured, when it used 0.70 cores at its capacity"
		if got := strings.Contains(strings.Join(r.Notes, "\n"), want); got != c.note {
			t.Errorf("--cpu-limit %s: notes %q; want %q: %v", c.said, r.Notes, want, c.note)
		}
	}
}

// What the scaler lets a replica use is measured with the rest, saved, and the
// same when a measurement is continued.
func TestCPULimitIsMeasured(t *testing.T) {
	for _, c := range []struct {
		limit, before profiles.Milli // before: of the measurement that is continued
		continued     bool
		problem       string
	}{
		{0, 0, false, ""},
		{500, 0, false, ""},
		{500, 500, true, ""},
		{500, 0, true, "--continue: got a measurement under no known CPU limit, want a CPU limit of 0.5 cores"},
	} {
		f := newFakeFleet(50*time.Millisecond, profiles.FixedPolicy(1))
		f.cpuLimit = c.limit
		var earlier Measurement
		inSession(t, f, nil, func(t *testing.T, s *Session) { earlier = measuredBy(t, s) })
		if got := saved(t, earlier.Capacity).CPULimit; got != c.limit {
			t.Errorf("limit %s: a saved measurement has %s", c.limit, got)
		}
		if !c.continued {
			continue
		}
		earlier.Capacity.CPULimit = c.before
		inSession(t, f, func(config *Config) { config.Continue = &earlier }, func(t *testing.T, s *Session) {
			m := measuredBy(t, s)
			if problem := s.State().Problem; problem != c.problem || problem == "" && m.Capacity.CPULimit != c.limit {
				t.Errorf("limit %s after %s: problem %q, measured %s; want %q", c.limit, c.before, problem, m.Capacity.CPULimit, c.problem)
			}
		})
	}
}

// measuredBy is what a session measures.
func measuredBy(t *testing.T, s *Session) Measurement {
	t.Helper()
	if err := s.Advise(); err != nil {
		t.Fatal(err)
	}
	await(t, s, "the end", idle)
	m, _ := s.Measured()
	return m
}
