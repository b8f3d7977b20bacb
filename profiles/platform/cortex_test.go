package platform

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"headroom/profiles"
)

// cortexWith are Cortex's defaults, changed by edit.
func cortexWith(edit func(*cortexSettings)) cortexSettings {
	s := newCortexSettings(cortexAPI{Kind: "RealtimeAPI"})
	if edit != nil {
		edit(&s)
	}
	return s
}

// inFlight is what a decider sees of so many requests.
func inFlight(replicas int, requests float64) profiles.Metrics {
	return profiles.Metrics{Replicas: replicas, Ready: replicas, Readings: []profiles.Reading{{Total: profiles.MilliOf(requests), Valid: true}}}
}

var cortexStart = time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)

func TestCortexDecide(t *testing.T) {
	atOnce := func(s *cortexSettings) { s.up, s.down = 0, 0 }
	second := func(s *cortexSettings) { s.up, s.down = time.Second, time.Second }
	bounds := func(min, max int, more ...func(*cortexSettings)) func(*cortexSettings) {
		return func(s *cortexSettings) {
			s.min, s.max, s.target = min, max, 1
			for _, edit := range more {
				edit(s)
			}
		}
	}
	target := func(x float64) func(*cortexSettings) { return func(s *cortexSettings) { s.target = x } }
	tolerance := func(x float64) func(*cortexSettings) {
		return func(s *cortexSettings) { s.downTol, s.upTol = x, x }
	}
	half := func(s *cortexSettings) { s.downFactor = 0.5 }
	for _, c := range []struct {
		name     string
		settings func(*cortexSettings)
		uptime   time.Duration
		inFlight float64
		cur      int
		want     int
		limit    profiles.Reason
	}{
		// scaling.md 3.
		{"C1", bounds(0, 5, second), 250 * time.Millisecond, 0, 1, 1, cortexDownPeriod},
		{"C2", bounds(1, 5, atOnce, half), 0, 2, 5, 3, cortexDownFactor},
		{"C3", bounds(1, 5, second), 250 * time.Millisecond, 5, 1, 1, cortexUpPeriod},
		{"C5", bounds(1, 5, second), 250 * time.Millisecond, 5, 2, 2, cortexUpPeriod},
		{"C6", bounds(1, 5, second), 250 * time.Millisecond, 3, 2, 2, cortexUpPeriod},
		{"C7", bounds(5, 10, atOnce), 0, 0, 6, 5, cortexDownFactor},
		{"C9", bounds(1, 100, atOnce, target(2)), 0, 8, 4, 4, ""},
		{"C10", bounds(1, 100, atOnce, target(1.6)), 0, 8, 4, 5, ""},
		{"C11", bounds(5, 20, atOnce, target(10)), 0, 100, 5, 8, cortexUpFactor},
		{"C12 19", bounds(1, 100, atOnce, tolerance(0.1)), 0, 19, 20, 20, cortexDownTolerance},
		{"C12 18.5", bounds(1, 100, atOnce, tolerance(0.1)), 0, 18.5, 20, 20, cortexDownTolerance},
		{"C12 18.0", bounds(1, 100, atOnce, tolerance(0.1)), 0, 18, 20, 18, ""},
		{"C13", bounds(1, 100, atOnce), 0, 0, 10, 8, cortexDownFactor},
		{"Awaken", bounds(0, 5), 0, 0.1, 0, 1, cortexAwaken},

		// Of our own. Present size x (1 + 0.25) is exact in binary, so its edge is
		// acted on, and just below it is not.
		{"the upper edge", bounds(1, 100, atOnce, tolerance(0.25)), 0, 10, 8, 10, ""},
		{"below the upper edge", bounds(1, 100, atOnce, tolerance(0.25)), 0, 9.999, 8, 8, cortexUpTolerance},
		{"one more in spite of the factor", bounds(1, 100, atOnce, func(s *cortexSettings) { s.upFactor = 1.001 }), 0, 10, 1, 2, cortexUpFactor},
		{"one fewer in spite of the factor", bounds(1, 100, atOnce, func(s *cortexSettings) { s.downFactor = 0.999 }), 0, 0, 3, 2, cortexDownFactor},
		{"max breaks the factor", bounds(1, 5, atOnce), 0, 20, 20, 5, cortexMax},
		{"min breaks the factor", bounds(30, 50, atOnce), 0, 0, 10, 30, cortexMin},
		{"nothing at zero", bounds(0, 5), 0, 0, 0, 0, ""},
		{"from one to none", bounds(0, 5, atOnce), 0, 0, 1, 0, ""},
		{"a flood", bounds(1, 5, atOnce), 0, 1e12, 1, 2, cortexUpFactor},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newCortexDecider(cortexWith(c.settings))
			d.began = cortexStart.Add(-c.uptime)
			if got := d.Decide(cortexStart, inFlight(c.cur, c.inFlight)); got.Desired != c.want || got.LimitedBy != c.limit {
				t.Errorf("Decide(%v in flight on %d) = %d, limited by %q, want %d, limited by %q", c.inFlight, c.cur, got.Desired, got.LimitedBy, c.want, c.limit)
			}
		})
	}
}

