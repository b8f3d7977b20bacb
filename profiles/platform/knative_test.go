package platform

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"headroom/profiles"
)

// Whatever may be written, in either spelling, comes back byte by byte.
func TestKnativeDrawnImportsStayAsTheyAre(t *testing.T) {
	settings := map[string][]string{
		"class":                              {knativeKPA, knativeHPA},
		"metric":                             {"concurrency", "rps", "cpu", "memory", "jobs"},
		"target":                             {"0.01", "0.5", "3", "10", "33.333", "1e2", "70.7"},
		"target-utilization-percentage":      {"1", "33.3", "70", "100"},
		"min-scale":                          {"0", "1", "2", "7"},
		"max-scale":                          {"0", "1", "9", "2000"},
		"initial-scale":                      {"0", "1", "3", "50"},
		"activation-scale":                   {"2", "5"},
		"window":                             {"6s", "1m", "90s", "15m"},
		"scale-down-delay":                   {"0s", "5m", "1h"},
		"scale-to-zero-pod-retention-period": {"0", "1m5.5s"},
		"panic-window-percentage":            {"1", "10.0", "99.9"},
		"panic-threshold-percentage":         {"110", "123.45", "1000"},
		"target-burst-capacity":              {"-1", "0", "211"},
		"metric-aggregation-algorithm":       {"linear", "weighted-exponential"},
	}
	names := slices.Sorted(maps.Keys(settings))
	read := 0
	rapid.Check(t, func(t *rapid.T) {
		var annotations strings.Builder
		for _, name := range names {
			if rapid.IntRange(0, 2).Draw(t, name+" is there") > 0 {
				continue
			}
			full := rapid.SampledFrom(spellings(name)).Draw(t, name+" as")
			fmt.Fprintf(&annotations, "        %s: '%s'\n", full, rapid.SampledFrom(settings[name]).Draw(t, name))
		}
		text := knativeWith("        kept: 'yes'\n" + annotations.String())
		p, _, err := knative.Import(text)
		if err != nil {
			return
		}
		read++
		doc, err := knative.Export(p, Options{})
		if err != nil {
			t.Fatalf("Export: %v\n%s", err, text)
		}
		if string(doc.Text) != string(text) || len(doc.Losses) > 0 {
			t.Fatalf("exported with losses %v (-imported +exported)\n%s", doc.Losses, cmp.Diff(string(text), string(doc.Text)))
		}
	})
	if read == 0 {
		t.Error("every document was refused")
	}
}

// lineChanges is the difference that an edited policy makes to a document: the
// lines that go and those that come.
func lineChanges(t *testing.T, pl Platform, file string, edit func(*profiles.Policy)) (out []string, doc Document) {
	t.Helper()
	lines, doc := linesChanged(t, pl, file, edit)
	for _, line := range lines {
		out = append(out, line[:1]+" "+strings.TrimSpace(line[1:]))
	}
	return out, doc
}

