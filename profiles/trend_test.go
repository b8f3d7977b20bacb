package profiles

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// tenSeconds are samples that are ten seconds apart.
func tenSeconds(inFlight ...float64) []Sample {
	out := make([]Sample, len(inFlight))
	for i, y := range inFlight {
		out[i] = Sample{monday.Add(time.Duration(i) * 10 * time.Second), y}
	}
	return out
}

func TestTrendWaits(t *testing.T) {
	for _, c := range []struct {
		name     string
		samples  []Sample
		replicas int
		target   float64
		within   time.Duration
		since    time.Duration // the last change, after the first sample
		oldest   time.Duration
		want     bool
	}{
		// scaling.md 3.1. What the scaler would do follows from the last sample.
		{"Q1 drains", tenSeconds(4, 3, 2), 1, 1, 30 * time.Second, 0, 0, true},
		{"Q2 off", tenSeconds(4, 3, 2), 1, 1, 0, 0, 0, false},
		{"Q3 drains too slowly", tenSeconds(4, 3, 2), 1, 1, 5 * time.Second, 0, 0, false},
		{"Q4 grows", tenSeconds(2, 3, 4), 1, 1, 30 * time.Second, 0, 0, false},
		{"Q5 grows into the fleet", tenSeconds(0, 2, 4), 6, 1, 30 * time.Second, 0, 0, true},
		{"Q6 is flat", tenSeconds(4, 4, 4), 6, 1, 30 * time.Second, 0, 0, false},

		// Of our own. The slope of Q1 is -0.1/s, so it takes 10 s from 2 to 1.
		{"exactly in time", tenSeconds(4, 3, 2), 1, 1, 10 * time.Second, 0, 0, true},
		{"a moment too late", tenSeconds(4, 3, 2), 1, 1, 10*time.Second - time.Millisecond, 0, 0, false},
		{"two samples", tenSeconds(3, 2), 1, 1, 30 * time.Second, 0, 0, false},
		{"two samples since the change", tenSeconds(4, 3, 2), 1, 1, 30 * time.Second, 5 * time.Second, 0, false},
		{"three samples since the change", tenSeconds(9, 4, 3, 2), 1, 1, 30 * time.Second, 10 * time.Second, 0, true},
		{"what is before the window does not count", tenSeconds(0, 0, 0, 8, 7, 6, 5, 4, 3, 2), 1, 1, 30 * time.Second, 0, 0, true},
		{"someone waits too long", tenSeconds(4, 3, 2), 1, 1, 30 * time.Second, 0, 6 * time.Second, false},
		{"someone waits just long enough", tenSeconds(4, 3, 2), 1, 1, 30 * time.Second, 0, 5 * time.Second, true},
		{"a long wait does not take anything away", tenSeconds(0, 2, 4), 6, 1, 30 * time.Second, 0, 6 * time.Second, true},
		{"no line", tenSeconds(9, 0, 9, 0, 9, 0, 4), 3, 1, 30 * time.Second, 0, 0, false},
		{"shrinks away", tenSeconds(4, 2, 0), 6, 1, 30 * time.Second, 0, 0, false},
		{"as it should be", tenSeconds(4, 3, 2), 2, 1, 30 * time.Second, 0, 0, false},
		{"nothing", nil, 1, 1, 30 * time.Second, 0, 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			trend := Trend{Within: Duration(c.within), MaxWait: Duration(5 * time.Second)}
			goal, change := c.target*float64(c.replicas), 0
			if len(c.samples) > 0 {
				change = int(c.samples[len(c.samples)-1].InFlight - goal)
			}
			line, ok := lineOf(c.samples, time.Minute, monday.Add(c.since))
			if got := ok && trend.waits(change, line, goal, c.oldest); got != c.want {
				t.Errorf("%+v.waits(%d, %v, goal %v) = %v, want %v", trend, change, c.samples, goal, got, c.want)
			}
		})
	}
}

// A line is found again, whatever it is and wherever it is sampled.
func TestFitFindsTheLine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		slope := rapid.Float64Range(-100, 100).Draw(t, "slope")
		start := rapid.Float64Range(0, 1000).Draw(t, "start")
		at := 0.0
		var samples []Sample
		for range rapid.IntRange(3, 60).Draw(t, "samples") {
			samples = append(samples, Sample{monday.Add(time.Duration(at * 1e9)), start + slope*at})
			at += rapid.Float64Range(0.1, 30).Draw(t, "seconds")
		}
		last := samples[len(samples)-1]
		line, ok := Fit(samples)
		if !ok || math.Abs(line.Slope-slope) > 1e-6 || math.Abs(line.Last-last.InFlight) > 1e-4 {
			t.Fatalf("Fit = %+v, %v, want slope %v and %v at the end", line, ok, slope, last.InFlight)
		}
		if math.Abs(slope) > 0.01 && line.R2 < 0.999 {
			t.Fatalf("R² = %v of a straight line", line.R2)
		}
	})
}

func TestFitNeedsTime(t *testing.T) {
	at := Sample{monday, 3}
	if line, ok := Fit([]Sample{at, at, at}); ok {
		t.Errorf("Fit = %+v of three samples at one moment, want none", line)
	}
}
