package main

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"headroom/advisor"
	"headroom/advisor/report"
	"headroom/load"
	"headroom/profiles"
)

func answering(t *testing.T, status int) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
	t.Cleanup(server.Close)
	return server.URL
}

// writeFile puts a value into a file as JSON.
func writeFile(t *testing.T, name string, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// savedRun is one to compare with.
func savedRun(tail *load.Tail) report.Run {
	return report.Run{Version: profiles.Version, Kind: "run", Result: load.Snapshot{Started: time.Unix(1, 0), Tail: tail}}
}

func TestThresholdsSetTheExitCode(t *testing.T) {
	target := answering(t, http.StatusOK)
	for _, c := range []struct {
		name string
		args []string
		want int
		says string
	}{
		{"held", []string{"--threshold", "http_reqs: count==20", "--threshold", "http_req_failed: rate<0.01"}, 0, "threshold http_reqs: count==20: 20 ✓"},
		{"missed", []string{"--threshold", "http_reqs: count>20"}, exitNotMet, "threshold http_reqs: count>20: 20 ✗"},
		{"no data", []string{"--threshold", "http_req_tls_handshaking: avg<1"}, exitInconclusive, "http_req_tls_handshaking: avg<1: no data"},
		{"an SLO besides", []string{"--slo", "errors<1%", "--threshold", "http_reqs: count>20"}, exitNotMet, "SLO errors<1%: 0% ✓"},
	} {
		code, out, said := execute(t, append([]string{"run", target, "-n", "20", "--headless"}, c.args...)...)
		busy := code == exitInconclusive && strings.Contains(out, "INCONCLUSIVE") // a machine that others use
		if code != c.want && !busy || !strings.Contains(out, c.says) {
			t.Errorf("%s: exit code %d, says %s, prints\n%s\nwant %d and %q", c.name, code, said, out, c.want, c.says)
		}
	}
}

// The run ends when the threshold is missed, and still writes what it was told.
func TestAbortOnFail(t *testing.T) {
	junit := filepath.Join(t.TempDir(), "junit.xml")
	began := time.Now()
	code, out, said := execute(t, "run", answering(t, http.StatusTeapot), "-u", "1", "--wait", "20ms", "-t", "10m", "--headless", "--junit", junit,
		"--threshold", "http_req_failed: rate<0.5 abortOnFail")
	if code != exitNotMet && code != exitInconclusive || time.Since(began) > 5*time.Minute {
		t.Errorf("run: exit code %d after %v, says %s, want %d at once", code, time.Since(began), said, exitNotMet)
	}
	for text, want := range map[string]string{
		out: "the load ended early, after ", said: "stopping: http_req_failed: rate<0.5 abortOnFail is missed", read(t, junit): `<failure message="it is 1" type="threshold">`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

func TestGatesRefuseNonsense(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.json")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	measurement := writeFile(t, "m.json", advisor.Measurement{Version: profiles.Version, Kind: "measurement"})
	refused := writeFile(t, "refused.json", advisor.Measurement{Version: profiles.Version, Kind: "measurement", Capacity: advisor.Capacity{Refusal: &advisor.Refusal{}}})
	short := writeFile(t, "short.json", savedRun(nil))
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"run", "--threshold", "latency: p(95)<1"}, `--threshold: got "latency: p(95)<1": metric: got "latency", want one of http_req_duration, `},
		{[]string{"run", "--threshold", "http_reqs{name:chat}: count>1"}, "--threshold: got http_reqs{name:chat}: count>1 without --scenario, want one for all requests"},
		{[]string{"run", "--tolerance", "5%"}, "--tolerance: got 5% without --baseline, want both"},
		{[]string{"run", "--baseline", "missing.json"}, "--baseline: open missing.json: no such file"},
		{[]string{"run", "--baseline", empty}, "--baseline: " + empty + ": not a run: EOF"},
		{[]string{"run", "--baseline", measurement}, `--baseline: ` + measurement + `: got kind "measurement" and version "headroom/v1", want run and headroom/v1`},
		{[]string{"run", "--baseline", short}, "--baseline: " + short + ": got a run that does not say how sure its p95 is, want one of 5 seconds or more"},
		{[]string{"run", "--baseline", short, "--tolerance", "soon"}, `--tolerance: got "soon", want a share such as 10% or 0.1`},
		{[]string{"capacity", "--slo", "p95<1s", "--tolerance", "5%"}, "--tolerance: got 5% without --baseline, want both"},
		{[]string{"capacity", "--slo", "p95<1s", "--baseline", empty}, "--baseline: " + empty + ": not a measurement: "},
		{[]string{"capacity", "--slo", "p95<1s", "--baseline", short}, `--baseline: ` + short + `: got kind "run" and version "headroom/v1", want measurement and headroom/v1`},
		{[]string{"capacity", "--slo", "p95<1s", "--baseline", refused}, "--baseline: " + refused + ": got a measurement that was refused, want one with a capacity"},
	} {
		code, out, said := execute(t, append([]string{c.args[0], "http://127.0.0.1:1/"}, append(c.args[1:], headlessOf(c.args[0])...)...)...)
		if code != exitUsage || out != "" || !strings.HasPrefix(said, "headroom: "+c.want) || strings.Count(said, "\n") != 1 {
			t.Errorf("%q: exit code %d, prints %q, says %q, want %d and %q", c.args, code, out, said, exitUsage, c.want)
		}
	}
}

