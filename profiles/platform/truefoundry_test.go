package platform

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"headroom/profiles"
)

// tfyCronDocument is a service with a cron metric.
func tfyCronDocument(bounds, metric string) string {
	return "name: web\ntype: service\nreplicas:\n  " + bounds + "\n  metrics: {type: cron, " + metric + "}\n"
}

// settle is the size that a platform comes to at a time, from the present one:
// it decides every 30 s of the twenty minutes before.
func settle(t *testing.T, pl Platform, text string, at time.Time, size int) int {
	t.Helper()
	s, err := pl.read([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	d, err := s.decider()
	if err != nil {
		t.Fatal(err)
	}
	for now := at.Add(-20 * time.Minute); !now.After(at); now = now.Add(30 * time.Second) {
		size = d.Decide(now, profiles.Metrics{Replicas: size, Ready: size}).Desired
	}
	return size
}

func TestTrueFoundryCron(t *testing.T) {
	const (
		thursdays = `start: "0 0 * * Thu", end: "59 23 * * Thu", timezone: UTC, desired_replicas: 10`
		evenHours = `start: "0 */2 * * *", end: "0 1-23/2 * * *", timezone: UTC, desired_replicas: 10`
	)
	day := func(d, hour, minute int) time.Time { return time.Date(2026, 3, d, hour, minute, 0, 0, time.UTC) } // the 5th is a Thursday
	for _, c := range []struct {
		name     string
		min, max string
		metric   string
		at       time.Time
		cur      int
		want     int
	}{
		// scaling.md 5. What is 0 there is min here.
		{"V1 Thursday", "1", "20", thursdays, day(5, 12, 0), 1, 10},
		{"V1 another day", "1", "20", thursdays, day(4, 12, 0), 10, 1},
		{"V1 at the end", "1", "20", thursdays, day(5, 23, 59), 1, 10}, // it takes five minutes more to shrink
		{"V1 after the end", "1", "20", thursdays, day(6, 0, 10), 10, 1},
		{"V2 even hour", "1", "20", evenHours, day(5, 14, 30), 1, 10},
		{"V2 odd hour", "1", "20", evenHours, day(5, 15, 30), 10, 1},
		// The dead band of the assumed HPA, in which nothing moves.
		{"G1", "1", "30", thursdays, day(5, 12, 0), 11, 11},
		{"G2", "1", "30", thursdays, day(5, 12, 0), 20, 10},
		{"G3", "1", "90", strings.Replace(thursdays, "10", "24", 1), day(5, 12, 0), 22, 22},
		{"G4", "1", "90", strings.Replace(thursdays, "10", "60", 1), day(5, 12, 0), 57, 57},

		// Of our own.
		{"a floor, not a ceiling", "12", "20", thursdays, day(5, 12, 0), 12, 12},
		{"max is a ceiling", "1", "8", thursdays, day(5, 12, 0), 1, 8},
		{"desired is max", "1", "8", strings.Replace(thursdays, ", desired_replicas: 10", "", 1), day(5, 12, 0), 1, 8},
		{"UTC where nothing is said", "1", "20", strings.Replace(thursdays, ", timezone: UTC", "", 1), day(5, 12, 0), 1, 10},
		{"elsewhere", "1", "20", strings.Replace(thursdays, "UTC", "Asia/Kolkata", 1), day(4, 19, 0), 1, 10}, // 00:30 there
	} {
		t.Run(c.name, func(t *testing.T) {
			text := tfyCronDocument("min_replicas: "+c.min+"\n  max_replicas: "+c.max, c.metric)
			if got := settle(t, trueFoundry, text, c.at, c.cur); got != c.want {
				t.Errorf("at %s, from %d: %d, want %d\n%s", c.at, c.cur, got, c.want, text)
			}
		})
	}
}

func TestTrueFoundryCronIsChecked(t *testing.T) {
	for _, c := range []struct{ name, metric, want string }{
		{"V3 start is end", `start: "30 * * * *", end: "30 * * * *"`, "replicas.metrics.end: got"},
		{"V3 no replicas", `start: "0 9 * * *", end: "0 21 * * *", desired_replicas: 0`, "replicas.metrics.desired_replicas: got 0"},
		{"V3 no such timezone", `start: "0 9 * * *", end: "0 21 * * *", timezone: Mars`, "replicas.metrics.timezone: got"},
		{"V3 -30", `start: "-30 * * * *", end: "0 21 * * *"`, "replicas.metrics.start: got"},
		{"V3 -50", `start: "0 9 * * *", end: "-50 * * * *"`, "replicas.metrics.end: got"},
		{"V3 * -3", `start: "0 9 * * *", end: "0 * -3 * *"`, "replicas.metrics.end: got"},
		{"no start", `end: "0 21 * * *"`, "replicas.metrics.start: got"},
	} {
		_, _, err := trueFoundry.Import([]byte(tfyCronDocument("max_replicas: 4", c.metric)))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: Import = %v, want %q in it", c.name, err, c.want)
		}
	}
}

// The effective policy comes to the same sizes as the decider, but for the
// dead band.
func TestTrueFoundryCronAsAPolicy(t *testing.T) {
	text := tfyCronDocument("min_replicas: 2\n  max_replicas: 9", `start: "0 9 * * 1-5", end: "0 21 * * 1-5", timezone: Asia/Tokyo, desired_replicas: 6`)
	p, _, err := trueFoundry.Import([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	builtin, err := p.Decider()
	if err != nil {
		t.Fatal(err)
	}
	for hour := range 24 * 7 {
		at := time.Date(2026, 3, 2, hour, 30, 0, 0, time.UTC)
		size := 2
		for range 2 {
			size = builtin.Decide(at, profiles.Metrics{Replicas: size, Ready: size}).Desired
		}
		if got := settle(t, trueFoundry, text, at, 2); got != size {
			t.Errorf("at %s: %d, want %d as the policy has it", at, got, size)
		}
	}
}

func TestTrueFoundryRPS(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", trueFoundryName, "import", "service.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	p, _, err := trueFoundry.Import(text)
	if err != nil {
		t.Fatal(err)
	}
	d, err := trueFoundry.Decider(p, Options{})
	if err != nil {
		t.Fatal(err)
	}
	// The seed: one replica serves 10 requests/s, 50 to 200 of them come. The
	// sizes are those of P1 in scaling.md 10.
	for i, c := range []struct{ rps, want int }{{50, 5}, {120, 12}, {200, 20}, {1000, 20}, {0, 5}} {
		now := everaiNow.Add(time.Duration(i) * 5 * time.Minute)
		size := 5
		if i > 0 {
			size = []int{5, 5, 12, 20, 20}[i]
		}
		m := profiles.Metrics{Replicas: size, Ready: size, Readings: []profiles.Reading{{Total: profiles.Milli(c.rps) * 1000, Valid: true}}}
		if got := d.Decide(now, m); got.Desired != c.want {
			t.Errorf("%d requests/s: %v, want %d", c.rps, got, c.want)
		}
	}
}

func TestTrueFoundryExports(t *testing.T) {
	document := func(name string) []byte {
		text, err := os.ReadFile(filepath.Join("testdata", trueFoundryName, "import", name))
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	hours := func(edit func(*profiles.Policy)) profiles.Policy {
		p := profiles.FixedPolicy(2)
		p.Schedules = []profiles.Schedule{{Start: "0 9 * * 1-5", End: "0 21 * * 1-5", Min: 8}}
		if edit != nil {
			edit(&p)
		}
		return p
	}
	two := 2
	for _, c := range []struct {
		name    string
		policy  profiles.Policy
		options Options
	}{
		{"named", running(nil), Options{Name: "shop", Image: "quay.io/acme/shop:2", Strict: true}},
		{"into a service", running(func(p *profiles.Policy) { p.Interval = profiles.Duration(10500 * time.Millisecond) }), Options{Base: document("service.yaml")}},
		{"number to range", running(nil), Options{Base: document("fixed.yaml")}},
		{"range to number", profiles.FixedPolicy(3), Options{Base: document("service.yaml")}},
		{"number to number", profiles.FixedPolicy(3), Options{Base: document("fixed.yaml")}},
		{"cpu to rps", running(nil), Options{Base: document("cpu.yaml")}},
		{"cores", running(func(p *profiles.Policy) {
			p.Metrics[0] = profiles.Metric{Kind: profiles.CPU, Unit: "cores", Target: 500, Window: p.Interval}
		}), Options{}},
		{"fraction of cpu", running(func(p *profiles.Policy) { p.Metrics[0].Kind, p.Metrics[0].Target = profiles.CPU, 70_500 }), Options{}},
		{"converted", running(func(p *profiles.Policy) {
			p.Metrics[0].Kind, p.Metrics[0].Target = profiles.InFlight, 2000
			p.Calibration = &profiles.Calibration{Latency: profiles.Duration(200 * time.Millisecond)}
		}), Options{}},
		{"hours", hours(nil), Options{}},
		{"hours into a number", hours(nil), Options{Base: document("fixed.yaml")}},
		{"other hours", hours(nil), Options{Base: document("office-hours.yaml")}},
		{"hours within the dead band", hours(func(p *profiles.Policy) {
			p.Replicas.Min, p.Replicas.Max, p.Schedules[0].Min = 10, 10, 11
		}), Options{}},
		{"hours of fewer", hours(func(p *profiles.Policy) { p.Replicas.Min, p.Replicas.Max = 9, 9 }), Options{}},
		{"hours twice", hours(func(p *profiles.Policy) { p.Schedules = append(p.Schedules, p.Schedules[0]) }), Options{}},
		{"rest", running(func(p *profiles.Policy) {
			zero := 0
			p.Replicas.Idle, p.ToZero = &zero, &profiles.ToZero{After: profiles.Duration(90*time.Second + time.Millisecond)}
		}), Options{}},
		{"rest at two", running(func(p *profiles.Policy) {
			p.Replicas.Idle, p.ToZero = &two, &profiles.ToZero{After: profiles.DefaultToZero}
		}), Options{}},
		{"no more rest", running(nil), Options{Base: document("shutdown.yaml")}},
		{"for the fleet", running(func(p *profiles.Policy) { p.Metrics[0].Scope = profiles.WholeFleet }), Options{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			golden(t, filepath.Join("testdata", trueFoundryName, "own", strings.ReplaceAll(c.name, " ", "-")+".golden"), transcript(trueFoundry, c.policy, c.options))
		})
	}
}

// newTFYDecider decides about a document, or about cron.
func newTFYDecider(tb testing.TB, text string) profiles.Decider {
	tb.Helper()
	s, err := parseTrueFoundry([]byte(text))
	if err != nil {
		tb.Fatal(err)
	}
	d, err := s.decider()
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

const tfyOfficeHours = `start: "0 9 * * 1-5", end: "0 21 * * 1-5", timezone: Europe/Berlin, desired_replicas: 6`

func TestTrueFoundryDecideDoesNotAllocate(t *testing.T) {
	d, now := newTFYDecider(t, tfyCronDocument("max_replicas: 9", tfyOfficeHours)), everaiNow
	step := func() {
		now = now.Add(30 * time.Second)
		d.Decide(now, profiles.Metrics{Replicas: 6, Ready: 6})
	}
	for range 100 {
		step()
	}
	if n := testing.AllocsPerRun(1000, step); n != 0 {
		t.Errorf("Decide allocates %v times, want 0", n)
	}
}

func BenchmarkDecideTrueFoundry(b *testing.B) {
	d, now := newTFYDecider(b, tfyCronDocument("max_replicas: 9", tfyOfficeHours)), everaiNow
	b.ReportAllocs()
	for b.Loop() {
		now = now.Add(30 * time.Second)
		d.Decide(now, profiles.Metrics{Replicas: 6, Ready: 6})
	}
}
