package profiles

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// exampleFile is the policy of design.md, section 4.
const exampleFile = `# policy
version: headroom/v1
kind: policy
replicas: {min: 5, max: 20, initial: 5}     # max: unlimited is allowed; min: 0 with toZero: {after: 300s}
metrics:                                     # highest wins
  - {kind: rps, target: 10, window: 30s}     # per replica. kinds: rps in_flight queue free_workers cpu memory latency custom
interval: 30s                                # polling
tolerance: 10%
up:   {step: 4, factor: 2, stabilization: 0s}
down: {step: 4, factor: 0.5, stabilization: 300s, idle: 60s, order: newest}
schedules:
  - {start: "0 9 * * 1-5", end: "0 21 * * 1-5", timezone: UTC, min: 8}
onMetricError: hold
calibration: {latency: 200ms, cpuPerRequest: 50ms, measured: 2026-11-21}
platforms: {}                                # opaque, per platform
`

func example() Policy {
	return Policy{
		Version:   "headroom/v1",
		Kind:      "policy",
		Combine:   "highest",
		Replicas:  Bounds{Min: 5, Max: 20, Initial: 5},
		Metrics:   []Metric{{Kind: RPS, Target: 10000, Window: Duration(30 * time.Second)}},
		Interval:  Duration(30 * time.Second),
		Tolerance: 100,
		Up:        Behavior{Step: 4, Factor: 2000},
		Down: Behavior{
			Step: 4, Factor: 500, Stabilization: Duration(300 * time.Second),
			Idle: Duration(60 * time.Second), Order: "newest",
		},
		Schedules:     []Schedule{{Start: "0 9 * * 1-5", End: "0 21 * * 1-5", Timezone: "UTC", Min: 8}},
		OnMetricError: Hold,
		Calibration: &Calibration{
			Latency: Duration(200 * time.Millisecond), CPUPerRequest: Duration(50 * time.Millisecond), Measured: "2026-11-21",
		},
	}
}

// minimalFile leaves out all that may be left out.
const minimalFile = `version: headroom/v1
replicas: {min: 1, max: 10}
metrics:
  - {kind: in_flight, target: 1}
`

// samePolicy compares policies; no map and an empty one are the same.
func samePolicy(want, got Policy) string { return cmp.Diff(want, got, cmpopts.EquateEmpty()) }

