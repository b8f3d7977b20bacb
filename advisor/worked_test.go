package advisor

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"headroom/advisor/model"
	"headroom/profiles"
)

// Cases that were worked by hand, from the formulas and the founding examples. The
// numbers are those of one list, of which other packages have the rest.
func TestWorked(t *testing.T) {
	t.Run("case 2", workedConcurrency)
	t.Run("case 3", workedTextbook)
	t.Run("case 4", workedCPU)
	t.Run("case 15", workedLag)
	t.Run("case 16", workedDoubling)
	t.Run("case 19", workedIdle)
	t.Run("case 20", workedSleep)
	t.Run("case 21", workedPacing)
	t.Run("case 23", workedHours)
	t.Run("case 24", workedFreeWorkers)
	t.Run("case 25", workedWaits)
	t.Run("case 26", workedClipping)
	t.Run("case 27", workedEfficiency)
	t.Run("case 28", workedQueue)
	t.Run("case 28, the choice", workedPatience)
}

// A fleet of 10 requests/s per replica, a window of 60 s, an interval of 30 s,
// a start of 60 s, and traffic that rises by 0.5 requests/s each second.
func workedLag(t *testing.T) {
	got := lag(60*time.Second, 30*time.Second, 60*time.Second)
	if got != 120*time.Second {
		t.Errorf("lag = %v, want 2m", got)
	}
	n := Needs{
		Sizing: Sizing{Rise: 500, Interval: 60 * time.Second}, Capacity: 10_000, StartUp: 30 * time.Second, // 30 + 60 + 30: the same lag
	}
	n.Traffic = traffic(140, 1000)
	if rise := n.risesIn(got); rise != 60_000 {
		t.Errorf("rises by %s/s, want 60: 6 spare replicas", rise)
	}
	if b := n.balances(n.Capacity, 60_000, 0).fewest; b.least != 20 || b.share != 300 || b.target != 7_000 {
		t.Errorf("the last 60 of a ramp to 200: %+v, want 70 %% of 20 replicas", b)
	}
	for _, c := range []struct {
		name           string
		traffic        profiles.Traffic
		min, max       int
		target         profiles.Milli
		fewest, most   int
		cheapest, mean float64 // the advice, and the fewest
	}{
		{"from 140 to 200 at once: 20 carry all of it", traffic(140, 200), 20, 20, 10_000, 20, 20, 20, 20},
		{"anywhere between 50 and 200: 14 carry 80 and 60 more", traffic(50, 200), 14, 20, 5_710, 11, 20, 18.23, 18.91},
	} {
		n.Traffic = c.traffic
		r, err := Recommend(n)
		if err != nil || r.Policy.Metrics[0].Target != c.target || r.Policy.Replicas.Min != c.min || int(r.Policy.Replicas.Max) != c.max || r.Policy.Tolerance != 0 {
			t.Errorf("%s: Recommend = %+v, %v; want target %s, min %d, max %d and no tolerance", c.name, r.Policy, err, c.target, c.min, c.max)
		}
		b := n.balances(n.Capacity, 60_000, 0)
		if b.fewest.least != c.fewest || b.most.least != c.most || math.Abs(b.best.mean-c.cheapest) > 0.01 || math.Abs(b.fewest.mean-c.mean) > 0.01 {
			t.Errorf("%s: balances = %+v; want %d to %d, %.2f replicas in the mean and %.2f with the fewest", c.name, b, c.fewest, c.most, c.cheapest, c.mean)
		}
		if rate, ok := carriesRise(r.Policy, n, 60_000); !ok {
			t.Errorf("%s: at %s/s the rise is not carried", c.name, rate)
		}
	}
	n.Rise = 2_000
	if r, err := Recommend(n); err != nil || r.Policy.Replicas.Min != 20 || r.Policy.Metrics[0].Target != 10_000 || !strings.Contains(r.Values[0].Why, "150 requests/s may come on top") {
		t.Errorf("with a rise of 240 from 50 to 200: %+v, %v; want the 20 that carry all of it", r.Policy, err)
	}
	n.Rise, n.Doubles = 0, time.Minute
	var refusal *Refusal
	if _, err := Recommend(n); !errors.As(err, &refusal) || refusal.Code != "R9" || !strings.Contains(refusal.Why, "no scaling that reacts can follow") || !strings.Contains(refusal.Do, "keep 20 replicas at all times") {
		t.Errorf("doubling twice within the lag: %v, want R9 with the 20 that carry all of it", err)
	}
}

