package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/exp/golden"
	"github.com/google/go-cmp/cmp"

	"headroom/advisor"
	"headroom/load"
	"headroom/profiles"
)

// saved is a run with everything that a report may show.
func saved(t *testing.T) Run {
	t.Helper()
	s := snapshot(t)
	s.Total.Histogram = load.Histogram{{Time: 6007 * time.Microsecond, Count: 611}, {Time: 24015 * time.Microsecond, Count: 488}, {Time: 60031 * time.Microsecond, Count: 123}}
	s.Requests = []load.Stats{s.Total}
	for i := range 30 {
		n := int64(i + 1)
		p := load.Point{At: time.Duration(n) * time.Second, Users: min(20, i), InFlight: i % 5, Planned: float64(i), Rate: 41, Failed: float64(i % 2), Latency: quantiles(40, 12*milli),
			Total: load.Totals{Count: 41 * n, Failed: n / 2, Bytes: 4100 * n, Latency: quantiles(40*n, 12*milli), P66: 14 * milli, P75: 16 * milli, P80: 18 * milli, P98: 50 * milli, P9999: 90 * milli}}
		if i == 3 { // nothing came back
			p.Rate, p.Latency, p.Total = 0, load.Quantiles{}, load.Totals{}
		}
		s.Points = append(s.Points, p)
	}
	began := s.Started.Add(-5 * time.Second)
	result, plan := tuned(t), profiles.DefaultPlan()
	plan.Target = "http://ann:secret@127.0.0.1:8000/load/100000"
	state := advisor.State{
		Load: s, Began: began, Plan: plan, Managed: true, Policy: profiles.FixedPolicy(2),
		Search: &advisor.SearchState{Capacity: &result.Measurement.Capacity}, Advice: result.Advice, Before: result.Before, After: result.After,
		Timeline: advisor.Timeline{
			Episodes: []advisor.Episode{{Load: 5 * time.Second, At: 15 * time.Second, Settled: 15 * time.Second, Cause: advisor.ByHand, From: 10, To: 20,
				Moves: []advisor.Move{{At: 17 * time.Second, From: 1, To: 2, Why: "rps 41.0 with a target of 20 per replica asks for 2"}}}},
			Annotations: []advisor.Annotation{{At: time.Second, Kind: advisor.EditedByHand, Text: "before the load"}, {At: 17 * time.Second, Kind: advisor.Decided, Text: "1 -> 2"}},
		},
		Events: []advisor.Event{
			{N: 1, At: s.Started, Kind: "run", Text: "swarming with 20 users"},
			{N: 2, At: s.Started.Add(12 * time.Second), Kind: "scale", Text: "1 -> 2: rps 41.0 with a target of 20 <per> replica | asks for 2"},
		},
	}
	for i := range 36 {
		state.Points = append(state.Points, advisor.Point{At: time.Duration(i) * time.Second, Wanted: 1 + i/18, Up: 1 + i/20, Answering: min(i/5, 1)})
	}
	r := NewRun(state, "headroom v1.2.3", []string{"headroom", "run", plan.Target, "-u", "20", "--slo", "p50<50ms,p95<1s", "--header", "Authorization: Bearer abc", "--body", "it's"})
	r.Machine = advisor.Machine{OS: "linux", Arch: "amd64", Cores: 2}
	return r
}

func write(t *testing.T, format string, r Run) string {
	t.Helper()
	f, ok := Formats.Find(format)
	if !ok {
		t.Fatalf("no format %q", format)
	}
	var out bytes.Buffer
	if err := f.Write(&out, r, 0); err != nil {
		t.Fatalf("%s: %v", format, err)
	}
	return out.String()
}

func TestFormats(t *testing.T) {
	for _, f := range Formats {
		if f.Name == "json" {
			continue // what is saved has a test of its own
		}
		t.Run(f.Name, func(t *testing.T) { golden.RequireEqual(t, []byte(write(t, f.Name, saved(t)))) })
		if f.Pair == nil {
			continue
		}
		t.Run(f.Name+"-pair", func(t *testing.T) {
			a, b := saved(t), saved(t)
			b.Result.Points, b.Result.SLO = b.Result.Points[:20], b.Result.SLO[:1]
			var out bytes.Buffer
			if err := f.Pair(&out, a, b, 0); err != nil {
				t.Fatal(err)
			}
			golden.RequireEqual(t, out.Bytes())
		})
	}
	for _, file := range LocustFiles {
		t.Run("locust"+file.Suffix, func(t *testing.T) {
			var out bytes.Buffer
			if err := file.Write(&out, saved(t)); err != nil {
				t.Fatal(err)
			}
			golden.RequireEqual(t, out.Bytes())
		})
	}
}

// A run of which there is nothing to say can be rendered, and says no number
// that nobody measured.
func TestFormatsOfNothing(t *testing.T) {
	empty := NewRun(advisor.State{Load: load.Snapshot{Started: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Requests: []load.Stats{{Name: "GET /"}}, Total: load.Stats{Name: "GET /"}, Health: load.Health{Verdict: load.Sound}}}, "", nil)
	for _, f := range Formats {
		text := write(t, f.Name, empty)
		for _, not := range []string{"NaN", "Inf", "%!"} {
			if strings.Contains(text, not) {
				t.Errorf("%s says %q:\n%s", f.Name, not, text)
			}
		}
		if f.Pair != nil {
			if err := f.Pair(&bytes.Buffer{}, empty, empty, 80); err != nil {
				t.Errorf("%s of two: %v", f.Name, err)
			}
		}
	}
}

