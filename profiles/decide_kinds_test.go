package profiles

import (
	"math"
	"testing"
	"time"
)

// moment is what is known at one decision, and what must come of it.
type moment struct {
	at     time.Duration // since monday
	m      Metrics
	want   int
	reason Reason
}

// runMoments drives one decider through moments. Replicas and Ready that are
// left out are what was decided before.
func runMoments(t *testing.T, name string, p Policy, moments []moment) {
	t.Helper()
	d, err := p.Decider()
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	size := p.Initial()
	for i, k := range moments {
		if k.m.Replicas == 0 {
			k.m.Replicas = size
		}
		if k.m.Ready == 0 {
			k.m.Ready = k.m.Replicas
		}
		got := d.Decide(monday.Add(k.at), k.m)
		if got.Desired != k.want || got.Reason != k.reason {
			t.Errorf("%s, moment %d: Decide(%v, %+v) = %d %s %q, want %d %s", name, i, k.at, k.m, got.Desired, got.Reason, got.LimitedBy, k.want, k.reason)
		}
		size = got.Desired
	}
}

// kindPolicy is rpsPolicy on another metric.
func kindPolicy(m Metric, edit func(*Policy)) Policy {
	p := rpsPolicy()
	m.Window = Duration(30 * time.Second)
	p.Metrics = []Metric{m}
	if edit != nil {
		edit(&p)
	}
	return p
}

// EverAI's two ways, in the words of a policy: free_workers below its target,
// or a queue above it, asks for a step more; what is idle for long enough
// goes. Both comparisons are strict.
func TestDecideStepwise(t *testing.T) {
	minute := 60 * second
	free := kindPolicy(Metric{Kind: FreeWorkers, Target: 1000}, func(p *Policy) { p.Up.Step = 2; p.Replicas.Max = 5 })
	runMoments(t, "free workers", free, []moment{
		{0, Metrics{Readings: readings(0)}, 3, AboveTarget},
		{1 * second, Metrics{Ready: 1, Readings: readings(0)}, 3, Starting}, // one batch at a time
		{2 * second, Metrics{Readings: readings(0)}, 5, AboveTarget},
		{3 * second, Metrics{Readings: readings(0)}, 5, AboveTarget}, // max
		{4 * second, Metrics{Readings: readings(1), Idle: []time.Duration{minute - 1}}, 5, AtTarget},
		{5 * second, Metrics{Readings: readings(3), Idle: []time.Duration{minute, second, 2 * minute}}, 3, BelowTarget},
		{6 * second, Metrics{Readings: readings(3), Idle: []time.Duration{minute, minute, minute}}, 1, BelowTarget}, // min
	})
	queue := kindPolicy(Metric{Kind: Queue, Target: 2000}, nil)
	runMoments(t, "queue", queue, []moment{
		{0, Metrics{Readings: readings(2)}, 1, AtTarget},
		{1 * second, Metrics{Readings: readings(3)}, 2, AboveTarget}, // without a step: one
		{2 * second, Metrics{Readings: readings(50), Idle: []time.Duration{2 * minute}}, 3, AboveTarget},
		{3 * second, Metrics{Readings: readings(0), Idle: []time.Duration{2 * minute}}, 2, BelowTarget},
	})
	share := kindPolicy(Metric{Kind: Queue, Target: 2000, Scope: PerReplica}, nil)
	runMoments(t, "a queue shared out", share, []moment{{0, Metrics{Readings: readings(9)}, 5, AboveTarget}})
}

// Levels of the fleet as one lead to a size in proportion to the present one.
func TestDecideLevels(t *testing.T) {
	latency := kindPolicy(Metric{Kind: Latency, Target: 200_000}, func(p *Policy) { p.Tolerance = 100 })
	runMoments(t, "latency", latency, []moment{
		{0, Metrics{Replicas: 4, Readings: readings(220)}, 4, AtTarget},
		{1 * second, Metrics{Replicas: 4, Readings: readings(221)}, 5, AboveTarget},
		{2 * second, Metrics{Replicas: 4, Readings: readings(100)}, 2, BelowTarget},
	})
	cpu := kindPolicy(Metric{Kind: CPU, Target: 70_000}, nil)
	runMoments(t, "cpu, the sum of all replicas", cpu, []moment{
		{0, Metrics{Replicas: 3, Readings: readings(270)}, 4, AboveTarget},
		{1 * second, Metrics{Replicas: 3, Readings: readings(140)}, 2, BelowTarget},
	})
}

