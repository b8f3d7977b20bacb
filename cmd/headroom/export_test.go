package main

import (
	"errors"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"headroom/advisor"
	"headroom/advisor/report"
	"headroom/load"
	"headroom/profiles"
)

// Whoever exports hears what is lost.
func TestExportsTellWhatIsLost(t *testing.T) {
	dir := t.TempDir()
	advice := tuned(t, advisor.Held).Advice
	a := newApp(t)
	policy, measurement := filepath.Join(dir, "policy.yaml"), filepath.Join(dir, "measurement.json")
	if lost, err := a.exportFile(policy, advice.Policy, "policy"); err != nil || len(lost) > 0 {
		t.Fatalf("our own format: got %q, %v, want nothing lost", lost, err)
	}
	m := advisor.Measurement{
		Version: profiles.Version, Kind: "measurement", SLO: "p95<300ms", Date: time.Now(),
		Capacity: advisor.Capacity{SLO: advisor.Interval{Value: 10.5}, Replicas: 1},
	}
	if err := a.saveFile(measurement, func(w io.Writer) error { return report.WriteJSON(w, m) }); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		lost string
	}{
		{[]string{"export", policy, "--to", "jcloud", "--round"}, "lost (!): "},
		{[]string{"advise", measurement, "--traffic", "50..200", "--to", "jcloud"}, "lost: "}, // whose advice is in whole numbers
	} {
		code, out, said := execute(t, c.args...)
		if code != 0 || !strings.Contains(out, "metric: rps") || !strings.HasPrefix(said, c.lost) {
			t.Errorf("%s: exit code %d, prints\n%ssays %q; want the losses", c.args[0], code, out, said)
		}
	}

	file := filepath.Join(dir, "jcloud.yml")
	notice, err := a.exportAdvice(advisor.State{Advice: advice}, "jcloud", file, false)
	if err != nil || !strings.HasPrefix(notice, "wrote "+file+"; lost (!): ") || !strings.Contains(read(t, file), "metric: rps") {
		t.Errorf("dashboard: got %q, %v, want it written and the losses", notice, err)
	}
	if _, err := a.exportAdvice(advisor.State{Advice: advice}, "policy", file, false); !errors.Is(err, fs.ErrExist) || !strings.Contains(read(t, file), "metric: rps") {
		t.Errorf("dashboard, a file that is there: got %v, want that it exists, and the file as it was", err)
	}
	if notice, err := a.exportAdvice(advisor.State{Advice: advice}, "policy", policy, true); err != nil || notice != "wrote "+policy {
		t.Errorf("dashboard, nothing lost: got %q, %v", notice, err)
	}
	if _, err := a.exportAdvice(advisor.State{}, "policy", policy, true); err == nil || !strings.Contains(err.Error(), "measure first") {
		t.Errorf("dashboard, no advice: got %v, want that it must be measured first", err)
	}
}

// A file that cannot be written does not take what was printed with it, and is
// what the exit code speaks of.
func TestResultsOutliveAFailedSave(t *testing.T) {
	bad := filepath.Join(t.TempDir(), "none", "file")
	swarm := load.Snapshot{Requests: []load.Stats{{Name: "the swarm"}}, Total: load.Stats{Count: 1, Failed: 1}}
	refused := advisor.Measurement{Capacity: advisor.Capacity{Refusal: &advisor.Refusal{Code: "R1", Why: "it is slow"}}}
	for _, c := range []struct {
		name, want string
		conclude   func(*app) error
	}{
		{"run", "the swarm", func(a *app) error {
			return a.conclude(advisor.State{Swarm: &swarm}, runOptions{files: runFiles{paths: []string{bad}}, failureCode: exitFailures})
		}},
		{"capacity", "it is slow", func(a *app) error { return a.writeMeasurement(refused, bad, "") }},
	} {
		a := newApp(t)
		var said strings.Builder
		code := exitCode(&said, a.signals, c.conclude(a))
		if want := "headroom: write " + bad + ": no such file or directory\n"; code != exitUsage || said.String() != want {
			t.Errorf("%s: exit code %d, says %q; want 2 and %q", c.name, code, said.String(), want)
		}
		if out := read(t, a.out.Name()); !strings.Contains(out, c.want) {
			t.Errorf("%s: prints\n%s\nwant %q in it", c.name, out, c.want)
		}
	}
}
