package main

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

// smaller makes a command of the table one that ends soon.
var smaller = []struct {
	what *regexp.Regexp
	by   string
}{
	{regexp.MustCompile(` (-u|-r) \d+`), " $1 5"},
	{regexp.MustCompile(` -n \d+`), " -n 5"},
	{regexp.MustCompile(` -t \w+`), " -t 100ms"},
	{regexp.MustCompile(` --(stage|step) \w+:`), " --$1 50ms:"},
}

// words splits a command line as a shell does, with single quotes alone.
func words(line string) (out []string) {
	for i, part := range strings.Split(line, "'") {
		switch {
		case i%2 == 0:
			out = append(out, strings.Fields(part)...)
		default:
			out = append(out, part)
		}
	}
	return out
}

// Every command that docs/migrate.md and README.md offer works.
func TestMigrationTable(t *testing.T) {
	table := read(t, "../../docs/migrate.md") + read(t, "../../README.md")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte(`{"hostname": "a"}`))
	}))
	t.Cleanup(server.Close)
	inFolder(t, map[string]string{
		"scenario.yaml": "version: headroom/v1\nkind: scenario\ntasks: [{get: /}]\n",
		"body.json":     `{"a": 1}`,
		"load.conf":     "users = 2\nrun-time = 1s\n",
	})
	rows := regexp.MustCompile("(?m)^\\|.*\\| `(headroom [^`]*)` \\|$").FindAllStringSubmatch(table, -1)
	if len(rows) < 40 {
		t.Fatalf("%d commands in both, want the tables of six tools", len(rows))
	}
	for _, row := range rows {
		line := row[1]
		for _, s := range smaller {
			line = s.what.ReplaceAllString(line, s.by)
		}
		line = strings.ReplaceAll(line, "127.0.0.1:8000", strings.TrimPrefix(server.URL, "http://"))
		args := words(line)[1:]
		if !strings.Contains(line, " --list") && !strings.Contains(line, " --once") {
			args = append(args, "-n", "5")
		}
		// A machine that is busy makes a run inconclusive, or miss its SLO.
		if code, _, said := execute(t, args...); code != 0 && code != exitInconclusive && code != exitNotMet {
			t.Errorf("%s\nas %s: exit code %d, says %s", row[1], line, code, said)
		}
	}
}
