package platform

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	"pgregory.net/rapid"

	"headroom/profiles"
	"headroom/profiles/document"
)

// strictly decodes the only object of a kind in a file into a type of
// Kubernetes, as an API server with strict field validation does.
func strictly(t *testing.T, text []byte, group, kind string, into any) {
	t.Helper()
	doc, err := theObject(text, group, kind)
	if err != nil {
		t.Fatal(err)
	}
	var plain map[string]any
	if _, err := doc.Decode(&plain, document.Lax); err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(plain)
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		t.Errorf("Kubernetes does not read it: %v\n%s", err, text)
	}
}

// What is exported is an object that Kubernetes knows, field by field.
func TestHPAIsOneOfKubernetes(t *testing.T) {
	for _, c := range cases {
		doc, err := hpa.Export(running(c.edit), c.options)
		if err != nil {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			var o autoscalingv2.HorizontalPodAutoscaler
			strictly(t, doc.Text, "autoscaling", "HorizontalPodAutoscaler", &o)
			if got, want := int(o.Spec.MaxReplicas), int(doc.Effective.Replicas.Max); got != want {
				t.Errorf("maxReplicas = %d, want %d", got, want)
			}
			if o.Spec.ScaleTargetRef.Kind != "Deployment" || o.Spec.ScaleTargetRef.Name == "" {
				t.Errorf("scaleTargetRef = %+v, want a Deployment", o.Spec.ScaleTargetRef)
			}
			if got, want := len(o.Spec.Metrics), len(running(c.edit).Metrics); got != want {
				t.Errorf("got %d metrics, want %d", got, want)
			}
		})
	}
}

// Quantities are read as Kubernetes reads them.
func TestQuantity(t *testing.T) {
	for text, want := range map[string]int64{
		"10": 10_000, "500m": 500, "10.5": 10_500, "1e3": 1_000_000, "1E3": 1_000_000, "1k": 1_000_000, "5e-1": 500,
		"128Mi": 128 << 20 * 1000, "0.5Gi": 512 << 20 * 1000, "1.": 1000, ".5": 500, "+2": 2000, "-1": -1000,
		"1u": 1, "1n": 1, "1500u": 2, // a part of a thousandth is rounded up
	} {
		var q quantity
		if err := q.UnmarshalText([]byte(text)); err != nil || int64(q) != want {
			t.Errorf("%s = %d, %v, want %d", text, q, err, want)
		}
		var theirs autoscalingv2.MetricTarget
		if err := json.Unmarshal([]byte(`{"type": "Value", "value": "`+text+`"}`), &theirs); err != nil || theirs.Value.MilliValue() != want {
			t.Errorf("Kubernetes reads %s as %v, %v, want %d", text, theirs.Value.MilliValue(), err, want)
		}
	}
	for _, text := range []string{"", "ten", "10MB", "1ki", "Mi", "1e999", "0x10", "1_000", "1e3m", " 1", "1E" /* more than int64 holds in thousandths */} {
		var q quantity
		if err := q.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q = %d, want an error", text, q)
		}
	}
}

// importFile reads a document of testdata.
func importFile(t *testing.T, pl Platform, name string) (profiles.Policy, string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", pl.Name, "import", name))
	if err != nil {
		t.Fatal(err)
	}
	p, _, err := pl.Import(text)
	if err != nil {
		t.Fatal(err)
	}
	return p, string(text)
}

// roundTrips exports each document of testdata that can be imported, which
// must not change a byte.
func roundTrips(t *testing.T, pl Platform) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", pl.Name, "import", "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("got %v, %v, want files", files, err)
	}
	imported := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		p, _, err := pl.Import(text)
		if err != nil {
			continue
		}
		imported++
		doc, err := pl.Export(p, Options{})
		if err != nil {
			t.Errorf("%s: Export: %v", file, err)
			continue
		}
		if diff := cmp.Diff(string(text), string(doc.Text)); diff != "" {
			t.Errorf("%s is exported with changes (-was +is)\n%s", file, diff)
		}
		if len(doc.Losses) > 0 {
			t.Errorf("%s is exported with losses: %v", file, doc.Losses)
		}
	}
	if imported == 0 {
		t.Error("no file could be imported")
	}
}

