package platform

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"headroom/profiles"
)

// A service of Cloud Run and one of Knative look the same but for a few keys.
func TestRecogniseCloudRun(t *testing.T) {
	service := func(metadata, revision, image string) string {
		return "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: " + metadata + "\nspec:\n  template:\n    metadata: " + revision +
			"\n    spec:\n      containers: [{image: " + image + "}]\n"
	}
	bounds := `{annotations: {autoscaling.knative.dev/minScale: "1", autoscaling.knative.dev/maxScale: "3"}}`
	tests := []struct {
		name, text, want string
	}{
		{"an annotation of the service", service(`{annotations: {run.googleapis.com/ingress: all}}`, "{}", "web"), "cloudrun"},
		{"an annotation of the revision", service("{}", `{annotations: {run.googleapis.com/cpu-throttling: "false"}}`, "web"), "cloudrun"},
		{"the label of a location", service(`{labels: {cloud.googleapis.com/location: us-central1}}`, "{}", "web"), "cloudrun"},
		{"an image and bounds", service("{}", bounds, "gcr.io/acme/web"), "cloudrun"},
		{"a regional image and bounds", service("{}", bounds, "europe-docker.pkg.dev/acme/r/web:1"), "cloudrun"},
		{"an image alone, as in the samples of Knative", service("{}", "{}", "gcr.io/knative-samples/helloworld-go"), "knative"},
		{"bounds alone", service("{}", bounds, "quay.io/acme/web"), "knative"},
		{"an image, bounds and what only Knative has", service("{}", `{annotations: {autoscaling.knative.dev/minScale: "1", autoscaling.knative.dev/target: "5"}}`, "gcr.io/acme/web"), "knative"},
		{"an image and bounds with hyphens", service("{}", `{annotations: {autoscaling.knative.dev/min-scale: "1"}}`, "eu.gcr.io/acme/web"), "knative"},
		{"a registry that only sounds like it", service("{}", bounds, "notgcr.io/acme/web"), "knative"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, pl := range []Platform{cloudrun, knative} {
				if got, want := pl.recognise([]byte(test.text)), pl.Name == test.want; got != want {
					t.Errorf("%s recognises it: %v, want %v", pl.Name, got, want)
				}
			}
		})
	}
}

func TestCloudRunChanges(t *testing.T) {
	tests := []struct {
		name, file string
		edit       func(*profiles.Policy)
		want       []string
		note       string
	}{
		{"a share of the limit that there is", "example.yaml", func(p *profiles.Policy) { p.Metrics = p.Metrics[:1]; p.Metrics[0].Target = 2000 }, []string{
			`- metadata: {annotations: {autoscaling.knative.dev/minScale: "5", autoscaling.knative.dev/maxScale: "20"}}`,
			`+ metadata: {annotations: {autoscaling.knative.dev/minScale: "5", autoscaling.knative.dev/maxScale: "20", run.googleapis.com/scaling-cpu-target: disabled, run.googleapis.com/scaling-concurrency-target: "0.5"}}`,
		}, "containerConcurrency 4 is a hard limit too"},
		{"another limit", "exported.yaml", func(p *profiles.Policy) { p.Metrics[0].Target = 100_000 }, []string{
			`- run.googleapis.com/scaling-concurrency-target: '0.45'`, `- containerConcurrency: 80`,
			`+ run.googleapis.com/scaling-concurrency-target: '0.5'`, `+ containerConcurrency: 200`,
		}, "containerConcurrency 80 becomes 200: no share in hundredths of 80 is 100"},
		{"bounds of the service, not of the revision", "exported.yaml", func(p *profiles.Policy) { p.Replicas.Min, p.Replicas.Max = 3, 60 }, []string{
			`- run.googleapis.com/maxScale: '50'`, `- run.googleapis.com/minScale: '2'`, `- autoscaling.knative.dev/maxScale: '100'`,
			`+ run.googleapis.com/maxScale: '60'`, `+ run.googleapis.com/minScale: '3'`,
		}, ""},
		{"the usual target", "exported.yaml", func(p *profiles.Policy) { p.Metrics[0].Target = 48_000 }, []string{
			`- run.googleapis.com/scaling-concurrency-target: '0.45'`, `+ run.googleapis.com/scaling-concurrency-target: '0.6'`,
		}, ""},
		{"the CPU only", "exported.yaml", func(p *profiles.Policy) {
			p.Metrics = []profiles.Metric{{Kind: profiles.CPU, Target: 80_000, Window: runWindow}}
		}, []string{
			`- run.googleapis.com/scaling-concurrency-target: '0.45'`, `+ run.googleapis.com/scaling-concurrency-target: 'disabled'`, `+ run.googleapis.com/scaling-cpu-target: "0.8"`,
		}, ""},
		{"no longer by hand", "manual.yaml", func(p *profiles.Policy) {
			p.Replicas.Max, p.Metrics = 8, []profiles.Metric{{Kind: profiles.CPU, Target: 60_000, Window: runWindow}}
		}, []string{
			`- run.googleapis.com/scalingMode: manual`, `- run.googleapis.com/manualInstanceCount: '4'`,
			`+ run.googleapis.com/scalingMode: automatic`, `+ metadata:`, `+ annotations:`, `+ autoscaling.knative.dev/minScale: "4"`, `+ autoscaling.knative.dev/maxScale: "8"`, `+ run.googleapis.com/scaling-concurrency-target: disabled`,
		}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, doc := lineChanges(t, cloudrun, test.file, test.edit)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if notes := strings.Join(doc.Notes, "\n"); !strings.Contains(notes, test.note) {
				t.Errorf("notes %q, want %q among them", notes, test.note)
			}
		})
	}
}

