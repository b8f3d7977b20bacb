package report

import (
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"headroom/advisor"
	"headroom/load"
)

func texts(ticks []tick) string {
	var all []string
	for _, t := range ticks {
		all = append(all, t.Text)
	}
	return strings.Join(all, " ")
}

func TestPlot(t *testing.T) {
	nan := math.NaN()
	at := []float64{1, 2, 3, 4}
	for name, c := range map[string]struct {
		log    bool
		values []float64
		path   string
		y      string
	}{
		"a line":        {false, []float64{0, 1, 2, 4}, "M25 100L50 75L75 50L100 0", "0 1 2 3 4"},
		"with a gap":    {false, []float64{0, nan, 2, 4}, "M25 100M75 50L100 0", "0 1 2 3 4"},
		"of zeros":      {false, []float64{0, 0, 0, 0}, "M25 100L50 100L75 100L100 100", "0 1"},
		"of little":     {false, []float64{0, 0.25, 0.5, 0.5}, "M25 100L50 58.33L75 16.67L100 16.67", "0 0.2 0.4 0.6"},
		"of one":        {false, []float64{0, 1, 1, 1}, "M25 100L50 0L75 0L100 0", "0 1"},
		"large":         {false, []float64{0, 1e6, 0, 2e6}, "M25 100L50 50L75 100L100 0", "0 500k 1M 1.5M 2M"},
		"logarithmic":   {true, []float64{10, 100, 1000, 1e5}, "M25 100L50 75L75 50L100 0", "10 100 1000 10k 100k"},
		"little of it":  {true, []float64{20, 20, 0, 20}, "M25 69.9L50 69.9M100 69.9", "10 20 50 100"},
		"a power alone": {true, []float64{100, 100, 100, 100}, "M25 100L50 100L75 100L100 100", "100 200 500 1000"},
	} {
		got := plot("title", "unit", overSeconds(at), c.log, series{"x", c.values})
		if got == nil || got.Lines[0].Path != c.path || texts(got.YTicks) != c.y || texts(got.XTicks) != "00:00 00:01 00:02 00:03 00:04" {
			t.Errorf("%s: %+v, want path %s and ticks %s", name, got, c.path, c.y)
		}
	}
	for name, values := range map[string][]float64{"none": {nan, nan, nan, nan}, "no logarithm": {0, 0, 0, 0}} {
		if got := plot("title", "unit", overSeconds(at), true, series{"x", values}); got != nil {
			t.Errorf("%s: %+v, want no chart", name, got)
		}
	}
	for high, want := range map[float64]string{3: "00:00 00:01 00:02 00:03", 6: "00:00 00:02 00:04 00:06", 28800: "00:00 120:00 240:00 360:00 480:00", 1e6: "00:00 4320:00 8640:00 12960:00"} {
		if got := texts(timeTicks(axis{high: high})); got != want {
			t.Errorf("timeTicks of %v s = %s, want %s", high, got, want)
		}
	}
	if got := plot("title", "unit", overSeconds(nil), false, series{"x", nil}); got != nil {
		t.Errorf("without points: %+v, want no chart", got)
	}
}

// Whatever there is to draw lies within the plot, and few ticks beside it.
func TestPlotStaysWithin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 20).Draw(t, "points")
		at, values := make([]float64, n), make([]float64, n)
		for i := range at {
			at[i] = float64(i+1) * rapid.Float64Range(0.5, 100).Draw(t, "step")
			if i > 0 {
				at[i] = max(at[i], at[i-1]+0.1)
			}
			values[i] = float64(rapid.IntRange(0, 1e9).Draw(t, "value"))
		}
		c := plot("title", "unit", overSeconds(at), rapid.Bool().Draw(t, "log"), series{"x", values})
		if c == nil {
			return
		}
		for _, bad := range []string{"NaN", "Inf", "-"} {
			if strings.Contains(c.Lines[0].Path, bad) {
				t.Errorf("path %s", c.Lines[0].Path)
			}
		}
		for _, ticks := range [][]tick{c.XTicks, c.YTicks} {
			if len(ticks) < 1 || len(ticks) > 20 || ticks[len(ticks)-1].At < 0 || ticks[len(ticks)-1].At > 100 {
				t.Errorf("ticks %v", ticks)
			}
		}
	})
}

func TestSpread(t *testing.T) {
	c := spread(load.Histogram{{Time: 10 * time.Millisecond, Count: 1}, {Time: 1000 * time.Millisecond, Count: 3}})
	if len(c.Bars) != 2 || c.Bars[0].Left != 0 || c.Bars[1].Left < 97 || math.Abs(c.Bars[1].Height-3*c.Bars[0].Height) > 0.1 || texts(c.YTicks) != "0 20 40 60 80" || texts(c.XTicks) != "10 100 1000" {
		t.Errorf("spread = %+v", c)
	}
	if got := texts(logTicks(axis{low: 11, high: 19, log: true})); got != "11 19" {
		t.Errorf("logTicks of 11 to 19 = %s", got)
	}
	if one := spread(load.Histogram{{Time: time.Microsecond, Count: 9}}); len(one.Bars) != 1 {
		t.Errorf("spread of one = %+v, want a bar", one)
	}
}

// The replicas are drawn from when the load began, not the session.
func TestReplicasOverTime(t *testing.T) {
	c := replicasOverTime(saved(t))
	if len(c.Lines) != 3 || !strings.HasPrefix(c.Lines[0].Path, "M0 50") || len(c.Marks) != 1 || c.Marks[0].Text[:8] != "00:12 1 " {
		t.Errorf("replicas %+v", c)
	}
	alone := saved(t)
	for i := range alone.Points {
		alone.Points[i].Wanted, alone.Points[i].Up, alone.Points[i].Answering = 0, 0, 0
	}
	if c := replicasOverTime(alone); c != nil {
		t.Errorf("of a target that names none: %+v, want no chart", c)
	}
}

// What counts for nothing has no place on the curve, and what never came no
// latency.
func TestScalingCurve(t *testing.T) {
	c := capacity()
	spoiled := c.Steps[0]
	spoiled.Rate, spoiled.Spoiled = 500, true
	c.Steps = append(c.Steps, spoiled)
	got := scalingCurve(c)
	if at := strings.Join(got.Readings.At, " "); at != "29.9/s 30.1/s 47.6/s" || texts(got.XTicks) != "0 20 40" || strings.Join(got.Readings.Lines[1], " ") != "– 240 22" {
		t.Errorf("scalingCurve = %+v", got)
	}
	if got := scalingCurve(advisor.Capacity{}); got != nil {
		t.Errorf("scalingCurve of nothing = %+v", got)
	}
}