// Traffic that doubles every five minutes, and a minute until more answer.
func workedDoubling(t *testing.T) {
	if got := reach(time.Minute, 5*time.Minute); math.Abs(got-0.871) > 0.0005 {
		t.Errorf("reach = %.4f, want 0.871", got)
	}
}

// Ten requests/s per replica, 50..200: with 30 % free and one to lose.
func workedTextbook(t *testing.T) {
	n := Needs{Capacity: 10_000, Traffic: traffic(50, 200), StartUp: 10 * time.Second}
	for _, c := range []struct {
		name     string
		sizing   Sizing
		min, max int
		target   profiles.Milli
	}{
		{"the textbook", Sizing{}, 5, 20, 10_000},
		{"30 % free, and one to lose: 8, as 50/7 is more than 5 + 1", Sizing{Headroom: 300, Spare: true}, 8, 29, 7_000},
		{"one to lose: five and one", Sizing{Spare: true}, 6, 20, 10_000},
		{"a growth of 20 %", Sizing{Growth: 200}, 5, 24, 10_000},
		{"a jump of 40 on the quiet hours", Sizing{Jump: 40_000}, 9, 20, 10_000},
	} {
		n.Sizing = c.sizing
		r, err := Recommend(n)
		if p := r.Policy; err != nil || p.Replicas.Min != c.min || int(p.Replicas.Max) != c.max || p.Metrics[0].Target != c.target {
			t.Errorf("%s: min %d, max %s, target %v, %v; want %d, %d, %s", c.name, p.Replicas.Min, p.Replicas.Max, p.Metrics, err, c.min, c.max, c.target)
		}
	}
}

// 40 requests/s jump to 90, five replicas of 10 are there, more in 60 s; or they
// rise to 100, and from 50 on, after 10 s, too much comes. What piles up is beyond
// the saturation, where that was measured.
func workedWaits(t *testing.T) {
	for _, c := range []struct {
		name       string
		sizing     Sizing
		high       profiles.Milli
		saturation float64 // of two replicas; 0: not measured
		want       string
	}{
		{"a jump", Sizing{Jump: 50_000}, 200, 0, "2400 requests would pile up, and wait for up to 48 s"},
		{"a rise", Sizing{Rise: 1000}, 200, 0, "1250 requests would pile up, and wait for up to 25 s"},
		{"a rise that ends after 20 s: 50 and 40 x 10 of it", Sizing{Rise: 1000}, 60, 0, "450 requests would pile up, and wait for up to 9.0 s"},
		{"a jump, over 75 at saturation", Sizing{Jump: 50_000}, 200, 30, "900 requests would pile up, and wait for up to 12 s"},
		{"a jump, below 100 at saturation", Sizing{Jump: 50_000}, 200, 40, "the SLO would be missed until others answer"},
	} {
		s := sized{Needs: Needs{Sizing: c.sizing, Capacity: 10_000, Traffic: traffic(40, c.high)}, timing: timing{lag: time.Minute}}
		if c.saturation > 0 {
			s.Evidence = &Capacity{Saturation: Interval{Value: c.saturation}, Replicas: 2}
		}
		if got := s.shortWait(5); got != c.want {
			t.Errorf("%s: shortWait(5) = %q, want %q", c.name, got, c.want)
		}
	}
}

// Two requests/s of 5 s, 30 s until a new replica answers.
func workedFreeWorkers(t *testing.T) {
	for _, c := range []struct{ rise, want float64 }{{0, 8}, {0.02, 11}} {
		if got := freeWorkers(2, c.rise, 5*time.Second, 30*time.Second); got != int(c.want) {
			t.Errorf("freeWorkers with a rise of %g = %d, want %g", c.rise, got, c.want)
		}
	}
	if got := stepFor(20, 5*time.Second, 30*time.Second); got != 3 {
		t.Errorf("stepFor = %d, want 3: one replica each 30 s follows only 0.0067 requests/s each second", got)
	}
	takes := 5 * time.Second
	c := service{takes: takes}.measured()
	r, err := Recommend(Needs{
		Sizing: Sizing{Rise: 20, Interval: 5 * time.Second, Metric: profiles.FreeWorkers}, SLO: mustSLO(t, "p95<20s"),
		Capacity: c.PerReplica(), Evidence: c, Service: takes, StartUp: 25 * time.Second, Traffic: traffic(1, 2),
	})
	if err != nil || r.Policy.Metrics[0].Target != 11_000 || r.Policy.Up.Step != 11 {
		t.Errorf("Recommend = %+v, %v; want 11 free workers, and a step of as many, not of 1", r.Policy, err)
	}
}