func TestParsePolicy(t *testing.T) {
	minimal := Policy{
		Version:       "headroom/v1",
		Kind:          "policy",
		Combine:       "highest",
		Replicas:      Bounds{Min: 1, Max: 10},
		Metrics:       []Metric{{Kind: InFlight, Target: 1000, Window: Duration(30 * time.Second)}},
		Interval:      Duration(30 * time.Second),
		Tolerance:     100,
		Down:          Behavior{Stabilization: Duration(300 * time.Second), Idle: Duration(60 * time.Second), Order: "newest"},
		OnMetricError: Hold,
	}
	with := func(p Policy, edit func(*Policy)) Policy {
		p.Metrics = append([]Metric(nil), p.Metrics...)
		edit(&p)
		return p
	}
	for _, c := range []struct {
		name string
		file string
		want Policy
	}{
		{"the design's example", exampleFile, example()},
		{"the minimal policy", minimalFile, minimal},
		{"a fixed size", "version: headroom/v1\nreplicas: {min: 3, max: 3}\n", FixedPolicy(3)},
		{"no max", strings.Replace(minimalFile, "max: 10", "max: unlimited", 1), with(minimal, func(p *Policy) { p.Replicas.Max = Unlimited })},
		{"a fraction for a target", strings.Replace(minimalFile, "target: 1}", "target: 0.75}", 1), with(minimal, func(p *Policy) { p.Metrics[0].Target = 750 })},
		{"a target of twelve digits", edit("target: 1", "target: 999999999.999"), with(minimal, func(p *Policy) { p.Metrics[0].Target = 999_999_999_999 })},
		{"a target with zeros in front", edit("target: 1", "target: 010"), with(minimal, func(p *Policy) { p.Metrics[0].Target = 10000 })}, // not octal
		{"a target in quotes", strings.Replace(minimalFile, "target: 1}", `target: "1"}`, 1), minimal},
		{"the window is the interval", minimalFile + "interval: 10s\n", with(minimal, func(p *Policy) {
			p.Interval, p.Metrics[0].Window = Duration(10*time.Second), Duration(10*time.Second)
		})},
		{"the window is what it can be of the interval", minimalFile + "interval: 1h\n", with(minimal, func(p *Policy) {
			p.Interval, p.Metrics[0].Window = Duration(time.Hour), Duration(10*time.Minute)
		})},
		{"a bare number is seconds", minimalFile + "interval: 10\n", with(minimal, func(p *Policy) {
			p.Interval, p.Metrics[0].Window = Duration(10*time.Second), Duration(10*time.Second)
		})},
		{"a share as a number", minimalFile + "tolerance: 0.05\n", with(minimal, func(p *Policy) { p.Tolerance = 50 })},
		{"the rest of down stays", minimalFile + "down: {step: 2}\n", with(minimal, func(p *Policy) { p.Down.Step = 2 })},
		{"zeros are no defaults", minimalFile + "tolerance: 0%\ndown: {stabilization: 0s, idle: 0s}\n", with(minimal, func(p *Policy) {
			p.Tolerance, p.Down.Stabilization, p.Down.Idle = 0, 0, 0
		})},
		{"keys without a value", minimalFile + "interval:\ndown:\nup: ~\nschedules:\nplatforms: null\n", minimal},
		{"an anchor", minimalFile + "interval: &i 20s\ndown: {stabilization: *i}\n", with(minimal, func(p *Policy) {
			p.Interval, p.Metrics[0].Window, p.Down.Stabilization = Duration(20*time.Second), Duration(20*time.Second), Duration(20*time.Second)
		})},
		{"JSON", `{"version": "headroom/v1", "replicas": {"min": 1, "max": 10}, "metrics": [{"kind": "in_flight", "target": 1}]}`, minimal},
		{"a head, a foot and comments", "# a\n---\n" + minimalFile + "# b\n---\n", minimal},
		{"opaque platforms", minimalFile + "platforms: {knative: {step: 1.5, min: x}}\n", with(minimal, func(p *Policy) {
			p.Platforms = map[string]any{"knative": map[string]any{"step": 1.5, "min": "x"}}
		})},
	} {
		got, err := ParsePolicy([]byte(c.file))
		if err != nil {
			t.Errorf("%s: ParsePolicy: %v", c.name, err)
			continue
		}
		if diff := samePolicy(c.want, got); diff != "" {
			t.Errorf("%s: ParsePolicy: -want +got\n%s", c.name, diff)
		}
	}
}

