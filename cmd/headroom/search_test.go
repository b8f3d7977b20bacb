package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"headroom/advisor/report"
	"headroom/profiles"
)

// exploration runs a search, which must end with a code, and returns what its
// JSON says.
func exploration(t *testing.T, code int, args ...string) (x report.Exploration) {
	t.Helper()
	got, out, said := execute(t, append(args, "--search", "--json")...)
	if got != code {
		t.Fatalf("%q: exit code %d, says %q; want %d", args, got, said, code)
	}
	if err := json.Unmarshal([]byte(out), &x); err != nil || x.Kind != "exploration" || x.Version != profiles.Version {
		t.Fatalf("%q: got %.200s, %v, want an exploration", args, out, err)
	}
	return x
}

func TestSearchAroundAPolicy(t *testing.T) {
	policy := file(t, "policy.yaml", "version: headroom/v1\nreplicas: {min: 2, max: 8}\nmetrics: [{kind: rps, target: 1, window: 15s}]\ninterval: 15s\n")
	load := []string{"simulate", policy, "--service-time", "500ms", "--traffic", "2..6", "-t", "4m", "--startup", "10s"}
	x := exploration(t, 0, append(load, "--slo", "p95<2s", "--price", "0.5")...)
	if x.Chosen == nil || x.Chosen.Option.ReplicaSeconds >= x.Start.ReplicaSeconds || x.Price != 0.5 || len(x.Neighbours) < 5 {
		t.Errorf("chosen %+v of %+v, want less than the start costs", x.Chosen, x)
	}
	code, out, _ := execute(t, append(load, "--slo", "p95<2s", "--search", "--to", "policy")...)
	if p, err := profiles.ParsePolicy([]byte(out)); code != 0 || err != nil || p.Summary() != x.Chosen.Policy.Summary() {
		t.Errorf("as a policy: exit code %d, %s, %v; want %s", code, p.Summary(), err, x.Chosen.Policy.Summary())
	}
	code, out, _ = execute(t, append(load, "--slo", "p95<2s", "--search")...)
	for _, want := range []string{"policies around that of the start were foreseen as a fluid", "\nchosen  ", "\nstart  ", "in each of 5 runs of other chance", "\nIts neighbours, with one number turned:\n"} {
		if code != 0 || !strings.Contains(out, want) {
			t.Errorf("exit code %d, prints\n%s\nwant 0 and %q", code, out, want)
		}
	}

	hopeless := append(load, "--slo", "p99.9<501ms")
	if x := exploration(t, exitNotMet, hopeless...); x.Chosen != nil || len(x.Front) == 0 {
		t.Errorf("an SLO that leaves no time to wait: chosen %+v, want a front and no choice", x.Chosen)
	}
	if code, out, said := execute(t, append(hopeless, "--search", "--to", "policy")...); code != exitNotMet || out != "" || !strings.Contains(said, "no policy was found that meets p99.9<501ms") {
		t.Errorf("exit code %d, prints %q, says %q; want 99 and why there is no policy", code, out, said)
	}
}

// An advice keeps a fifth free, and a search around it finds what it may go
// without.
func TestSearchAroundAnAdvice(t *testing.T) {
	advise := []string{"advise", measurementFile(t, false), "--traffic", "2..12"}
	x := exploration(t, 0, advise...)
	if x.SLO != "p95<300ms" || !x.Start.Start || x.Start.Policy.Metrics[0].Target != 8000 || x.Chosen == nil || x.Chosen.Option.ReplicaSeconds > x.Start.ReplicaSeconds {
		t.Errorf("got %+v, want what costs no more than the advised 8/s a replica", x)
	}
	if x.Ceiling == nil || x.Ceiling.Value != 10 || x.Balancer != "pack, one queue before all replicas" || x.Needed != 0.95 || x.Assessment.Grade == "" {
		t.Errorf("got ceiling %v, balancer %q, needed %g, grade %q; want 10/s, that of the built-in scaler, 0.95 and one", x.Ceiling, x.Balancer, x.Needed, x.Assessment.Grade)
	}
	for _, o := range append(x.Front, x.Neighbours...) {
		if got := o.Policy.Metrics[0].Target; got > 10_000 {
			t.Errorf("it looks at %s, want at most the 10/s of one replica", o.Policy.Summary())
		}
	}
	random := exploration(t, 0, append(advise, "--for", "hpa")...)
	turns := exploration(t, 0, append(advise, "--for", "hpa", "--dispatch", "least-connections")...)
	if random.Balancer != "random, a queue at each replica" || turns.Balancer != "least-connections, a queue at each replica" || random.Start.Attainment >= turns.Start.Attainment {
		t.Errorf("for hpa: %.4f good where dispatch is %s, and %.4f where it is %s; want fewer at random", random.Start.Attainment, random.Balancer, turns.Start.Attainment, turns.Balancer)
	}
	counts := file(t, "counts.csv", "600\n900\n1200\n1500\n1800\n1800\n1500\n1200\n900\n600\n600\n600\n")
	traced := []string{"advise", measurementFile(t, false), "--trace", counts, "--trace-interval", "1m", "--start-up", "2s"}
	under := exploration(t, 0, traced...)
	if x.Load != "1h of this traffic" || under.Load != "the 12m of the trace" || under.Scaler != builtin || under.Chosen == nil {
		t.Errorf("with a trace: %s simulates under %q, chosen %+v", under.Scaler, under.Load, under.Chosen)
	}
	if by := exploration(t, 0, append(traced, "--for", "keda")...); by.Scaler != "keda" || by.Start.ReplicaSeconds == under.Start.ReplicaSeconds {
		t.Errorf("for keda: %s simulates %+v, want keda, and other costs than the built-in scaler's", by.Scaler, by.Start)
	}
	if code, _, said := execute(t, append(traced, "--search", "--growth", "20%")...); code != exitUsage || !strings.Contains(said, "--growth: got 20% with --search and --trace") {
		t.Errorf("with --growth and --trace: exit code %d, says %q", code, said)
	}
	if code, _, said := execute(t, append(advise, "--search", "--explain")...); code != exitUsage || said != "headroom: --explain: got \"true\" with --search, want one of the two\n" {
		t.Errorf("with --explain: exit code %d, says %q", code, said)
	}
}

// The traffic of a search rises as steeply as it is said to.
func TestSearchRisesAsSaid(t *testing.T) {
	path := measurementFile(t, false)
	m, err := readMeasurement(path)
	if err != nil {
		t.Fatal(err)
	}
	v := newAdviceFlags()
	v.traffic = profiles.Traffic{Low: 2000, High: 12_000}
	v.wanted.Starts = 5 * time.Second
	for _, tt := range []struct {
		rise profiles.Milli
		want time.Duration
	}{{0, time.Hour * 2 / 5}, {100, 100 * time.Second}} {
		v.wanted.Rise = tt.rise
		s, _, err := m.Rehearsal(v.traffic, v.wanted)
		if err != nil || s.Length != time.Hour || s.Concurrency != 1 || !slices.Equal(s.StartUp, []time.Duration{5 * time.Second}) {
			t.Errorf("Rehearsal() = %+v, %v; want an hour of one request at a time, after starts of 5 s", s, err)
		}
		before, there := s.Load.At(tt.want-time.Second), s.Load.At(tt.want+time.Second)
		if before >= 12 || there != 12 {
			t.Errorf("rise %s: %.2f/s a second before %v and %.2f/s after, want 12/s from there on", tt.rise, before, tt.want, there)
		}
	}
}