func TestHPARoundTrips(t *testing.T) { roundTrips(t, hpa) }

// onto exports policies onto the documents of testdata, whatever these say: the
// result can be read, means what the export says it means, and does not change
// when it is exported again.
func onto(t *testing.T, pl Platform) {
	files, err := filepath.Glob(filepath.Join("testdata", pl.Name, "import", "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var texts [][]byte
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := pl.Import(text); err == nil {
			texts = append(texts, text)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		base := texts[rapid.IntRange(0, len(texts)-1).Draw(t, "base")]
		doc, err := pl.Export(drawPolicy(t), Options{Base: base, Round: true})
		if err != nil {
			if !strings.Contains(err.Error(), "got ") || strings.Contains(err.Error(), "what was written cannot be read") || strings.Contains(err.Error(), "cannot be") {
				t.Fatalf("Export: %v\n%s", err, base)
			}
			return
		}
		back, _, err := pl.Import(doc.Text)
		if err != nil {
			t.Fatalf("Import: %v\n%s", err, doc.Text)
		}
		if diff := samePolicy(doc.Effective, back); diff != "" {
			t.Fatalf("imported (-effective +imported)\n%s\n%s", diff, doc.Text)
		}
		again, err := pl.Export(back, Options{})
		if err != nil {
			t.Fatalf("the second Export: %v\n%s", err, doc.Text)
		}
		if diff := cmp.Diff(string(doc.Text), string(again.Text)); diff != "" || len(again.Losses) > 0 {
			t.Fatalf("exported again with losses %v (-first +second)\n%s", again.Losses, diff)
		}
		for _, l := range doc.Losses {
			if strings.HasSuffix(l.Field, ".target") && l.To != "" && !strings.Contains(l.Reason, "whole") {
				t.Fatalf("%s\n%s", l, doc.Text)
			}
		}
	})
}

func TestHPAOntoAnyDocument(t *testing.T) { onto(t, hpa) }

// changed exports an imported document after a change of its policy, and
// returns the lines that differ.
func changedLines(t *testing.T, pl Platform, name string, edit func(*profiles.Policy)) (doc Document, diff string) {
	t.Helper()
	p, text := importFile(t, pl, name)
	edit(&p)
	doc, err := pl.Export(p, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return doc, lineDiff(text, string(doc.Text))
}

// lineDiff lists lines that are only in one of two texts: "-was" and "+is".
func lineDiff(was, is string) string {
	count := map[string]int{}
	for _, line := range strings.Split(is, "\n") {
		count[line]++
	}
	var out []string
	for _, line := range strings.Split(was, "\n") {
		if count[line]--; count[line] < 0 {
			out = append(out, "-"+strings.TrimSpace(line))
		}
	}
	for _, line := range strings.Split(is, "\n") {
		if count[line]--; count[line] >= 0 {
			out = append(out, "+"+strings.TrimSpace(line))
		}
	}
	return strings.Join(out, "\n")
}

// A change touches what it is about and nothing else.
func TestHPAEditsInPlace(t *testing.T) {
	for _, c := range []struct {
		name, file string
		edit       func(*profiles.Policy)
		want       string
		losses     int
	}{
		{"target", "with-deployment.yaml", func(p *profiles.Policy) { p.Metrics[0].Target = 70_000 },
			"-averageUtilization: 60   # of 500m\n+averageUtilization: 70   # of 500m", 0},
		{"max", "with-deployment.yaml", func(p *profiles.Policy) { p.Replicas.Max = 12 }, "-maxReplicas: 10\n+maxReplicas: 12", 0},
		{"a default is written when it changes", "defaults.yaml", func(p *profiles.Policy) { p.Replicas.Min = 2 }, "+minReplicas: 2", 0},
		{"target in flow style", "example.yaml", func(p *profiles.Policy) { p.Metrics[0].Target = 12_500 },
			"-target: {type: AverageValue, averageValue: \"10\"}\n+target: {type: AverageValue, averageValue: \"12500m\"}", 0},
		{"a second metric", "with-deployment.yaml", func(p *profiles.Policy) {
			p.Metrics = append(p.Metrics, profiles.Metric{Kind: profiles.InFlight, Target: 4000, Window: hpaSync})
		}, "+target:\n+- type: Pods\n+pods:\n+metric:\n+name: http_requests_in_flight\n+type: AverageValue\n+averageValue: \"4\"", 0},
		{"another metric", "with-deployment.yaml", func(p *profiles.Policy) {
			p.Metrics[0] = profiles.Metric{Kind: profiles.RPS, Target: 4000, Window: hpaSync}
		}, "-- type: Resource\n-resource:\n-name: cpu\n-type: Utilization\n-averageUtilization: 60   # of 500m\n+- type: Pods\n+pods:\n+metric:\n+name: http_requests_per_second\n+type: AverageValue\n+averageValue: \"4\"", 0},
		{"what has no words stays", "down-disabled.yaml", func(p *profiles.Policy) { p.Metrics[0].Target = 65_000 },
			"-resource: {name: cpu, target: {type: Utilization, averageUtilization: 60}}\n+resource: {name: cpu, target: {type: Utilization, averageUtilization: 65}}", 0},
		{"stabilisation", "behavior.yaml", func(p *profiles.Policy) { p.Up.Stabilization = 0 },
			"-stabilizationWindowSeconds: 60\n+stabilizationWindowSeconds: 0", 0},
		{"tolerance", "example.yaml", func(p *profiles.Policy) { p.Tolerance = 20 },
			"-behavior: {scaleDown: {stabilizationWindowSeconds: 300}}\n+behavior: {scaleDown: {stabilizationWindowSeconds: 300, tolerance: 0.02}, scaleUp: {tolerance: 0.02}}", 0},
		{"a higher max lifts a limit that was none", "unlimited-up.yaml", func(p *profiles.Policy) { p.Replicas.Max = 50 },
			"-maxReplicas: 20\n-- {type: Pods, value: 20, periodSeconds: 15}\n+maxReplicas: 50\n+- type: Pods\n+value: 50\n+periodSeconds: 15", 0},
		{"memory", "every-source.yaml", func(p *profiles.Policy) { p.Metrics[2].Target = 640_000 },
			"-target: {type: AverageValue, averageValue: 0.5Gi}\n+target: {type: AverageValue, averageValue: \"640Mi\"}", 0},
		{"a level", "every-source.yaml", func(p *profiles.Policy) { p.Metrics[8].Target = 250_000 },
			"-target: {type: Value, value: \"300\"}\n+target: {type: Value, value: \"250\"}", 0},
		{"from zero", "to-zero.yaml", func(p *profiles.Policy) { p.Replicas.Min, p.ToZero = 1, nil }, "-minReplicas: 0\n+minReplicas: 1", 0},
		{"fewer metrics", "every-source.yaml", func(p *profiles.Policy) { p.Metrics = p.Metrics[:8] },
			"-- type: External\n-external:\n-metric: {name: http_request_latency_milliseconds}\n-target: {type: Value, value: \"300\"}", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			doc, got := changedLines(t, hpa, c.file, c.edit)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if len(doc.Losses) != c.losses {
				t.Errorf("losses %v, want %d", doc.Losses, c.losses)
			}
			var o autoscalingv2.HorizontalPodAutoscaler
			strictly(t, doc.Text, "autoscaling", "HorizontalPodAutoscaler", &o)
		})
	}
}

// What an HPA cannot say is refused with what it can.
func TestHPARefuses(t *testing.T) {
	idle := 2
	for _, c := range []struct {
		name string
		edit func(*profiles.Policy)
		want string
	}{
		{"an idle size", func(p *profiles.Policy) {
			p.Replicas.Idle, p.ToZero = &idle, &profiles.ToZero{After: profiles.DefaultToZero}
		}, "replicas.idle: got 2, want none"},
		{"a fraction of a second", func(p *profiles.Policy) { p.Up.Stabilization = profiles.Duration(1500 * time.Millisecond) }, "up.stabilization: got 1.5s, want whole seconds"},
		{"a period that is too long", func(p *profiles.Policy) { p.Up.Step, p.Interval = 4, profiles.Duration(time.Hour) }, "interval: got 1h, want at most 30m"},
		{"a fraction of a percent", func(p *profiles.Policy) { p.Up.Factor = 1333 }, "up.factor: got 1.333, want a change in whole percents, such as 33 %"},
		{"less than a percent", func(p *profiles.Policy) { p.Down.Factor = 995 }, "down.factor: got 0.995, want a change of 1 % or more"},
		{"half a percent of cpu", func(p *profiles.Policy) { p.Metrics[0].Kind, p.Metrics[0].Target = profiles.CPU, 70_500 }, "metrics[0].target: got 70.5, want a whole number"},
		{"cpu of the fleet", func(p *profiles.Policy) {
			p.Metrics[0].Kind, p.Metrics[0].Scope = profiles.CPU, profiles.WholeFleet
		}, "metrics[0].scope: got fleet, want replica"},
		{"a custom metric without a name", func(p *profiles.Policy) {
			p.Metrics[0] = profiles.Metric{Kind: profiles.Custom, Query: "up", Target: 1000, Window: hpaSync}
		}, "metrics[0].name: got none"},
		{"cpu and zero", func(p *profiles.Policy) {
			p.Replicas.Min, p.ToZero = 0, &profiles.ToZero{After: profiles.DefaultToZero}
			p.Metrics = append(p.Metrics, profiles.Metric{Kind: profiles.Memory, Target: 70_000, Window: hpaSync})
		}, "metrics[1].kind: got memory next to replicas.min 0"},
		{"a factor and zero", func(p *profiles.Policy) {
			p.Replicas.Min, p.ToZero, p.Up.Factor = 0, &profiles.ToZero{After: profiles.DefaultToZero}, 2000
		}, "up.factor: got 2 next to replicas.min 0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := hpa.Export(running(c.edit), Options{})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Export = %v, want %q", err, c.want)
			}
		})
	}
}

