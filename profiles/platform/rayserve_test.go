package platform

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"headroom/profiles"
)

// rayConfig is a config file with an autoscaling_config.
func rayConfig(scaling string) string {
	return "applications:\n- name: web\n  import_path: a:b\n  deployments:\n  - name: Web\n    autoscaling_config: {" + scaling + "}\n"
}

// Vectors of Ray's test_autoscaling_policy.py. The delays are 0 there, or the policy
// function is called without its bounds.
func TestRayServeVectors(t *testing.T) {
	t.Run("R1", func(t *testing.T) {
		if got := rayCold(1, 0, 10); got != 10 {
			t.Errorf("rayCold(1 request, 0 wanted, factor 10) = %d, want 10", got)
		}
	})
	t.Run("R2", func(t *testing.T) {
		if got := rayCold(1, 0, 0.5); got != 1 {
			t.Errorf("rayCold(1 request, 0 wanted, factor 0.5) = %d, want 1", got)
		}
	})
	t.Run("R3 R4", func(t *testing.T) {
		d := deciderOf(t, rayServe, rayConfig("min_replicas: 0, max_replicas: 10, target_ongoing_requests: 1, downscaling_factor: 10, downscale_delay_s: 0"))
		n := 5
		for _, want := range []int{1, 0} {
			if n = d.Decide(someDay(0, 0), fleetWith(n, n, 0)).Desired; n != want {
				t.Fatalf("with no requests = %d, want %d", n, want)
			}
		}
	})
	for _, v := range []struct {
		name            string
		replicas, ready int
		target          float64
		total           float64
		up, down        float64
		want            int
	}{
		{"R6 at the target", 4, 4, 5, 20, 1, 1, 4},
		{"R6 up", 4, 4, 5, 100, 1, 1, 20},
		{"R6 down", 4, 4, 5, 10, 1, 1, 2},
		{"R7", 1, 1, 1, 100, 1, 1, 100},
		{"R8", 100, 3, 1, 123, 1, 1, 123},
		{"R10 up", 10, 10, 2, 80, 0.5, 1, 25},
		{"R10 down", 10, 10, 2, 2.5, 1, 0.5, 6},
		{"R12 target 0.5", 10, 10, 0.5, 10, 1, 1, 20},
		{"R12 target 1", 10, 10, 1, 20, 1, 1, 20},
		{"R12 target 1.5", 10, 10, 1.5, 30, 1, 1, 20},
		{"R13 target 0.5", 10, 10, 0.5, 2.5, 1, 1, 5},
		{"R13 target 1", 10, 10, 1, 5, 1, 1, 5},
		{"R13 target 1.5", 10, 10, 1.5, 7.5, 1, 1, 5},
	} {
		t.Run(v.name, func(t *testing.T) {
			d := &rayDecider{s: raySettings{min: 1, max: 200, target: v.target, upFactor: v.up, downFactor: v.down}}
			got := d.Decide(someDay(0, 0), fleetWith(v.replicas, v.ready, v.total))
			if got.Desired != v.want {
				t.Errorf("%v = %d, want %d", v, got.Desired, v.want)
			}
		})
	}
}

// One load as Ray sees it: latency 0.2 s, target 2,
// so 125 rps are 25 requests.
func TestRayServeOneLoad(t *testing.T) {
	for _, v := range []struct {
		rps       float64
		cur, want int
	}{{120, 12, 12}, {130, 12, 13}, {125, 12, 13}, {200, 12, 20}, {30, 12, 5}} {
		d := &rayDecider{s: raySettings{min: 5, max: 20, target: 2, upFactor: 1, downFactor: 1}}
		if got := d.Decide(someDay(0, 0), fleetWith(v.cur, v.cur, v.rps*0.2)).Desired; got != v.want {
			t.Errorf("%v rps at %d replicas = %d, want %d", v.rps, v.cur, got, v.want)
		}
	}
}

// A policy function may go beyond the bounds when it starts from zero; what is
// around it does not (autoscaling_state.py, apply_bounds).
func TestRayServeColdStartStaysInBounds(t *testing.T) {
	d := deciderOf(t, rayServe, rayConfig("min_replicas: 0, max_replicas: 2, upscaling_factor: 10"))
	got := d.Decide(someDay(0, 0), fleetWith(0, 0, 1))
	if got.Raw != 10 || got.Desired != 2 || got.LimitedBy != rayAtMax {
		t.Errorf("one request at 0 = %+v, want raw 10, desired 2 by max_replicas", got)
	}
	if got := d.Decide(someDay(0, 0), fleetWith(0, 0, 0)); got.Desired != 0 {
		t.Errorf("no request at 0 = %d, want 0", got.Desired)
	}
}

