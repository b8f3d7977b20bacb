package report

import (
	"slices"
	"strings"
	"testing"
	"time"

	"headroom/advisor"
	"headroom/advisor/sim"
	"headroom/profiles"
)

// option is a policy by its target, in hours of replicas.
func option(target profiles.Milli, attainment, hours float64) sim.Option {
	p := profiles.DefaultPolicy()
	p.Replicas = profiles.Bounds{Min: 1, Max: 9}
	p.Metrics = []profiles.Metric{{Kind: profiles.RPS, Target: target, Window: profiles.Duration(time.Minute)}}
	return sim.Option{Policy: p, Met: attainment >= 0.95, Attainment: attainment, Worst: attainment - 0.02, ReplicaSeconds: hours * 3600}
}

// Of a front those are left out that spare hardly any of the misses of a cheaper
// one. That is a share of them: from 99.9 % to all is much.
func TestShownFront(t *testing.T) {
	for _, c := range []struct {
		name  string
		front []sim.Option
		want  []profiles.Milli
	}{
		{"hardly better", []sim.Option{option(1000, 0.96, 1), option(2000, 0.965, 2), option(3000, 0.971, 3)}, []profiles.Milli{1000, 3000}},
		{"all misses gone", []sim.Option{option(1000, 0.9991, 1), option(2000, 1, 2)}, []profiles.Milli{1000, 2000}},
		{"nearly all good, and hardly better", []sim.Option{option(1000, 0.9991, 1), option(2000, 0.9992, 2)}, []profiles.Milli{1000}},
		{"the first that meets the SLO", []sim.Option{option(1000, 0.949, 1), option(2000, 0.95, 2)}, []profiles.Milli{1000, 2000}},
		{"the chosen one", []sim.Option{option(1000, 0.96, 1), option(9000, 0.961, 2)}, []profiles.Milli{1000, 9000}},
	} {
		x := Exploration{Exploration: sim.Exploration{Front: c.front, Chosen: &sim.Proof{Option: option(9000, 0.961, 2)}}}
		var got []profiles.Milli
		for _, o := range x.shown() {
			got = append(got, o.Policy.Metrics[0].Target)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: shown targets %v, want %v", c.name, got, c.want)
		}
	}
}

// What is chosen comes with what it rests on: where the figures are from, the
// grade, and its worst minute.
func TestWriteExploration(t *testing.T) {
	cheap, start := option(9000, 0.96, 1), option(8000, 0.96, 2)
	start.Start = true
	hours := sim.Estimate{Value: 3960, Low: 3924, High: 3996}
	x := Exploration{
		SLO: "p95<300ms", Scaler: "hpa", Balancer: "random, a queue at each replica", Needed: 0.95,
		Ceiling:    &sim.Estimate{Value: 10, Low: 9.6, High: 10.3},
		Assessment: advisor.Assessment{Grade: advisor.GradeB, GradeWhy: "only one number of replicas was measured", Raise: []string{"a second replica count"}},
		Exploration: sim.Exploration{
			Foreseen: 180, Simulated: 22, Start: start, Front: []sim.Option{cheap},
			Chosen: &sim.Proof{Option: cheap, Runs: 5, Attainment: sim.Estimate{Value: 0.96, Low: 0.955, High: 0.965}, Worst: 0.9, ReplicaSeconds: hours},
		},
	}
	text := func() string {
		var b strings.Builder
		if err := WriteExploration(&b, x, 1000); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	const warning = "warning: in its worst minute 90.0 % of the requests are good, fewer than the 95.0 % that p95<300ms asks for\n"
	got := text()
	for _, want := range []string{
		"followed by the scaler hpa (dispatch random, a queue at each replica), with",
		"No target was raised above the 10.0/s that advice counts on for one replica [9.60 … 10.3]: ",
		"as many requests good; the start is beside them:\n",
		"of which the table has the first. On average 96.0 % of the requests are good [95.5 % … 96.5 %], and in the worst minute of all runs 90.0 %, for 1.10 replica hours [1.09 … 1.11]. The start takes 2.00 replica hours in the first run.\n",
		warning, "\ngrade B: only one number of replicas was measured; to raise it: a second replica count\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("WriteExploration() writes\n%s\nwant %q", got, want)
		}
	}
	x.Ceiling, x.Assessment, x.Chosen.Worst = nil, advisor.Assessment{}, 0.95
	start.Attainment = 0.99
	x.Front = []sim.Option{cheap, start}
	got = text()
	for _, never := range []string{"warning", "grade B", "raised above", "beside them"} {
		if strings.Contains(got, never) {
			t.Errorf("with a start on the front, and nothing measured: writes\n%s\nwant no %q", got, never)
		}
	}
}