// Rates are written for the policy's interval, and read back as they were.
func TestHPARates(t *testing.T) {
	p := running(func(p *profiles.Policy) {
		p.Interval = profiles.Duration(time.Minute)
		p.Up.Step, p.Up.Factor, p.Down.Factor = 6, 2000, 755
	})
	doc, err := hpa.Export(p, Options{Round: true})
	if err != nil {
		t.Fatal(err)
	}
	var o autoscalingv2.HorizontalPodAutoscaler
	strictly(t, doc.Text, "autoscaling", "HorizontalPodAutoscaler", &o)
	text, err := json.Marshal(o.Spec.Behavior)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"scaleUp":{"selectPolicy":"Min","policies":[{"type":"Percent","value":100,"periodSeconds":60},{"type":"Pods","value":6,"periodSeconds":60}]},` +
		`"scaleDown":{"stabilizationWindowSeconds":300,"policies":[{"type":"Percent","value":24,"periodSeconds":60}]}}`
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if e := doc.Effective; e.Up.Step != 6 || e.Up.Factor != 2000 || e.Down.Factor != 760 || e.Interval != hpaSync {
		t.Errorf("effective: up %+v, down %+v, interval %s", e.Up, e.Down, e.Interval)
	}
}

// What is written is what decides: an export and its decider agree.
func TestHPADecidesAboutAnExport(t *testing.T) {
	d, err := hpa.Decider(running(nil), Options{})
	if err != nil {
		t.Fatal(err)
	}
	// 130 requests/s on 12 replicas are within the band of 10 %, 200 are not.
	for _, c := range []struct{ total, want int }{{130, 12}, {200, 20}} {
		got := d.Decide(noon, profiles.Metrics{Replicas: 12, Ready: 12, Readings: readings(profiles.Milli(c.total) * 1000)})
		if got.Desired != c.want {
			t.Errorf("at %d/s: %+v, want %d", c.total, got, c.want)
		}
	}
}