func TestCloudRunRefuses(t *testing.T) {
	idle := 1
	tests := []struct {
		name string
		edit func(*profiles.Policy)
		want string
	}{
		{"too much of the CPU", func(p *profiles.Policy) { p.Metrics[0].Kind, p.Metrics[0].Target = profiles.CPU, 95_000 }, "metrics[0].target: got 95, want 10 to 90 %"},
		{"cores", func(p *profiles.Policy) { p.Metrics[0].Kind, p.Metrics[0].Unit = profiles.CPU, "cores" }, "metrics[0].unit: got cores, want %"},
		{"too little", func(p *profiles.Policy) { p.Metrics[0].Target = 90 }, "metrics[0].target: got 0.09, want 0.1 to 950"},
		{"too much", func(p *profiles.Policy) { p.Metrics[0].Target = 951_000 }, "metrics[0].target: got 951, want 0.1 to 950"},
		{"in between", func(p *profiles.Policy) { p.Metrics[0].Target = 2005 }, "metrics[0].target: got 2.005, want a share in hundredths of a whole containerConcurrency: 2 is the nearest that keeps the capacity free; --round takes it"},
		{"twice the same", func(p *profiles.Policy) { p.Metrics = append(p.Metrics, p.Metrics[0]) }, "metrics[1].kind: got a second in_flight, want one"},
		{"scope", func(p *profiles.Policy) { p.Metrics[0].Scope = profiles.WholeFleet }, "metrics[0].scope: got fleet, want replica"},
		{"rest above zero", func(p *profiles.Policy) {
			p.Replicas.Idle, p.ToZero = &idle, &profiles.ToZero{After: profiles.DefaultToZero}
		}, "replicas.idle: got 1, but the platform has none"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := running(func(p *profiles.Policy) {
				p.Metrics[0].Kind, p.Metrics[0].Target = profiles.InFlight, 2000
				test.edit(p)
			})
			if _, err := cloudrun.Export(p, Options{}); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("Export = %v, want %q", err, test.want)
			}
		})
	}
}

