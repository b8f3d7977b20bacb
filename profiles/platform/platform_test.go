package platform

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"headroom/profiles"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// running is the running example, 5..20 at 10 requests/s, changed by edit.
func running(edit func(*profiles.Policy)) profiles.Policy {
	p := profiles.DefaultPolicy()
	p.Replicas = profiles.Bounds{Min: 5, Max: 20}
	p.Metrics = []profiles.Metric{{Kind: profiles.RPS, Target: 10_000, Window: p.Interval}}
	if edit != nil {
		edit(&p)
	}
	return p
}

// cases are the policies that every platform is tried with.
var cases = []struct {
	name    string
	edit    func(*profiles.Policy)
	options Options
}{
	{"example", nil, Options{}},
	{"calibrated", func(p *profiles.Policy) {
		p.Calibration = &profiles.Calibration{Latency: profiles.Duration(200 * time.Millisecond)}
	}, Options{}},
	{"named", nil, Options{Name: "shop", Namespace: "prod", Image: "quay.io/acme/shop:2", Prometheus: "http://prom:9090", Query: `sum(rate(requests{app="shop"}[1m]))`, Strict: true}},
	{"fraction", func(p *profiles.Policy) { p.Metrics[0].Target = 10_500 }, Options{}},
	{"fraction rounded", func(p *profiles.Policy) { p.Metrics[0].Target = 10_500 }, Options{Round: true}},
	{"in flight", func(p *profiles.Policy) { p.Metrics[0].Kind, p.Metrics[0].Target = profiles.InFlight, 2000 }, Options{}},
	{"cpu", func(p *profiles.Policy) { p.Metrics[0].Kind, p.Metrics[0].Target = profiles.CPU, 70_000 }, Options{}},
	{"queue", func(p *profiles.Policy) { p.Metrics[0].Kind, p.Metrics[0].Target = profiles.Queue, 2000 }, Options{}},
	{"free workers", func(p *profiles.Policy) { p.Metrics[0].Kind, p.Metrics[0].Target = profiles.FreeWorkers, 1000 }, Options{}},
	{"cron", func(p *profiles.Policy) {
		p.Schedules = []profiles.Schedule{{Start: "0 9 * * 1-5", End: "0 21 * * 1-5", Timezone: "Europe/Berlin", Min: 8}}
	}, Options{}},
	{"match", func(p *profiles.Policy) {
		p.Schedules = []profiles.Schedule{{Match: "* 9-20 * * MON-FRI", Timezone: "Europe/Berlin", Min: 8}}
	}, Options{}},
	{"overrides", func(p *profiles.Policy) {
		p.Schedules = []profiles.Schedule{{Match: "0-29 9-20 * * 1-5", Min: 8, Set: profiles.Settings{{Key: "metrics[0].target", Value: "8"}}}}
	}, Options{}},
	{"trend", func(p *profiles.Policy) {
		trend := profiles.Trend{Within: profiles.Duration(20 * time.Second), MaxWait: profiles.Duration(5 * time.Second), Ahead: true}
		p.Metrics[0].Kind, p.Metrics[0].Target, p.Metrics[0].Trend = profiles.InFlight, 2000, &trend
	}, Options{}},
	{"two metrics", func(p *profiles.Policy) {
		p.Metrics = append(p.Metrics, profiles.Metric{Kind: profiles.CPU, Target: 70_000, Window: p.Interval})
	}, Options{}},
	{"scale to zero", func(p *profiles.Policy) {
		p.Replicas.Min, p.ToZero = 0, &profiles.ToZero{After: profiles.DefaultToZero}
	}, Options{}},
	{"timing", func(p *profiles.Policy) {
		p.Interval, p.Tolerance = profiles.Duration(10*time.Second), 50
		p.Metrics[0].Window = profiles.Duration(time.Minute)
		p.Up = profiles.Behavior{Step: 4, Stabilization: profiles.Duration(30 * time.Second)}
		p.Down = profiles.Behavior{Step: 1, Factor: 500, Stabilization: profiles.Duration(2 * time.Minute), Idle: p.Down.Idle, Order: profiles.Newest}
		p.Replicas.Initial = 6
	}, Options{}},
	{"fixed", func(p *profiles.Policy) { *p = profiles.FixedPolicy(3) }, Options{}},
	{"unlimited", func(p *profiles.Policy) { p.Replicas.Max = profiles.Unlimited }, Options{}},
}