// badFiles are policies with one thing wrong, and the one line that says so:
// where, what was found, what is allowed.
var badFiles = []struct{ name, file, want string }{
	{"nothing", "", "the file is empty"},
	{"blanks", " \n\t\n", "the file is empty"},
	{"a comment", "# later\n", "the file is empty"},
	{"a head", "---\n", "the file is empty"},
	{"null", "null\n", "the file is empty"},
	{"a word", "hello\n", `line 1: got "hello", want keys with values`},
	{"a list", "- 1\n", "line 1: got a list, want keys with values"},
	{"not YAML", "replicas: {min: 1\n", `line 1: got "{": could not find flow mapping end token '}'`},
	{"an unknown alias to merge", minimalFile + "<<: *i\n", "line 5: <<: unknown key, want version, kind, replicas, toZero, metrics, combine, interval, tolerance, up, down, schedules, onMetricError, calibration or platforms"},
	{"a lone tag", minimalFile + "schedules:\n  ! # none\nx:\n", "line 7: schedules: got keys with values, want a list"}, // the library panics
	{"two documents", minimalFile + "---\n" + minimalFile, "line 6: a second document, want one"},
	{"a key twice", minimalFile + "interval: 30s\ninterval: 40s\n", `line 6: got "interval": mapping key "interval" already defined at [5:1]`},
	{"an unknown alias", minimalFile + "interval: *i\n", `line 5: interval: got an alias of "i", want one of an anchor in this file`},

	{"no version", "replicas: {min: 3, max: 3}\n", `version: got "", want "headroom/v1"`},
	{"another version", "version: headroom/v2\nreplicas: {min: 3, max: 3}\n", `line 1: version: got "headroom/v2", want "headroom/v1"`},
	{"another kind", minimalFile + "kind: plan\n", `line 5: kind: got "plan", want "policy"`},
	{"an unknown key", minimalFile + "intervall: 30s\n", "line 5: intervall: unknown key, want version, kind, replicas, toZero, metrics, combine, interval, tolerance, up, down, schedules, onMetricError, calibration or platforms"},
	{"a key with capitals", minimalFile + "Interval: 30s\n", "line 5: Interval: unknown key, want version, kind, replicas, toZero, metrics, combine, interval, tolerance, up, down, schedules, onMetricError, calibration or platforms"},
	{"an unknown key of replicas", edit("max: 10", "max: 10, most: 10"), "line 2: replicas.most: unknown key, want min, max, initial or idle"},
	{"an unknown key of a metric", edit("target: 1", "target: 1, windw: 30s"), "line 4: metrics[0].windw: unknown key, want kind, name, query, target, unit, scope, window, aggregation, panic or trend"},
	{"an unknown key of up", minimalFile + "up:\n  stepp: 4\n", "line 6: up.stepp: unknown key, want step, factor, stabilization, idle or order"},

	{"no replicas", "version: headroom/v1\nmetrics: [{kind: rps, target: 1}]\n", "replicas.min: got nothing, want 1 or more, or 0 together with toZero\nreplicas.max: got nothing, want replicas.min or more, or unlimited"},
	{"no max", edit(", max: 10", ""), "line 2: replicas.max: got nothing, want replicas.min or more, or unlimited"},
	{"a target beyond all reason", edit("target: 1", "target: 1000000001"), "line 4: metrics[0].target: got 1000000001, want more than 0 and at most 1000000000"},
	{"replicas are a number", "version: headroom/v1\nreplicas: 5\n", `line 2: replicas: got "5", want keys with values`},
	{"min is 0", edit("min: 1", "min: 0"), "line 2: replicas.min: got 0, want 1 or more, or 0 together with toZero"},
	{"min is negative", edit("min: 1", "min: -1"), "line 2: replicas.min: got -1, want 1 or more, or 0 together with toZero"},
	{"min is a word", edit("min: 1", "min: few"), `line 2: replicas.min: got "few", want a whole number`},
	{"min is a list", edit("min: 1", "min: [1]"), "line 2: replicas.min: got a list, want a whole number"},
	{"min is yes or no", edit("min: 1", "min: true"), `line 2: replicas.min: got "true", want a whole number`},
	{"min is a fraction", edit("min: 1", "min: 1.5"), `line 2: replicas.min: got "1.5", want a whole number`},
	{"min is a fraction in quotes", edit("min: 1", `min: "1.5"`), `line 2: replicas.min: got "1.5", want a whole number`},
	{"min has an exponent", edit("min: 1", "min: 1e1"), `line 2: replicas.min: got "1e1", want a whole number`},
	{"min is too large", edit("min: 1", "min: 99999999999999999999"), `line 2: replicas.min: got "99999999999999999999", want a whole number`},
	{"max below min", edit("min: 1", "min: 11"), "line 2: replicas.max: got 10, want replicas.min (11) or more, or unlimited"},
	{"max is 0", edit("max: 10", "max: 0"), `line 2: replicas.max: got "0", want a whole number of 1 or more, or unlimited`},
	{"max is a word", edit("max: 10", "max: many"), `line 2: replicas.max: got "many", want a whole number of 1 or more, or unlimited`},
	{"max has a unit", edit("max: 10", "max: 10x"), `line 2: replicas.max: got "10x", want a whole number of 1 or more, or unlimited`},
	{"max is a fraction", edit("max: 10", "max: 10.5"), `line 2: replicas.max: got "10.5", want a whole number of 1 or more, or unlimited`},
	{"max is a list", edit("max: 10", "max: [10]"), "line 2: replicas.max: got a list, want a single value"},
	{"initial below min", edit("max: 10", "max: 10, initial: -1"), "line 2: replicas.initial: got -1, want between replicas.min (1) and replicas.max (10)"},
	{"initial above max", edit("max: 10", "max: 10, initial: 11"), "line 2: replicas.initial: got 11, want between replicas.min (1) and replicas.max (10)"},
	{"initial below min without max", edit("min: 1, max: 10", "min: 3, max: unlimited, initial: 2"), "line 2: replicas.initial: got 2, want between replicas.min (3) and replicas.max (unlimited)"},

	{"no metrics", "version: headroom/v1\nreplicas: {min: 1, max: 10}\n", "metrics: got none, want at least one unless replicas.min equals replicas.max"},
	{"metrics are a word", "version: headroom/v1\nreplicas: {min: 1, max: 1}\nmetrics: rps\n", `line 3: metrics: got "rps", want a list`},
	{"metrics are words", "version: headroom/v1\nreplicas: {min: 1, max: 1}\nmetrics: [rps]\n", `line 3: metrics[0]: got "rps", want keys with values`},
	{"an unknown metric", edit("in_flight", "vibes"), `line 4: metrics[0].kind: got "vibes", want one of rps, in_flight, queue, free_workers, cpu, memory, latency, custom`},
	{"no kind", edit("kind: in_flight, ", ""), `line 4: metrics[0].kind: got nothing, want one of rps, in_flight, queue, free_workers, cpu, memory, latency, custom`},
	{"a latency with its unit", edit("in_flight, target: 1", "latency, target: 100ms"), `line 4: metrics[0].target: got "100ms", want a number with at most three decimals (its unit is ms)`},
	{"no target", edit(", target: 1", ""), "line 4: metrics[0].target: got nothing, want more than 0 and at most 1000000000"},
	{"target 0", edit("target: 1", "target: 0"), "line 4: metrics[0].target: got 0, want more than 0 and at most 1000000000"},
	{"a negative target", edit("target: 1", "target: -2.5"), "line 4: metrics[0].target: got -2.5, want more than 0 and at most 1000000000"},
	{"a target too fine", edit("target: 1", "target: 1.2345"), `line 4: metrics[0].target: got "1.2345", want a number with at most three decimals (its unit is requests)`},
	{"a target with an exponent", edit("target: 1", "target: 1e3"), `line 4: metrics[0].target: got "1e3", want a number with at most three decimals (its unit is requests)`},
	{"a target in base 16", edit("target: 1", "target: 0x10"), `line 4: metrics[0].target: got "0x10", want a number with at most three decimals (its unit is requests)`},
	{"a target without end", edit("target: 1", "target: .inf"), `line 4: metrics[0].target: got ".inf", want a number with at most three decimals (its unit is requests)`},
	{"a target in words", edit("target: 1", "target: ten"), `line 4: metrics[0].target: got "ten", want a number with at most three decimals (its unit is requests)`},
	{"a target with a unit", edit("target: 1", "target: 10/s"), `line 4: metrics[0].target: got "10/s", want a number with at most three decimals (its unit is requests)`},
	{"a list of targets", edit("target: 1", "target: [1, 2]"), "line 4: metrics[0].target: got a list, want a single value"},
	{"a window too short", edit("target: 1", "target: 1, window: 500ms"), "line 4: metrics[0].window: got 500ms, want 1s to 10m"},
	{"a window too long", edit("target: 1", "target: 1, window: 11m"), "line 4: metrics[0].window: got 11m, want 1s to 10m"},
	{"the second metric", minimalFile + "  - {kind: rps, target: 0}\n", "line 5: metrics[1].target: got 0, want more than 0 and at most 1000000000"},

	{"an interval without a unit", minimalFile + "interval: 1.5\n", `line 5: interval: got "1.5", want a duration of 0 or more, such as 30s, 250ms or 1h30m (a bare number is seconds)`},
	{"an interval of another unit", minimalFile + "interval: 30x\n", `line 5: interval: got "30x", want a duration of 0 or more, such as 30s, 250ms or 1h30m (a bare number is seconds)`},
	{"a negative interval", minimalFile + "interval: -5s\n", `line 5: interval: got "-5s", want a duration of 0 or more, such as 30s, 250ms or 1h30m (a bare number is seconds)`},
	{"an interval of keys", minimalFile + "interval: {seconds: 5}\n", "line 5: interval: got keys with values, want a single value"},
	{"an interval like a key", minimalFile + "interval: min\n", `line 5: interval: got "min", want a duration of 0 or more, such as 30s, 250ms or 1h30m (a bare number is seconds)`},
	{"an interval like another value", minimalFile + "platforms: {a: soon}\ninterval: soon\n", `line 6: interval: got "soon", want a duration of 0 or more, such as 30s, 250ms or 1h30m (a bare number is seconds)`},
	{"no interval", minimalFile + "interval: 0s\n", "line 5: interval: got 0s, want 1s to 1h"},
	{"an interval too long", minimalFile + "interval: 2h\n", "line 5: interval: got 2h, want 1s to 1h"},

	{"a tolerance of 10", minimalFile + "tolerance: 10\n", "line 5: tolerance: got 1000%, want 0% to 100%"},
	{"a negative tolerance", minimalFile + "tolerance: -5%\n", `line 5: tolerance: got "-5%", want a share such as 10% or 0.1`},
	{"a tolerance too fine", minimalFile + "tolerance: 0.01%\n", `line 5: tolerance: got "0.01%", want a share of at most one decimal of a percent`},

	{"no number of JSON", minimalFile + "platforms:\n  knative: {a: [.inf]}\n  hpa: {b: .nan}\n", "line 5: platforms.hpa: got an unsupported value: NaN, want what JSON can say, too\nline 5: platforms.knative: got an unsupported value: +Inf, want what JSON can say, too"},
	{"a negative step", minimalFile + "up: {step: -1}\n", "line 5: up.step: got -1, want 1 to 1000000"},
	{"half a step", minimalFile + "down: {step: 0.5}\n", `line 5: down.step: got "0.5", want a whole number`},
	{"up by 1", minimalFile + "up: {factor: 1}\n", "line 5: up.factor: got 1, want more than 1 and at most 1000"},
	{"up by a negative factor", minimalFile + "up: {factor: -2}\n", "line 5: up.factor: got -2, want more than 1 and at most 1000"},
	{"down by 1", minimalFile + "down: {factor: 1}\n", "line 5: down.factor: got 1, want at least 0 and below 1"},
	{"down by a negative factor", minimalFile + "down: {factor: -0.5}\n", "line 5: down.factor: got -0.5, want at least 0 and below 1"},
	{"up for too long", minimalFile + "up: {stabilization: 61m}\n", "line 5: up.stabilization: got 1h1m, want 0s to 1h"},
	{"down for too long", minimalFile + "down: {stabilization: 2h}\n", "line 5: down.stabilization: got 2h, want 0s to 1h"},
	{"idle under up", minimalFile + "up: {idle: 5s}\n", "line 5: up: got idle or order, want them under down only"},
	{"order under up", minimalFile + "up: {order: newest}\n", "line 5: up: got idle or order, want them under down only"},
	{"an unknown order", minimalFile + "down: {order: random}\n", `line 5: down.order: got "random", want newest or oldest`},

	{"a schedule without an end", minimalFile + `schedules: [{start: "0 9 * * *", min: 3}]`, `line 5: schedules[0].end: got "", want a cron expression of five fields such as 0 9 * * 1-5`},
	{"a schedule that would panic", minimalFile + `schedules: [{start: TZ=0, end: "0 9 * * *", min: 3}]`, `line 5: schedules[0].start: got "TZ=0", want a cron expression of five fields such as 0 9 * * 1-5`},
	{"tabs, which the library loses when it writes", minimalFile + `schedules: [{start: "0\t9 * * *", end: "0 10 * * *", min: 3}]`, `line 5: schedules[0].start: got "0\t9 * * *", want a cron expression of five fields such as 0 9 * * 1-5`},
	{"half a replica by a schedule", minimalFile + `schedules: [{start: "0 9 * * *", end: "0 10 * * *", min: 2.5}]`, `line 5: schedules[0].min: got "2.5", want a whole number`},
	{"the second schedule", minimalFile + `schedules: [{start: "0 9 * * *", end: "0 10 * * *", min: 3}, {start: "0 9 * * *", end: "0 10 * * *", min: -1}]`, "line 5: schedules[1].min: got -1, want 1 or more"},
	{"another error policy", minimalFile + "onMetricError: scale\n", `line 5: onMetricError: got "scale", want hold, or a whole number of replicas`},
	{"a measurement without a date", minimalFile + "calibration: {measured: yesterday}\n", `line 5: calibration.measured: got "yesterday", want a date such as 2026-01-31`},
	{"a latency without a unit", minimalFile + "calibration: {latency: 0.2}\n", `line 5: calibration.latency: got "0.2", want a duration of 0 or more, such as 30s, 250ms or 1h30m (a bare number is seconds)`},
	{"platforms are a list", minimalFile + "platforms: [knative]\n", "line 5: platforms: got a list, want keys with values"},
}

