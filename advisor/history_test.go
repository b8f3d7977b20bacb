package advisor

import (
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"headroom/profiles"
)

// monday is the begin of the histories of these tests.
var monday = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

// counted is a load that was counted by the step, of so many requests per
// second.
func counted(start time.Time, length, step time.Duration, rate func(at time.Time) float64) profiles.Recorded {
	var ends []time.Duration
	var counts []float64
	for end := step; end <= length; end += step {
		ends, counts = append(ends, end), append(counts, rate(start.Add(end-step))*step.Seconds())
	}
	return profiles.Recorded{Shape: profiles.NewCounts(ends, counts), Start: start, Step: step}
}

func mustHistory(t *testing.T, r profiles.Recorded, zone *time.Location) *History {
	t.Helper()
	h, err := NewHistory(r, zone)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestHistoryTraffic(t *testing.T) {
	// A hundred minutes of 1, 2 … 100 requests/s, in any order.
	h := mustHistory(t, counted(monday, 100*time.Minute, time.Minute, func(at time.Time) float64 {
		return float64((at.Minute()+60*at.Hour())*37%100 + 1)
	}), time.UTC)
	if got, want := h.Traffic(), (profiles.Traffic{Low: 5_000, High: 99_000}); got != want {
		t.Errorf("Traffic = %s, want %s: the 5th and the 99th percentile", got, want)
	}
	if _, err := NewHistory(counted(monday, 9*time.Minute, time.Minute, func(time.Time) float64 { return 1 }), time.UTC); err == nil || err.Error() != "got 9m, want 10m or more: advice takes the usual range of rates over 1m" {
		t.Errorf("NewHistory of nine minutes = %v", err)
	}
	if _, err := NewHistory(counted(monday, 9*time.Hour, time.Hour, func(time.Time) float64 { return 1 }), time.UTC); err == nil || !strings.Contains(err.Error(), "want 10h or more") {
		t.Errorf("NewHistory of nine hours, counted by the hour = %v", err)
	}
}

// A traffic that rises by 0.5 requests/s each second, from 100 on.
func TestHistoryRises(t *testing.T) {
	ramp := func(at time.Time) float64 { return 100 + 0.5*at.Sub(monday).Seconds() }
	for _, c := range []struct {
		name        string
		step        time.Duration
		lag, window time.Duration
		usual       float64
	}{
		{"by the second", time.Second, 20 * time.Second, 10 * time.Second, 10},
		{"by five minutes, of which a lag is a fifteenth", 5 * time.Minute, 20 * time.Second, 10 * time.Second, 10},
	} {
		h := mustHistory(t, counted(monday, time.Hour, c.step, ramp), time.UTC)
		r, ok := h.risesIn(c.lag, c.window, 100)
		if !ok || math.Abs(r.usual-c.usual) > 0.01 || math.Abs(r.most-c.usual) > 0.01 || r.factor < 1 || r.factor > 1+c.usual/100 {
			t.Errorf("%s: risesIn(%v, %v) = %+v, %v; want %v, and less than %.2f times", c.name, c.lag, c.window, r, ok, c.usual, 1+c.usual/100)
		}
	}
	falls := mustHistory(t, counted(monday, time.Hour, time.Second, func(at time.Time) float64 { return 4000 - ramp(at) }), time.UTC)
	if r, ok := falls.risesIn(20*time.Second, 10*time.Second, 100); !ok || r.usual != 0 || r.factor != 1 {
		t.Errorf("a fall: risesIn = %+v, %v; want none", r, ok)
	}
	if r, ok := falls.risesIn(2*time.Hour, 10*time.Second, 100); ok {
		t.Errorf("a lag longer than the trace: risesIn = %+v, want none", r)
	}
}

// Advice from a history: its traffic, its rise, and its growth.
func TestRecommendByHistory(t *testing.T) {
	needs := func(h *History) Needs {
		return Needs{Capacity: 10_000, StartUp: 50 * time.Second, Traffic: h.Traffic(), Sizing: Sizing{Interval: 10 * time.Second, History: h}}
	}
	// Up from 50 to 200 and down again in ten minutes each: 0.25 requests/s each
	// second, of which a lag of 65 s adds 16.25.
	saw := mustHistory(t, counted(monday, 6*time.Hour, time.Second, func(at time.Time) float64 {
		phase := at.Sub(monday).Seconds() / 600
		return 50 + 150*math.Abs(math.Mod(phase+1, 2)-1)
	}), time.UTC)
	r, err := Recommend(needs(saw))
	if err != nil {
		t.Fatal(err)
	}
	by := map[string]Value{}
	for _, v := range r.Traffic {
		by[v.Name] = v
		if v.Formula == "" || v.Why == "" || v.Unit == "" || len(v.Inputs) == 0 || len(v.Rejected) == 0 {
			t.Errorf("value %+v lacks its formula, unit, reason, or what it is not", v)
		}
	}
	if rise := by["rise"].Value; math.Abs(rise-16.2) > 0.2 {
		t.Errorf("a rise of %v, want 16.2 requests/s: %+v", rise, by["rise"])
	}
	if want := profiles.FormatRate(by["jump"].Value) + "/s, the greatest"; by["rise"].Rejected[0].Option != want {
		t.Errorf("the rise is not %q, want %q as the jump says", by["rise"].Rejected[0].Option, want)
	}
	// From 57 requests/s they grow by 16 in the lag: to 1.28 times.
	if p := r.Policy; p.Replicas.Min != 8 || p.Metrics[0].Target < 7_600 || p.Metrics[0].Target > 8_000 || p.Replicas.Max != 20 {
		t.Errorf("Recommend = %+v %+v; want min 8, max 20 and a target of 7.6 to 8", p.Replicas, p.Metrics)
	}
	if text := strings.Join(r.Notes, "\n"); !strings.Contains(text, "no schedule (R12): the trace has 0 whole days, a season of a day takes 3") {
		t.Errorf("notes %q, want why there is no schedule", text)
	}

	jumps := mustHistory(t, counted(monday, time.Hour, time.Second, func(at time.Time) float64 {
		return 10 + 190*float64(at.Minute()/2%2)
	}), time.UTC)
	var refusal *Refusal
	if _, err := Recommend(needs(jumps)); !errors.As(err, &refusal) || refusal.Code != "R9" || !strings.Contains(refusal.Why, "may grow to") {
		t.Errorf("twentyfold every two minutes: %v, want R9", err)
	}
	n := needs(saw)
	n.StartUp = 0
	if _, err := Recommend(n); err == nil || !strings.Contains(err.Error(), "--trace: got a recorded load while the start-up time is not known") {
		t.Errorf("without a start-up time: %v", err)
	}
}

// Counts of more than a lag say nothing of what rises within it, unless somebody
// says that.
func TestTraceFlaws(t *testing.T) {
	level := func(time.Time) float64 { return 10 }
	minutes := mustHistory(t, counted(monday, 12*time.Hour, time.Minute, level), time.UTC)
	hours := mustHistory(t, counted(monday, 12*time.Hour, time.Hour, level), time.UTC)
	p := profiles.Policy{Interval: profiles.Duration(10 * time.Second), Metrics: []profiles.Metric{{Window: profiles.Duration(10 * time.Second)}}}
	for _, c := range []struct {
		name   string
		sizing Sizing
		want   string // empty: none
	}{
		{"no trace", Sizing{}, ""},
		{"by the minute, of a lag of 70 s", Sizing{History: minutes}, ""},
		{"by the hour", Sizing{History: hours}, "the trace counts over 1h and says nothing of rises within 70 s"},
		{"by the hour, and a rise is said", Sizing{History: hours, Rise: 100}, ""},
		{"by the hour, and it doubles", Sizing{History: hours, Doubles: time.Hour}, ""},
	} {
		got := Needs{StartUp: 55 * time.Second, Sizing: c.sizing}.traceFlaws(p)
		if (len(got) == 1) != (c.want != "") || len(got) == 1 && (got[0].most != GradeC || got[0].why != c.want) {
			t.Errorf("%s: traceFlaws = %+v, want %q", c.name, got, c.want)
		}
	}
}

// Ten arrivals a second by chance, the same four at once, and at equal distances;
// a season makes no difference.
func TestHistoryDispersion(t *testing.T) {
	chance := rand.New(rand.NewPCG(1, 2))
	stamps := func(together int, poisson bool, rate func(at float64) float64) profiles.Recorded {
		var out []time.Duration
		for at := 0.0; at < 7200; {
			gap := float64(together) / rate(at)
			if poisson {
				gap *= chance.ExpFloat64()
			}
			at += gap
			for range together {
				out = append(out, fromSeconds(at))
			}
		}
		return profiles.Recorded{Shape: profiles.Stamps(out)}
	}
	ten := func(float64) float64 { return 10 }
	for _, c := range []struct {
		name  string
		of    profiles.Recorded
		index float64 // 0: cannot be told
		needs time.Duration
	}{
		{"Poisson", stamps(1, true, ten), 1, 10 * time.Second},
		{"four at a time", stamps(4, true, ten), 4, 39 * time.Second},
		{"a day of chance", stamps(1, true, func(at float64) float64 { return 10 + 8*math.Sin(at/7200*6.28) }), 1, 10 * time.Second},
		{"even", stamps(1, false, ten), 0.01, 10 * time.Second},
		{"counted by the minute", counted(monday, 2*time.Hour, time.Minute, func(time.Time) float64 { return 10 }), 0, 10 * time.Second},
	} {
		n := Needs{Traffic: traffic(10, 10), Sizing: Sizing{History: mustHistory(t, c.of, time.UTC)}}
		index, over := n.dispersion()
		if math.Abs(index-c.index) > 0.12*max(c.index, 0.1) || (over == 0) != (c.index == 0) {
			t.Errorf("%s: dispersion = %.3f over %v, want %g", c.name, index, over, c.index)
		}
		n.bursts = index
		if got := n.neededWindow(); math.Abs((got - c.needs).Seconds()) > 0.12*c.needs.Seconds() {
			t.Errorf("%s: a window of %v, want %v", c.name, got, c.needs)
		}
	}
}

func TestHistoryGrowth(t *testing.T) {
	weekly := func(at time.Time) float64 { return 10 * (1 + 0.1*math.Floor(at.Sub(monday).Hours()/168)) }
	for _, c := range []struct {
		days  int
		share float64
		weeks int
	}{{13, 0, 1}, {14, 0.1, 2}, {30, 0.3, 4}} {
		h := mustHistory(t, counted(monday, time.Duration(c.days)*24*time.Hour, time.Hour, weekly), time.UTC)
		if share, weeks := h.growth(); math.Abs(share-c.share) > 1e-9 || weeks != c.weeks {
			t.Errorf("growth of %d days = %v, %d; want %v, %d", c.days, share, weeks, c.share, c.weeks)
		}
	}
}
