package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"headroom/advisor"
	"headroom/load"
	"headroom/profiles"
)

func threshold(t *testing.T, text string, judged load.Threshold) load.Threshold {
	t.Helper()
	var err error
	if judged.Threshold, err = profiles.ParseThreshold(text); err != nil {
		t.Fatal(err)
	}
	return judged
}

// gated is a run with everything that can be asked of one.
func gated(t *testing.T) Run {
	t.Helper()
	r := saved(t)
	r.Result.SLO = r.Result.SLO[:1]
	r.Result.Thresholds = []load.Threshold{
		threshold(t, "http_req_duration: p(95)<1500", load.Threshold{Value: 1200, Valid: true, Holds: true}),
		threshold(t, "http_req_duration{name:GET /load/100000}: p(95)<500 abortOnFail delay=10s every=5s", load.Threshold{Value: 1200, AtLeast: true, Unanswered: 60, Windows: 6, Missed: 2, At: 30 * time.Second, Valid: true}),
		threshold(t, "http_req_duration{name:login}: med<500", load.Threshold{}),
		threshold(t, "http_req_failed: rate<0.001", load.Threshold{Value: 0.0097, Valid: true}),
	}
	r.Result.EndedBy = r.Result.Thresholds[1].Threshold.String()
	before := saved(t)
	before.Target, before.Result.Wanted, before.Result.Spawned, before.Result.Loaded = "http://elsewhere/", 10, 10, time.Minute
	r.Result.Tail = &load.Tail{P95: 1200 * milli, Low: 1100 * milli, High: 1300 * milli}
	before.Result.Tail = &load.Tail{P95: 800 * milli, Low: 750 * milli, High: 850 * milli}
	r.Baseline = r.Against(before, "base.json", 100)
	return r
}

// What was asked of a run is in each format that says what came of it.
func TestGatesAreInEveryFormat(t *testing.T) {
	const change = "+50 % [+35 % … +66 %]"
	for format, want := range map[string][]string{
		"text": {"threshold http_req_duration: p(95)<1500: 1200ms ✓",
			"p(95)<500 abortOnFail delay=10s every=5s: over 1200ms in the worst of 6 windows, up to 30s; missed in 2 ✗ (60 requests were over it without a whole answer)",
			"threshold http_req_duration{name:login}: med<500: no data\n", "threshold http_req_failed: rate<0.001: 0.0097 ✗",
			"the load ended early, after 30s: http_req_duration{name:GET /load/100000}: p(95)<500 abortOnFail delay=10s every=5s was missed",
			"latency p95 against base.json: worse; it is 1.2s [1.1s … 1.3s], it was 800ms [750ms … 850ms]: " + change, "another target: ", "another load: 20 users, it was 10 users", "another length: 30s, it was 1m"},
		"markdown": {"## Thresholds", "| http\\_req\\_failed: rate&lt;0.001 | 0.0097 | missed ✗ |", "## Baseline", "| worse |", "+50 % \\[+35 % … +66 %\\]", "another load: 20 users"},
		"html":     {"<h2>Thresholds</h2>", "http_req_failed: rate&lt;0.001", "missed ✗", "<h2>Baseline</h2>", "the load ended early"},
		"json":     {`"thresholds":[{"threshold":"http_req_duration: p(95)<1500","value":1200`, `"endedBy":"http_req_duration{name:`, `"change":"worse"`},
		"junit": {`<failure message="it is 0.0097" type="threshold">`, `<error message="no data" type="inconclusive">http_req_duration{name:login}: med&lt;500: no data</error>`,
			`<failure message="the change is beyond the tolerance of 10%, whatever chance did" type="baseline">`, "another target: "},
	} {
		text := write(t, format, gated(t))
		for _, part := range want {
			if !strings.Contains(text, part) {
				t.Errorf("%s does not say %q:\n%s", format, part, text)
			}
		}
	}
}

func TestThresholdsSideBySide(t *testing.T) {
	var out bytes.Buffer
	if err := WritePair(&out, gated(t), saved(t), 0); err != nil {
		t.Fatal(err)
	}
	if got, want := out.String(), "http_req_failed: rate<0.001"; strings.Count(got, want) != 1 || !strings.Contains(got, "0.0097 ✗") {
		t.Errorf("side by side\n%s\nwant %q once", got, want)
	}
}

func TestThresholdsInJUnit(t *testing.T) {
	got := junitCases(t, gated(t))
	for name, want := range map[string]string{
		"http_req_duration: p(95)<1500": "passed", "http_req_duration{name:login}: med<500": "error", "http_req_failed: rate<0.001": "failure",
		"latency p95 against base.json": "failure", "GET /load/100000": "passed", "generator healthy": "passed",
	} {
		if got[name] != want {
			t.Errorf("case %q %s, want %s", name, got[name], want)
		}
	}
}

