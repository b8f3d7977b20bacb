package profiles

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// monday is the start of every script: a Monday, 00:00 UTC.
var monday = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// lost is a reading that could not be taken.
var lost = math.NaN()

func readings(totals ...float64) []Reading {
	var out []Reading
	for _, v := range totals {
		if math.IsNaN(v) {
			out = append(out, Reading{})
		} else {
			out = append(out, Reading{Total: MilliOf(v), Valid: true})
		}
	}
	return out
}

// tick is one decision of a script and what it must be.
type tick struct {
	at      time.Duration // since monday
	cur     int           // wanted at present; 0: what the tick before decided
	totals  []float64
	want    int
	reason  Reason
	limited Reason
}

// script is a policy at work over virtual time.
type script struct {
	name  string
	edit  func(*Policy)
	start int
	ticks []tick
}

// rpsPolicy has bounds 1..100 and nothing but its target of 10 rps, so that
// each script shows the stage that it adds.
func rpsPolicy() Policy {
	p := DefaultPolicy()
	p.Replicas = Bounds{Min: 1, Max: 100}
	p.Metrics = []Metric{{Kind: RPS, Target: 10000, Window: Duration(30 * time.Second)}}
	p.Tolerance = 0
	p.Down.Stabilization = 0
	return p
}

func newDecider(t testing.TB, p Policy) Decider {
	t.Helper()
	d, err := p.Decider()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func (s script) run(t *testing.T) {
	p := rpsPolicy()
	if s.edit != nil {
		s.edit(&p)
	}
	d := newDecider(t, p)
	cur := s.start
	for i, k := range s.ticks {
		if k.cur != 0 {
			cur = k.cur
		}
		now := monday.Add(k.at)
		got := d.Decide(now, Metrics{Replicas: cur, Readings: readings(k.totals...)})
		if got.Desired != k.want || got.Reason != k.reason || got.LimitedBy != k.limited {
			t.Errorf("%s, tick %d: Decide(%v, %d replicas, %v) = %d %s %q, want %d %s %q",
				s.name, i, k.at, cur, k.totals, got.Desired, got.Reason, got.LimitedBy, k.want, k.reason, k.limited)
		}
		if !got.At.Equal(now) || got.Current != cur || got.Valid != (k.reason != NoData) {
			t.Errorf("%s, tick %d: Decide(%v, %d replicas, %v) = %+v, want At and Current as given and Valid unless there is no data",
				s.name, i, k.at, cur, k.totals, got)
		}
		cur = got.Desired
	}
}

func runScripts(t *testing.T, scripts []script) {
	t.Helper()
	for _, s := range scripts {
		s.run(t)
	}
}

func of(totals ...float64) []float64 { return totals }

const second = time.Second

func TestDecideDemand(t *testing.T) {
	runScripts(t, []script{
		// Seed 002: one replica holds 10 rps, the traffic is 50..200.
		{"seed 002", func(p *Policy) { p.Replicas = Bounds{Min: 5, Max: 20} }, 5, []tick{
			{0, 0, of(50), 5, AtTarget, ""},
			{30 * second, 0, of(120), 12, AboveTarget, ""},
			{60 * second, 0, of(200), 20, AboveTarget, ""},
			{90 * second, 0, of(1000), 20, AboveTarget, MaxLimit},
			{120 * second, 0, of(0), 5, BelowTarget, MinLimit},
		}},
		{"part of a replica needs a whole one", nil, 3, []tick{
			{0, 3, of(28.4), 3, BelowTarget, ""},
			{1 * second, 3, of(30.001), 4, AboveTarget, ""},
			{2 * second, 3, of(20), 2, BelowTarget, ""},
			{3 * second, 3, of(20.001), 3, BelowTarget, ""},
		}},
		{"21/(3x0.7) is 10", func(p *Policy) { p.Metrics[0].Target = MilliOf(0.7) * 3 }, 1, []tick{{0, 0, of(21), 10, AboveTarget, ""}}},
		{"2.1/0.7 is 3", func(p *Policy) { p.Metrics[0].Target = MilliOf(0.7) }, 1, []tick{{0, 0, of(2.1), 3, AboveTarget, ""}}},
		{"no max", func(p *Policy) { p.Replicas.Max = Unlimited }, 1, []tick{
			{0, 0, of(1e6), 100000, AboveTarget, ""},
			{1 * second, 0, of(0), 1, BelowTarget, MinLimit},
		}},
		{"fixed", func(p *Policy) { *p = FixedPolicy(4) }, 4, []tick{
			{0, 0, nil, 4, FixedSize, ""},
			{1 * second, 2, nil, 4, UnderMin, ""},
			{2 * second, 9, nil, 4, OverMax, ""},
		}},
	})
}

// 10 rps, tolerance 10 %: both edges belong to the band.
func TestDecideTolerance(t *testing.T) {
	ten := func(p *Policy) { p.Tolerance = 100 }
	runScripts(t, []script{
		{"edges", ten, 10, []tick{
			{0, 10, of(100), 10, AtTarget, ""},
			{1 * second, 10, of(110), 10, AtTarget, ""},
			{2 * second, 10, of(110.001), 12, AboveTarget, ""},
			{3 * second, 10, of(90), 10, AtTarget, ""},
			{4 * second, 10, of(89.999), 9, BelowTarget, ""},
		}},
		// scaling.md, section 10.
		{"12 replicas", ten, 12, []tick{
			{0, 12, of(130), 12, AtTarget, ""},
			{1 * second, 12, of(132), 12, AtTarget, ""},
			{2 * second, 12, of(132.001), 14, AboveTarget, ""},
		}},
		// 12 x 1.05 is 12.600000000000001 in float64.
		{"exact at 5 %", func(p *Policy) { p.Tolerance = 50 }, 12, []tick{
			{0, 12, of(126), 12, AtTarget, ""},
			{1 * second, 12, of(126.001), 13, AboveTarget, ""},
		}},
		{"none", nil, 10, []tick{
			{0, 10, of(100.001), 11, AboveTarget, ""},
			{1 * second, 10, of(90), 9, BelowTarget, ""},
		}},
		{"100 %", func(p *Policy) { p.Tolerance = 1000 }, 10, []tick{
			{0, 10, of(0), 10, AtTarget, ""},
			{1 * second, 10, of(200), 10, AtTarget, ""},
			{2 * second, 10, of(200.001), 21, AboveTarget, ""},
		}},
	})
}

func TestDecideCombinesMetrics(t *testing.T) {
	both := func(p *Policy) {
		p.Tolerance = 100
		p.Metrics = append(p.Metrics, Metric{Kind: InFlight, Target: 2000, Window: Duration(30 * time.Second)})
	}
	runScripts(t, []script{
		{"the highest wins", both, 5, []tick{
			{0, 5, of(80, 4), 8, AboveTarget, ""},
			{1 * second, 5, of(20, 14), 7, AboveTarget, ""},
			{2 * second, 5, of(20, 6), 3, BelowTarget, ""},
			{3 * second, 5, of(20, 10.5), 5, AtTarget, ""}, // in the band beats below
			{4 * second, 5, of(52, 4), 5, AtTarget, ""},
		}},
		// scaling.md M7: an unreadable metric holds what another would take away.
		{"one missing", both, 5, []tick{
			{0, 5, of(20, lost), 5, MetricFailed, ""},
			{1 * second, 5, of(lost, 2), 5, MetricFailed, ""},
			{2 * second, 5, of(50, lost), 5, AtTarget, ""},
			{3 * second, 5, of(80, lost), 8, AboveTarget, ""},
			{4 * second, 5, of(20), 5, MetricFailed, ""}, // not even a reading
		}},
		{"all missing", both, 5, []tick{
			{0, 5, of(lost, lost), 5, NoData, ""},
			{1 * second, 5, of(lost), 5, NoData, ""},
			{2 * second, 5, nil, 5, NoData, ""},
			{3 * second, 5, of(0, 0), 1, BelowTarget, MinLimit}, // 0 is data
		}},
		{"no data, but out of bounds", both, 5, []tick{
			{0, 101, of(lost, lost), 100, OverMax, ""},
			{1 * second, 101, of(20, lost), 100, OverMax, ""},
		}},
	})

	p := rpsPolicy()
	both(&p)
	d := newDecider(t, p)
	if got := d.Decide(monday, Metrics{Replicas: 5, Readings: readings(70, 14)}); got.Kind != RPS {
		t.Errorf("Decide(70 rps, 14 in flight) names %s, want the first of two that ask for 7", got.Kind)
	}
	got := d.Decide(monday, Metrics{Replicas: 5, Readings: readings(20, 14)})
	want := Decision{At: monday, Current: 5, Raw: 7, Desired: 7, Reason: AboveTarget, Kind: InFlight, Total: 14000, Target: 2000, Valid: true}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Decide(20 rps, 14 in flight): -want +got\n%s", diff)
	}
}