// transcript is all that an export says.
func transcript(pl Platform, p profiles.Policy, o Options) string {
	doc, err := pl.Export(p, o)
	if err != nil {
		return "refused:\n" + err.Error() + "\n"
	}
	var b strings.Builder
	b.Write(doc.Text)
	list := func(title string, lines []string) {
		for i, line := range lines {
			if i == 0 {
				fmt.Fprintf(&b, "-- %s --\n", title)
			}
			fmt.Fprintln(&b, line)
		}
	}
	list("placeholders", doc.Placeholders)
	var losses []string
	for _, l := range doc.Losses {
		mark := "  "
		if l.Severe {
			mark = "! "
		}
		losses = append(losses, mark+l.String())
	}
	list("losses", losses)
	list("notes", doc.Notes)
	return b.String()
}

// Golden files: what each platform makes of each case, a document or a
// refusal.
func TestExport(t *testing.T) {
	for _, pl := range All() {
		for _, c := range cases {
			t.Run(pl.Name+"/"+c.name, func(t *testing.T) {
				got := transcript(pl, running(c.edit), c.options)
				path := filepath.Join("testdata", pl.Name, strings.ReplaceAll(c.name, " ", "-")+".golden")
				golden(t, path, got)
			})
		}
	}
}

// Golden files: what each document in testdata/NAME/import is as a policy, and
// what of it is lost.
func TestImport(t *testing.T) {
	for _, pl := range All() {
		for _, file := range importFiles(t, pl) {
			t.Run(pl.Name+"/"+filepath.Base(file), func(t *testing.T) {
				text, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				golden(t, file+".golden", imported(pl, text))
			})
		}
	}
}

// importFiles are the documents to import.
func importFiles(t testing.TB, pl Platform) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", pl.Name, "import", "*"))
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(files, func(file string) bool { return strings.HasSuffix(file, ".golden") })
}

// imported is all that an import says.
func imported(pl Platform, text []byte) string {
	if who, err := Recognise(text); err != nil || who.Name != pl.Name {
		return fmt.Sprintf("recognised as %q: %v\n", who.Name, err)
	}
	p, losses, err := pl.Import(text)
	if err != nil {
		return "refused:\n" + err.Error() + "\n"
	}
	p.Platforms = nil
	out, err := p.YAML()
	if err != nil {
		return err.Error()
	}
	for i, l := range losses {
		if i == 0 {
			out = append(out, "-- losses --\n"...)
		}
		out = append(out, l.String()+"\n"...)
	}
	return string(out)
}