// Both drivers, in either order.
func TestCloudRunTwoDrivers(t *testing.T) {
	inFlight := profiles.Metric{Kind: profiles.InFlight, Target: 2000, Window: runWindow}
	cpu := profiles.Metric{Kind: profiles.CPU, Target: 70_000, Window: runWindow}
	for _, metrics := range [][]profiles.Metric{{inFlight, cpu}, {cpu, inFlight}} {
		doc, err := cloudrun.Export(running(func(p *profiles.Policy) { p.Metrics = metrics }), Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{`scaling-cpu-target: "0.7"`, `scaling-concurrency-target: "0.5"`, "containerConcurrency: 4"} {
			if !strings.Contains(string(doc.Text), want) {
				t.Errorf("%v: no %s in\n%s", metrics, want, doc.Text)
			}
		}
		if got := doc.Effective.Metrics; len(got) != 2 || got[0].Kind != profiles.InFlight || got[0].Target != 2000 || got[1].Target != 70_000 {
			t.Errorf("effective metrics %v", got)
		}
	}
}

// The share nearest to 60 % among those that come nearest from below.
func TestNearestShare(t *testing.T) {
	tests := []struct {
		target        profiles.Milli
		hard, percent int
	}{
		{2000, 4, 50},       // an odd target
		{2400, 4, 60},       // as usual
		{10_000, 20, 50},    // 16 x 62.5 % is none
		{7000, 14, 50},      // as near as 10 x 70 %, with more room
		{600, 1, 60},        //
		{100, 1, 10},        // the least
		{950_000, 1000, 95}, // the most
		{99, 0, 0},          // less
		{950_001, 0, 0},     // more
		{2005, 4, 50},       // 2, from below
		{10_570, 16, 66},    // 10.56; 1057 is 7 x 151
	}
	for _, test := range tests {
		if hard, percent := nearestShare(test.target); hard != test.hard || percent != test.percent {
			t.Errorf("nearestShare(%s) = %d at %d %%, want %d at %d %%", test.target, hard, percent, test.hard, test.percent)
		}
	}
}

func runDeciderOf(t testing.TB, terms runTerms) profiles.Decider {
	t.Helper()
	d, err := terms.decider()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// As the documentation has it: the highest of ceil(usage/(limit x
// target)), at once more for what waits, within the bounds.
func TestCloudRunDecides(t *testing.T) {
	both := runTerms{min: 1, max: 20, hard: 4, concurrency: 60, cpu: 60}
	reading := func(total, burst float64) profiles.Reading {
		return profiles.Reading{Total: profiles.MilliOf(total), Burst: profiles.MilliOf(burst), Valid: true}
	}
	none := profiles.Reading{}
	tests := []struct {
		name     string
		terms    runTerms
		replicas int
		readings []profiles.Reading
		want     int
		text     string
	}{
		{"concurrency", both, 5, []profiles.Reading{reading(24, 0), reading(100, 0)}, 10, "5 -> 10: request concurrency"}, // 24/2.4
		{"exactly", both, 3, []profiles.Reading{reading(7.2, 0), reading(0, 0)}, 3, "stays at 3: request concurrency"},    // 3, where float64 has 3.0000000000000004
		{"cpu", both, 5, []profiles.Reading{reading(2, 0), reading(421, 0)}, 8, "5 -> 8: CPU utilization"},                // 7.02
		{"pending", both, 2, []profiles.Reading{reading(2, 21), reading(10, 0)}, 6, "2 -> 6: pending requests"},           // 21 of 4 each
		{"nothing is pending", both, 6, []profiles.Reading{reading(2, 21), reading(10, 0)}, 1, "6 -> 1: request concurrency"},
		{"max", both, 5, []profiles.Reading{reading(240, 0), reading(0, 0)}, 20, "5 -> 20: request concurrency, maximum instances"},
		{"min", both, 5, []profiles.Reading{reading(0, 0), reading(0, 0)}, 1, "5 -> 1: request concurrency, minimum instances"},
		{"one driver is enough to go up", both, 5, []profiles.Reading{none, reading(421, 0)}, 8, "5 -> 8: CPU utilization"},
		{"but not to go down", both, 5, []profiles.Reading{reading(2, 0), none}, 5, "stays at 5: request concurrency, a driver without data"},
		{"nothing known", both, 5, []profiles.Reading{none, none}, 5, "stays at 5: no metric could be read"},
		{"no readings", both, 5, nil, 5, "stays at 5: no metric could be read"},
		{"cpu alone comes first", runTerms{max: 20, cpu: 50}, 2, []profiles.Reading{reading(150, 0)}, 3, "2 -> 3: CPU utilization"},
		{"cpu alone never takes the last", runTerms{max: 20, cpu: 50}, 2, []profiles.Reading{reading(0, 0)}, 1, "2 -> 1: CPU utilization, idle instance"},
		{"the usual limit", runTerms{max: 20, concurrency: 60}, 1, []profiles.Reading{reading(49, 0)}, 2, "1 -> 2: request concurrency"}, // 48
		{"by hand", runTerms{manual: 4}, 1, nil, 4, "1 -> 4: manual scaling"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := runDeciderOf(t, test.terms).Decide(epoch, profiles.Metrics{Replicas: test.replicas, Ready: test.replicas, Readings: test.readings})
			if got.Desired != test.want || got.String() != test.text {
				t.Errorf("Decide = %q, want %q", got, test.text)
			}
		})
	}
}

// The last instance stays for 15 minutes, and the first comes at once.
func TestCloudRunToZero(t *testing.T) {
	d := runDeciderOf(t, runTerms{max: 20, hard: 4, concurrency: 50})
	for _, s := range []struct {
		at       time.Duration
		replicas int
		load     float64
		want     int
	}{
		{0, 1, 1, 1}, {time.Minute, 1, 0, 1}, {15*time.Minute - 1, 1, 0, 1}, {15 * time.Minute, 1, 0, 0},
		{16 * time.Minute, 0, 0, 0}, {17 * time.Minute, 0, 9, 5}, {18 * time.Minute, 5, 0, 1},
	} {
		if got := d.Decide(epoch.Add(s.at), level(s.replicas, s.replicas, s.load, s.load)); got.Desired != s.want {
			t.Errorf("at %v with %g in flight: %v, want %d", s.at, s.load, got, s.want)
		}
	}
}

func cloudRunLoad() profiles.Metrics {
	return profiles.Metrics{Replicas: 5, Ready: 5, Readings: []profiles.Reading{{Total: 9000, Burst: 12_000, Valid: true}, {Total: 300_000, Valid: true}}}
}

func TestCloudRunDoesNotAllocate(t *testing.T) {
	d, m := runDeciderOf(t, runTerms{max: 20, hard: 4, concurrency: 50, cpu: 60}), cloudRunLoad()
	if n := testing.AllocsPerRun(1000, func() { d.Decide(epoch, m) }); n != 0 {
		t.Errorf("Decide allocates %g times", n)
	}
}

func BenchmarkDecideCloudRun(b *testing.B) {
	d, m := runDeciderOf(b, runTerms{max: 20, hard: 4, concurrency: 50, cpu: 60}), cloudRunLoad()
	b.ReportAllocs()
	for b.Loop() {
		d.Decide(epoch, m)
	}
}