func TestDecideStep(t *testing.T) {
	up := func(step int, factor Milli) func(*Policy) {
		return func(p *Policy) {
			p.Replicas.Max, p.Up.Step, p.Up.Factor = 2000, step, factor
		}
	}
	down := func(step int, factor Milli) func(*Policy) {
		return func(p *Policy) {
			p.Replicas.Max, p.Down.Step, p.Down.Factor = 2000, step, factor
		}
	}
	// The names are those of scaling.md, sections 1.5 and 3.
	runScripts(t, []script{
		{"no limits", nil, 1, []tick{{0, 1, of(1000), 100, AboveTarget, ""}, {1 * second, 0, of(10), 1, BelowTarget, ""}}},
		{"up by step", up(4, 0), 5, []tick{
			{0, 5, of(80), 8, AboveTarget, ""},
			{1 * second, 5, of(90), 9, AboveTarget, ""},
			{2 * second, 5, of(91), 9, AboveTarget, StepLimit},
		}},
		{"B6", up(0, 1010), 3, []tick{{0, 3, of(10000), 4, AboveTarget, StepLimit}}},
		{"B7", up(0, 2000), 10, []tick{{0, 10, of(500), 20, AboveTarget, StepLimit}}},
		{"B10", up(30, 0), 10, []tick{{0, 10, of(500), 40, AboveTarget, StepLimit}}},
		{"B11", up(0, 3000), 10, []tick{{0, 10, of(500), 30, AboveTarget, StepLimit}}},
		{"B26", func(p *Policy) { up(0, 8000)(p); p.Replicas.Max = 100 }, 3, []tick{{0, 3, of(600), 24, AboveTarget, StepLimit}}},
		{"B27", func(p *Policy) { up(0, 8000)(p); p.Replicas.Max = 20 }, 3, []tick{{0, 3, of(600), 20, AboveTarget, MaxLimit}}},
		{"C11", func(p *Policy) { up(0, 1500)(p); p.Replicas = Bounds{Min: 5, Max: 20} }, 5, []tick{{0, 5, of(100), 8, AboveTarget, StepLimit}}},
		{"B9, but of two the tighter", up(2, 2000), 10, []tick{{0, 10, of(5000), 12, AboveTarget, StepLimit}}},
		{"the factor is the tighter", up(20, 1500), 10, []tick{{0, 10, of(5000), 15, AboveTarget, StepLimit}}},
		{"one may always come", up(0, 1001), 1, []tick{
			{0, 1, of(30), 2, AboveTarget, StepLimit},
			{1 * second, 0, of(30), 3, AboveTarget, ""},
		}},
		{"exact up", up(0, 1100), 50, []tick{{0, 50, of(1000), 55, AboveTarget, StepLimit}}}, // 50 x 1.1 is 55.00000000000001

		{"down by step", down(4, 0), 10, []tick{
			{0, 10, of(60), 6, BelowTarget, ""},
			{1 * second, 10, of(50), 6, BelowTarget, StepLimit},
		}},
		{"B15", down(5, 0), 10, []tick{{0, 10, of(20), 5, BelowTarget, StepLimit}}},
		{"B12, but of two the tighter", down(20, 990), 100, []tick{{0, 100, of(20), 99, BelowTarget, StepLimit}}},
		{"the step is the tighter", down(1, 500), 100, []tick{{0, 100, of(20), 99, BelowTarget, StepLimit}}},
		{"C2", down(0, 500), 5, []tick{{0, 5, of(20), 3, BelowTarget, StepLimit}}},
		{"C13", down(0, 750), 10, []tick{{0, 10, of(0), 8, BelowTarget, StepLimit}}},
		{"one may always go", down(0, 999), 3, []tick{
			{0, 3, of(1), 2, BelowTarget, StepLimit},
			{1 * second, 0, of(1), 1, BelowTarget, ""},
		}},
		{"exact down", down(0, 550), 100, []tick{{0, 100, of(0), 55, BelowTarget, StepLimit}}}, // 100 x 0.55 is 55.00000000000001
		{"B28", down(100, 0), 10, []tick{{0, 10, of(0), 1, BelowTarget, MinLimit}}},
		{"the limits of one direction leave the other alone", func(p *Policy) { up(1, 1500)(p); p.Down.Step = 2 }, 10, []tick{
			{0, 10, of(500), 11, AboveTarget, StepLimit},
			{1 * second, 10, of(10), 8, BelowTarget, StepLimit},
		}},
	})
}