// One request/s in turn to ten replicas that may be idle for a minute, and to a
// hundred.
func workedIdle(t *testing.T) {
	n := Needs{Sizing: Sizing{Dispatch: profiles.RoundRobin, Interval: 20 * time.Second}, Capacity: 1_000, Traffic: traffic(1, 10)} // idle for 3 x interval
	for _, c := range []struct {
		dispatch profiles.Dispatch
		kind     profiles.Kind
		high     profiles.Milli
		refused  bool
	}{
		{profiles.RoundRobin, profiles.FreeWorkers, 10, true}, {profiles.Random, profiles.Queue, 10, true}, {profiles.LeastConnections, profiles.Queue, 60, true},
		{profiles.RoundRobin, profiles.FreeWorkers, 100, false}, {profiles.Pack, profiles.FreeWorkers, 10, false}, {"", profiles.FreeWorkers, 10, false},
		{profiles.RoundRobin, profiles.RPS, 10, false},
	} {
		n.Dispatch, n.Traffic = c.dispatch, traffic(1, c.high)
		if r := n.neverIdle(c.kind, n.timing(profiles.RPS)); (r != nil) != c.refused || r != nil && r.Code != "R11" {
			t.Errorf("%s with %q up to %d/s: %v, want it refused: %v", c.kind, c.dispatch, c.high, r, c.refused)
		}
	}
}

// A batch that may wait for a minute, and a request that may wait for a second.
func workedQueue(t *testing.T) {
	start, tick, takes := 20*time.Second, 5*time.Second, 250*time.Millisecond
	if got := queueLimit(4, time.Minute, start+tick, takes); got != 560 {
		t.Errorf("queueLimit of a batch = %d, want 560", got)
	}
	if got := queueLimit(4, time.Second, start+tick, takes); got >= 0 {
		t.Errorf("queueLimit of what cannot wait = %d, want none", got)
	}
}

// A replica that uses 0.3 cores without load and one at 10 requests/s.
func workedCPU(t *testing.T) {
	c := service{takes: 70 * time.Millisecond, base: 0.3, slope: 0.07}.measured()
	c.SLO = Interval{Value: 8.75, Low: 8.75, High: 8.75}
	r, err := Recommend(Needs{
		Sizing: Sizing{Headroom: 200, Metric: profiles.CPU}, Capacity: 8_750, Evidence: c, SLO: mustSLO(t, "p95<1s"),
		Traffic: traffic(50, 200), Managed: true, Service: c.Service,
	})
	if err != nil {
		t.Fatal(err)
	}
	m := r.Policy.Metrics[0]
	if want := 0.3 + 0.07*7; m.Unit != "cores" || math.Abs(m.Target.Float()-want) > 0.011 {
		t.Errorf("target %s %s at 7 requests/s, want %.2f cores", m.Target, m.Unit, want)
	}
	// The 60 % that is often set is no more than 43 % of what there is to use.
	s, _ := c.signalsOf(profiles.CPU, true)
	line, _ := model.FitLine(s.load, s.value)
	if at := (0.6 - line.Base) / line.Slope; math.Abs(at-4.29) > 0.01 || math.Abs(line.At(10)-1) > 0.01 {
		t.Errorf("0.6 cores at %.2f requests/s and %.2f cores at 10, want 4.29 and 1", at, line.At(10))
	}
}

// A load that grows tenfold, and CPU that ends at 100 %.
func workedClipping(t *testing.T) {
	for target, want := range map[float64]int{0.7: 7, 0.4: 3, 0.1: 1} {
		if got, ok := decisionsFor(10, 1/target); !ok || got != want {
			t.Errorf("decisionsFor(10, 1/%g) = %d, %v; want %d", target, got, ok, want)
		}
	}
	if _, ok := decisionsFor(10, 1); ok {
		t.Error("a target at the limit asks for more")
	}
}