func headlessOf(command string) []string {
	if command == "run" {
		return []string{"-n", "1", "--headless"}
	}
	return nil
}

func TestChangeVerdict(t *testing.T) {
	for change, want := range map[advisor.Change]int{advisor.Better: 0, advisor.NotWorse: 0, advisor.Worse: exitNotMet, advisor.Unclear: exitInconclusive} {
		if got := codeOf(changeVerdict(&advisor.Comparison{Change: change})); got != want {
			t.Errorf("changeVerdict of %s: exit code %d, want %d", change, got, want)
		}
	}
	if err := changeVerdict(nil); err != nil {
		t.Errorf("changeVerdict of nothing: %v", err)
	}
}

// codeOf is the exit code that an error sets, 0 where it sets none.
func codeOf(err error) int {
	var known *exit
	if !errors.As(err, &known) {
		return 0
	}
	return known.code
}

// A run too short to say how sure its p95 is cannot pass a baseline.
func TestBaselineThatCannotBeTold(t *testing.T) {
	base := writeFile(t, "base.json", savedRun(&load.Tail{P95: time.Second, Low: time.Second, High: time.Second}))
	code, out, said := execute(t, "run", answering(t, http.StatusOK), "-n", "20", "--headless", "--baseline", base)
	if want := "latency p95 against " + base + ": cannot tell; the run was too short"; code != exitInconclusive || !strings.Contains(out, want) {
		t.Errorf("run: exit code %d, says %s, prints\n%s\nwant %d and %q", code, said, out, exitInconclusive, want)
	}
}

// A quiet run says nothing but its result, also of what a State would tell.
func TestQuiet(t *testing.T) {
	code, out, said := execute(t, "run", answering(t, http.StatusOK), "-n", "20", "--headless", "--quiet")
	if code != 0 && code != exitInconclusive || said != "" || !strings.Contains(out, "req/s") {
		t.Errorf("run --quiet: exit code %d, says %q, prints\n%s\nwant the result alone", code, said, out)
	}
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	states := []advisor.State{
		{Phase: advisor.Swarming, At: at, Events: []advisor.Event{{N: 1, Kind: advisor.NoticeEvent, Text: "pinned"}, {N: 2, Kind: "run", Text: "swarming"}}},
		{Phase: advisor.Swarming, At: at.Add(6 * time.Second), Load: load.Snapshot{EndedBy: "a threshold"}},
	}
	for _, c := range []struct {
		told telling
		want []string
	}{
		{nothing, nil},
		{notices, []string{"pinned", "stopping: a threshold is missed", "0 users"}},
		{events, []string{"pinned", "swarming", "stopping: a threshold is missed", "0 users"}},
	} {
		a := newApp(t)
		p := newProgress(a.err, 0, c.told)
		for _, s := range states {
			p.show(s)
		}
		p.end()
		lines := strings.Split(strings.TrimSuffix(read(t, a.err.Name()), "\n"), "\n")
		if len(c.want) == 0 && lines[0] == "" {
			continue
		}
		if len(lines) != len(c.want) {
			t.Errorf("telling %d: says %q, want lines with %q", c.told, lines, c.want)
			continue
		}
		for i, want := range c.want {
			if !strings.Contains(lines[i], want) {
				t.Errorf("telling %d: line %d is %q, want %q in it", c.told, i, lines[i], want)
			}
		}
	}
}

// A measurement is written wherever it was asked for, and a baseline that it
// misses sets the exit code.
func TestMeasurementAgainstABaseline(t *testing.T) {
	dir := t.TempDir()
	t.Setenv(stepSummary, filepath.Join(dir, "step.md"))
	for change, want := range map[advisor.Change]int{advisor.NotWorse: 0, advisor.Worse: exitNotMet, advisor.Unclear: exitInconclusive} {
		a := newApp(t)
		m := advisor.Measurement{Baseline: &advisor.Comparison{Figure: "capacity", Baseline: "old.json", Change: change, Why: "so it is"}}
		code := codeOf(a.writeMeasurement(m, filepath.Join(dir, "m.json"), filepath.Join(dir, "junit.xml")))
		if code != want {
			t.Errorf("%s: exit code %d, want %d", change, code, want)
		}
		for _, text := range []string{read(t, a.out.Name()), read(t, filepath.Join(dir, "m.json")), read(t, filepath.Join(dir, "junit.xml")), read(t, filepath.Join(dir, "step.md"))} {
			if !strings.Contains(text, "so it is") {
				t.Errorf("%s: no comparison in\n%s", change, text)
			}
		}
	}
}