func TestThresholdsInK6(t *testing.T) {
	r := gated(t)
	r.Result.Total.Latency = quantiles(9, milli)
	var out struct {
		Metrics map[string]struct {
			Thresholds map[string]bool
			Count      int
			Med        float64
		}
	}
	if err := json.Unmarshal([]byte(write(t, "k6", r)), &out); err != nil {
		t.Fatal(err)
	}
	for metric, want := range map[string]map[string]bool{
		"http_req_duration":                        {"p(95)<1500": false, "p(50)<50": false},
		"http_req_duration{name:GET /load/100000}": {"p(95)<500": true},
		"http_req_duration{name:login}":            {"med<500": true},
		"http_req_failed":                          {"rate<0.001": true},
	} {
		if got := out.Metrics[metric].Thresholds; !maps.Equal(got, want) {
			t.Errorf("%s: thresholds %v, want %v", metric, got, want)
		}
	}
	if med := out.Metrics["http_req_duration{name:GET /load/100000}"].Med; med != 12 {
		t.Errorf("median of the task %v, want 12 ms", med)
	}
}

func TestVerdict(t *testing.T) {
	judged := func(valid, holds bool) []load.Threshold { return []load.Threshold{{Valid: valid, Holds: holds}} }
	for _, c := range []struct {
		name string
		edit func(*Run)
		want Verdict
	}{
		{"nothing asked", func(*Run) {}, Unasked},
		{"an SLO held", func(r *Run) { r.Result.SLO = []load.Objective{{Valid: true, Holds: true}} }, Met},
		{"a threshold held", func(r *Run) { r.Result.Thresholds = judged(true, true) }, Met},
		{"a threshold missed", func(r *Run) { r.Result.Thresholds = judged(true, false) }, Missed},
		{"a threshold without data", func(r *Run) { r.Result.Thresholds = judged(false, false) }, Inconclusive},
		{"one without data, one missed", func(r *Run) { r.Result.Thresholds = append(judged(false, false), judged(true, false)...) }, Missed},
		{"a baseline held", func(r *Run) { r.Baseline = &advisor.Comparison{Change: advisor.NotWorse} }, Met},
		{"better than the baseline", func(r *Run) { r.Baseline = &advisor.Comparison{Change: advisor.Better} }, Met},
		{"worse than the baseline", func(r *Run) { r.Baseline = &advisor.Comparison{Change: advisor.Worse} }, Missed},
		{"it cannot be told", func(r *Run) { r.Baseline = &advisor.Comparison{Change: advisor.Unclear} }, Inconclusive},
		{"the generator was the limit", func(r *Run) { r.Result.Thresholds, r.Result.Health.Verdict = judged(true, false), load.Limited }, Inconclusive},
		{"nothing sent", func(r *Run) { r.Result.Total.Count = 0 }, Inconclusive},
	} {
		r := Run{Result: load.Snapshot{Total: load.Stats{Count: 9}}}
		c.edit(&r)
		if got := r.Verdict(); got != c.want {
			t.Errorf("%s: verdict %s, want %s", c.name, got, c.want)
		}
	}
}

func TestAgainst(t *testing.T) {
	open := saved(t)
	open.Result.Open, open.Result.Health.Due = true, 3000
	less := open
	less.Result.Health.Due = 1500
	for _, r := range []*Run{&open, &less} {
		r.Result.Tail = &load.Tail{P95: milli, Low: milli, High: milli}
	}
	if got := open.Against(open, "f", 0); len(got.Differs) != 0 || got.Change != advisor.NotWorse {
		t.Errorf("a run against itself: %+v, want no difference", got)
	}
	if got, want := open.Against(less, "f", 0).Differs, []string{"another rate of arrivals: 100/s, it was 50.0/s"}; !slices.Equal(got, want) {
		t.Errorf("differs %q, want %q", got, want)
	}
}

func TestCheckBaseline(t *testing.T) {
	for _, c := range []struct {
		tail *load.Tail
		want string
	}{
		{nil, "got a run that does not say how sure its p95 is, want one of 5 seconds or more with answers"},
		{&load.Tail{P95: load.Unbounded}, "got a run in which so many requests failed that it has no p95, want one that is good"},
		{&load.Tail{P95: milli}, ""},
	} {
		got := ""
		if err := CheckBaseline(Run{Result: load.Snapshot{Tail: c.tail}}); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("CheckBaseline with tail %+v = %q, want %q", c.tail, got, c.want)
		}
	}
}

// A saved run is rendered again with the comparison that was made then, and a
// value that is unbounded does not break it.
func TestGatesReadBack(t *testing.T) {
	r := gated(t)
	r.Result.Thresholds[0].Value = load.Figure(math.Inf(1))
	r.Baseline.Ratio.High = load.Figure(math.Inf(1))
	var file bytes.Buffer
	if err := WriteRun(&file, r); err != nil {
		t.Fatal(err)
	}
	again, err := ReadRun(&file)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range Formats {
		if got, want := write(t, f.Name, again), write(t, f.Name, r); got != want {
			t.Errorf("%s of the saved run is\n%s\nwant\n%s", f.Name, got, want)
		}
	}
	if err := WriteBaseline(io.Discard, nil, 0); err != nil {
		t.Errorf("WriteBaseline of nothing: %v", err)
	}
}

