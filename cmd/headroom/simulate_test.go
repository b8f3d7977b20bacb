package main

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"headroom/advisor"
	"headroom/advisor/report"
	"headroom/profiles"
)

// file writes a file for a test and returns its path.
func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const rpsPolicy = "version: headroom/v1\nreplicas: {min: 2, max: 20}\nmetrics: [{kind: rps, target: 10, window: 30s}]\ninterval: 15s\n"

// simulation runs headroom simulate, which must end with a code, and returns what
// its JSON says.
func simulation(t *testing.T, code int, args ...string) []report.Simulation {
	t.Helper()
	got, out, said := execute(t, append([]string{"simulate", "--json"}, args...)...)
	if got != code {
		t.Fatalf("%q: exit code %d, says %q; want %d", args, got, said, code)
	}
	var result struct {
		Version, Kind string
		Rows          []report.Simulation
	}
	if err := json.Unmarshal([]byte(out), &result); err != nil || result.Kind != "simulation" || result.Version != profiles.Version {
		t.Fatalf("%q: got %.200s, %v, want a simulation", args, out, err)
	}
	return result.Rows
}

func TestSimulate(t *testing.T) {
	policy := file(t, "policy.yaml", rpsPolicy)
	load := []string{policy, "--service-time", "50ms", "--traffic", "20..150", "-t", "20m", "--startup", "20s"}
	rows := simulation(t, 0, append(load, "--slo", "p95<300ms", "--price", "0.5/h")...)
	r := rows[0].Result
	if len(rows) != 1 || r.Offered < 125_000 || r.Offered > 140_000 || !r.Met || r.Most < 15 || r.Most > 17 {
		t.Errorf("got %d rows, %d requests, met %v, at most %d replicas; want 1, about 132,000, and 16 replicas that meet it", len(rows), r.Offered, r.Met, r.Most)
	}
	if want := r.ReplicaSeconds / 3600 / 2; rows[0].Cost == nil || *rows[0].Cost != want {
		t.Errorf("cost: got %v, want %g", rows[0].Cost, want)
	}
	if again := simulation(t, 0, append(load, "--seed", "2")...); again[0].Result.Offered == r.Offered {
		t.Errorf("with another seed: got the same %d requests", r.Offered)
	}

	// At 150/s a fleet of two is lost.
	small := file(t, "small.yaml", "version: headroom/v1\nreplicas: {min: 2, max: 2}\n")
	lost := simulation(t, exitNotMet, small, "--service-time", "50ms", "--rate", "150", "-t", "5m", "--slo", "p95<300ms,errors<1%", "--max-queue", "100")
	if r := lost[0].Result; r.Met || r.Refused == 0 || *r.Attainment > 0.1 {
		t.Errorf("two replicas at 150/s: met %v, %d refused, %g good; want neither", r.Met, r.Refused, *r.Attainment)
	}
}

func TestSimulateShowsWhatHappened(t *testing.T) {
	t.Setenv("LC_ALL", "C.UTF-8")
	policy := file(t, "policy.yaml", rpsPolicy)
	code, out, said := execute(t, "simulate", policy, "--service-time", "50ms", "--step", "5m:20", "--step", "5m:100", "--startup", "1m", "--slo", "p95<300ms")
	for _, want := range []string{"─ arrivals/s ─", "─ ready", "╌ wanted", "─ p95 ms ─", "└0s─", "─10m│", "\nSLO       p95<300ms missed, ", "\nmissed    p95<300ms: it is ", "\ntoo few   ", "\nunrest    in ", "\nreaction  first decision for more"} {
		if !strings.Contains(out, want) {
			t.Errorf("it does not say %q", want)
		}
	}
	if code != exitNotMet || said != "" || t.Failed() {
		t.Errorf("exit code %d, says %q and\n%s", code, said, out)
	}
	t.Setenv("LC_ALL", "C")
	if _, out, _ := execute(t, "simulate", policy, "--service-time", "50ms", "--rate", "1", "-t", "1m"); !strings.Contains(out, ".- arrivals/s -") {
		t.Errorf("where the locale is C it draws\n%s", out)
	}
}