func TestDecideBounds(t *testing.T) {
	slow := func(p *Policy) { // everything that could delay
		p.Replicas = Bounds{Min: 5, Max: 20}
		p.Up = Behavior{Step: 1, Stabilization: Duration(time.Hour)}
		p.Down = Behavior{Step: 1, Stabilization: Duration(time.Hour), Order: Newest}
	}
	night := func(p *Policy) { // 22:00 to 06:00: at most 6; office hours: at least 8
		slow(p)
		p.Schedules = []Schedule{
			{Start: "0 22 * * *", End: "0 6 * * *", Max: 6},
			{Start: "0 9 * * 1-5", End: "0 21 * * 1-5", Min: 8},
		}
	}
	runScripts(t, []script{
		{"at once", slow, 5, []tick{
			{0, 2, of(1000), 5, UnderMin, ""}, // not more, although the metric asks: that takes its time
			{1 * second, 30, of(0), 20, OverMax, ""},
			{2 * second, 4, of(lost), 5, UnderMin, ""},
			{3 * second, 21, of(lost), 20, OverMax, ""},
			{4 * second, 5, of(lost), 5, NoData, ""},
			{5 * second, 20, of(lost), 20, NoData, ""},
		}},
		{"S: bounds limit", func(p *Policy) { p.Replicas = Bounds{Min: 3, Max: 8} }, 5, []tick{
			{0, 5, of(70), 7, AboveTarget, ""},
			{1 * second, 5, of(80), 8, AboveTarget, ""},
			{2 * second, 5, of(81), 8, AboveTarget, MaxLimit},
			{3 * second, 5, of(30), 3, BelowTarget, ""},
			{4 * second, 5, of(20), 3, BelowTarget, MinLimit},
			{5 * second, 8, of(200), 8, AboveTarget, MaxLimit},
		}},
		{"schedules move the bounds at once", night, 6, []tick{
			{0, 20, of(200), 6, OverMax, ""},
			{6*time.Hour - 1, 0, of(200), 6, AboveTarget, MaxLimit},
			{6 * time.Hour, 0, of(200), 6, AboveTarget, UpStabilized}, // a higher max is no order to grow
			{9*time.Hour - 1, 5, of(50), 5, AtTarget, ""},
			{9 * time.Hour, 0, of(50), 8, UnderMin, ""},
			{21*time.Hour - 1, 0, of(50), 8, BelowTarget, MinLimit},
			{21 * time.Hour, 0, of(50), 8, BelowTarget, DownStabilized}, // a lower min is no order to shrink
			{22 * time.Hour, 20, of(50), 6, OverMax, ""},
		}},
		{"a schedule may raise min above the usual max", func(p *Policy) {
			p.Replicas = Bounds{Min: 1, Max: 4}
			p.Schedules = []Schedule{{Start: "0 9 * * *", End: "0 10 * * *", Min: 8}}
		}, 2, []tick{
			{0, 0, of(200), 4, AboveTarget, MaxLimit},
			{9 * time.Hour, 0, of(10), 8, UnderMin, ""},
			{9*time.Hour + second, 0, of(200), 8, AboveTarget, MaxLimit},
			{10 * time.Hour, 0, of(200), 4, OverMax, ""},
		}},
		{"of two schedules the later wins", func(p *Policy) {
			p.Schedules = []Schedule{
				{Start: "0 8 * * *", End: "0 12 * * *", Min: 30, Max: 40},
				{Start: "0 9 * * *", End: "0 10 * * *", Min: 10, Max: 20},
			}
		}, 1, []tick{
			{8 * time.Hour, 0, of(0), 30, UnderMin, ""},
			{8*time.Hour + second, 0, of(900), 40, AboveTarget, MaxLimit},
			{9 * time.Hour, 0, of(900), 20, OverMax, ""},
			{9*time.Hour + second, 0, of(0), 10, BelowTarget, MinLimit},
			{10 * time.Hour, 0, of(0), 30, UnderMin, ""},
			{12 * time.Hour, 0, of(0), 1, BelowTarget, MinLimit},
		}},
		{"a schedule bounds a fleet without max", func(p *Policy) {
			p.Replicas.Max = Unlimited
			p.Schedules = []Schedule{{Start: "0 9 * * *", End: "0 10 * * *", Max: 8}}
		}, 1, []tick{
			{0, 0, of(900), 90, AboveTarget, ""},
			{9 * time.Hour, 0, of(900), 8, OverMax, ""},
			{10 * time.Hour, 0, of(900), 90, AboveTarget, ""},
		}},
		{"a fixed size with hours", func(p *Policy) {
			*p = FixedPolicy(4)
			p.Schedules = []Schedule{{Start: "0 9 * * *", End: "0 10 * * *", Min: 7, Max: 7}}
		}, 4, []tick{
			{0, 0, nil, 4, FixedSize, ""},
			{9 * time.Hour, 0, nil, 7, UnderMin, ""},
			{9*time.Hour + second, 0, nil, 7, FixedSize, ""},
			{10 * time.Hour, 0, nil, 4, OverMax, ""},
		}},
	})
}

