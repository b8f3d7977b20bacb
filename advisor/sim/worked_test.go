package sim

import (
	"math"
	"slices"
	"testing"
	"time"

	"headroom/profiles"
)

// Cases that were worked by hand. The numbers are those of one list, of which
// other packages have the rest.
func TestWorked(t *testing.T) {
	t.Run("case 1", func(t *testing.T) { tenAtOnce(t, 1, 2500*time.Millisecond, 1375*time.Millisecond, 4) })
	t.Run("case 2", func(t *testing.T) { tenAtOnce(t, 4, 750*time.Millisecond, 450*time.Millisecond, 16) })
	t.Run("case 5", workedCores)
	t.Run("case 6", workedEverAI)
	t.Run("case 7", workedPace)
	t.Run("case 8", func(t *testing.T) { inFlight(t, 14, 700, 0, 20) }) // Knative, of 56/s of 250 ms: 14 in flight, 70 % of 1
	t.Run("case 9", workedCortex)
	t.Run("case 18", workedElasticity)
	t.Run("case 19", workedIdle)
	t.Run("case 21", workedPacing)
	t.Run("case 24", workedGrowth)
	t.Run("case 25", workedJump)
	t.Run("case 26", workedClipping)
}

// Ten requests at once to a serial model of 250 ms: one after the other with one
// worker, three waves with four. Each worker holds 4/s.
func tenAtOnce(t *testing.T, workers int, last, mean time.Duration, holds float64) {
	s := steady(1, time.Second, Constant(quarter))
	s.Load = make(profiles.Stamps, 10)
	if r := fixed(t, s, workers); r.Answered != 10 || r.Latency.Max != last || r.Latency.Mean != mean {
		t.Errorf("%d workers: %d answers, the last after %s, mean %s; want 10, %s, %s", workers, r.Answered, r.Latency.Max, r.Latency.Mean, last, mean)
	}
	if d, err := InTheory(s.Service, 1, nil); err != nil || d.Capacity(workers) != holds {
		t.Errorf("%d workers hold %g/s, %v; want %g", workers, d.Capacity(workers), err, holds)
	}
}

// A load that takes 8 cores, on replicas of one core with a target of 40 %: as
// CPU ends at 100 %, 2.5 times as many with each decision, until 20 are at 40 %.
// With the two at most of an example there are two, for a load that takes 8.
func workedCores(t *testing.T) {
	s := steady(32, 2*time.Minute, Constant(quarter))
	s.Arrivals, s.CPU, s.MaxQueue = profiles.Even, quarter, 0
	for _, tt := range []struct {
		most profiles.Limit
		want []int
	}{{100, []int{3, 8, 20}}, {2, []int{2}}} {
		r := scaled(t, s, proportional(profiles.CPU, 40_000, tt.most))
		var got []int
		for _, c := range r.Changes {
			got = append(got, c.To)
		}
		if !slices.Equal(got, tt.want) || r.Needed != 8 {
			t.Errorf("at most %d: %v replicas of %d, want %v of 8: %+v", tt.most, got, r.Needed, tt.want, r.Changes)
		}
	}
}

// busy keeps c requests in flight for a while: each takes longer than it lasts.
func busy(c int, length time.Duration) Setup {
	s := steady(1, length, Constant(time.Hour))
	s.Load = make(profiles.Stamps, c)
	return s
}

// everai is a policy in the terms of EverAI, with a look every 5 s.
func everai(kind profiles.Kind, target profiles.Milli, step int) profiles.Policy {
	p := profiles.DefaultPolicy()
	p.Replicas = profiles.Bounds{Min: 1, Max: 5}
	p.Interval = profiles.Duration(5 * time.Second)
	p.Metrics = []profiles.Metric{{Kind: kind, Target: target, Window: profiles.Duration(time.Second)}}
	p.Up.Step = step
	return p
}