func TestSimulateCompares(t *testing.T) {
	policy := file(t, "policy.yaml", rpsPolicy)
	args := []string{policy, "--service-time", "50ms", "--traffic", "20..150", "-t", "10m", "--compare", "builtin,keda,cortex,everai-free,everai"}
	rows := simulation(t, 0, args...)
	for i, want := range []string{"rps 10", "rps 10", "in_flight 0.5", "free_workers 1"} {
		r := rows[i]
		if r.Result == nil || !strings.Contains(r.Policy, want) || r.Result.Offered != rows[0].Result.Offered {
			t.Errorf("%s follows %q, %q; want %s, and the same arrivals", r.Name, r.Policy, r.Refused, want)
		}
	}
	if r := rows[4]; r.Result != nil || !strings.HasPrefix(r.Refused, "metrics[0].kind: got rps") {
		t.Errorf("everai: got %v, %q; want that it has no rps", r.Result, r.Refused)
	}
	code, out, _ := execute(t, append([]string{"simulate"}, args...)...)
	if code != 0 || !strings.Contains(out, " p95 ms ") || !strings.Contains(out, "  unrest  ") || !strings.Contains(out, "\nkeda         ") || !strings.Contains(out, "\neverai: metrics[0].kind: got rps, want free_workers or queue") {
		t.Errorf("exit code %d, prints\n%s\nwant a row for keda, and why everai has none", code, out)
	}
	simulation(t, exitInconclusive, policy, "--service-time", "50ms", "--rate", "10", "-t", "1m", "--compare", "everai")
}

func TestSimulateAMeasurement(t *testing.T) {
	policy := file(t, "policy.yaml", "version: headroom/v1\nreplicas: {min: 4, max: 4}\n")
	m := advisor.Measurement{
		Version: profiles.Version, Kind: "measurement", SLO: "p95<300ms", StartUp: []time.Duration{10 * time.Second},
		Capacity: advisor.Capacity{
			SLO: advisor.Interval{Value: 8}, Replicas: 1, Service: 60 * time.Millisecond, CPU: 20 * time.Millisecond,
			Baseline: advisor.Observation{P50: 50 * time.Millisecond, P95: 100 * time.Millisecond},
		},
	}
	path := filepath.Join(t.TempDir(), "measurement.json")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := report.WriteJSON(f, m); err != nil {
		t.Fatal(err)
	}
	rows := simulation(t, 0, policy, "--measurement", path, "--rate", "36", "-t", "30m")
	r := rows[0].Result
	if mean := r.Latency.Mean; mean < 58*time.Millisecond || mean > 70*time.Millisecond {
		t.Errorf("mean latency %s, want the measured 60ms and a little", mean)
	}
	m.Capacity.CPULimit = 500
	limited := filepath.Join(t.TempDir(), "limited.json")
	if err := newApp(t).saveFile(limited, func(w io.Writer) error { return report.WriteJSON(w, m) }); err != nil {
		t.Fatal(err)
	}
	byCPU := file(t, "cpu.yaml", "version: headroom/v1\nreplicas: {min: 1, max: 9}\nmetrics: [{kind: cpu, target: 20}]\n")
	for _, c := range []struct {
		args []string
		want float64 // replicas in the middle of an hour at 18/s, which take 0.36 cores
	}{
		{[]string{"--measurement", path}, 2},
		{[]string{"--measurement", limited}, 4},
		{[]string{"--measurement", limited, "--cpu-limit", "1"}, 2},
	} {
		series := simulation(t, 0, append([]string{byCPU, "--rate", "18", "-t", "1h"}, c.args...)...)[0].Result.Series
		if got := series[len(series)/2].Ready; got != c.want {
			t.Errorf("simulate %v: %g replicas, want %g", c.args, got, c.want)
		}
	}
	m.Capacity.Saturation.Value = 33 // two at a time
	both := filepath.Join(t.TempDir(), "both.json")
	if err := newApp(t).saveFile(both, func(w io.Writer) error { return report.WriteJSON(w, m) }); err != nil {
		t.Fatal(err)
	}
	if two := simulation(t, 0, policy, "--measurement", both, "--rate", "100", "-t", "1m")[0].Result; two.Latency.P95 > time.Second {
		t.Errorf("100/s at four replicas that work on two requests of 60ms at once: p95 %s, want no long queue", two.Latency.P95)
	}
	// It takes five for 36/s, of which each holds 8.
	if got := r.Ready; got.UnderTime != 1 || got.UnderAccuracy < 0.199 || got.UnderAccuracy > 0.201 {
		t.Errorf("short for %g of the time by %g, want always by one of five, as each holds 8", got.UnderTime, got.UnderAccuracy)
	}
}