func TestDecideStabilisation(t *testing.T) {
	windows := func(up, down time.Duration) func(*Policy) {
		return func(p *Policy) {
			p.Up.Stabilization, p.Down.Stabilization = Duration(up), Duration(down)
		}
	}
	const long = -6000 * second // a first tick then is older than any window: the start hold is over
	runScripts(t, []script{
		{"no windows", windows(0, 0), 5, []tick{
			{0, 0, of(100), 10, AboveTarget, ""},
			{0, 0, of(10), 1, BelowTarget, ""},
		}},

		// During its first window a decider has not seen enough.
		{"start hold down", windows(0, 300*second), 10, []tick{
			{0, 0, of(20), 10, BelowTarget, DownStabilized},
			{150 * second, 0, of(20), 10, BelowTarget, DownStabilized},
			{300*second - 1, 0, of(20), 10, BelowTarget, DownStabilized},
			{300 * second, 0, of(20), 2, BelowTarget, ""},
		}},
		{"start hold up", windows(60*second, 0), 2, []tick{
			{0, 0, of(100), 2, AboveTarget, UpStabilized},
			{60*second - 1, 0, of(100), 2, AboveTarget, UpStabilized},
			{60 * second, 0, of(100), 10, AboveTarget, ""},
		}},
		{"what was seen during the hold counts", windows(60*second, 300*second), 10, []tick{
			{0, 0, of(20), 10, BelowTarget, DownStabilized},
			{30 * second, 5, of(70), 5, AboveTarget, UpStabilized},
			{60 * second, 5, of(90), 7, AboveTarget, UpStabilized},
			{200 * second, 10, of(50), 10, BelowTarget, DownStabilized},
			{300 * second, 10, of(20), 9, BelowTarget, DownStabilized}, // the 9 of 60 s
		}},
		{"the down hold lets it grow", windows(0, 300*second), 2, []tick{
			{0, 0, of(100), 10, AboveTarget, ""},
			{10 * second, 0, of(200), 20, AboveTarget, ""},
		}},
		{"the up hold lets it shrink", windows(300*second, 0), 20, []tick{
			{0, 0, of(100), 10, BelowTarget, ""},
			{10 * second, 0, of(50), 5, BelowTarget, ""},
		}},
		{"the hold begins with the first decision of any kind", windows(0, 300*second), 10, []tick{
			{0, 0, of(lost), 10, NoData, ""},
			{300*second - 1, 0, of(20), 10, BelowTarget, DownStabilized},
			{300 * second, 0, of(20), 2, BelowTarget, ""},
		}},
		{"C1 C3 C5", windows(60*second, 60*second), 1, []tick{
			{0, 1, of(0), 1, BelowTarget, MinLimit},
			{1 * second, 1, of(50), 1, AboveTarget, UpStabilized},
			{2 * second, 2, of(50), 2, AboveTarget, UpStabilized},
			{3 * second, 5, of(20), 5, BelowTarget, DownStabilized},
		}},

		{"a short rest does not shrink", windows(0, 300*second), 10, []tick{
			{long, 0, of(100), 10, AtTarget, ""},
			{0, 0, of(100), 10, AtTarget, ""},
			{100 * second, 0, of(20), 10, BelowTarget, DownStabilized},
			{200 * second, 0, of(50), 10, BelowTarget, DownStabilized},
			{300*second - 1, 0, of(20), 10, BelowTarget, DownStabilized},
			{300 * second, 0, of(20), 5, BelowTarget, DownStabilized}, // the 10 has left, the 5 has not
			{500*second - 1, 0, of(20), 5, BelowTarget, DownStabilized},
			{500 * second, 0, of(20), 2, BelowTarget, ""},
		}},
		{"a short peak does not grow", windows(60*second, 0), 2, []tick{
			{long, 0, of(20), 2, AtTarget, ""},
			{0, 0, of(20), 2, AtTarget, ""},
			{30 * second, 0, of(100), 2, AboveTarget, UpStabilized},
			{60 * second, 0, of(50), 5, AboveTarget, ""},
			{90 * second, 0, of(100), 5, AboveTarget, UpStabilized},
			{120 * second, 0, of(100), 10, AboveTarget, ""},
		}},
		{"up to the lowest of the window", windows(60*second, 0), 2, []tick{
			{long, 0, of(20), 2, AtTarget, ""},
			{0, 0, of(40), 4, AboveTarget, ""},
			{30 * second, 0, of(70), 4, AboveTarget, UpStabilized},
			{60 * second, 0, of(90), 7, AboveTarget, UpStabilized},
		}},
		{"each direction has its own window", windows(60*second, 300*second), 5, []tick{
			{long, 0, of(50), 5, AtTarget, ""},
			{0, 0, of(80), 8, AboveTarget, ""},
			{61 * second, 0, of(90), 9, AboveTarget, ""},              // the 8 is too old to hold growth
			{120 * second, 0, of(50), 9, BelowTarget, DownStabilized}, // but not to hold a fleet
			{300 * second, 0, of(50), 9, BelowTarget, DownStabilized},
			{361 * second, 0, of(50), 5, BelowTarget, ""},
		}},
		{"what was limited is what is remembered", func(p *Policy) {
			windows(0, 300*second)(p)
			p.Down.Step = 4
		}, 20, []tick{
			{long, 0, of(200), 20, AtTarget, ""},
			{0, 0, of(50), 16, BelowTarget, StepLimit},
			{299 * second, 0, of(50), 16, BelowTarget, DownStabilized},
			{300 * second, 0, of(50), 12, BelowTarget, StepLimit},
			{600 * second, 0, of(50), 8, BelowTarget, StepLimit},
		}},

		// scaling.md, section 1.6. A remembered of n is made by a tick of
		// n replicas at their target.
		{"S6", windows(0, 0), 1, []tick{{0, 100, of(50), 5, BelowTarget, ""}}},
		{"S2 S7", windows(0, 180*second), 1, []tick{
			{long, 1, of(10), 1, AtTarget, ""},
			{-120 * second, 4, of(40), 4, AtTarget, ""},
			{-60 * second, 5, of(50), 5, AtTarget, ""},
			{0, 100, of(30), 5, BelowTarget, DownStabilized},
		}},
		{"S3", windows(0, 300*second), 1, []tick{
			{long, 1, of(10), 1, AtTarget, ""},
			{-120 * second, 1, of(10), 1, AtTarget, ""},
			{-60 * second, 2, of(20), 2, AtTarget, ""},
			{0, 100, of(30), 3, BelowTarget, ""},
		}},
		{"S4", windows(0, 300*second), 1, []tick{
			{-600 * second, 10, of(100), 10, AtTarget, ""},
			{-540 * second, 9, of(90), 9, AtTarget, ""},
			{0, 100, of(30), 3, BelowTarget, ""},
		}},
		{"S8", windows(300*second, 0), 1, []tick{
			{long, 1, of(10), 1, AtTarget, ""},
			{-120 * second, 4, of(40), 4, AtTarget, ""},
			{-60 * second, 5, of(50), 5, AtTarget, ""},
			{0, 1, of(70), 4, AboveTarget, UpStabilized},
		}},
		{"S10", windows(0, 300*second), 1, []tick{
			{-120 * second, 4, of(40), 4, AtTarget, ""},
			{-60 * second, 5, of(50), 5, AtTarget, ""},
			{0, 1, of(30), 3, AboveTarget, ""},
		}},
		{"S11", windows(0, 0), 1, []tick{
			{-600 * second, 10, of(100), 10, AtTarget, ""},
			{-540 * second, 9, of(90), 9, AtTarget, ""},
			{0, 1, of(1000), 100, AboveTarget, ""},
		}},
		{"S14, never up because the demand fell", windows(300*second, 300*second), 1, []tick{
			{long, 2, of(20), 2, AtTarget, ""},
			{-180 * second, 3, of(30), 3, AtTarget, ""},
			{0, 2, of(10), 2, BelowTarget, DownStabilized},
		}},
		{"S14 mirrored, never down because it rose", windows(300*second, 300*second), 1, []tick{
			{long, 2, of(20), 2, AtTarget, ""},
			{-180 * second, 2, of(20), 2, AtTarget, ""},
			{0, 5, of(70), 5, AboveTarget, UpStabilized},
		}},
	})
}