// golden compares got with a file, or writes it.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// drawPolicy draws a policy, mostly of the sort that platforms can say.
func drawPolicy(t *rapid.T) profiles.Policy {
	p := profiles.DefaultPolicy()
	seconds := func(label string, of ...int) profiles.Duration {
		return profiles.Duration(rapid.SampledFrom(of).Draw(t, label)) * profiles.Duration(time.Second)
	}
	low := rapid.IntRange(0, 9).Draw(t, "min")
	p.Replicas = profiles.Bounds{Min: low, Max: profiles.Limit(max(1, low) + rapid.IntRange(0, 50).Draw(t, "more"))}
	if rapid.IntRange(0, 9).Draw(t, "unlimited") == 0 {
		p.Replicas.Max = profiles.Unlimited
	}
	if rapid.IntRange(0, 3).Draw(t, "with initial") == 0 {
		p.Replicas.Initial = max(1, low)
	}
	p.Interval = seconds("interval", 1, 10, 15, 30, 60)
	kinds := []profiles.Kind{profiles.RPS, profiles.RPS, profiles.InFlight, profiles.InFlight, profiles.CPU, profiles.Memory, profiles.Queue, profiles.FreeWorkers}
	for range rapid.SampledFrom([]int{1, 1, 1, 1, 2, 3}).Draw(t, "metrics") {
		m := profiles.Metric{Kind: rapid.SampledFrom(kinds).Draw(t, "kind"), Window: seconds("window", 6, 10, 30, 60, 120)}
		m.Target = profiles.Milli(rapid.IntRange(1, 100).Draw(t, "target")) * 1000
		if rapid.IntRange(0, 3).Draw(t, "fractional") == 0 {
			m.Target = profiles.Milli(rapid.IntRange(1, 100_000).Draw(t, "exact target"))
		}
		if m.Kind == profiles.RPS && rapid.IntRange(0, 3).Draw(t, "with panic") == 0 {
			m.Panic = &profiles.Panic{Window: seconds("panic window", 1, 6), Threshold: profiles.Milli(rapid.IntRange(11, 100).Draw(t, "threshold") * 100)}
		}
		p.Metrics = append(p.Metrics, m)
	}
	if low == 0 {
		p.ToZero = &profiles.ToZero{After: seconds("after", 30, 60, 300, 900)}
		p.Metrics[0].Kind = rapid.SampledFrom([]profiles.Kind{profiles.RPS, profiles.InFlight, profiles.Queue}).Draw(t, "kind at zero")
		p.Metrics[0].Panic = nil
	}
	p.Tolerance = profiles.Ratio(rapid.SampledFrom([]int{0, 10, 50, 100, 200}).Draw(t, "tolerance"))
	behavior := func(label string) (b profiles.Behavior) {
		b.Step = rapid.SampledFrom([]int{0, 0, 1, 4}).Draw(t, label+" step")
		b.Stabilization = seconds(label+" stabilization", 0, 10, 60, 300)
		return b
	}
	down := p.Down
	p.Up, p.Down = behavior("up"), behavior("down")
	p.Down.Idle, p.Down.Order = down.Idle, down.Order
	if rapid.IntRange(0, 2).Draw(t, "with a schedule") == 0 {
		s := profiles.Schedule{Start: "0 9 * * 1-5", End: "0 21 * * 1-5", Timezone: rapid.SampledFrom([]string{"", "UTC", "Europe/Berlin"}).Draw(t, "timezone"), Min: max(1, low)}
		if rapid.Bool().Draw(t, "with its max") {
			s.Max = s.Min + 5
		}
		p.Schedules = []profiles.Schedule{s}
	}
	if rapid.Bool().Draw(t, "calibrated") {
		p.Calibration = &profiles.Calibration{Latency: profiles.Duration(200 * time.Millisecond)}
	}
	return p
}

// samePolicy compares but for calibration and what platforms keep.
func samePolicy(want, got profiles.Policy) string {
	return cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(profiles.Policy{}, "Platforms", "Calibration"))
}

// What was exported is recognised, means what the export says it means, and
// comes back unchanged when it is imported and exported again.
func TestExportImportExport(t *testing.T) {
	for _, pl := range All() {
		t.Run(pl.Name, func(t *testing.T) {
			exported := 0
			rapid.Check(t, func(t *rapid.T) {
				p := drawPolicy(t)
				if err := p.Validate(); err != nil {
					t.Fatalf("drew an invalid policy: %v", err)
				}
				doc, err := pl.Export(p, Options{Round: true})
				if err != nil {
					if strings.Contains(err.Error(), "what was written cannot be read") || !strings.Contains(err.Error(), "got ") {
						t.Fatalf("Export: %v", err)
					}
					return
				}
				exported++
				if who, err := Recognise(doc.Text); err != nil || who.Name != pl.Name {
					t.Fatalf("Recognise = %q, %v, want %s:\n%s", who.Name, err, pl.Name, doc.Text)
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
				if diff := cmp.Diff(string(doc.Text), string(again.Text)); diff != "" {
					t.Fatalf("exported again (-first +second)\n%s", diff)
				}
				if len(again.Losses) > 0 {
					t.Fatalf("exported again with losses %v\n%s", again.Losses, doc.Text)
				}
			})
			if exported == 0 {
				t.Error("every policy was refused")
			}
		})
	}
}

func TestFindNamesWhatThereIs(t *testing.T) {
	if _, err := Find("heroku"); err == nil || !strings.Contains(err.Error(), `got "heroku", want one of policy, `) {
		t.Errorf("Find(heroku) = %v, want an error that lists the platforms", err)
	}
}