// A measurement says in CI what became of its capacity.
func TestMeasurementInCI(t *testing.T) {
	c := capacity()
	good := advisor.Measurement{Target: "http://a/", SLO: "p95<250ms", Date: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Capacity: c}
	with := func(change func(*advisor.Measurement)) advisor.Measurement {
		m := good
		change(&m)
		return m
	}
	worse := &advisor.Comparison{Figure: "capacity", Baseline: "old.json", Before: c.SLO, Now: &c.SLO, Change: advisor.Worse, Why: "it is", Differs: []string{"another target"}}
	for _, tt := range []struct {
		name            string
		m               advisor.Measurement
		junit, markdown string // in it
	}{
		{"good", good, `<testsuites name="headroom http://a/" tests="1" failures="0" errors="0" time="44.000">`, "**31.8/s \\[– … 40.8\\] under p95&lt;250ms**"},
		{"worse", with(func(m *advisor.Measurement) { m.Baseline = worse }), `<failure message="it is" type="baseline">capacity against old.json: worse`, "| capacity | 31.8/s \\[– … 40.8\\] | 31.8/s \\[– … 40.8\\] | – | worse |\n\nit is\n"},
		{"cannot tell", with(func(m *advisor.Measurement) { m.Baseline = &advisor.Comparison{Change: advisor.Unclear, Why: "short"} }), `<error message="short" type="inconclusive">`, "**⚠️ 31.8/s"},
		{"refused", with(func(m *advisor.Measurement) { m.Capacity.Refusal = &advisor.Refusal{Why: "it drifts", Do: "wait"} }), `<error message="it drifts" type="inconclusive">wait</error>`, "**⚠️ Refused: it drifts**"},
	} {
		var junit, markdown bytes.Buffer
		if err := errors.Join(WriteMeasurementJUnit(&junit, tt.m), WriteMeasurementMarkdown(&markdown, tt.m)); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		checkJUnit(t, junit.String())
		if !strings.Contains(junit.String(), tt.junit) {
			t.Errorf("%s: JUnit is\n%s\nwant %q in it", tt.name, junit.String(), tt.junit)
		}
		if !strings.Contains(markdown.String(), tt.markdown) {
			t.Errorf("%s: Markdown is\n%s\nwant %q in it", tt.name, markdown.String(), tt.markdown)
		}
	}
}

// What two replicas hold is told beside what one does, or why it is not known.
func TestCapacityOfTwo(t *testing.T) {
	one := advisor.Interval{Value: 30, Low: 28, High: 32, Unit: "/s"}
	two := &advisor.Interval{Value: 69, Low: 66, High: 72, Unit: "/s"}
	for _, c := range []struct {
		name    string
		one     advisor.Interval
		scaling *advisor.Scaling
		steps   string // in the steps
		beside  string // in the comparison with a measurement that has none; empty: nothing is
	}{
		{"only one", one, nil, "", ""},
		{"of before that was measured", one, &advisor.Scaling{}, "2 replicas: 95.0/s at saturation, 95 % of so many times one [94 … 96]\ngrade", ""},
		{"measured", one, &advisor.Scaling{SLO: two}, "2 replicas: 69.0/s [66.0 … 72.0] under the SLO, 115 % [106 … 125] of so many times one\n", "2: 69.0/s [66.0 … 72.0]"},
		{"little is proven of one", advisor.Interval{Value: 30, High: 32, Unit: "/s"}, &advisor.Scaling{SLO: two}, "2 replicas: 69.0/s [66.0 … 72.0] under the SLO\n", "2: 69.0/s [66.0 … 72.0]"},
		{"left out", one, &advisor.Scaling{Skipped: "it takes a --budget of 3m or more"}, "2 replicas: not measured under the SLO, as it takes a --budget of 3m or more\n", ""},
	} {
		if m := c.scaling; m != nil {
			m.Replicas, m.Saturation, m.Efficiency = 2, 95, advisor.Interval{Value: 0.95, Low: 0.94, High: 0.96}
		}
		m := advisor.Measurement{SLO: "p95<250ms", Capacity: capacity()}
		without := m
		m.Capacity.SLO, m.Capacity.Scaling = c.one, c.scaling
		var steps, beside bytes.Buffer
		if err := errors.Join(WriteSteps(&steps, m.Capacity), WriteMeasurements(&beside, without, m, 0)); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if !strings.Contains(steps.String(), c.steps) || (c.scaling == nil) == strings.Contains(steps.String(), "2 replicas") {
			t.Errorf("%s: the steps are\n%s\nwant %q", c.name, steps.String(), c.steps)
		}
		if row := strings.Contains(beside.String(), "so many together, under it"); row != (c.beside != "") || !strings.Contains(beside.String(), c.beside) {
			t.Errorf("%s: the comparison is\n%s\nwant %q", c.name, beside.String(), c.beside)
		}
	}
}
