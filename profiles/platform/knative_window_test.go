package platform

import (
	"math"
	"testing"
	"time"
)

// Section 2.3 of reference/scaling.md.
func TestKnativeWindowVectors(t *testing.T) {
	at := func(seconds float64) time.Time { return epoch.Add(time.Duration(seconds * float64(time.Second))) }
	t.Run("K35", func(t *testing.T) {
		w := newKnativeWindow(time.Minute, 5*time.Second, false)
		w.Record(at(0), 1)
		if got := w.Average(at(0)); got != 1 {
			t.Errorf("Average of one sample in a bucket of 5 s = %g, want 1", got)
		}
	})
	t.Run("K36", func(t *testing.T) {
		w := NewKnativeWindow(5*time.Second, false)
		for i := range 5 {
			w.Record(at(float64(i)), float64(i+1))
		}
		for _, want := range []struct{ second, average float64 }{{4, 3}, {6, 4}, {10, 0}} {
			if got := w.Average(at(want.second)); got != want.average {
				t.Errorf("Average at %g s = %g, want %g", want.second, got, want.average)
			}
		}
	})
	t.Run("K38", func(t *testing.T) {
		for _, want := range []struct {
			buckets int
			weight  float64
		}{{40, 0.20567}, {6, 0.78456}, {600, 0.2}} {
			if got := decay(want.buckets); math.Abs(got-want.weight) > 5e-6 {
				t.Errorf("decay(%d) = %.6f, want %.5f", want.buckets, got, want.weight)
			}
		}
	})
}

func TestKnativeWindow(t *testing.T) {
	type sample struct{ second, value float64 }
	tests := []struct {
		name     string
		weighted bool
		samples  []sample
		at, want float64
	}{
		{"nothing", false, nil, 0, 0},
		{"one bucket adds up", false, []sample{{0, 1}, {0.4, 2}, {0.9, 3}}, 0.95, 6},
		{"a gap counts zero", false, []sample{{0, 6}, {3, 6}}, 3, 3},         // 12 over 4 buckets
		{"silence does not count", false, []sample{{0, 6}, {1, 6}}, 3, 6},    // 12 over the 2 written
		{"six digits", false, []sample{{0, 1}, {1, 0}, {2, 1}}, 2, 0.666666}, // 2/3, cut off
		{"after a silence it begins again", false, []sample{{0, 9}, {1, 9}, {7, 4}}, 7, 4},
		{"old ones go", false, []sample{{0, 100}, {1, 2}, {2, 2}, {3, 2}, {4, 2}, {5, 2}}, 5, 2},
		{"a late one", false, []sample{{3, 4}, {1, 8}}, 3, 4}, // 12 over 3 buckets
		{"one that is too late", false, []sample{{9, 4}, {4, 8}}, 9, 4},
		{"before the clock of the last", false, []sample{{3, 4}}, 2, 4},
		{"empty and weighted", true, []sample{{0, 9}}, 5, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := NewKnativeWindow(5*time.Second, test.weighted)
			for _, s := range test.samples {
				w.Record(epoch.Add(time.Duration(s.second*float64(time.Second))), s.value)
			}
			if got := w.Average(epoch.Add(time.Duration(test.at * float64(time.Second)))); got != test.want {
				t.Errorf("Average at %g s = %v, want %v", test.at, got, test.want)
			}
		})
	}
}

// By hand, with c for 5 buckets: the newest counts c, the one before c(1-c);
// silence moves all of them by one power.
func TestKnativeWindowWeighted(t *testing.T) {
	c := decay(5)
	w := NewKnativeWindow(5*time.Second, true)
	w.Record(epoch, 10)
	w.Record(epoch.Add(time.Second), 20)
	if got, want := w.Average(epoch.Add(time.Second)), 20*c+10*c*(1-c); math.Abs(got-want) > 1e-12 {
		t.Errorf("Average = %g, want %g", got, want)
	}
	if got, want := w.Average(epoch.Add(2*time.Second)), (20*c+10*c*(1-c))*(1-c); math.Abs(got-want) > 1e-12 {
		t.Errorf("Average a second later = %g, want %g", got, want)
	}
}

func TestMaxWindowVectors(t *testing.T) {
	type record struct{ bucket, n, want int }
	tests := map[string][]record{
		"K39":                {{0, 5, 5}, {1, 6, 6}, {2, 5, 6}, {3, 5, 6}, {4, 5, 6}, {5, 5, 6}, {6, 5, 5}},
		"K40":                {{0, 6, 6}, {1, 5, 6}, {2, 2, 6}, {6, 1, 2}},
		"twice in a bucket":  {{0, 3, 3}, {0, 1, 3}, {0, 4, 4}, {1, 2, 4}},
		"after a long gap":   {{0, 9, 9}, {1, 8, 9}, {50, 1, 1}},
		"rising and falling": {{0, 1, 1}, {1, 2, 2}, {2, 3, 3}, {3, 2, 3}, {4, 1, 3}, {7, 0, 2}, {8, 0, 1}, {9, 0, 0}},
	}
	for id, records := range tests {
		t.Run(id, func(t *testing.T) {
			w := newMaxWindow(5*time.Second, time.Second)
			for _, r := range records {
				if got := w.record(epoch.Add(time.Duration(r.bucket)*time.Second), r.n); got != r.want {
					t.Errorf("record(%d s, %d) = %d, want %d", r.bucket, r.n, got, r.want)
				}
			}
		})
	}
}