// The numbers of scaling.md 10: 12 replicas with a target of 2, and requests
// that take 200 ms.
func TestCortexUnderOneLoad(t *testing.T) {
	for _, c := range []struct {
		name string
		rps  float64
		cur  int
		want []int // sizes in order
		at   []time.Duration
	}{
		{"120", 120, 12, []int{12}, nil},
		{"130", 130, 12, []int{13}, []time.Duration{time.Minute}},
		{"125", 125, 12, []int{12}, nil},
		// The recommendation of 18 that is made when there are still 12 has to
		// leave the minute before: 60 s after it, inclusive, 20 is the least.
		{"200", 200, 12, []int{18, 20}, []time.Duration{time.Minute, 130 * time.Second}},
		{"30", 30, 12, []int{9, 7, 6, 5}, []time.Duration{300 * time.Second, 610 * time.Second, 920 * time.Second, 1230 * time.Second}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newCortexDecider(cortexWith(func(s *cortexSettings) { s.min, s.max, s.target = 5, 20, 2 }))
			size := c.cur
			var at []time.Duration
			var sizes []int
			for since := time.Duration(0); since < 30*time.Minute; since += cortexTick {
				got := d.Decide(cortexStart.Add(since), inFlight(size, c.rps*0.2))
				if got.Desired != size {
					at, sizes = append(at, since), append(sizes, got.Desired)
				}
				size = got.Desired
			}
			if len(sizes) == 0 {
				sizes = []int{size}
			}
			if !slices.Equal(sizes, c.want) || !slices.Equal(at, c.at) {
				t.Errorf("%v requests/s: sizes %v at %v, want %v at %v", c.rps, sizes, at, c.want, c.at)
			}
		})
	}
}

// In float64 12 x 1.05 is more than 12.6, and 126 x 0.2 / 2 too.
func TestCortexKeepsTheOrderOfOperations(t *testing.T) {
	s := cortexWith(func(s *cortexSettings) { s.target = 2 })
	rps := 126.0
	if _, rec, _, limit := s.recommend(rps*0.2, 12); rec != 13 {
		t.Errorf("recommend(126 x 0.2) = %d (%s), want 13", rec, limit)
	}
	if _, rec, _, limit := s.recommend(25.2, 12); rec != 12 || limit != cortexUpTolerance {
		t.Errorf("recommend(25.2) = %d (%s), want 12 within the tolerance", rec, limit)
	}
}

func TestCortexAwake(t *testing.T) {
	d := newCortexDecider(cortexWith(func(s *cortexSettings) { s.min, s.max = 0, 5 }))
	at := func(since time.Duration) time.Time { return cortexStart.Add(since) }
	d.Decide(at(0), inFlight(0, 0))
	if got := d.Decide(at(10*time.Minute), inFlight(0, 1)); got.Desired != 1 || got.Reason != profiles.Activated {
		t.Errorf("awaken = %v, want 1", got)
	}
	if got := d.Decide(at(15*time.Minute), inFlight(1, 0)); got.Desired != 1 {
		t.Errorf("5 min after it was woken: %v, want to stay", got)
	}
	if got := d.Decide(at(20*time.Minute+10*time.Second), inFlight(1, 0)); got.Desired != 0 {
		t.Errorf("5 min after that: %v, want none", got)
	}
}

