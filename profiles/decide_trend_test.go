package profiles

import (
	"testing"
	"time"
)

// trendPolicy has a target of one request in flight, on a window that holds
// the samples of the vectors.
func trendPolicy(trend Trend) Policy {
	p := kindPolicy(Metric{Kind: InFlight, Target: 1000, Trend: &trend}, nil)
	p.Metrics[0].Window = Duration(time.Minute)
	return p
}

// inFlight are metrics of a fleet with samples ten seconds apart; the reading
// is the last of them.
func inFlight(replicas int, samples ...float64) Metrics {
	return Metrics{Replicas: replicas, Ready: replicas, InFlight: tenSeconds(samples...), Readings: readings(samples[len(samples)-1])}
}

func TestDecideTrend(t *testing.T) {
	half := Trend{Within: Duration(30 * second)}
	late := inFlight(1, 4, 3, 2)
	late.Oldest = 6 * second
	ahead := inFlight(1, 2, 3, 4)
	ahead.StartUp = 25 * second
	for _, c := range []struct {
		name   string
		trend  Trend
		m      Metrics
		want   int
		reason Reason
	}{
		// The example of Cortex's issue 859, and its mirror images.
		{"Q1", half, inFlight(1, 4, 3, 2), 1, Draining},
		{"Q2", Trend{Ahead: true}, inFlight(1, 4, 3, 2), 2, AboveTarget},
		{"Q3", Trend{Within: Duration(5 * second)}, inFlight(1, 4, 3, 2), 2, AboveTarget},
		{"Q4", half, inFlight(1, 2, 3, 4), 4, AboveTarget},
		{"Q5", half, inFlight(6, 0, 2, 4), 6, Growing},
		{"Q6", half, inFlight(6, 4, 4, 4), 4, BelowTarget},

		// Of our own. The slope of Q4 is 0.1/s.
		{"someone waits too long", Trend{Within: half.Within, MaxWait: Duration(5 * second)}, late, 2, AboveTarget},
		{"someone waits just long enough", Trend{Within: half.Within, MaxWait: Duration(6 * second)}, late, 1, Draining},
		{"ahead", Trend{Ahead: true}, ahead, 7, Rising},
		{"ahead, but nobody knows how long it takes", Trend{Ahead: true}, inFlight(1, 2, 3, 4), 4, AboveTarget},
		{"not ahead", half, ahead, 4, AboveTarget},
		{"as it should be", half, inFlight(2, 4, 3, 2), 2, AtTarget},
		{"no line", half, inFlight(1, 9, 0, 9, 0, 9, 0, 4), 4, AboveTarget},
		{"too few samples", half, inFlight(1, 3, 2), 2, AboveTarget},
	} {
		got := newDecider(t, trendPolicy(c.trend)).Decide(monday.Add(20*second), c.m)
		if got.Desired != c.want || got.Reason != c.reason || got.Raw != c.want {
			t.Errorf("%s: Decide(%+v) = %v (%s), want %d %s", c.name, c.m, got, got.Reason, c.want, c.reason)
		}
	}
}

// Samples from before a change of the size do not count: they bend the line.
func TestDecideTrendSinceTheLastChange(t *testing.T) {
	for _, c := range []struct {
		name    string
		resized time.Time
		reason  Reason
	}{
		{"nobody knows of a change", time.Time{}, Draining},
		{"before the third last", monday.Add(19 * second), Draining},
		{"after the third last", monday.Add(21 * second), AboveTarget},
	} {
		m := inFlight(1, 6, 5, 4, 3, 2)
		m.Resized = c.resized
		got := newDecider(t, trendPolicy(Trend{Within: Duration(30 * second)})).Decide(monday.Add(40*second), m)
		if got.Reason != c.reason {
			t.Errorf("%s: Decide(%+v) = %v (%s), want %s", c.name, m, got, got.Reason, c.reason)
		}
	}
}

func TestValidateTrend(t *testing.T) {
	for _, c := range []struct {
		name string
		edit func(*Metric)
		want []string
	}{
		{"all", func(m *Metric) { m.Trend = &Trend{m.Window, Duration(second), true} }, nil},
		{"ahead alone", func(m *Metric) { m.Trend = &Trend{Ahead: true} }, nil},
		{"neither", func(m *Metric) { m.Trend = &Trend{} }, []string{"metrics[0].trend: got neither within nor ahead"}},
		{"longer than the window", func(m *Metric) { m.Trend.Within = m.Window + 1 }, []string{"metrics[0].trend.within: got 1m0.000000001s, want 0s to 1m"}},
		{"a long wait", func(m *Metric) { m.Trend.MaxWait = Duration(2 * time.Hour) }, []string{"metrics[0].trend.maxWait: got 2h, want 0s to 1h"}},
		{"of the fleet", func(m *Metric) { m.Scope = WholeFleet }, []string{"metrics[0].trend: got it for in_flight of scope fleet"}},
		{"of a rate", func(m *Metric) { m.Kind = RPS }, []string{"metrics[0].trend: got it for rps of scope replica"}},
	} {
		p := trendPolicy(Trend{Within: Duration(30 * second)})
		c.edit(&p.Metrics[0])
		wantLines(t, c.name, p.Validate(), c.want)
	}
}

// Replicas that answer 4 requests/s each are to work off what waits within 20 s:
// each is meant to carry 80 in flight. What is asked for is (growth + backlog / 20 s) / 4
// more replicas, or nothing while the backlog goes by itself.
func TestWorked(t *testing.T) {
	t.Run("case 17", func(t *testing.T) {
		p := trendPolicy(Trend{Within: Duration(20 * second), Ahead: true})
		p.Metrics[0].Target = 80_000
		for _, c := range []struct {
			name    string
			samples []float64 // ten seconds apart; two replicas carry 160
			more    int
		}{
			{"40 too many, and 8 more each second", []float64{40, 120, 200}, 3},
			{"40 too many, and 8 fewer each second", []float64{360, 280, 200}, 0},
			{"none too many", []float64{160, 160, 160}, 0},
		} {
			m := inFlight(2, c.samples...)
			m.StartUp = 20 * second
			if got := newDecider(t, p).Decide(monday.Add(20*second), m); got.Desired != 2+c.more {
				t.Errorf("%s: Decide = %v, want %d", c.name, got, 2+c.more)
			}
		}
	})
}
