package load

import (
	"math/rand/v2"
	"testing"
	"time"
)

// spansOf are those of a run of so many seconds of 20 requests each. Of the
// share given it has failures; the others take what latency says.
func spansOf(seconds int, failing float64, latency func(*rand.Rand) time.Duration, seed uint64) *spans {
	rng, s := rand.New(rand.NewPCG(seed, 1)), &spans{}
	for range seconds {
		second := newTally(2)
		for range 20 {
			sample := Sample{Status: 200}
			if sample.Done = latency(rng); rng.Float64() < failing {
				sample.Failure = Status
			}
			second.add(&sample)
		}
		s.add(&second, true)
	}
	return s
}

// exponential has its 95th percentile at 100 ms.
func exponential(rng *rand.Rand) time.Duration {
	return time.Duration(rng.ExpFloat64() * float64(100*time.Millisecond) / 2.9957)
}

// Nine of ten intervals cover the truth: of 40 fewer than 27 do with a
// chance of one in fifty thousand.
func TestTailCoversTheTruth(t *testing.T) {
	covered := 0
	for seed := range uint64(40) {
		tail := spansOf(40, 0, exponential, seed).tail(nil)
		if tail == nil || tail.Low > tail.P95 || tail.P95 > tail.High {
			t.Fatalf("tail %+v", tail)
		}
		if tail.Low <= 101*time.Millisecond && tail.High >= 99*time.Millisecond {
			covered++
		}
	}
	if covered < 27 {
		t.Errorf("%d of 40 intervals cover 100 ms, within 1%%; want about 36", covered)
	}
}

func TestTail(t *testing.T) {
	for _, c := range []struct {
		name      string
		spans     *spans
		cutOff    []wait
		low, high time.Duration // the percentile lies between
		none      bool
	}{
		{"nothing", &spans{}, nil, 0, 0, true},
		{"four seconds", spansOf(4, 0, exponential, 1), nil, 0, 0, true},
		{"a minute", spansOf(60, 0, exponential, 1), nil, 90 * time.Millisecond, 110 * time.Millisecond, false},
		{"four minutes", spansOf(240, 0, exponential, 1), nil, 90 * time.Millisecond, 110 * time.Millisecond, false},
		{"1% failed", spansOf(60, 0.01, exponential, 1), nil, 100 * time.Millisecond, 125 * time.Millisecond, false},
		{"10% failed", spansOf(60, 0.1, exponential, 1), nil, Unbounded, Unbounded, false},
		{"all failed", spansOf(60, 1, exponential, 1), nil, Unbounded, Unbounded, false},
		{"100 were cut off", spansOf(60, 0, exponential, 1), []wait{{age: 20 * time.Second, count: 100}}, 20 * time.Second, 20 * time.Second, false},
		{"streams were cut off", spansOf(60, 0, exponential, 1), []wait{{age: 20 * time.Second, count: 100, opened: true}}, 90 * time.Millisecond, 110 * time.Millisecond, false},
		{"the young were cut off", spansOf(60, 0, exponential, 1), []wait{{age: time.Millisecond, count: 1000}}, 90 * time.Millisecond, 110 * time.Millisecond, false},
	} {
		tail := c.spans.tail(c.cutOff)
		if c.none != (tail == nil) || tail != nil && (tail.P95 < c.low || tail.P95 > c.high || tail.Low > tail.P95 || tail.High < tail.P95) {
			t.Errorf("%s: tail %+v, want one from %v to %v (none: %v)", c.name, tail, c.low, c.high, c.none)
		}
		if len(c.spans.parts) > mostSpans {
			t.Errorf("%s: %d spans, want %d at most", c.name, len(c.spans.parts), mostSpans)
		}
	}
}

// What waited in one line is slow together, which leaves fewer independent
// requests than were counted.
func TestTailOfRequestsThatDependOnEachOther(t *testing.T) {
	width := func(latency func(*rand.Rand) time.Duration) time.Duration {
		tail := spansOf(60, 0, latency, 1).tail(nil)
		return tail.High - tail.Low
	}
	n, stretch := 0, 1.0
	inLines := func(rng *rand.Rand) time.Duration {
		if n++; n%20 == 1 {
			stretch = rng.ExpFloat64()
		}
		return time.Duration(stretch * float64(exponential(rng)))
	}
	if alone, together := width(exponential), width(inLines); together < 2*alone {
		t.Errorf("interval of %v where whole seconds are slow together, %v where requests are independent: want a much wider one", together, alone)
	}
}

func TestSpansKeepEverything(t *testing.T) {
	s := spansOf(1000, 0.1, exponential, 1)
	answered, seconds := int64(0), 0
	for _, part := range s.parts {
		answered, seconds = answered+part.bins.Count()+part.failed, seconds+part.seconds
	}
	late := newTally(2)
	late.add(&Sample{Done: time.Minute, Status: 200})
	before := len(s.parts)
	s.add(&late, false)
	if last := s.parts[len(s.parts)-1]; answered != 20_000 || seconds != 1000 || len(s.parts) != before || last.bins[len(last.bins)-1].Time < 59*time.Second {
		t.Errorf("%d requests of %d seconds in %d spans, want 20000 of 1000, and what came late in the last one", answered, seconds, len(s.parts))
	}
}