func TestCortexWithoutMetric(t *testing.T) {
	d := newCortexDecider(cortexWith(nil))
	for _, m := range []profiles.Metrics{{Replicas: 3}, {Replicas: 3, Readings: make([]profiles.Reading, 1)}} {
		if got := d.Decide(cortexStart, m); got.Valid || got.Desired != 3 || got.Reason != profiles.NoData {
			t.Errorf("Decide(%+v) = %+v, want to hold for want of data", m, got)
		}
	}
	if len(d.recs) > 0 {
		t.Errorf("recorded %v without a metric", d.recs)
	}
}

func TestCortexSaysWhy(t *testing.T) {
	d := newCortexDecider(cortexWith(func(s *cortexSettings) { s.target = 2 }))
	const want = "stays at 20: in_flight 38.5 is within tolerance of 20 x 2, downscale_tolerance"
	if got := d.Decide(cortexStart, inFlight(20, 38.5)).String(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// Documents of their own, as the general cases have no calibration.
func TestCortexExports(t *testing.T) {
	old, err := os.ReadFile(filepath.Join("testdata", cortexName, "import", "old-names.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	requests := func(target profiles.Milli, edit func(*profiles.Policy)) profiles.Policy {
		return running(func(p *profiles.Policy) {
			p.Metrics[0].Kind, p.Metrics[0].Target = profiles.InFlight, target
			if edit != nil {
				edit(p)
			}
		})
	}
	for _, c := range []struct {
		name    string
		policy  profiles.Policy
		options Options
	}{
		{"timing", requests(2500, func(p *profiles.Policy) {
			p.Interval, p.Tolerance, p.Replicas.Initial = profiles.Duration(15*time.Second), 50, 6
			p.Metrics[0].Window = profiles.Duration(45 * time.Second)
			p.Up = profiles.Behavior{Factor: 2000, Step: 4, Stabilization: profiles.Duration(90 * time.Second)}
			p.Down = profiles.Behavior{Step: 1, Factor: 500, Stabilization: profiles.Duration(time.Hour), Idle: p.Down.Idle, Order: profiles.Oldest}
			p.OnMetricError = 7
		}), Options{Name: "shop: eu", Image: "quay.io/acme/shop:2", Strict: true}},
		{"to zero", requests(1000, func(p *profiles.Policy) {
			p.Replicas.Min, p.ToZero = 0, &profiles.ToZero{After: profiles.DefaultToZero}
		}), Options{}},
		{"hours", requests(2000, func(p *profiles.Policy) {
			p.Schedules = []profiles.Schedule{{Start: "0 9 * * 1-5", End: "0 21 * * 1-5", Min: 8}}
		}), Options{}},
		{"old names", requests(3000, nil), Options{Base: old}},
		{"too much", requests(17_000, func(p *profiles.Policy) { p.Tolerance = 1000 }), Options{Base: old}},
		{"stuck", requests(16_000, nil), Options{Base: old}},
		{"refused", requests(2000, func(p *profiles.Policy) {
			p.Metrics[0].Scope = profiles.WholeFleet
			idle := 1
			p.Replicas.Idle, p.ToZero = &idle, &profiles.ToZero{After: profiles.DefaultToZero}
		}), Options{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			golden(t, filepath.Join("testdata", cortexName, "own", strings.ReplaceAll(c.name, " ", "-")+".golden"), transcript(cortex, c.policy, c.options))
		})
	}
}

// What is imported and not changed is exported byte by byte, whatever it
// leaves out and whatever a policy cannot say; and of a change only the change
// is written.
func TestUnchangedDocumentsStay(t *testing.T) {
	for _, pl := range []Platform{cortex, everai, trueFoundry} {
		files, _ := filepath.Glob(filepath.Join("testdata", pl.Name, "import", "*.yaml"))
		if len(files) == 0 {
			t.Errorf("%s: no documents", pl.Name)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			p, _, err := pl.Import(text)
			if err != nil {
				continue // it is meant to be wrong
			}
			doc, err := pl.Export(p, Options{Strict: true})
			if err != nil {
				t.Errorf("%s: %v", file, err)
				continue
			}
			if string(doc.Text) != string(text) || len(doc.Losses) > 0 {
				t.Errorf("%s: comes back with losses %v as\n%s", file, doc.Losses, doc.Text)
			}

			p.Replicas.Max = p.Replicas.Max + 3
			if len(p.Metrics) == 0 {
				continue
			}
			doc, err = pl.Export(p, Options{Strict: true})
			if err != nil {
				t.Errorf("%s with a higher max: %v", file, err)
				continue
			}
			before, after := strings.Split(string(text), "\n"), strings.Split(string(doc.Text), "\n")
			changed := 0
			for i := range min(len(before), len(after)) {
				if before[i] != after[i] {
					changed++
				}
			}
			if changed > 1 && len(before) == len(after) || len(after) > len(before)+2 {
				t.Errorf("%s with a higher max becomes\n%s", file, doc.Text)
			}
		}
	}
}

// Any policy may be put into any document that is there: it means what the
// export says it means, and comes back unchanged.
func TestExportIntoDocuments(t *testing.T) {
	for _, pl := range []Platform{cortex, everai, trueFoundry} {
		var texts [][]byte
		files, _ := filepath.Glob(filepath.Join("testdata", pl.Name, "import", "*.yaml"))
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if _, _, err := pl.Import(text); err == nil {
				texts = append(texts, text)
			}
		}
		t.Run(pl.Name, func(t *testing.T) {
			exported := 0
			rapid.Check(t, func(t *rapid.T) {
				base := rapid.SampledFrom(texts).Draw(t, "base")
				p := drawPolicy(t)
				p.Metrics = p.Metrics[:1]
				switch rapid.IntRange(0, 3).Draw(t, "sort") {
				case 0:
					p.Schedules = nil
				case 1: // a size by the hour
					p.Metrics, p.ToZero = nil, nil
					p.Replicas.Min = max(1, p.Replicas.Min)
					p.Replicas.Max, p.Replicas.Initial = profiles.Limit(p.Replicas.Min), 0
				}
				doc, err := pl.Export(p, Options{Base: base, Round: true})
				if err != nil {
					if strings.Contains(err.Error(), "what was written cannot be read") || !strings.Contains(err.Error(), "got ") {
						t.Fatalf("Export: %v\n%s", err, base)
					}
					return
				}
				exported++
				back, _, err := pl.Import(doc.Text)
				if err != nil {
					t.Fatalf("Import: %v\n%s", err, doc.Text)
				}
				if diff := samePolicy(doc.Effective, back); diff != "" {
					t.Fatalf("imported (-effective +imported)\n%s\n%s", diff, doc.Text)
				}
				for _, p := range []profiles.Policy{p, back} {
					again, err := pl.Export(p, Options{Base: doc.Text, Round: true})
					if err != nil {
						t.Fatalf("the second Export: %v\n%s", err, doc.Text)
					}
					if string(again.Text) != string(doc.Text) {
						t.Fatalf("exported again, becomes\n%s\nfrom\n%s", again.Text, doc.Text)
					}
				}
			})
			if exported == 0 {
				t.Error("every policy was refused")
			}
		})
	}
}

func TestCortexDecideDoesNotAllocate(t *testing.T) {
	d := newCortexDecider(cortexWith(nil))
	m, now := inFlight(5, 12), cortexStart
	step := func() {
		now = now.Add(cortexTick)
		d.Decide(now, m)
	}
	for range 100 {
		step()
	}
	if n := testing.AllocsPerRun(1000, step); n != 0 {
		t.Errorf("Decide allocates %v times, want 0", n)
	}
}

func BenchmarkDecideCortex(b *testing.B) {
	d := newCortexDecider(cortexWith(nil))
	m, now := inFlight(5, 12), cortexStart
	b.ReportAllocs()
	for b.Loop() {
		now = now.Add(cortexTick)
		d.Decide(now, m)
	}
}