// remembered is what was recommended at a moment.
type remembered struct {
	at time.Time
	n  int
}

// reference decides as decide.go documents, slowly: with big rationals, and
// by looking through all that it ever recommended.
type reference struct {
	p       Policy
	low     int
	high    int // below 0: none
	began   time.Time
	advised []remembered
}

func (r *reference) decide(now time.Time, m Metrics) int {
	if r.began.IsZero() {
		r.began = now
	}
	cur := m.Replicas
	if cur < r.low {
		return r.low
	}
	if r.high > 0 && cur > r.high {
		return r.high
	}

	rat := func(n int64) *big.Rat { return new(big.Rat).SetInt64(n) }
	times := func(a *big.Rat, b int64) *big.Rat { return new(big.Rat).Mul(a, rat(b)) }
	want, missing := -1, false
	for i, metric := range r.p.Metrics {
		if i >= len(m.Readings) || !m.Readings[i].Valid {
			missing = true
			continue
		}
		demand := big.NewRat(int64(m.Readings[i].Total), int64(metric.Target)) // replicas
		tolerance := big.NewRat(int64(r.p.Tolerance), 1000)
		off := new(big.Rat).Sub(demand, rat(int64(cur)))
		if off.Abs(off).Cmp(times(tolerance, int64(cur))) <= 0 {
			want = max(want, cur)
		} else {
			want = max(want, ceil(demand))
		}
	}
	if want < 0 || missing && want < cur {
		r.advised = append(r.advised, remembered{now, cur})
		return cur
	}

	if up := r.p.Up; want > cur {
		if up.Step > 0 {
			want = min(want, cur+up.Step)
		}
		if up.Factor > 0 {
			want = min(want, max(cur+1, ceil(times(big.NewRat(int64(up.Factor), 1000), int64(cur)))))
		}
	}
	if down := r.p.Down; want < cur {
		if down.Step > 0 {
			want = max(want, cur-down.Step)
		}
		if down.Factor > 0 {
			want = max(want, min(cur-1, ceil(times(big.NewRat(int64(down.Factor), 1000), int64(cur)))))
		}
	}
	want = max(want, r.low)
	if r.high > 0 {
		want = min(want, r.high)
	}

	r.advised = append(r.advised, remembered{now, want})
	lowest, highest := want, want
	for _, a := range r.advised {
		if now.Sub(a.at) < r.p.Up.Stabilization.Std() {
			lowest = min(lowest, a.n)
		}
		if now.Sub(a.at) < r.p.Down.Stabilization.Std() {
			highest = max(highest, a.n)
		}
	}
	if now.Sub(r.began) < r.p.Up.Stabilization.Std() {
		lowest = min(lowest, cur)
	}
	if now.Sub(r.began) < r.p.Down.Stabilization.Std() {
		highest = max(highest, cur)
	}
	return min(max(cur, lowest), highest) // the clamp form
}

