package profiles

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// parseAll reads settings that are separated by blanks; "~" stands for a blank
// within one.
func parseAll(t testing.TB, text string) (out []Setting) {
	t.Helper()
	for _, word := range strings.Fields(text) {
		s, err := ParseSetting(strings.ReplaceAll(word, "~", " "))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, s)
	}
	return out
}

func TestParseSetting(t *testing.T) {
	for _, c := range []struct {
		text string
		want Setting
	}{
		{"replicas.max=5", Setting{"replicas.max", "5"}},
		{" toZero = ", Setting{"toZero", ""}},
		{`metrics[0].query=a{b="c"}`, Setting{"metrics[0].query", `a{b="c"}`}},
	} {
		got, err := ParseSetting(c.text)
		if err != nil || got != c.want {
			t.Errorf("ParseSetting(%q) = %v, %v, want %v", c.text, got, err, c.want)
		}
	}
	for _, text := range []string{"", "max_workers", "=5", "max_workers: 5"} {
		_, err := ParseSetting(text)
		wantLines(t, text, err, []string{`got "` + text + `", want key=value such as`})
	}
}

func TestWith(t *testing.T) {
	seed := func(p *Policy) { *p = rpsPolicy(); p.Replicas = Bounds{Min: 1, Max: 5} }
	fixed := func(p *Policy) { *p = FixedPolicy(3) }
	for _, c := range []struct {
		settings string
		from     func(*Policy)
		want     func(*Policy)
	}{
		{"replicas.max=9", seed, func(p *Policy) { p.Replicas.Max = 9 }},
		{"max_workers=9", seed, func(p *Policy) { p.Replicas.Max = 9 }},
		{"replicas.max=unlimited", seed, func(p *Policy) { p.Replicas.Max = Unlimited }},
		{"min_workers=8 max_workers=10", seed, func(p *Policy) { p.Replicas = Bounds{Min: 8, Max: 10} }},
		{"max_workers=10 min_workers=8", seed, func(p *Policy) { p.Replicas = Bounds{Min: 8, Max: 10} }},
		{"max_workers=7 max_workers=8", seed, func(p *Policy) { p.Replicas.Max = 8 }},
		{"metrics[0].target=0.125", seed, func(p *Policy) { p.Metrics[0].Target = 125 }},
		{"metrics[0].panic={window:~3s,~threshold:~2.5}", seed, func(p *Policy) { p.Metrics[0].Panic = &Panic{Duration(3 * second), 2500} }},
		{"metrics[0].panic.window=3s metrics[0].panic.threshold=2.5", seed, func(p *Policy) { p.Metrics[0].Panic = &Panic{Duration(3 * second), 2500} }},
		{"metrics[1].kind=in_flight metrics[1].target=2 interval=15", seed, func(p *Policy) {
			p.Interval = Duration(15 * second)
			p.Metrics = append(p.Metrics, Metric{Kind: InFlight, Target: 2000, Window: Duration(15 * second)})
		}},
		{"metrics=[{kind:~in_flight,~target:~1.5,~window:~5s}]", seed, func(p *Policy) {
			p.Metrics = []Metric{{Kind: InFlight, Target: 1500, Window: Duration(5 * second)}}
		}},
		{"metrics= replicas.min=5", seed, func(p *Policy) { p.Metrics, p.Replicas.Min = nil, 5 }},
		{"up.step=2 up.factor=1.5 up.step=", seed, func(p *Policy) { p.Up.Factor = 1500 }},
		{"down.stabilization=", seed, func(p *Policy) { p.Down.Stabilization = Duration(5 * time.Minute) }},
		{"tolerance=12.5% onMetricError=4 down.order=oldest", seed, func(p *Policy) {
			p.Tolerance, p.OnMetricError, p.Down.Order = 125, 4, Oldest
		}},
		{"min_workers=0 toZero.after=90", seed, func(p *Policy) { p.Replicas.Min, p.ToZero = 0, &ToZero{Duration(90 * second)} }},
		{"calibration={latency:~20ms}", seed, func(p *Policy) { p.Calibration = &Calibration{Latency: Duration(20 * time.Millisecond)} }},
		{"schedules=[{start:~0~9~*~*~*,~end:~0~17~*~*~*,~min:~3}]", seed, func(p *Policy) {
			p.Schedules = []Schedule{{Start: "0 9 * * *", End: "0 17 * * *", Min: 3}}
		}},

		// EverAI's names.
		{"scale_up_step=2 max_idle_time=30", seed, func(p *Policy) { p.Up.Step, p.Down.Idle = 2, Duration(30*second) }},
		{"max_queue_size=2", seed, func(p *Policy) {
			p.Metrics = append(p.Metrics, Metric{Kind: Queue, Target: 2000, Window: Duration(second)})
		}},
		{"max_queue_size=2 max_queue_size=3", seed, func(p *Policy) {
			p.Metrics = append(p.Metrics, Metric{Kind: Queue, Target: 3000, Window: Duration(second)})
		}},
		{"max_queue_size=2 max_queue_size=", seed, func(*Policy) {}},
		{"max_workers=5 min_workers=1 min_free_workers=2", fixed, func(p *Policy) {
			p.Replicas = Bounds{Min: 1, Max: 5}
			p.Metrics = []Metric{{Kind: FreeWorkers, Target: 2000, Window: Duration(second)}}
			p.Down.Stabilization = 0
		}},
		{"down.stabilization=1m min_free_workers=2", fixed, func(p *Policy) {
			p.Metrics = []Metric{{Kind: FreeWorkers, Target: 2000, Window: Duration(second)}}
			p.Down.Stabilization = Duration(time.Minute)
		}},
	} {
		var p, want Policy
		c.from(&p)
		c.from(&want)
		p.Platforms = map[string]any{"hpa": "a: document\n"}
		want.Platforms = p.Platforms
		c.want(&want)
		before := p
		got, err := p.With(parseAll(t, c.settings)...)
		if err != nil {
			t.Errorf("With(%s): %v", c.settings, err)
			continue
		}
		if diff := samePolicy(want, got); diff != "" {
			t.Errorf("With(%s): -want +got\n%s", c.settings, diff)
		}
		if diff := samePolicy(before, p); diff != "" {
			t.Errorf("With(%s) changed its own policy:\n%s", c.settings, diff)
		}
	}
}