// Four clients: one free worker is kept by five, a queue of two by two.
func workedEverAI(t *testing.T) {
	s := busy(4, 4*time.Minute)
	last := func(r Result) Point { return r.Series[len(r.Series)-1] }
	if got := last(scaled(t, s, everai(profiles.Queue, 2000, 1))); got.Ready != 2 || got.Waiting != 2 {
		t.Errorf("queue of 2: %g workers and %d waiting, want 2 and 2", got.Ready, got.Waiting)
	}
	if got := last(scaled(t, s, everai(profiles.FreeWorkers, 1000, 1))); got.Ready != 5 || got.Waiting != 0 {
		t.Errorf("1 free: %g workers and %d waiting, want 5 and none", got.Ready, got.Waiting)
	}
}

// One at a time, and none while one is starting: with a start-up of 15 s and a
// look every 5 s one every 15 s; with a step of 4 all at once.
func workedPace(t *testing.T) {
	s := busy(4, 2*time.Minute)
	s.StartUp = []time.Duration{15 * time.Second}
	for _, tt := range []struct {
		step int
		want []int // seconds of the changes
	}{{1, []int{5, 20, 35, 50}}, {4, []int{5}}} {
		p := everai(profiles.FreeWorkers, 1000, tt.step)
		r := scaled(t, s, p)
		got := make([]int, 0, 4)
		for _, c := range r.Changes {
			// At a moment at which a replica comes into service the free ones were
			// counted before: the next look sees it.
			got = append(got, int(c.At.Seconds()))
		}
		if len(got) != len(tt.want) {
			t.Errorf("step %d: changes at %v s, want %v", tt.step, got, tt.want)
			continue
		}
		for i := range got {
			if d := got[i] - tt.want[i]; d < 0 || d > 5*i {
				t.Errorf("step %d: changes at %v s, want %v and at most a look later each", tt.step, got, tt.want)
			}
		}
	}
}

// proportional is a policy that acts at once on a metric.
func proportional(kind profiles.Kind, target profiles.Milli, most profiles.Limit) profiles.Policy {
	p := profiles.DefaultPolicy()
	p.Replicas = profiles.Bounds{Min: 1, Max: most}
	p.Interval = profiles.Duration(10 * time.Second)
	p.Metrics = []profiles.Metric{{Kind: kind, Target: target, Window: profiles.Duration(10 * time.Second)}}
	p.Tolerance = 0
	return p
}

// inFlight has so many in flight, and wants so many replicas of a policy that
// begins with four.
func inFlight(t *testing.T, c int, target profiles.Milli, tolerance profiles.Ratio, want float64) {
	t.Helper()
	p := proportional(profiles.InFlight, target, 100)
	p.Replicas.Initial, p.Tolerance = 4, tolerance
	r := scaled(t, busy(c, 3*time.Minute), p)
	if got := r.Series[len(r.Series)-1].Ready; got != want {
		t.Errorf("%d in flight, target %s, tolerance %s: %g replicas, want %g", c, target, tolerance, got, want)
	}
}

// Eight in flight take four with a target of 2, and five with 1.6. A fortieth
// too much is no more than a tolerance of 5 %.
func workedCortex(t *testing.T) {
	inFlight(t, 8, 2000, 50, 4)
	inFlight(t, 8, 1600, 50, 5)
	inFlight(t, 41, 10_000, 50, 4)
	inFlight(t, 41, 10_000, 0, 5)
}