func TestDecideToZero(t *testing.T) {
	toZero := rpsPolicy()
	toZero.Replicas = Bounds{Min: 0, Max: 10}
	toZero.ToZero = &ToZero{After: Duration(60 * second)}
	toZero.Up.Stabilization = Duration(300 * second) // leaving zero waits for nothing
	runMoments(t, "to zero", toZero, []moment{
		{0, Metrics{Readings: readings(0)}, 1, BelowTarget},
		{59 * second, Metrics{Readings: readings(0)}, 1, BelowTarget},
		{60 * second, Metrics{Readings: readings(0)}, 0, Quiet},
		{600 * second, Metrics{Readings: readings(0)}, 0, Quiet},
		{601 * second, Metrics{Readings: readings(0.001)}, 1, Activated},
		{602 * second, Metrics{Readings: readings(0)}, 1, BelowTarget},
		{630 * second, Metrics{Readings: readings(lost)}, 1, NoData}, // what is not known may be load
		{689 * second, Metrics{Readings: readings(0)}, 1, BelowTarget},
		{690 * second, Metrics{Readings: readings(0)}, 0, Quiet},
		{691 * second, Metrics{Readings: readings(lost)}, 0, NoData},
	})
	runMoments(t, "a request that waits", toZero, []moment{
		{0, Metrics{Readings: readings(0)}, 1, BelowTarget},
		{60 * second, Metrics{Readings: readings(0), Waiting: 1}, 1, BelowTarget}, // it came just now
		{119 * second, Metrics{Readings: readings(0)}, 1, BelowTarget},
		{120 * second, Metrics{Readings: readings(0)}, 0, Quiet},
		{121 * second, Metrics{Readings: readings(0), Waiting: 1}, 1, Activated},
		// The windows show what was before for a while.
		{122 * second, Metrics{Readings: readings(0)}, 1, BelowTarget},
		{180 * second, Metrics{Readings: readings(0)}, 1, BelowTarget},
		{181 * second, Metrics{Readings: readings(0)}, 0, Quiet},
		{182 * second, Metrics{Readings: readings(lost), Waiting: 3}, 1, Activated},
	})
	long := toZero
	long.Up.Stabilization = Duration(10 * time.Minute)
	runMoments(t, "what was before the rest holds nothing back", long, []moment{
		{0, Metrics{Readings: readings(0)}, 1, BelowTarget},
		{60 * second, Metrics{Readings: readings(0)}, 0, Quiet},
		{9 * 60 * second, Metrics{Readings: readings(0)}, 0, Quiet},
		{11 * 60 * second, Metrics{Readings: readings(0), Waiting: 50}, 1, Activated},
		{11*60*second + second, Metrics{Readings: readings(50)}, 5, AboveTarget},
	})
	idle := 1
	rest := toZero
	rest.Replicas = Bounds{Min: 4, Max: 10, Idle: &idle}
	runMoments(t, "an idle size", rest, []moment{
		{0, Metrics{Readings: readings(40)}, 4, AtTarget},
		{60 * second, Metrics{Readings: readings(0)}, 1, Quiet},
		{61 * second, Metrics{Readings: readings(1)}, 4, Activated},
		{62 * second, Metrics{Replicas: 2, Readings: readings(1)}, 4, UnderMin},
	})
}

