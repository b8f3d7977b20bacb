package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A run writes what it was told to, and what is made of the saved run later is
// the same to the byte.
func TestRunWritesReports(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-Served-By", "one") }))
	defer server.Close()
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	t.Setenv(stepSummary, path("step.md"))
	if err := os.WriteFile(path("step.md"), []byte("before\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"run", server.URL, "-n", "20", "--headless", "--slo", "p95<1m", "--csv", path("locust")}
	for _, o := range fileFlags {
		args = append(args, "--"+o.name, path(o.name))
	}
	code, summary, said := execute(t, args...)
	if code != 0 && code != exitInconclusive { // a busy machine
		t.Fatalf("run: exit code %d, says %s", code, said)
	}
	t.Setenv(stepSummary, "")
	again := func(format string) string {
		t.Helper()
		code, out, said := execute(t, "report", path("save"), "--format", format)
		if code != 0 || said != "" {
			t.Errorf("report --format %s: exit code %d, says %s", format, code, said)
		}
		return out
	}
	if got := again("text"); got != summary {
		t.Errorf("report prints\n%s\nwant\n%s", got, summary)
	}
	for _, o := range fileFlags {
		if got, want := again(o.format), read(t, path(o.name)); got != want {
			t.Errorf("report --format %s prints\n%s\nwant what --%s wrote\n%s", o.format, got, o.name, want)
		}
	}
	if got, want := again("csv"), read(t, path("locust_stats.csv")); got != want {
		t.Errorf("report --format csv prints\n%s\nwant\n%s", got, want)
	}
	if got, want := "before\n"+again("markdown"), read(t, path("step.md")); got != want {
		t.Errorf("the step's summary is\n%s\nwant\n%s", want, got)
	}
	for _, suffix := range []string{"_stats_history.csv", "_failures.csv", "_exceptions.csv"} {
		if text := read(t, path("locust"+suffix)); !strings.Contains(text, ",") {
			t.Errorf("locust%s is %q", suffix, text)
		}
	}
	code, _, said = execute(t, "report", path("save"), path("save"), "--format", "html", "-o", path("pair"))
	if code != 0 || said != "" || !strings.Contains(read(t, path("pair")), "<h2>Side by side</h2>") {
		t.Errorf("report of two: exit code %d, says %s", code, said)
	}
}

func TestReportRefuses(t *testing.T) {
	file := newFile(t, "run.json", `{"version": "headroom/v1", "kind": "run", "result": {"started": "2026-11-22T08:00:00Z"}}`)
	empty := newFile(t, "empty.json", `{"version": "headroom/v1", "kind": "run"}`)
	other := newFile(t, "measurement.json", `{"version": "headroom/v1", "kind": "measurement"}`)
	for _, c := range []struct {
		args []string
		want string
	}{
		{nil, "arguments: got 0, want one or two files that run --save wrote"},
		{[]string{"a", "b", "c"}, "arguments: got 3, want one or two files that run --save wrote"},
		{[]string{"none"}, "open none: no such file or directory"},
		{[]string{other}, other + `: got kind "measurement" and version "headroom/v1", want run and headroom/v1`},
		{[]string{empty}, empty + ": got a run without a result, want what run --save wrote"},
		{[]string{file, "--format", "pdf"}, `--format: got "pdf", want one of text, json, csv, html, junit, markdown, locust-json, k6, hdr, openmetrics`},
		{[]string{file, file, "--format", "csv"}, "--format: got csv for two runs, want one of text, html, markdown"},
		{[]string{file, "-o", "none/x"}, "write none/x: no such file or directory"},
	} {
		code, out, said := execute(t, append([]string{"report"}, c.args...)...)
		if want := "headroom: " + c.want + "\n"; code != exitUsage || out != "" || said != want {
			t.Errorf("report %q: exit code %d, prints %q, says %q; want 2 and %q", c.args, code, out, said, want)
		}
	}
}

// Files that cannot be written are found out before anything is sent.
func TestRunChecksItsFiles(t *testing.T) {
	dir := t.TempDir()
	same := filepath.Join(dir, "same")
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--html", dir}, "--html: got " + dir + ", which cannot be written: is a directory"},
		{[]string{"--csv", dir + "/none/x"}, "--csv: got " + dir + "/none/x_stats.csv, which cannot be written: no such file or directory"},
		{[]string{"--save", same, "--html", dir + "/./same"}, "--html: got " + dir + "/./same, which --save writes to, want another file"},
	} {
		code, _, said := execute(t, append([]string{"run", "http://127.0.0.1:1", "-n", "1", "--headless"}, c.args...)...)
		if want := "headroom: " + c.want + "\n"; code != exitUsage || said != want {
			t.Errorf("run %q: exit code %d, says %q; want 2 and %q", c.args, code, said, want)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left in the folder: %v, %v", left, err)
	}
}