func TestSimulateRefuses(t *testing.T) {
	policy := file(t, "policy.yaml", rpsPolicy)
	stamps := file(t, "stamps.txt", "0\n60\n")
	cpu := file(t, "cpu.yaml", "version: headroom/v1\nreplicas: {min: 1, max: 2}\nmetrics: [{kind: cpu, target: 60}]\n")
	memory := file(t, "memory.yaml", "version: headroom/v1\nreplicas: {min: 1, max: 2}\nmetrics: [{kind: memory, target: 60}]\n")
	for _, c := range []struct{ args, want string }{
		{"--rate 1", "--service-time: got nothing, want it, such as 250ms, or a --measurement"},
		{"--service-time 1s", "--traffic: got nothing, want a load: --traffic LOW..HIGH, --rate, --stage, --step, --shape or --trace"},
		{"--service-time 1s --rate 1 --traffic 1..2", "--traffic: got 1..2 and another load, want one"},
		{"--service-time 1s --traffic 1..2 --compress 60x", "--compress: got 60x without --trace, want both or neither"},
		{"--service-time 1s --rate 1 --measurement x", "--service-time: got 1s and --measurement x, want one"},
		{"--service-time 1s --rate 1 --distribution uniform", `--distribution: got "uniform", want constant or exponential`},
		{"--service-time 1s --rate 1 --price free", `--price: got "free", want the price of a replica hour, above 0, such as 0.35 or 0.35/h`},
		{"--service-time 1s --rate 1 --pinned 200%", "--pinned: got 200 %, want 0%..100%"},
		{"--service-time 1s --rate 1 --start noon", `--start: got "noon", want a time such as 2026-01-05T08:30:00Z`},
		{"--service-time 1s --rate 10000 -t 100h", "traffic: got 3.6e+09 arrivals, want at most 1e+09"},
		{"--service-time 1s --rate 1 --slo p95<1s", "--slo: got p95<1s: one request alone takes longer than the SLO allows: no number of replicas meets it"},
		{"--service-time 1s --stage 10m:5 -t 1h", "--run-time: got 1h, want more than 0 and at most 10m, after which the load ends"},
		{"--service-time 1s --trace " + stamps + " -t 1h", "--run-time: got 1h, want more than 0 and at most 1m1s, after which the load ends"},
		{"--service-time 1s --trace " + stamps + " --arrivals poisson", "--arrivals: got poisson and a --trace of single arrivals, want one: they come as they came"},
		{"--service-time 1s --rate 1 --compare builtin,keda,builtin", "--compare: got builtin twice, want each once"},
		{"--service-time 1s --rate 1 --search --compare keda", "--compare: got keda with --search, want one of the two"},
		{"--service-time 1s --rate 1 --to policy", "--to: got policy without --search, want both or neither"},
		{"--service-time 1s --rate 1 --search --to policy --json", "--to: got policy with --json, want one of the two"},
		{"--service-time 1s --rate 1 --search", "--search: got no SLO with a latency percentile, want one such as p95<300ms"},
		{"--service-time 1s --rate 1 --slo chat.p95<2s", "--slo: got chat.p95<2s, want objectives on the latency, errors or rps of all requests: single tasks and streams are not simulated"},
	} {
		code, _, said := execute(t, append([]string{"simulate", policy}, strings.Fields(c.args)...)...)
		if want := "headroom: " + c.want + "\n"; code != exitUsage || said != want {
			t.Errorf("%s: exit code %d, says %q; want 2 and %q", c.args, code, said, want)
		}
	}
	for path, want := range map[string]string{
		cpu:    "metrics[0].kind: got cpu, want the CPU time of a request too: --cpu-per-request, or a measurement that has it",
		memory: "metrics[0].kind: got memory, want one that is simulated: rps, in_flight, queue, free_workers, cpu or latency",
	} {
		if code, _, said := execute(t, "simulate", path, "--service-time", "1s", "--rate", "1"); code != exitUsage || said != "headroom: "+want+"\n" {
			t.Errorf("%s: exit code %d, says %q; want 2 and %q", path, code, said, want)
		}
	}
	if code, _, said := execute(t, "simulate", policy, "--service-time", "1s", "--rate", "1", "--compare", "kubernetes"); code != exitUsage || !strings.HasPrefix(said, `headroom: --compare: got "kubernetes", want some of builtin, `) {
		t.Errorf("an unknown scaler: exit code %d, says %q", code, said)
	}
}
