package report

import (
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"headroom/load"
)

// What Jenkins's schema for JUnit and GitLab's documentation of it have in
// common: elements, and of each that around it and its attributes, all of which
// are written.
var junitKnown = map[string]struct{ within, attributes string }{
	"testsuites": {"", "name tests failures errors time"},
	"testsuite":  {"testsuites", "name tests failures errors skipped time timestamp"},
	"testcase":   {"testsuite", "classname name time"},
	"failure":    {"testcase", "message type"},
	"error":      {"testcase", "message type"},
	"system-out": {"testcase", ""},
}

// junitCases reads a report, checks each element, and returns what became of
// the cases by their names.
func junitCases(t *testing.T, r Run) map[string]string {
	t.Helper()
	return checkJUnit(t, write(t, "junit", r))
}

func checkJUnit(t *testing.T, text string) map[string]string {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(text))
	counted, claimed := map[string]int{}, map[string]int{} // tests, failures and errors, by their element
	var open []string
	name, cases := "", map[string]string{}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			if diff := cmp.Diff(counted, claimed); diff != "" {
				t.Errorf("the counts of suites (-counted +claimed):\n%s", diff)
			}
			return cases
		}
		if err != nil {
			t.Fatal(err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			known, ok := junitKnown[e.Name.Local]
			parent := ""
			if len(open) > 0 {
				parent = open[len(open)-1]
			}
			if !ok || parent != known.within {
				t.Errorf("<%s> within <%s>", e.Name.Local, parent)
			}
			open = append(open, e.Name.Local)
			if counter, ok := map[string]string{"testcase": "tests", "failure": "failures", "error": "errors"}[e.Name.Local]; ok {
				counted[counter]++
			}
			var has []string
			for _, a := range e.Attr {
				has = append(has, a.Name.Local)
				if n, err := strconv.Atoi(a.Value); err == nil && n > 0 && e.Name.Local == "testsuite" && a.Name.Local != "name" {
					claimed[a.Name.Local] += n
				}
				if e.Name.Local == "testcase" && a.Name.Local == "name" {
					name = a.Value
					cases[name] = "passed"
				}
			}
			if want := strings.Fields(known.attributes); !slices.Equal(has, want) {
				t.Errorf("<%s> has %q, want %q", e.Name.Local, has, want)
			}
			if e.Name.Local == "failure" || e.Name.Local == "error" {
				cases[name] = e.Name.Local
			}
		case xml.EndElement:
			open = open[:len(open)-1]
		}
	}
}

func TestJUnitSaysWhatFailed(t *testing.T) {
	r := severalTasks(t)
	r.Result.SLO = nil
	text := write(t, "junit", r)
	for _, want := range []string{`<failure message="12 of 1234 failed, 63 were cut off by the end" type="requests">6 x status: 502 Bad Gateway</failure>`,
		`<failure message="4 of 4 failed" type="requests">4 x status: 502 Bad Gateway&#xA;1 x check: chat: check json ok: got 2</failure>`} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
}

func TestJUnit(t *testing.T) {
	judged, unjudged, limited := saved(t), saved(t), saved(t)
	judged.Result.SLO[0].Valid = false
	unjudged.Result.SLO = nil
	limited.Result.Health.Verdict = load.Limited
	cut := saved(t)
	cut.Result.SLO, cut.Result.Requests[0].Failed, cut.Result.Requests[0].Aborted = nil, 0, 1
	for name, c := range map[string]struct {
		run  Run
		want map[string]string
	}{
		"objectives decide": {judged, map[string]string{"p50<50ms": "error", "p95<1s": "failure", "p99<1s": "failure", "errors<1%": "passed", "GET /load/100000": "passed", "generator healthy": "passed"}},
		"else requests do":  {unjudged, map[string]string{"GET /load/100000": "failure", "generator healthy": "passed"}},
		"no whole answer":   {cut, map[string]string{"GET /load/100000": "failure", "generator healthy": "passed"}},
		"the generator":     {limited, map[string]string{"p50<50ms": "passed", "p95<1s": "failure", "p99<1s": "failure", "errors<1%": "passed", "GET /load/100000": "passed", "generator healthy": "error"}},
	} {
		got := junitCases(t, c.run)
		if len(got) != len(c.want) {
			t.Errorf("%s: cases %v, want %v", name, got, c.want)
		}
		for test, want := range c.want {
			if got[test] != want {
				t.Errorf("%s: %s %s, want %s", name, test, got[test], want)
			}
		}
	}
}