// edit is minimalFile with one thing replaced.
func edit(old, new string) string {
	if !strings.Contains(minimalFile, old) {
		panic(old + " is not in minimalFile")
	}
	return strings.Replace(minimalFile, old, new, 1)
}

func TestParsePolicyErrors(t *testing.T) {
	for _, c := range badFiles {
		_, err := ParsePolicy([]byte(c.file))
		if err == nil {
			t.Errorf("%s: ParsePolicy: no error, want\n\t%s", c.name, c.want)
		} else if err.Error() != c.want {
			t.Errorf("%s: ParsePolicy: got\n\t%v\nwant\n\t%s", c.name, err, c.want)
		}
	}
}

// A file with several problems hears of all of them at once.
func TestParsePolicyListsAllProblems(t *testing.T) {
	_, err := ParsePolicy([]byte(`
kind: plan
replicas: {min: 5, max: 2, initial: 9}
metrics:
  - {kind: vibes, target: -1, window: 1h}
interval: 2h
tolerance: 200%
up: {step: -1, stepp: 1, factor: 0.5, stabilization: 2h, order: newest}
down: {step: -1, factor: 2, stabilization: 2h, order: random}
schedules:
  - {start: x, end: y, timezone: z}
onMetricError: scale
calibration: {measured: x}
metricss: []
`))
	wantLines(t, "ParsePolicy", err, []string{
		"line 2: kind: ", "line 3: replicas.max: ", "line 3: replicas.initial: ",
		"line 5: metrics[0].target: ", "line 5: metrics[0].window: ", "line 5: metrics[0].kind: ", "line 6: interval: ", "line 7: tolerance: ",
		"line 8: up.stepp: unknown key", "line 8: up.step: ", "line 8: up.stabilization: ", "line 8: up.factor: ", "line 8: up: ",
		"line 9: down.step: ", "line 9: down.stabilization: ", "line 9: down.factor: ", "line 9: down.order: ",
		"line 11: schedules[0].start: ", "line 11: schedules[0].end: ", "line 11: schedules[0].timezone: ", "line 11: schedules[0]: ",
		"line 12: onMetricError: ", "line 13: calibration.measured: ", "line 14: metricss: unknown key",
		"version: ",
	})
}

