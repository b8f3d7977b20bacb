package profiles

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
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
	got.Trail = Trail{} // has a test of its own
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