// The delays count from the first decision of a row in one direction. Ray
// needs delay/0.1 s decisions, 0.1 s apart, and one more.
func TestRayServeDelays(t *testing.T) {
	d := deciderOf(t, rayServe, rayConfig("min_replicas: 0, max_replicas: 20, target_ongoing_requests: 2, downscale_to_zero_delay_s: 60"))
	start := someDay(0, 0)
	for _, step := range []struct {
		seconds float64
		cur     int
		total   float64
		want    int
		limit   profiles.Reason
	}{
		{0, 4, 20, 4, rayWaitsUp},
		{29.9, 4, 20, 4, rayWaitsUp},
		{30, 4, 20, 10, ""},            // 30 s of wishes for more
		{31, 10, 20, 10, ""},           // a hold
		{32, 10, 10, 10, rayWaitsDown}, // the first wish for less
		{331, 10, 20, 10, ""},          // interrupted
		{332, 10, 10, 10, rayWaitsDown},
		{931, 10, 10, 10, rayWaitsDown},
		{932, 10, 0, 1, rayLastOne}, // to 0 only from 1
		{933, 1, 0, 1, rayWaitsZero},
		{993, 1, 0, 0, ""},
	} {
		got := d.Decide(start.Add(time.Duration(step.seconds*float64(time.Second))), fleetWith(step.cur, step.cur, step.total))
		if got.Desired != step.want || got.LimitedBy != step.limit {
			t.Fatalf("at %v s, %d replicas, %v requests = %d (%s), want %d (%s)", step.seconds, step.cur, step.total, got.Desired, got.LimitedBy, step.want, step.limit)
		}
	}
}

func TestRayServeEdges(t *testing.T) {
	for _, v := range []struct {
		name  string
		s     raySettings
		m     profiles.Metrics
		want  int
		valid bool
	}{
		{"no reading", raySettings{max: 9, target: 1, upFactor: 1, downFactor: 1}, profiles.Metrics{Replicas: 3, Ready: 3}, 3, false},
		{"an invalid reading", raySettings{max: 9, target: 1, upFactor: 1, downFactor: 1}, profiles.Metrics{Replicas: 3, Ready: 3, Readings: make([]profiles.Reading, 1)}, 3, false},
		{"above max at once", raySettings{min: 1, max: 5, target: 1, down: time.Hour, upFactor: 1, downFactor: 1}, fleetWith(9, 9, 9), 5, true},
		{"below min at once", raySettings{min: 4, max: 5, target: 1, up: time.Hour, upFactor: 1, downFactor: 1}, fleetWith(2, 2, 2), 4, true},
		// 3 of 10 more than needed; a twentieth of that would never be one.
		{"a factor that sticks", raySettings{min: 1, max: 20, target: 1, upFactor: 1, downFactor: 0.05}, fleetWith(10, 10, 7), 9, true},
		// 5 x (2.1/(0.7x5)) is 3.0000000000000004 in float64.
		{"float noise as it is there", raySettings{min: 1, max: 20, target: 0.7, upFactor: 1, downFactor: 1}, fleetWith(5, 5, 2.1), ceil(5 * (2.1 / (0.7 * 5))), true},
		// Those that start do not count as running: 40 requests of 2 are 20.
		{"running, not wanted", raySettings{min: 1, max: 30, target: 2, upFactor: 1, downFactor: 1}, fleetWith(12, 4, 40), 20, true},
		{"no end", raySettings{min: 1, max: 30, target: math.SmallestNonzeroFloat64, upFactor: 1, downFactor: 1}, fleetWith(1, 1, 1), 30, true},
	} {
		t.Run(v.name, func(t *testing.T) {
			got := (&rayDecider{s: v.s}).Decide(someDay(0, 0), v.m)
			if got.Desired != v.want || got.Valid != v.valid {
				t.Errorf("got %d, valid %v, want %d, %v", got.Desired, got.Valid, v.want, v.valid)
			}
		})
	}
}

func TestRayServeChangesOnlyWhatDiffers(t *testing.T) {
	lines, _ := linesChanged(t, rayServe, "example.yaml", func(p *profiles.Policy) { p.Replicas.Max, p.Metrics[0].Target = 30, 3500 })
	want := []string{
		"-      max_replicas: 20", "-      target_ongoing_requests: 2       # 10 rps × 0.2 s",
		"+      max_replicas: 30", "+      target_ongoing_requests: 3.5       # 10 rps × 0.2 s",
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	lines, _ = linesChanged(t, rayServe, "old-names.yaml", func(p *profiles.Policy) { p.Metrics[0].Target = 2000 })
	want = []string{"-          target_num_ongoing_requests_per_replica: 1.5", "+          target_ongoing_requests: 2"}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("an old name (-want +got)\n%s", diff)
	}
	lines, doc := linesChanged(t, rayServe, "code-only.yaml", func(p *profiles.Policy) {
		*p = running(func(q *profiles.Policy) {
			q.Platforms, q.Metrics[0] = p.Platforms, profiles.Metric{Kind: profiles.InFlight, Target: 8000, Window: q.Interval}
		})
	})
	if len(lines) < 8 || lines[0] != "+    deployments:" {
		t.Errorf("a deployment that was not there: %v\n%s", lines, doc.Text)
	}
	if !strings.Contains(string(doc.Text), "max_ongoing_requests: 16") {
		t.Errorf("want max_ongoing_requests above the target of 8:\n%s", doc.Text)
	}
}