// A metric may show nothing of what a fleet does: requests that never queue, or
// one that takes longer than any window.
func TestDecideActivity(t *testing.T) {
	p := kindPolicy(Metric{Kind: Queue, Target: 1000}, func(p *Policy) {
		p.Replicas = Bounds{Min: 0, Max: 5}
		p.ToZero = &ToZero{After: Duration(5 * second)}
	})
	last := func(at time.Duration) Metrics { return Metrics{Readings: readings(0), Active: monday.Add(at)} }
	runMoments(t, "requests that never queue", p, []moment{
		{0, Metrics{Readings: readings(0)}, 1, AtTarget},
		{5 * second, last(4 * second), 1, AtTarget},
		{8 * second, last(4 * second), 1, AtTarget},
		{9 * second, last(4 * second), 0, Quiet},
		{10 * second, last(4 * second), 0, Quiet},
		{11 * second, last(10*second + 1), 1, Activated}, // it gave up by now, but the next one need not wait
		{15 * second, last(10*second + 1), 1, AtTarget},
		{16 * second, last(10*second + 1), 0, Quiet},
	})
	runMoments(t, "one that takes long", p, []moment{
		{0, last(0), 1, AtTarget},
		{60 * second, last(60 * second), 1, AtTarget},
		{120 * second, last(120 * second), 1, AtTarget},
		{125 * second, last(120 * second), 0, Quiet},
	})
	idle := 1
	p.Replicas = Bounds{Min: 2, Max: 5, Idle: &idle}
	runMoments(t, "the replica at rest has no queue either", p, []moment{
		{0, Metrics{Readings: readings(0)}, 2, AtTarget},
		{5 * second, Metrics{Readings: readings(0)}, 1, Quiet},
		{6 * second, last(6 * second), 2, Activated},
	})
}

// A burst that the stable window hardly shows: the short one decides, and
// nothing is taken away for as long as the stable window.
func TestDecidePanic(t *testing.T) {
	p := rpsPolicy()
	p.Metrics[0].Panic = &Panic{Window: Duration(3 * time.Second), Threshold: 2000}
	burst := func(total, short float64) []Reading {
		return []Reading{{Total: MilliOf(total), Burst: MilliOf(short), Valid: true}}
	}
	runMoments(t, "panic", p, []moment{
		{0, Metrics{Replicas: 2, Readings: burst(20, 39.9)}, 2, AtTarget}, // less than twice 2 x 10
		{1 * second, Metrics{Replicas: 2, Readings: burst(20, 40)}, 4, Burst},
		{2 * second, Metrics{Readings: burst(10, 10)}, 4, Burst},
		{3 * second, Metrics{Readings: burst(60, 10)}, 6, AboveTarget},
		{30*second + second - 1, Metrics{Readings: burst(10, 10)}, 6, Burst},
		{31 * second, Metrics{Readings: burst(10, 10)}, 1, BelowTarget},
	})
	p.Metrics = append(p.Metrics, Metric{Kind: CPU, Target: 70_000, Window: p.Metrics[0].Window})
	blind := func(total, short float64) []Reading { return append(burst(total, short), Reading{}) }
	runMoments(t, "beside a metric that failed", p, []moment{
		{0, Metrics{Replicas: 2, Readings: blind(10, 39)}, 2, MetricFailed},
		{1 * second, Metrics{Readings: blind(10, 90)}, 9, Burst},
		{2 * second, Metrics{Readings: blind(10, 10)}, 9, MetricFailed},
	})
}

func TestDecideFallback(t *testing.T) {
	p := rpsPolicy()
	p.OnMetricError = 6
	runMoments(t, "fallback", p, []moment{
		{0, Metrics{Replicas: 3, Readings: readings(lost)}, 6, Unreadable},
		{1 * second, Metrics{Readings: readings(30)}, 3, BelowTarget},
	})
}

func TestDeciderRefusesWhatItCannotDo(t *testing.T) {
	p := kindPolicy(Metric{Kind: RPS, Target: 1, Aggregation: Highest}, nil)
	if _, err := p.Decider(); err == nil || err.Error() != "metrics[0].aggregation: got highest, want average: the built-in scaler has no other" {
		t.Errorf("Decider() of the highest rate = %v", err)
	}
}

