package tui

import (
	"math"
	"strings"
	"testing"
	"time"

	"headroom/advisor"
	"headroom/probe"
)

func TestSparkline(t *testing.T) {
	nan := math.NaN()
	for _, test := range []struct {
		values  []float64
		highest float64
		want    string
	}{
		{nil, 0, ""},
		{[]float64{nan, 0, nan}, 0, " ▁ "},
		{[]float64{0, 0.001, 4, 7, 8}, 8, "▁▂▅██"},
		{[]float64{1e308, 9}, 1e308, "█▂"},
		{[]float64{-1, 16}, 8, "▁█"},
	} {
		if got := sparkline(test.values, test.highest); got != test.want {
			t.Errorf("sparkline(%v, %v) = %q, want %q", test.values, test.highest, got, test.want)
		}
	}
}

// flowing is a State some time after the beginning, with replicas that answer
// at these rates; below 0 they do not answer.
func flowing(after time.Duration, rates map[string]float64) advisor.State {
	st := advisor.State{Seq: 1, At: began.Add(after)}
	for _, id := range []string{"a", "b"} {
		if rate, there := rates[id]; there {
			st.Fleet.Replicas = append(st.Fleet.Replicas, probe.Replica{ID: id, Rate: rate, Answered: rate >= 0})
		}
	}
	return st
}

// Trends have a figure a second, of the replicas that are there, and no more
// than they show.
func TestTrends(t *testing.T) {
	var now trends
	for tick := range 4 * 100 {
		rates := map[string]float64{"a": float64(tick / 4)}
		if tick >= 4*90 {
			rates["b"] = -1
		}
		if tick >= 4*98 {
			rates["b"] = 5
		}
		jitter := time.Duration(tick%3) * time.Millisecond
		now = now.with(flowing(time.Duration(tick)*time.Second/4-jitter, rates))
	}
	a, b := now.rates["a"], now.rates["b"]
	if len(a) != trendSeconds || a[len(a)-1] != 99 || a[0] != 100-trendSeconds {
		t.Errorf("trend of a: %v, want the %d seconds up to 99", a, trendSeconds)
	}
	if len(b) != 10 || !math.IsNaN(b[0]) || b[9] != 5 {
		t.Errorf("trend of b: %v, want 8 seconds of nothing and 2 of 5", b)
	}
	if now = now.with(flowing(200*time.Second, map[string]float64{"b": 5})); len(now.rates) != 1 {
		t.Errorf("trends of %v, want only those of b", now.rates)
	}
}

// A frozen screen keeps its trends while those behind it go on.
func TestFrozenTrendsStay(t *testing.T) {
	m := showing(flowing(0, map[string]float64{"a": 8, "b": 1}), plainStyles(), viewReplicas, 100, 30)
	m.Update(keyMsg(" "))
	before := m.View()
	for i := range 5 {
		m.take(flowing(time.Duration(i+1)*time.Second, map[string]float64{"a": 1, "b": 8}))
	}
	m.Update(keyMsg("j"))
	if got := m.View(); got != before {
		t.Errorf("the frozen screen became\n%s\nwant\n%s", got, before)
	}
	m.Update(keyMsg(" "))
	if got := m.View(); !strings.Contains(got, "█▂▂▂▂▂") || !strings.Contains(got, "▂█████") {
		t.Errorf("after the freeze\n%s\nwant the six seconds of both replicas", got)
	}
}