// To zero and back, as the calibrated cases of all platforms do not have it.
func TestRayServeToZero(t *testing.T) {
	p := running(func(p *profiles.Policy) {
		p.Metrics[0].Kind, p.Metrics[0].Target = profiles.InFlight, 2000
		p.Replicas.Min, p.ToZero = 0, &profiles.ToZero{After: profiles.DefaultToZero}
	})
	doc, err := rayServe.Export(p, Options{Name: "web"})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(doc.Text), "min_replicas: 0\n") || !strings.Contains(string(doc.Text), "initial_replicas: 1\n") {
		t.Errorf("want min 0 and initial 1, as the policy starts with one:\n%s", doc.Text)
	}
	if strings.Contains(string(doc.Text), "downscale_to_zero_delay_s") {
		t.Errorf("toZero.after is downscale_delay_s here, which needs no second setting:\n%s", doc.Text)
	}
	p.ToZero.After = profiles.Duration(time.Minute)
	if doc, err = rayServe.Export(p, Options{Name: "web"}); err != nil || !strings.Contains(string(doc.Text), "downscale_to_zero_delay_s: 60\n") {
		t.Errorf("want a delay of its own, got %v\n%s", err, doc.Text)
	}
}

func TestRayServeBases(t *testing.T) {
	inFlight := func(p *profiles.Policy) { p.Metrics[0].Kind, p.Metrics[0].Target = profiles.InFlight, 2500 }
	for _, v := range []struct {
		name, base string
		edit       func(*profiles.Policy)
		want       []string
		note       string
	}{
		{"a fixed number before", strings.Replace(rayConfig(""), "autoscaling_config: {}", "num_replicas: 4", 1), inFlight, []string{"min_replicas: 5", "target_ongoing_requests: 2.5", "downscale_delay_s: 300"}, ""},
		{"a fixed number after", rayConfig("min_replicas: 2, max_replicas: 4"), func(p *profiles.Policy) { *p = profiles.FixedPolicy(3) }, []string{"num_replicas: 3"}, ""},
		{"parts of seconds", rayConfig("min_replicas: 2, max_replicas: 4"), func(p *profiles.Policy) {
			inFlight(p)
			p.Down.Stabilization = profiles.Duration(1500 * time.Millisecond)
		}, []string{"downscale_delay_s: 1.5"}, ""},
		{"a replica that takes too little", strings.Replace(rayConfig("max_replicas: 4"), "autoscaling_config", "max_ongoing_requests: 2\n    autoscaling_config", 1), inFlight, []string{"max_ongoing_requests: 2\n"}, "max_ongoing_requests is 2, not more than the target of 2.5: raise it"},
		{"the highest of a window", rayConfig("max_replicas: 4"), func(p *profiles.Policy) { inFlight(p); p.Metrics[0].Aggregation = profiles.Highest }, []string{"aggregation_function: max"}, ""},
	} {
		t.Run(v.name, func(t *testing.T) {
			doc, err := rayServe.Export(running(v.edit), Options{Base: []byte(v.base)})
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range v.want {
				if !strings.Contains(string(doc.Text), want) {
					t.Errorf("want %q in\n%s", want, doc.Text)
				}
			}
			if notes := strings.Join(doc.Notes, "\n"); !strings.Contains(notes, v.note) {
				t.Errorf("notes %s, want %q", notes, v.note)
			}
		})
	}
	idle := 1
	_, err := rayServe.Export(running(func(p *profiles.Policy) {
		inFlight(p)
		p.Replicas.Idle, p.ToZero = &idle, &profiles.ToZero{After: profiles.DefaultToZero}
		p.Metrics[0].Scope = profiles.WholeFleet
	}), Options{})
	if err == nil || !strings.Contains(err.Error(), "replicas.idle: got 1") || !strings.Contains(err.Error(), "metrics[0].scope: got fleet, want replica") {
		t.Errorf("Export = %v, want both problems", err)
	}
	if _, _, err := rayServe.Import([]byte("applications: []\n")); err == nil || !strings.Contains(err.Error(), "applications: got none, want one") {
		t.Errorf("Import = %v, want an application", err)
	}
}

func TestRayServeNeverAllocates(t *testing.T) {
	neverAllocates(t, deciderOf(t, rayServe, rayConfig("min_replicas: 5, max_replicas: 20")), fleetWith(5, 5, 25))
}

func BenchmarkDecideRayServe(b *testing.B) {
	benchmarkSteps(b, deciderOf(b, rayServe, rayConfig("min_replicas: 5, max_replicas: 20")), fleetWith(5, 5, 25))
}