func ceil(r *big.Rat) int {
	q, rest := new(big.Int).QuoRem(r.Num(), r.Denom(), new(big.Int))
	if rest.Sign() > 0 {
		q.Add(q, big.NewInt(1))
	}
	return int(q.Int64())
}

func drawBehavior(t *rapid.T, label string, factors *rapid.Generator[int64]) Behavior {
	return Behavior{
		Step:          rapid.SampledFrom([]int{0, 0, 1, 2, 5}).Draw(t, label+" step"),
		Factor:        Milli(rapid.OneOf(rapid.Just(int64(0)), factors).Draw(t, label+" factor")),
		Stabilization: Duration(rapid.SampledFrom([]time.Duration{0, 0, 10 * second, time.Minute, 5 * time.Minute}).Draw(t, label+" window")),
	}
}

// drawDecidable draws a policy without schedules.
func drawDecidable(t *rapid.T) Policy {
	p := DefaultPolicy()
	p.Replicas.Min = rapid.IntRange(1, 10).Draw(t, "min")
	p.Replicas.Max = Unlimited
	if rapid.IntRange(0, 4).Draw(t, "bounded") > 0 {
		p.Replicas.Max = Limit(p.Replicas.Min + rapid.IntRange(0, 40).Draw(t, "room"))
	}
	for range rapid.IntRange(1, 3).Draw(t, "metrics") {
		p.Metrics = append(p.Metrics, Metric{
			Kind:   rapid.SampledFrom([]Kind{RPS, InFlight}).Draw(t, "kind"),
			Target: Milli(rapid.SampledFrom([]int64{1, 70, 700, 1000, 2100, 10000}).Draw(t, "target")),
			Window: p.Interval,
		})
	}
	p.Tolerance = Ratio(rapid.SampledFrom([]int64{0, 50, 100, 333, 1000}).Draw(t, "tolerance"))
	p.Up = drawBehavior(t, "up", rapid.Int64Range(1001, 4000))
	down := drawBehavior(t, "down", rapid.Int64Range(1, 999))
	p.Down.Step, p.Down.Factor, p.Down.Stabilization = down.Step, down.Factor, down.Stabilization
	return p
}