// A demand of two, then four, then two a minute each, and a supply that follows a
// minute later.
func workedElasticity(t *testing.T) {
	got := Compare([]int{2, 2, 4, 4, 2, 2}, []int{2, 2, 2, 4, 4, 2})
	want := Elasticity{UnderAccuracy: 1. / 12, OverAccuracy: 1. / 6, UnderTime: 1. / 6, OverTime: 1. / 6, Instability: 0.8}
	near := func(a, b float64) bool { return a-b < 1e-9 && b-a < 1e-9 }
	if !near(got.UnderAccuracy, want.UnderAccuracy) || !near(got.OverAccuracy, want.OverAccuracy) || !near(got.UnderTime, want.UnderTime) ||
		!near(got.OverTime, want.OverTime) || !near(got.Instability, want.Instability) || got.Jitter != 0 {
		t.Errorf("Compare() = %+v, want %+v", got, want)
	}
	s := steady(0.1, 6*time.Minute, Constant(time.Millisecond))
	p := profiles.FixedPolicy(2)
	p.Interval = profiles.Duration(time.Minute)
	r, err := Run(t.Context(), s, Scaler{Policy: p, Decider: byMinute{2, 2, 2, 4, 4, 2}})
	if err != nil || r.ReplicaSeconds != 16*60 {
		t.Errorf("the supply took %g replica-seconds, %v; want 16 replica-minutes", r.ReplicaSeconds, err)
	}
}

// byMinute wants these sizes, one a minute.
type byMinute []int

func (d byMinute) Decide(now time.Time, m profiles.Metrics) profiles.Decision {
	minute := int(now.Sub(Default().Start) / time.Minute)
	return profiles.Decision{Desired: d[min(minute, len(d)-1)], Valid: true}
}

func TestCompareEdges(t *testing.T) {
	if got := Compare([]int{0, 0}, []int{2, 0}); got.OverAccuracy != 1 || got.OverTime != 0.5 || got.Jitter != 0.5 {
		t.Errorf("without demand: got %+v, want twice as much as one for half of the time, and one move more", got)
	}
	if got := Compare(nil, nil); got != (Elasticity{}) {
		t.Errorf("of nothing: got %+v, want zeros", got)
	}
}

// A constant 250 ms, and 95 % within 500 ms: 1.148/s of arrivals by chance, and
// nearly all of the 4/s of arrivals at equal distances.
func workedPacing(t *testing.T) {
	if got := waitsAtMost(0.25, 0.25, 0.25*1.148); math.Abs(got-0.95) > 0.0001 {
		t.Errorf("by theory %.5f are within 500 ms at 1.148/s, want 0.95", got)
	}
	for _, tt := range []struct {
		arrivals profiles.Arrivals
		rate     float64
		want     float64
	}{{profiles.Poisson, 1.148, 0.95}, {profiles.Even, 3.9, 1}} {
		s := steady(tt.rate, 12*time.Hour, Constant(quarter))
		s.Arrivals, s.SLO = tt.arrivals, slo(t, "p95<=500ms")
		if got := *fixed(t, s, 1).Attainment; math.Abs(got-tt.want) > 0.004 {
			t.Errorf("%s at %g/s: %.4f within 500 ms, want %g", tt.arrivals, tt.rate, got, tt.want)
		}
	}
}

// With a request a second round-robin uses each of ten workers every 10 s, so
// that none is idle for 60 s and all stay; dispatch that packs lets them go.
func workedIdle(t *testing.T) {
	for _, tt := range []struct {
		dispatch profiles.Dispatch
		low, hi  float64
	}{{profiles.RoundRobin, 10, 10}, {profiles.Pack, 1, 4}} {
		s := steady(1, 30*time.Minute, Constant(500*time.Millisecond))
		s.Dispatch = tt.dispatch
		p := everai(profiles.FreeWorkers, 1000, 1)
		p.Replicas = profiles.Bounds{Min: 1, Max: 10, Initial: 10}
		p.Down.Stabilization = 0
		r := scaled(t, s, p)
		if got := r.Series[len(r.Series)-1].Ready; got < tt.low || got > tt.hi {
			t.Errorf("%s: %g replicas at the end, want %g..%g", tt.dispatch, got, tt.low, tt.hi)
		}
	}
}

