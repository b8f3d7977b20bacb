package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"headroom/advisor/report"
	"headroom/load"
	"headroom/profiles"
)

func TestFinishPlan(t *testing.T) {
	body := filepath.Join(t.TempDir(), "body.json")
	if err := os.WriteFile(body, []byte(`{"x":1}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		target string
		edit   func(*loadFlags)
		err    string
		check  func(profiles.Plan) string
	}{
		{"headers and a body from a file", "http://a/", func(l *loadFlags) {
			l.headers = []string{"Authorization: Bearer a:b", "X-A: 1", "X-A: 2"}
			l.body, l.plan.Method = "@"+body, "post"
		}, "", func(p profiles.Plan) string {
			return cmp.Diff([]any{"POST", `{"x":1}`, "Bearer a:b", []string{"1", "2"}},
				[]any{p.Method, string(p.Body), p.Header.Get("Authorization"), p.Header.Values("X-A")})
		}},
		{"the target by --host", "", func(l *loadFlags) { l.host = "http://b/" }, "",
			func(p profiles.Plan) string { return cmp.Diff("http://b/", p.Target) }},
		{"both", "http://a/", func(l *loadFlags) { l.host = "http://b/" }, "want one", nil},
		{"a header where the host goes", "", func(l *loadFlags) { l.host = "Accept: */*" }, "--header", nil},
		{"a bad header", "http://a/", func(l *loadFlags) { l.headers = []string{"nothing"} }, "--header: got a line that is no header, want NAME: VALUE", nil},
		{"no such file", "http://a/", func(l *loadFlags) { l.body = "@/no/such/file" }, "no such file", nil},
		{"no target", "", nil, "target: got nothing", nil},
		{"several problems at once", "http://a/", func(l *loadFlags) { l.plan.Users, l.plan.RunTime = -1, -1 }, "--users: got -1, want 1 or more\n--run-time", nil},
	} {
		l := newLoadFlags()
		if c.edit != nil {
			c.edit(l)
		}
		p, err := l.finish(c.target)
		if c.err != "" {
			var known *exit
			if err == nil || !strings.Contains(err.Error(), c.err) || !errors.As(err, &known) || known.code != exitUsage {
				t.Errorf("%s: finish = %v, want a usage error with %q", c.name, err, c.err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: finish = %v", c.name, err)
		} else if diff := c.check(p); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func TestExitCodes(t *testing.T) {
	plain := &signals{}
	cut := &signals{}
	cut.count.Add(1)
	server := &signals{}
	server.count.Add(1)
	server.expect()
	for _, c := range []struct {
		name    string
		signals *signals
		err     error
		want    int
		says    string
	}{
		{"good", plain, nil, 0, ""},
		{"usage, several problems, a line each", plain, usage("a: got 1\nb: got 2"), 2, "headroom: a: got 1\nheadroom: b: got 2\n"},
		{"anything unknown", plain, errors.New("x"), 2, "headroom: x\n"},
		{"not met, nothing more to say", plain, &exit{code: exitNotMet}, 99, ""},
		{"an interrupt wins", cut, fmt.Errorf("run: %w", context.Canceled), 130, "headroom: interrupted\n"},
		{"an interrupt hides no failure", cut, errors.Join(context.Canceled, errors.New("x")), 130, "headroom: interrupted\nheadroom: x\n"},
		{"an interrupt is how a server ends", server, nil, 0, ""},
	} {
		var out strings.Builder
		if got := exitCode(&out, c.signals, c.err); got != c.want || out.String() != c.says {
			t.Errorf("%s: exitCode = %d, says %q; want %d, %q", c.name, got, out.String(), c.want, c.says)
		}
	}
}

func TestRunVerdict(t *testing.T) {
	slo := func(holds bool) []load.Objective { return []load.Objective{{Holds: holds, Valid: true}} }
	for _, c := range []struct {
		name string
		s    load.Snapshot
		code int
		want int
	}{
		{"good", load.Snapshot{Total: load.Stats{Count: 9}}, 1, 0},
		{"all were cut off", load.Snapshot{Total: load.Stats{Aborted: 9}}, 0, 0},
		{"nothing was sent", load.Snapshot{}, 0, 3},
		{"failures without an SLO", load.Snapshot{Total: load.Stats{Count: 9, Failed: 1}}, 1, 1},
		{"requests that the end cut off", load.Snapshot{Total: load.Stats{Aborted: 1}}, 1, 1},
		{"streams that go on", load.Snapshot{Total: load.Stats{Aborted: 2, Streams: &load.Streams{Open: 2}}}, 1, 0},
		{"a stream that goes on, and a request", load.Snapshot{Total: load.Stats{Aborted: 2, Streams: &load.Streams{Open: 1}}}, 1, 1},
		{"failures are accepted", load.Snapshot{Total: load.Stats{Count: 9, Failed: 1}}, 0, 0},
		{"an SLO that was missed", load.Snapshot{SLO: slo(false)}, 1, 99},
		{"an SLO without data", load.Snapshot{SLO: []load.Objective{{Holds: true}}}, 1, 3},
		{"an SLO decides alone", load.Snapshot{Total: load.Stats{Count: 9, Failed: 1}, SLO: slo(true)}, 1, 0},
		{"a threshold decides alone", load.Snapshot{Total: load.Stats{Count: 9, Failed: 1}, Thresholds: []load.Threshold{{Valid: true, Holds: true}}}, 1, 0},
		{"a threshold missed", load.Snapshot{Total: load.Stats{Count: 9}, SLO: slo(true), Thresholds: []load.Threshold{{Valid: true}}}, 1, 99},
		{"a threshold without data", load.Snapshot{Total: load.Stats{Count: 9}, SLO: slo(true), Thresholds: []load.Threshold{{}}}, 1, 3},
		{"an SLO missed", load.Snapshot{SLO: slo(false)}, 1, 99},
		{"the generator was the limit", load.Snapshot{SLO: slo(false), Health: load.Health{Verdict: load.Limited}}, 1, 3},
	} {
		got := 0
		var known *exit
		if errors.As(runVerdict(report.Run{Result: c.s}, c.code), &known) {
			got = known.code
		}
		if got != c.want {
			t.Errorf("%s: exit code %d, want %d", c.name, got, c.want)
		}
	}
}

// Whatever the service time, the demo overloads one replica, stays below 100
// requests/s, and its configuration is valid.
func TestDemoConfig(t *testing.T) {
	for _, service := range []time.Duration{time.Millisecond, 20 * time.Millisecond, 50 * time.Millisecond, time.Second, 2 * time.Second} {
		c := demoConfig(service, 45*time.Second, 15*time.Second)
		c.Plan.Target = "http://127.0.0.1:1/"
		if err := c.Plan.Validate(); err != nil {
			t.Errorf("%v: %v", service, err)
		}
		rate := float64(c.Plan.Users) / c.Plan.Wait.Min.Seconds()
		if holds := 1 / service.Seconds(); rate > 90 || holds < 80 && rate < 1.5*holds {
			t.Errorf("%v: %.0f requests/s for a replica that answers %.0f/s", service, rate, holds)
		}
		if c.Policy.Interval.Std() != time.Second || c.Policy.Validate() != nil || c.Traffic.Low > c.Traffic.High {
			t.Errorf("%v: policy %+v, traffic %s", service, c.Policy, c.Traffic)
		}
	}
}