func TestDecideProperties(t *testing.T) {
	pauses := rapid.SampledFrom([]time.Duration{0, second - 1, 10 * second, 30 * second, 290 * second})
	rapid.Check(t, func(t *rapid.T) {
		p := drawDecidable(t)
		d, err := p.Decider()
		if err != nil {
			t.Fatal(err)
		}
		twin, _ := p.Decider()
		ref := &reference{p: p, low: p.Replicas.Min, high: int(p.Replicas.Max)}
		low, high := ref.low, ref.high
		if high == int(Unlimited) {
			high = math.MaxInt
		}
		now, cur := monday, p.Initial()
		for range rapid.IntRange(10, 40).Draw(t, "ticks") {
			now = now.Add(pauses.Draw(t, "pause"))
			if rapid.IntRange(0, 9).Draw(t, "by hand") == 0 {
				cur = rapid.IntRange(0, 60).Draw(t, "replicas")
			}
			m, complete, known := Metrics{Replicas: cur}, true, false
			for _, metric := range p.Metrics {
				r := Reading{Valid: rapid.IntRange(0, 9).Draw(t, "readable") > 0}
				if r.Valid {
					// Often a whole number of targets, where rounding would show.
					r.Total = metric.Target * Milli(rapid.IntRange(0, 60).Draw(t, "targets"))
					r.Total += Milli(rapid.SampledFrom([]int64{0, 0, 1, int64(metric.Target) / 2}).Draw(t, "rest"))
				}
				complete, known = complete && r.Valid, known || r.Valid
				m.Readings = append(m.Readings, r)
			}

			got := d.Decide(now, m)
			call := fmt.Sprintf("Decide(%v, %+v)", now.Sub(monday), m)
			if diff := cmp.Diff(got, twin.Decide(now, m)); diff != "" {
				t.Fatalf("%s of two deciders differ:\n%s", call, diff)
			}
			if want := ref.decide(now, m); got.Desired != want {
				t.Fatalf("%s = %+v, want %d", call, got, want)
			}
			if got.Desired < low || got.Desired > high {
				t.Fatalf("%s = %+v, want it within %d..%d", call, got, low, high)
			}
			if low <= cur && cur <= high {
				move := got.Desired - cur
				switch {
				case !complete && move < 0:
					t.Fatalf("%s = %+v: shrinks on missing data", call, got)
				case !known && (move != 0 || got.Valid):
					t.Fatalf("%s = %+v: decides without data", call, got)
				case move*(got.Raw-cur) < 0:
					t.Fatalf("%s = %+v: goes against the metric", call, got)
				case move > 0 && p.Up.Step > 0 && move > p.Up.Step, move < 0 && p.Down.Step > 0 && -move > p.Down.Step:
					t.Fatalf("%s = %+v: more than a step", call, got)
				case got.Desired != got.Raw && got.LimitedBy == "":
					t.Fatalf("%s = %+v: does not say what limits it", call, got)
				}
			}
			cur = got.Desired
		}
	})
}

func TestDeciderRefusesAnInvalidPolicy(t *testing.T) {
	p := rpsPolicy()
	p.Replicas.Min, p.Tolerance = 0, 2000
	d, err := p.Decider()
	if d != nil {
		t.Errorf("Decider() of an invalid policy = %v, want none", d)
	}
	wantLines(t, "Decider()", err, []string{"replicas.min: ", "tolerance: "})
}