// All problems come at once, by the keys that were given, and nothing changes.
func TestWithRefuses(t *testing.T) {
	for _, c := range []struct {
		settings string
		want     []string // beginnings of the lines
	}{
		{"max_workers=0", []string{`max_workers: got "0", want a whole number of 1 or more, or unlimited`}},
		{"max_workers=many min_workers=few", []string{`min_workers: got "few", want a whole number`, `max_workers: got "many"`}},
		{"min_workers=8", []string{"replicas.max: got 5, want replicas.min (8) or more"}},
		{"max_workers=2 replicas.min=3", []string{"max_workers: got 2, want replicas.min (3) or more"}},
		{"max_worker=2 replicas.maximum=3 up.steps= metrics[0].knd=rps", []string{
			"max_worker: unknown key, want version, kind, replicas, toZero, metrics, combine, interval, tolerance, up, down, schedules, onMetricError, calibration, max_idle_time, max_workers, min_workers, scale_up_step, max_queue_size, min_free_workers", "replicas.maximum: unknown key, want min, max, initial, idle",
			"up.steps: unknown key, want step,", "metrics[0].knd: unknown key, want kind,"}},
		{"metrics[3].target=2", []string{"metrics[3].target: got index 3, want less than 1"}},
		{"metrics[1]=", []string{"metrics[1]: got index 1, want less than 1"}},
		{"metrics[-1].target=2 metrics.target=2 [0]=x replicas[0].min=1", []string{
			"metrics[-1].target: unknown key, want one such as", "metrics.target: unknown key", "[0]: unknown key", "replicas[0].min: unknown key"}},
		{"interval.seconds=5", []string{"interval.seconds: unknown key, want interval as a whole"}},
		{"max_worker=2 interval=soon", []string{`interval: got "soon", want a duration`, "max_worker: unknown key"}},
		{"interval=soon max_workers=0.5 metrics[0].target=0 tolerance=200%", []string{
			`max_workers: got "0.5"`, `interval: got "soon"`, "metrics[0].target: got 0, want more than 0", "tolerance: got 200%, want 0% to 100%"}},
		{"max_workers=abc min_workers=-3 foo=1 metrics[0].target=0 interval=zz", []string{
			`max_workers: got "abc"`, `interval: got "zz"`, "min_workers: got -3, want 1 or more", "metrics[0].target: got 0, want more than 0", "foo: unknown key"}},
		{"foo=1 up.step=-2", []string{"up.step: got -2", "foo: unknown key"}},
		{"metrics= replicas.min=abc", []string{`replicas.min: got "abc", want a whole number`}}, // not that nothing is measured
		{"replicas.initial=7 max_workers=0", []string{`max_workers: got "0"`}},
		{"metrics[0].panic={window:~3s,~threshold:~2} metrics[0].window=x", []string{`metrics[0].window: got "x"`}},
		{"schedules=[{match:~'*~*~*~*~*',~set:~{interval:~x,~'metrics[0].target':~0}}]", []string{
			`schedules[0].set.interval: got "x"`, "schedules[0].set.metrics[0].target: got 0"}},
		{"schedules=[{match:~'*~*~*~*~*',~set:~{up.step:~-1}}] min_workers=-3", []string{"min_workers: got -3", "schedules[0].set.up.step: got -1"}},
		{"schedules=[{match:~'*~*~*~*~*',~set:~{up.step:~1}}] interval=x", []string{`interval: got "x"`}},
		{"platforms={}", []string{"platforms: unknown key"}},
		{"metrics=[", []string{`metrics: got "[", want a list or keys with values`}},
		{"metrics=rps", []string{`metrics: got "rps", want a list`}},
		{"metrics[1].target=2", []string{"metrics[1].kind: got nothing, want one of"}},
		{"min_free_workers=none", []string{`min_free_workers: got "none", want a number`}},
		{"max_queue_size=0", []string{"max_queue_size: got 0, want more than 0"}},
		{"scale_up_step=1.5 max_idle_time=soon", []string{`scale_up_step: got "1.5", want a whole number`, `max_idle_time: got "soon", want a duration`}},
		{"min_workers=0", []string{"min_workers: got 0, want 1 or more, or 0 together with toZero"}},
	} {
		p := rpsPolicy()
		p.Replicas = Bounds{Min: 1, Max: 5}
		got, err := p.With(parseAll(t, c.settings)...)
		wantLines(t, c.settings, err, c.want)
		if diff := samePolicy(Policy{}, got); diff != "" {
			t.Errorf("With(%s) returns half a policy:\n%s", c.settings, diff)
		}
	}
}