// What no file can say, a program can.
func TestPolicyValidate(t *testing.T) {
	for _, c := range []struct {
		name string
		edit func(*Policy)
		want []string
	}{
		{"the zero policy", func(p *Policy) { *p = Policy{} }, []string{
			`version: got ""`, `kind: got ""`, "replicas.min: got 0", "replicas.max: got nothing", `combine: got ""`, "interval: got 0s", `down.order: got ""`,
		}},
		{"no window", func(p *Policy) { p.Metrics = []Metric{{Kind: RPS, Target: 1}} }, []string{"metrics[0].window: got 0s, want 1s to 10m"}},
		{"a negative max", func(p *Policy) { p.Replicas = Bounds{Min: 5, Max: -2} }, []string{"replicas.max: got -2, want replicas.min (5) or more, or unlimited"}},
		{"a negative tolerance", func(p *Policy) { p.Tolerance = -1 }, []string{"tolerance: got -0.1%, want 0% to 100%"}},
		{"a negative up window", func(p *Policy) { p.Up.Stabilization = -1 }, []string{"up.stabilization: got -1ns, want 0s to 1h"}},
		{"a negative down window", func(p *Policy) { p.Down.Stabilization = -1 }, []string{"down.stabilization: got -1ns, want 0s to 1h"}},
		{"a negative idle time", func(p *Policy) { p.Down.Idle = -1 }, []string{"down.idle: got -1ns, want 0s or more"}},
	} {
		p := example()
		c.edit(&p)
		wantLines(t, c.name, p.Validate(), c.want)
	}
}

