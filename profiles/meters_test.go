package profiles

import (
	"testing"
	"time"
)

func TestSamplesForget(t *testing.T) {
	start := time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
	sample := func(i int) Sample {
		return Sample{At: start.Add(time.Duration(i) * SampleEvery), InFlight: float64(i)}
	}
	var samples, held Samples // held as a decision holds them
	for i := range 5000 {
		samples = samples.Add(sample(i))
		if i == 700 {
			held = samples
		}
		first, last := samples[0], samples[len(samples)-1]
		if last != sample(i) || last.At.Sub(first.At) < min(MaxWindow, time.Duration(i)*SampleEvery)-SampleEvery || len(samples) > 1200 {
			t.Fatalf("after sample %d: got %d, from %v to %v, want those of the longest window", i, len(samples), first, last)
		}
	}
	for i, got := range held {
		if got != sample(i) {
			t.Fatalf("sample %d of those that a decision holds: got %v, want %v", i, got, sample(i))
		}
	}
}

func TestMedianStartUp(t *testing.T) {
	tests := []struct {
		of   []time.Duration
		want time.Duration
	}{
		{nil, 0},
		{[]time.Duration{3}, 3},
		{[]time.Duration{9, 3}, 3},
		{[]time.Duration{9, 1, 3}, 3},
	}
	for _, tt := range tests {
		if got := MedianStartUp(tt.of); got != tt.want {
			t.Errorf("MedianStartUp(%v) = %v, want %v", tt.of, got, tt.want)
		}
	}
}

func TestDispensable(t *testing.T) {
	tests := []struct {
		name   string
		of     []Candidate
		newest int
		oldest int
	}{
		{"alone", []Candidate{{Working, 1}}, 0, 0},
		{"equals", []Candidate{{Rested, 1}, {Rested, 3}, {Rested, 2}}, 1, 0},
		{"the least use", []Candidate{{Working, 1}, {Resting, 2}, {Rested, 3}, {Launching, 4}, {Working, 5}}, 3, 3},
		{"places without a replica", []Candidate{{Launching, 1}, {Vacant, 0}, {Vacant, 0}}, 1, 1},
	}
	for _, tt := range tests {
		if got := Dispensable(tt.of, Newest); got != tt.newest {
			t.Errorf("%s: Dispensable(newest) = %d, want %d", tt.name, got, tt.newest)
		}
		if got := Dispensable(tt.of, Oldest); got != tt.oldest {
			t.Errorf("%s: Dispensable(oldest) = %d, want %d", tt.name, got, tt.oldest)
		}
	}
}