func TestDecisionString(t *testing.T) {
	for _, c := range []struct {
		d    Decision
		want string
	}{
		{Decision{Current: 1, Raw: 3, Desired: 3, Reason: AboveTarget, Kind: RPS, Total: 28400, Target: 10000},
			"1 -> 3: rps 28.4 with a target of 10 per replica asks for 3"},
		{Decision{Current: 5, Raw: 2, Desired: 4, Reason: BelowTarget, LimitedBy: StepLimit, Kind: InFlight, Total: 3500, Target: 2000},
			"5 -> 4: in_flight 3.5 with a target of 2 per replica asks for 2, limited by the step"},
		{Decision{Current: 5, Raw: 5, Desired: 5, Reason: AtTarget, Kind: RPS, Total: 52000, Target: 10000},
			"stays at 5: rps 52.0 is within tolerance of 5 x 10"},
		{Decision{Current: 5, Raw: 9, Desired: 8, Reason: AboveTarget, LimitedBy: MaxLimit, Kind: RPS, Total: 90000, Target: 10000},
			"5 -> 8: rps 90.0 with a target of 10 per replica asks for 9, limited by max"},
		{Decision{Current: 5, Raw: 1, Desired: 3, Reason: BelowTarget, LimitedBy: MinLimit, Kind: RPS, Total: 0, Target: 10000},
			"5 -> 3: rps 0.0 with a target of 10 per replica asks for 1, limited by min"},
		{Decision{Current: 5, Raw: 1, Desired: 5, Reason: BelowTarget, LimitedBy: DownStabilized, Kind: RPS, Total: 1000, Target: 10000},
			"stays at 5: rps 1.0 with a target of 10 per replica asks for 1, waits for it to last"},
		{Decision{Current: 5, Raw: 7, Desired: 5, Reason: AboveTarget, LimitedBy: UpStabilized, Kind: RPS, Total: 70000, Target: 10000},
			"stays at 5: rps 70.0 with a target of 10 per replica asks for 7, waits for it to last"},
		{Decision{Current: 4, Desired: 4, Reason: FixedSize}, "stays at 4: the size is fixed"},
		{Decision{Current: 4, Desired: 4, Reason: NoData}, "stays at 4: no metric could be read"},
		{Decision{Current: 4, Desired: 4, Reason: MetricFailed}, "stays at 4: a metric could not be read, so nothing is taken away"},
		{Decision{Current: 4, Desired: 5, Reason: UnderMin}, "4 -> 5: below min"},
		{Decision{Current: 40, Desired: 20, Reason: OverMax}, "40 -> 20: above max"},
		{Decision{Current: 4, Desired: 1, Reason: Pinned}, "4 -> 1: pinned"},
	} {
		if got := c.d.String(); got != c.want {
			t.Errorf("%+v.String() = %q, want %q", c.d, got, c.want)
		}
	}
}

func TestDecisionJSON(t *testing.T) {
	want := newDecider(t, rpsPolicy()).Decide(monday, Metrics{Replicas: 1, Readings: readings(28.4)})
	data, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	const text = `{"at":"2026-03-02T00:00:00Z","current":1,"raw":3,"desired":3,"reason":"above_target","metric":"rps","total":28.4,"target":10,"valid":true}`
	if string(data) != text {
		t.Errorf("JSON of a decision is\n%s\nwant\n%s", data, text)
	}
	var got Decision
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("JSON of a decision: -want +got\n%s", diff)
	}
}

// busyPolicy uses every stage of the pipeline.
func busyPolicy() Policy {
	p := rpsPolicy()
	p.Metrics = append(p.Metrics, Metric{Kind: InFlight, Target: 2000, Window: Duration(30 * time.Second)})
	p.Tolerance = 100
	p.Up = Behavior{Step: 4, Factor: 2000, Stabilization: Duration(30 * second)}
	p.Down = Behavior{Step: 4, Factor: 500, Stabilization: Duration(300 * second), Order: Newest}
	p.Schedules = []Schedule{{Start: "0 9 * * 1-5", End: "0 21 * * 1-5", Min: 2}}
	return p
}

// busy is one decision a second under a wandering load.
func busy(d Decider, m Metrics) func() {
	now := monday
	return func() {
		now = now.Add(time.Second)
		m.Readings[0].Total = Milli(now.Unix() % 700 * 1000)
		m.Replicas = d.Decide(now, m).Desired
	}
}

func TestDecideDoesNotAllocate(t *testing.T) {
	d := newDecider(t, busyPolicy())
	step := busy(d, Metrics{Replicas: 5, Readings: readings(0, 4)})
	for range 1000 { // fill the windows
		step()
	}
	if got := testing.AllocsPerRun(2000, step); got != 0 {
		t.Errorf("Decide allocates %v times, want 0", got)
	}
	if got := len(d.(*decider).recent); got > 301 {
		t.Errorf("after 3000 decisions of a second each, %d are remembered, want those of the last 300 s", got)
	}
}

func BenchmarkDecide(b *testing.B) {
	step := busy(newDecider(b, busyPolicy()), Metrics{Replicas: 5, Readings: readings(0, 4)})
	b.ReportAllocs()
	for b.Loop() {
		step()
	}
}
