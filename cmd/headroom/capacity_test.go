package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Two measurements are compared by their intervals, and only where both are of
// the same.
func TestReportMeasurements(t *testing.T) {
	was, is := measurementFile(t, true), measurementFile(t, false)
	edit := func(path, from, to string) string {
		t.Helper()
		out := filepath.Join(t.TempDir(), "edited.json")
		text := strings.Replace(read(t, path), from, to, 1)
		if err := os.WriteFile(out, []byte(text), 0o600); err != nil || text == read(t, path) {
			t.Fatalf("%v, %s has no %s", err, path, from)
		}
		return out
	}
	half := edit(edit(edit(is, `"value": 10,`, `"value": 5,`), `"low": 9.6`, `"low": 4.9`), `"high": 10.3`, `"high": 5.1`)
	empty := filepath.Join(t.TempDir(), "empty.json")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		args []string
		code int
		says string
	}{
		{"the same", []string{was, is}, 0, "not worse; it is 10.0/s [9.60 … 10.3], it was 10.0/s"},
		{"half", []string{was, half}, 0, "worse; it is 5.00/s"},
		{"under another SLO", []string{was, edit(is, "p95<300ms", "p95<1s")}, 0, "it is what holds under p95<1s, not under p95<300ms"},
		{"in HTML", []string{was, is, "--format", "html"}, exitUsage, "--format: got html for two measurements, want text"},
		{"a measurement and nothing", []string{was, empty}, exitUsage, "empty.json: not a measurement"},
		{"nothing and a measurement", []string{empty, was}, exitUsage, "empty.json: not a run"},
	} {
		code, out, said := execute(t, append([]string{"report"}, c.args...)...)
		if code != c.code || !strings.Contains(out+said, c.says) {
			t.Errorf("%s: exit code %d, prints\n%ssays %s; want %d and %q", c.name, code, out, said, c.code, c.says)
		}
	}
}

// What cannot be continued is refused before anything is sent.
func TestCapacityValidatesFirst(t *testing.T) {
	m := measurementFile(t, false)
	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{"another target", []string{"--slo", "p95<300ms", "--continue", m}, "--continue: got a measurement of a target that is , want http://127.0.0.1:1/"},
		{"no such file", []string{"--slo", "p95<300ms", "--continue", "/none"}, "--continue: open /none: no such file or directory"},
		{"no measurement", []string{"--slo", "p95<300ms", "--continue", os.DevNull}, "--continue: " + os.DevNull + ": not a measurement"},
		{"no process", []string{"--slo", "p95<300ms", "--arrivals", "bursts"}, `"bursts", want poisson or constant`},
	} {
		code, out, said := execute(t, append([]string{"capacity", "http://127.0.0.1:1/"}, c.args...)...)
		if code != exitUsage || out != "" || !strings.Contains(said, c.want) || strings.Count(said, "\n") != 1 {
			t.Errorf("%s: exit code %d, prints %q, says %q; want 2 and %q", c.name, code, out, said, c.want)
		}
	}
}
