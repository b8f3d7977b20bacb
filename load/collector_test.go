package load

import (
	"testing"
	"time"

	"headroom/probe"
)

func newTestCollector() *collector {
	return newCollector([]string{"GET /"}, probe.NewIdentifier(nil), nil, 0, func() []string { return nil })
}

func TestGatheringSamplesAllocatesNothing(t *testing.T) {
	c := newTestCollector()
	var s shard
	fill := func() {
		for i := range 1000 {
			sample := Sample{Done: time.Duration(i) * time.Millisecond, Status: 200, Replica: probe.Unknown}
			if i%10 == 0 {
				sample.Status, sample.Failure = 503, Status
			}
			s.add(&sample, nil, time.Second)
		}
		c.gather(&s)
	}
	fill() // makes the logs and the rows
	fill()
	if n := testing.AllocsPerRun(20, fill); n > 0 {
		t.Errorf("%v allocations for 1000 samples, want none", n)
	}
}

// What failed at once would make a latency look good, and what timed out would
// make it look bad.
func TestFailuresHaveNoPlaceInLatencies(t *testing.T) {
	c := newTestCollector()
	var sh shard
	for _, s := range []Sample{
		{Done: 100 * time.Millisecond, Status: 200},
		{Done: time.Millisecond, Status: 503, Failure: Status},
		{Done: time.Minute, Failure: Timeout},
		{Done: 2 * time.Minute, Failure: Aborted},
	} {
		s.Replica = probe.Unknown
		sh.add(&s, nil, time.Second)
	}
	c.gather(&sh)
	var s Snapshot
	c.fill(&s, nil)
	for _, q := range []Quantiles{s.Total.Latency, s.Total.Service} {
		if q.Count != 1 || q.Min.Round(time.Millisecond) != 100*time.Millisecond || q.Max.Round(time.Millisecond) != 100*time.Millisecond {
			t.Errorf("latencies %+v, want that of the one success", q)
		}
	}
	if s.Total.Count != 3 || s.Total.Failed != 2 || s.Total.Aborted != 1 || s.Total.AbortedAge != 2*time.Minute || len(s.Failures) != 2 {
		t.Errorf("total %+v, failures %+v; want 2 of 3 failed, and one apart that is 2m old", s.Total, s.Failures)
	}
}