// Only what a policy changes is touched, in the spelling that is there.
func TestKnativeChanges(t *testing.T) {
	seconds := func(n int) profiles.Duration { return profiles.Duration(time.Duration(n) * time.Second) }
	tests := []struct {
		name, file string
		edit       func(*profiles.Policy)
		want       []string
	}{
		{"a target that 70 % was taken of", "usual-70-percent.yaml", func(p *profiles.Policy) { p.Metrics[0].Target = 14_000 }, []string{
			`- autoscaling.knative.dev/target: "10"`, `+ autoscaling.knative.dev/target: "14"`, `+ autoscaling.knative.dev/target-utilization-percentage: "100"`,
		}},
		{"bounds in camel case, and their quotes", "camel-case.yaml", func(p *profiles.Policy) { p.Replicas.Min, p.Replicas.Max = 3, profiles.Unlimited }, []string{
			`- autoscaling.knative.dev/minScale: "2"`, `- autoscaling.knative.dev/maxScale: "30"`,
			`+ autoscaling.knative.dev/minScale: "3"`, `+ autoscaling.knative.dev/maxScale: "0"`,
		}},
		{"what becomes usual is removed", "camel-case.yaml", func(p *profiles.Policy) {
			p.Replicas.Initial, p.Down.Stabilization, p.Metrics[0].Aggregation = 0, 0, ""
		}, []string{
			`- autoscaling.knative.dev/initialScale: "4"`, `- autoscaling.knative.dev/scaleDownDelay: 15m`, `- autoscaling.knative.dev/metricAggregationAlgorithm: weighted-exponential`,
		}},
		{"windows", "camel-case.yaml", func(p *profiles.Policy) {
			p.Metrics[0].Window, p.Metrics[0].Panic = seconds(40), &profiles.Panic{Window: seconds(7), Threshold: 1100}
		}, []string{
			`- autoscaling.knative.dev/window: 90s`, `- autoscaling.knative.dev/panicWindowPercentage: "20.0"`, `- autoscaling.knative.dev/panicThresholdPercentage: "150"`,
			`+ autoscaling.knative.dev/window: "40s"`, `+ autoscaling.knative.dev/panicWindowPercentage: "18"`, `+ autoscaling.knative.dev/panicThresholdPercentage: "110"`,
		}},
		{"another metric", "example.yaml", func(p *profiles.Policy) { p.Metrics[0].Kind, p.Metrics[0].Target = profiles.InFlight, 2500 }, []string{
			`- autoscaling.knative.dev/metric: "rps"`, `- autoscaling.knative.dev/target: "10"`, `+ autoscaling.knative.dev/metric: "concurrency"`, `+ autoscaling.knative.dev/target: "2.5"`,
		}},
		{"another class", "usual-70-percent.yaml", func(p *profiles.Policy) { p.Metrics[0].Kind, p.Metrics[0].Target = profiles.CPU, 60_000 }, []string{
			`- autoscaling.knative.dev/metric: rps`, `- autoscaling.knative.dev/target: "10"`,
			`+ autoscaling.knative.dev/metric: cpu`, `+ autoscaling.knative.dev/target: "60"`, `+ autoscaling.knative.dev/class: hpa.autoscaling.knative.dev`,
		}},
		{"and back, with at least one as before", "hpa-cpu.yaml", func(p *profiles.Policy) {
			p.Metrics[0] = profiles.Metric{Kind: profiles.RPS, Target: 5000, Window: seconds(120)}
		}, []string{
			`- autoscaling.knative.dev/class: hpa.autoscaling.knative.dev`, `- autoscaling.knative.dev/metric: cpu`, `- autoscaling.knative.dev/target: "70.2"   # rounded up`, `- autoscaling.knative.dev/min-scale: "0"   # never less than one`,
			`+ autoscaling.knative.dev/metric: rps`, `+ autoscaling.knative.dev/target: "5"   # rounded up`, `+ autoscaling.knative.dev/min-scale: "1"   # never less than one`, `+ autoscaling.knative.dev/target-utilization-percentage: "100"`, `+ autoscaling.knative.dev/scale-down-delay: "2m"`,
		}},
		{"another custom metric", "hpa-custom.yaml", func(p *profiles.Policy) { p.Metrics[0].Name, p.Metrics[0].Target = "jobs", 3000 }, []string{
			`- autoscaling.knative.dev/metric: jobs_waiting`, `- autoscaling.knative.dev/target: "12"`, `+ autoscaling.knative.dev/metric: jobs`, `+ autoscaling.knative.dev/target: "3"`,
		}},
		{"a custom metric of a name that we know", "hpa-rate.yaml", func(p *profiles.Policy) { p.Metrics[0].Target = 15_000 }, []string{
			`- autoscaling.knative.dev/target: "12"`, `+ autoscaling.knative.dev/target: "15"`,
		}},
		// 60 s is usual for a KPA, but without it the HPA has 0 s and 5 min.
		{"the window of the HPA class", "hpa-memory.yaml", func(p *profiles.Policy) { p.Up.Stabilization, p.Down.Stabilization = seconds(60), seconds(60) }, []string{
			`+ autoscaling.knative.dev/window: "1m"`,
		}},
		{"rest above zero", "example.yaml", func(p *profiles.Policy) {
			idle := 1
			p.Replicas.Idle, p.ToZero = &idle, &profiles.ToZero{After: seconds(60)}
		}, []string{
			`- autoscaling.knative.dev/min-scale: "5"`, `+ autoscaling.knative.dev/min-scale: "1"`,
			`+ autoscaling.knative.dev/initial-scale: "5"`, `+ autoscaling.knative.dev/activation-scale: "5"`,
		}},
		{"zero, with a retention", "example.yaml", func(p *profiles.Policy) {
			p.Replicas.Min, p.ToZero = 0, &profiles.ToZero{After: seconds(100)}
		}, []string{
			`- autoscaling.knative.dev/min-scale: "5"`, `+ autoscaling.knative.dev/min-scale: "0"`, `+ autoscaling.knative.dev/scale-to-zero-pod-retention-period: "40s"`,
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, doc := lineChanges(t, knative, test.file, test.edit)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			for _, l := range doc.Losses {
				if l.Severe {
					t.Errorf("severe loss: %v", l)
				}
			}
		})
	}
}