func TestValidateKinds(t *testing.T) {
	zero, five := 0, 5
	after := &ToZero{After: DefaultToZero}
	for _, c := range []struct {
		name string
		edit func(*Policy)
		want []string // beginnings of the lines; none: valid
	}{
		{"every unit that there is", func(p *Policy) {
			p.Metrics = nil
			for kind, k := range kinds {
				for _, unit := range append(k.units, "") {
					p.Metrics = append(p.Metrics, Metric{Kind: kind, Target: 1, Unit: unit, Window: Duration(second)})
				}
			}
		}, nil},
		{"a unit of another kind", func(p *Policy) { p.Metrics[0].Unit = "MiB" }, []string{`metrics[0].unit: got "MiB", want /s`}},
		{"a scope", func(p *Policy) { p.Metrics[0].Scope = WholeFleet }, nil},
		{"an unknown scope", func(p *Policy) { p.Metrics[0].Scope = "pod" }, []string{`metrics[0].scope: got "pod", want replica or fleet`}},
		{"free workers per replica", func(p *Policy) { p.Metrics[0].Kind, p.Metrics[0].Scope = FreeWorkers, PerReplica }, []string{"metrics[0].scope: got replica, want fleet"}},
		{"an unknown aggregation", func(p *Policy) { p.Metrics[0].Aggregation = "median" }, []string{`metrics[0].aggregation: got "median", want average, weighted, highest or latest`}},
		{"a query for rps", func(p *Policy) { p.Metrics[0].Query = "up" }, []string{"metrics[0].name: got a name or query for rps"}},
		{"a panic window longer than the window", func(p *Policy) { p.Metrics[0].Panic = &Panic{Duration(31 * second), 2000} }, []string{"metrics[0].panic.window: got 31s, want 1s to 30s"}},
		{"a panic at the target", func(p *Policy) { p.Metrics[0].Panic = &Panic{Duration(second), 1000} }, []string{"metrics[0].panic.threshold: got 1, want more than 1"}},
		{"a panic of a level", func(p *Policy) { p.Metrics[0].Kind, p.Metrics[0].Panic = Latency, &Panic{Duration(second), 2000} }, []string{"metrics[0].panic: got it with scope fleet"}},
		{"zero", func(p *Policy) { p.Replicas.Min, p.ToZero = 0, after }, nil},
		{"zero alone", func(p *Policy) { p.Replicas.Min = 0 }, []string{"replicas.min: got 0, want 1 or more, or 0 together with toZero"}},
		{"to zero from a min", func(p *Policy) { p.ToZero = after }, []string{"toZero: got replicas.min 1 and no replicas.idle"}},
		{"to zero at once", func(p *Policy) { p.Replicas.Min, p.ToZero = 0, &ToZero{} }, []string{"toZero.after: got 0s, want 1s to 24h"}},
		{"to zero without arrivals", func(p *Policy) { p.Replicas.Min, p.ToZero, p.Metrics[0].Kind = 0, after, CPU }, []string{"toZero: got no metric that shows whether anything arrives"}},
		{"an idle size", func(p *Policy) { p.Replicas.Min, p.Replicas.Idle, p.ToZero = 2, &zero, after }, nil},
		{"an idle size alone", func(p *Policy) { p.Replicas.Min, p.Replicas.Idle = 2, &zero }, []string{"replicas.idle: got 0 without toZero"}},
		{"an idle size of min", func(p *Policy) { p.Replicas.Min, p.Replicas.Idle, p.ToZero = 5, &five, after }, []string{"replicas.idle: got 5, want 0 or more and less than replicas.min (5)"}},
		{"the largest step", func(p *Policy) { p.Up.Step, p.Down.Step = 1_000_000, 1_000_000 }, nil},
		{"a step that overflows", func(p *Policy) { p.Up.Step = math.MaxInt }, []string{"up.step: got 9223372036854775807, want 1 to 1000000"}},
		{"no combination but one", func(p *Policy) { p.Combine = "sum" }, []string{`combine: got "sum", want highest`}},
	} {
		p := rpsPolicy()
		c.edit(&p)
		wantLines(t, c.name, p.Validate(), c.want)
	}
}