func TestPolicyInitial(t *testing.T) {
	p := example()
	p.Replicas = Bounds{Min: 5, Max: 20, Initial: 7}
	if got := p.Initial(); got != 7 {
		t.Errorf("Initial() of 5..20 with initial 7 = %d, want 7", got)
	}
	p.Replicas.Initial = 0
	if got := p.Initial(); got != 5 {
		t.Errorf("Initial() of 5..20 = %d, want 5", got)
	}
}

func TestPolicyFixed(t *testing.T) {
	hours := []Schedule{{Start: "0 9 * * *", End: "0 10 * * *", Min: 8}}
	for _, c := range []struct {
		name string
		edit func(*Policy)
		want bool
	}{
		{"fixed", func(p *Policy) {}, true},
		{"with a metric that cannot act", func(p *Policy) { p.Metrics = example().Metrics }, true},
		{"with hours", func(p *Policy) { p.Schedules = hours }, false},
		{"with a metric and room", func(p *Policy) { p.Metrics, p.Replicas.Max = example().Metrics, 5 }, false},
		{"with a metric and no max", func(p *Policy) { p.Metrics, p.Replicas.Max = example().Metrics, Unlimited }, false},
	} {
		p := FixedPolicy(4)
		c.edit(&p)
		if err := p.Validate(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if got := p.Fixed(); got != c.want {
			t.Errorf("%s: Fixed() = %v, want %v", c.name, got, c.want)
		}
	}
}

func TestPolicyYAML(t *testing.T) {
	p := example()
	p.Replicas.Max, p.Down.Idle = Unlimited, 0
	got, err := p.YAML()
	if err != nil {
		t.Fatal(err)
	}
	const want = `version: headroom/v1
kind: policy
replicas:
  min: 5
  max: unlimited
  initial: 5
metrics:
  - kind: rps
    target: 10
    window: 30s
combine: highest
interval: 30s
tolerance: 10%
up:
  step: 4
  factor: 2
  stabilization: 0s
down:
  step: 4
  factor: 0.5
  stabilization: 5m
  idle: 0s
  order: newest
schedules:
  - start: 0 9 * * 1-5
    end: 0 21 * * 1-5
    timezone: UTC
    min: 8
onMetricError: hold
calibration:
  latency: 200ms
  cpuPerRequest: 50ms
  measured: "2026-11-21"
`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("YAML(): -want +got\n%s", diff)
	}
}

func TestReadPolicy(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	p, err := ReadPolicy(write("good.yaml", exampleFile))
	if err != nil {
		t.Fatal(err)
	}
	if diff := samePolicy(example(), p); diff != "" {
		t.Errorf("ReadPolicy: -want +got\n%s", diff)
	}
	bad := write("bad.yaml", minimalFile+"nope: 1\n")
	if _, err := ReadPolicy(bad); err == nil || !strings.HasPrefix(err.Error(), bad+": line 5: nope: unknown key") {
		t.Errorf("ReadPolicy of a bad file: %v, want its path and its line", err)
	}
	none := filepath.Join(dir, "none.yaml")
	if _, err := ReadPolicy(none); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "read policy: ") || !strings.Contains(err.Error(), none) {
		t.Errorf("ReadPolicy of no file: %v, want the operation, the path and that there is none", err)
	}
}