// What Knative cannot say is refused with what it can.
func TestKnativeRefuses(t *testing.T) {
	tests := []struct {
		name, file string
		edit       func(*profiles.Policy)
		want       string
	}{
		{"beyond the hard limit", "camel-case.yaml", func(p *profiles.Policy) { p.Metrics[0].Target = 4001 }, "metrics[0].target: got 4.001, want 4 or less: containerConcurrency of the document lets no more into a replica"},
		{"too small", "example.yaml", func(p *profiles.Policy) { p.Metrics[0].Target = 9 }, "metrics[0].target: got 0.009, want 0.01 or more"},
		{"scope", "example.yaml", func(p *profiles.Policy) { p.Metrics[0].Scope, p.Metrics[0].Panic = profiles.WholeFleet, nil }, "metrics[0].scope: got fleet, want replica"},
		{"aggregation", "example.yaml", func(p *profiles.Policy) { p.Metrics[0].Aggregation = profiles.Highest }, "metrics[0].aggregation: got highest, want average or weighted"},
		{"cores", "hpa-cpu.yaml", func(p *profiles.Policy) { p.Metrics[0].Unit, p.Metrics[0].Target = "cores", 1000 }, "metrics[0].unit: got cores, want %"},
		{"memory in percent", "hpa-memory.yaml", func(p *profiles.Policy) { p.Metrics[0].Unit = "%" }, "metrics[0].unit: got %, want MiB"},
		{"a fraction of the HPA class", "hpa-cpu.yaml", func(p *profiles.Policy) { p.Metrics[0].Target = 70_500 }, "metrics[0].target: got 70.5, want a whole number: 70"},
		{"a custom metric without a name", "hpa-custom.yaml", func(p *profiles.Policy) { p.Metrics[0].Name = "" }, `metrics[0].name: got "", want the name of a metric of the pods`},
		{"a custom metric of a taken name", "hpa-custom.yaml", func(p *profiles.Policy) { p.Metrics[0].Name = "cpu" }, `metrics[0].name: got "cpu", want the name of a metric of the pods`},
		{"zero by the HPA class", "hpa-custom.yaml", func(p *profiles.Policy) {
			p.Replicas.Min, p.ToZero = 0, &profiles.ToZero{After: profiles.DefaultToZero}
		}, "toZero: got it, but the platform keeps at least one replica"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p, _, err := knative.Import(importedFile(t, knative, test.file))
			if err != nil {
				t.Fatal(err)
			}
			test.edit(&p)
			if _, err = knative.Export(p, Options{}); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("Export = %v, want %q", err, test.want)
			}
		})
	}
}

// What Knative says otherwise than a policy, with the reason.
func TestKnativeLosses(t *testing.T) {
	seconds := func(n float64) profiles.Duration { return profiles.Duration(n * float64(time.Second)) }
	idle := 0
	tests := []struct {
		name string
		edit func(*profiles.Policy)
		want string
	}{
		{"a window that is too short", func(p *profiles.Policy) { p.Metrics[0].Window = seconds(2) }, "metrics[0].window 2s becomes 6s: a window of Knative is 6s or longer, in whole seconds"},
		{"a window of a part of a second", func(p *profiles.Policy) { p.Metrics[0].Window = seconds(8.5) }, "metrics[0].window 8.5s becomes 9s: a window"},
		{"a delay of a part of a second", func(p *profiles.Policy) { p.Down.Stabilization = seconds(1.5) }, "down.stabilization 1.5s becomes 2s: scale-down-delay has whole seconds"},
		{"a higher threshold", func(p *profiles.Policy) { p.Metrics[0].Panic = &profiles.Panic{Window: seconds(3), Threshold: 20_000} },
			"metrics[0].panic 20 times the target within 3s becomes 10 times the target within 3s: the panic window is 1 to 100 % of the window in whole seconds, and the threshold 110 to 1000 %"},
		{"zero at once", func(p *profiles.Policy) { p.Replicas.Min, p.ToZero = 0, &profiles.ToZero{After: seconds(10)} }, "toZero.after 10s becomes 5m30s: Knative is at rest when the window (30s) is empty"},
		{"zero a day later", func(p *profiles.Policy) { p.Replicas.Min, p.ToZero = 0, &profiles.ToZero{After: seconds(86_400)} }, "toZero.after 24h becomes 1h5m30s: Knative"},
		{"rest below one", func(p *profiles.Policy) {
			p.Replicas.Min, p.Replicas.Idle, p.ToZero = 1, &idle, &profiles.ToZero{After: seconds(330)}
		}, "replicas.min 1 becomes 0: Knative says the same by min-scale 0"},
		{"a size for bad times", func(p *profiles.Policy) { p.OnMetricError = 7 }, "onMetricError 7 becomes hold: Knative keeps the size"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			doc, err := knative.Export(running(test.edit), Options{})
			if err != nil {
				t.Fatal(err)
			}
			if text := fmt.Sprint(doc.Losses); !strings.Contains(text, test.want) {
				t.Errorf("losses %s, want one with %q", text, test.want)
			}
		})
	}
}

// The panic window is a percentage, of which whole seconds are made.
func TestPanicShare(t *testing.T) {
	tests := []struct{ panic, window int }{{6, 60}, {7, 60}, {1, 6}, {3, 30}, {1, 90}, {599, 600}, {600, 600}, {17, 3600}, {37, 3600}}
	for _, test := range tests {
		panic, window := time.Duration(test.panic)*time.Second, time.Duration(test.window)*time.Second
		share := panicShare(panic, window)
		want := max(panic, window/100)
		if got := (knativeTerms{window: window, panicWindow: share}).panicSpan(); got != want {
			t.Errorf("panicShare(%v, %v) = %g, which makes %v, want %v", panic, window, share, got, want)
		}
	}
	if got := panicShare(6*time.Second, time.Minute); got != 10 {
		t.Errorf("panicShare(6s, 1m) = %g, want 10", got)
	}
}