func TestParseSettings(t *testing.T) {
	for _, c := range []struct {
		text string
		want []Setting
	}{
		{"max_workers: 5\nmin_workers: '1'\n", []Setting{{"max_workers", "5"}, {"min_workers", "1"}}},
		{`{"replicas": {"max": 5, "idle": null}, "tolerance": "10%", "interval": 1.50}`, []Setting{
			{"replicas.max", "5"}, {"replicas.idle", ""}, {"tolerance", "10%"}, {"interval", "1.50"}}},
		{"metrics: [{kind: rps, target: 010}, 'a\"b', ~]\n", []Setting{{"metrics", `[{"kind": "rps", "target": "010"}, "a\"b", null]`}}},
		{"metrics[0].target: &a 5\nreplicas.max: *a\n", []Setting{{"metrics[0].target", "5"}, {"replicas.max", "5"}}},
		{"name: web-scale\ndata: {max_workers: '5', max_idle_time: '60'}\n", []Setting{{"max_workers", "5"}, {"max_idle_time", "60"}}},
		{"data:\n  max_workers: '5'\n", []Setting{{"max_workers", "5"}}},
		{"{}", nil},
	} {
		got, err := ParseSettings([]byte(c.text))
		if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
			t.Errorf("ParseSettings(%s): %v, -want +got\n%s", c.text, err, diff)
		}
	}
	for text, want := range map[string]string{
		"": "the file is empty", "a: 1\n---\nb: 2\n": "got more than one document", "- a\n": "got [\"a\"], want keys with values",
		"x": "got \"x\", want keys with values", "a: [": "line 1: ", "a: *b": "line 1: a: got an alias",
	} {
		_, err := ParseSettings([]byte(text))
		wantLines(t, text, err, []string{want})
	}
}

// A policy that says all that another one says, by settings, is that other one.
func TestWithMakesAnyPolicy(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from, want := drawPolicy(t), drawPolicy(t)
		from.Platforms, want.Platforms = nil, nil
		text, err := want.YAML()
		if err != nil {
			t.Fatal(err)
		}
		settings, err := ParseSettings(text)
		if err != nil {
			t.Fatal(err)
		}
		// What the other one leaves out is left out.
		all := []Setting{{"toZero", ""}, {"metrics", ""}, {"schedules", ""}, {"calibration", ""}, {"replicas", ""}, {"up", ""}, {"down", ""}}
		got, err := from.With(append(all, settings...)...)
		if err != nil {
			t.Fatalf("With(%s): %v", Settings(settings), err)
		}
		if diff := samePolicy(want, got); diff != "" {
			t.Fatalf("With(%s): -want +got\n%s", Settings(settings), diff)
		}
	})
}

func FuzzWith(f *testing.F) {
	for _, s := range []string{"max_workers=5", "metrics=[{kind: rps}]", "metrics[0].panic=", "schedules[0].set={a: b}", "[0]=", "a.b[1]..=["} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseSetting(text)
		if err != nil {
			return
		}
		switch p, err := rpsPolicy().With(s); {
		case err == nil && p.Validate() != nil:
			t.Errorf("With(%q) is not valid: %v", text, p.Validate())
		case err != nil && !strings.Contains(err.Error(), ": "):
			t.Errorf("With(%q) names no key: %v", text, err)
		}
		ParseSettings([]byte(text))
	})
}