// Free workers for growth: at 2/s of 5 s and a lag of 30 s eight spare ones are
// enough for waits of about 5 %; a step of one falls behind a load that grows by
// .02/s each second, and a step of eleven does not.
func workedGrowth(t *testing.T) {
	s := steady(2, time.Hour, Exponential(5*time.Second))
	s.StartUp = []time.Duration{25 * time.Second}
	s.SLO = slo(t, "p95<1m")
	p := everai(profiles.FreeWorkers, 8000, 8)
	p.Replicas = profiles.Bounds{Min: 1, Max: 200, Initial: 18}
	p.Down = profiles.Behavior{Idle: profiles.Duration(30 * time.Second), Order: profiles.Newest}
	r := scaled(t, s, p)
	if r.Latency.Mean > 5500*time.Millisecond {
		t.Errorf("8 spare workers: mean latency %s of 5 s, want nearly no waiting", r.Latency.Mean)
	}

	s.Load = profiles.Ramp{From: 2, Stages: []profiles.Stage{{For: 20 * time.Minute, To: 26}}}
	s.Length = 20 * time.Minute
	s.MaxQueue = 1e6
	p.Metrics[0].Target = 11_000
	p.Replicas.Max = 500
	waits := map[int]time.Duration{}
	for _, step := range []int{1, 11} {
		p.Up.Step = step
		waits[step] = scaled(t, s, p).Latency.P95
	}
	if waits[1] < 2*time.Minute || waits[11] > 20*time.Second {
		t.Errorf("p95 with a step of 1: %s, of 11: %s; want minutes, and the service time's 15 s", waits[1], waits[11])
	}
}

// Where the load jumps from 40/s to 90/s on 5 replicas of 10/s, and 13 are ready
// after 60 s, 2400 requests wait then, the last of them for 18.5 s; who came
// first waited for up to 26 s, and a minute later the queue is empty.
func workedJump(t *testing.T) {
	const jump = time.Minute
	s := steady(1, 4*time.Minute, Constant(100*time.Millisecond))
	s.Load = profiles.Ramp{From: 40, Stages: []profiles.Stage{{For: jump, To: 40}, {To: 90}, {For: 3 * time.Minute, To: 90}}}
	s.StartUp = []time.Duration{time.Minute}
	p := profiles.FixedPolicy(5)
	p.Interval = profiles.Duration(time.Second)
	scaler := Scaler{Policy: p, Decider: at{jump, 13}}
	r, err := Run(t.Context(), s, scaler)
	if err != nil {
		t.Fatal(err)
	}
	ready, empty := 0, 0
	for i, point := range r.Series {
		if point.Ready == 13 && ready == 0 {
			ready = i
		}
		if ready > 0 && point.Waiting == 0 && empty == 0 {
			empty = i
		}
	}
	if got := r.Series[ready].Waiting; ready != 120 || got < 2200 || got > 2600 {
		t.Errorf("13 replicas after %d s, %d waiting; want 120 and about 2400", ready, got)
	}
	if took := empty - ready; took < 52 || took > 68 {
		t.Errorf("the queue is empty %d s later, want about 60", took)
	}
	if longest := r.Latency.Max; longest < 24*time.Second || longest > 36*time.Second {
		t.Errorf("the longest latency is %s, want about 30 s", longest)
	}
}

// at wants a number of replicas from a moment on.
type at struct {
	after time.Duration
	n     int
}

func (d at) Decide(now time.Time, m profiles.Metrics) profiles.Decision {
	out := profiles.Decision{Desired: m.Replicas, Valid: true}
	if now.Sub(Default().Start) >= d.after {
		out.Desired = d.n
	}
	return out
}

// CPU does not show more than there is to use: to grow tenfold takes seven
// decisions with a target of 70 %, and three with 40 %.
func workedClipping(t *testing.T) {
	for _, tt := range []struct {
		target profiles.Milli
		want   int
	}{{70_000, 7}, {40_000, 3}} {
		s := steady(300, 100*time.Second, Constant(500*time.Millisecond))
		s.CPU = 500 * time.Millisecond
		p := proportional(profiles.CPU, tt.target, 100)
		p.Replicas.Initial = 10
		if got := len(scaled(t, s, p).Changes); got != tt.want {
			t.Errorf("target %s %%: %d decisions, want %d", tt.target, got, tt.want)
		}
	}
}