// What is made of a saved run is what was made of it at its end.
func TestFormatsOfARunThatWasRead(t *testing.T) {
	r := saved(t)
	r.Result.Started = r.Result.Started.In(time.FixedZone("", 3600))
	back, err := ReadRun(strings.NewReader(write(t, "json", r)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range Formats {
		if diff := cmp.Diff(write(t, f.Name, r), write(t, f.Name, back)); diff != "" {
			t.Errorf("%s of the run that was read (-want +got):\n%s", f.Name, diff)
		}
	}
}

func TestReadRunRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"{":                                      "not a run: unexpected EOF",
		`{"kind": "measurement"}`:                `got kind "measurement" and version "", want run and headroom/v1`,
		`{"kind":"run","version":"2`:             "not a run: unexpected EOF",
		`{"result":{"total":{"histogram":"x"}}}`: "not a run: histogram: ",
	} {
		if _, err := ReadRun(strings.NewReader(text)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("ReadRun(%s) = %v, want %s", text, err, want)
		}
	}
}

// Nothing that lets somebody in is in any report.
func TestReportsHaveNoSecrets(t *testing.T) {
	for _, f := range Formats {
		for _, secret := range []string{"abc", "ann:secret"} {
			if text := write(t, f.Name, saved(t)); strings.Contains(text, secret) {
				t.Errorf("%s has %q in it:\n%s", f.Name, secret, text)
			}
		}
	}
	command := []string{"run", "--header=Cookie: a=b", "--header", "X-API-Key:  k", "--header", "X-User: ann", "http://a:b@h/", "--host=http://a:b@h", "--workers-url", "http://h/w?key=k", "a:b@c", "--slo=p95<1s", "x=", "-u",
		"--pin", "1", "--pin=2", "--body", `{"pin": "3", "a": 4}`, "http://h/?a=5&pin=6", "--header", "Authorization: Bearer ${env.T}"}
	want := []string{"run", "--header=Cookie: ***", "--header", "X-API-Key:  ***", "--header", "X-User: ann", "http://a:***@h/", "--host=http://a:***@h", "--workers-url", "http://h/w?***", "a:b@c", "--slo=p95<1s", "x=", "-u",
		"--pin", "***", "--pin=***", "--body", `{"pin": "***", "a": 4}`, "http://h/?a=5&pin=***", "--header", "Authorization: Bearer ${env.T}"}
	if got := withoutSecrets(command, profiles.NewSecrets("Pin")); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("withoutSecrets(%q) = %q, want %q", command, got, want)
	}
}

func TestConclusion(t *testing.T) {
	good := load.Snapshot{Total: load.Stats{Count: 5}, Health: load.Health{Verdict: load.Sound}}
	with := func(change func(*load.Snapshot)) load.Snapshot {
		s := good
		change(&s)
		return s
	}
	for name, c := range map[string]struct {
		s    load.Snapshot
		mood mood
		text string
	}{
		"nothing asked": {good, plain, "No objective was given, and nothing failed"},
		"failed":        {with(func(s *load.Snapshot) { s.Total.Failed = 1 }), bad, "1 request of 5 failed; no objective was given"},
		"met":           {with(func(s *load.Snapshot) { s.SLO = objectives(t, "p95<1s", 0.5) }), "good", "Objectives met: p95<1s"},
		"missed":        {with(func(s *load.Snapshot) { s.SLO = objectives(t, "p95<1s,errors<1%", 2, 0) }), bad, "Objectives missed: p95<1s is 2s"},
		"no data":       {with(func(s *load.Snapshot) { s.SLO = []load.Objective{{Name: "p95<1s"}} }), unsure, "Inconclusive: it cannot be told of p95<1s"},
		"nothing sent":  {load.Snapshot{}, unsure, "Inconclusive: no request was sent"},
		"generator":     {with(func(s *load.Snapshot) { s.Health = load.Health{Verdict: load.Limited, Reason: "late"} }), unsure, "Inconclusive: the generator, not the target, was the limit (late)"},
	} {
		if m, text := conclusion(Run{Result: c.s}); m != c.mood || text != c.text {
			t.Errorf("%s: conclusion = %s, %q, want %s, %q", name, m, text, c.mood, c.text)
		}
	}
}

func TestShellWord(t *testing.T) {
	for arg, want := range map[string]string{"-u": "-u", "http://h/x": "http://h/x", "p95<1s": "'p95<1s'", "it's": `'it'\''s'`, "": "''", "a b": "'a b'", "$x": "'$x'"} {
		if got := shellWord(arg); got != want {
			t.Errorf("shellWord(%q) = %s, want %s", arg, got, want)
		}
	}
}

// The JSON of the objectives has no infinity, and says what was crossed.
func TestK6Thresholds(t *testing.T) {
	r := saved(t)
	r.Result.SLO = objectives(t, "p95<1s,mean<2s,max<=3s,errors<1%,rps>=40,ttft.p95<1s,chat.p95<1s", 2, 1, math.Inf(1), 0.5, 41, 1, 1)
	var got struct {
		Metrics map[string]struct{ Thresholds map[string]bool }
	}
	if err := json.Unmarshal([]byte(write(t, "k6", r)), &got); err != nil {
		t.Fatal(err)
	}
	for metric, want := range map[string]map[string]bool{
		"http_req_duration": {"p(95)<1000": true, "avg<2000": false, "max<=3000": true},
		"http_req_failed":   {"rate<0.01": true},
		"http_reqs":         {"rate>=40": false},
	} {
		if fmt.Sprint(got.Metrics[metric].Thresholds) != fmt.Sprint(want) {
			t.Errorf("%s: thresholds %v, want %v", metric, got.Metrics[metric].Thresholds, want)
		}
	}
}
