package load

import (
	"slices"
	"testing"
	"time"

	"headroom/probe"
)

func newTestCollector() *collector {
	return newCollector([]string{"GET /"}, Options{Identifier: probe.NewIdentifier(nil)}, func() []string { return nil })
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

// Where there are several requests, a failure says which of them had it.
func TestFailuresOfSeveralRequests(t *testing.T) {
	c := newCollector([]string{"a", "b", "c"}, Options{Identifier: probe.NewIdentifier(nil)}, func() []string { return nil })
	var sh shard
	for i := range 6 {
		sample := Sample{Task: int32(i % 2 * 2), Status: 503, Failure: Status, Replica: probe.Unknown}
		sh.add(&sample, nil, time.Second)
	}
	c.gather(&sh)
	var s Snapshot
	c.fill(&s, nil)
	if want := []RequestCount{{"a", 3}, {"c", 3}}; len(s.Failures) != 1 || !slices.Equal(s.Failures[0].Requests, want) {
		t.Errorf("failures %+v, want of %v", s.Failures, want)
	}
}

// What failed at once would make a latency look good, and what timed out would
// make it look bad.
func TestFailuresHaveNoPlaceInLatencies(t *testing.T) {
	c := newTestCollector()
	var sh shard
	for _, s := range []Sample{
		{Sent: 90 * time.Millisecond, Done: 100 * time.Millisecond, Status: 200},
		{Done: time.Millisecond, Status: 503, Failure: Status},
		{Sent: time.Second, Done: time.Minute, Failure: Timeout},
		{Done: 2 * time.Minute, Failure: Aborted},
	} {
		s.Replica = probe.Unknown
		sh.add(&s, nil, time.Second)
	}
	c.gather(&sh)
	var s Snapshot
	c.fill(&s, nil)
	for _, c := range []struct {
		name     string
		got      Quantiles
		n        int64
		min, max time.Duration
	}{
		{"latency", s.Total.Latency, 1, 100 * time.Millisecond, 100 * time.Millisecond},
		{"service time", s.Total.Service, 1, 10 * time.Millisecond, 10 * time.Millisecond},
		{"latency of failures", s.Total.FailedLatency, 2, time.Millisecond, time.Minute},
		{"service time of failures", s.Total.FailedService, 2, time.Millisecond, 59 * time.Second},
		{"latency of the 503", s.Failures[0].Latency, 1, time.Millisecond, time.Millisecond},
		{"latency of the timeout", s.Failures[1].Latency, 1, time.Minute, time.Minute},
		{"service time of the timeout", s.Failures[1].Service, 1, 59 * time.Second, 59 * time.Second},
	} {
		if c.got.Count != c.n || c.got.Min != c.min || c.got.Max != c.max {
			t.Errorf("%s: %+v, want %d from %v to %v", c.name, c.got, c.n, c.min, c.max)
		}
	}
	if s.Total.Count != 3 || s.Total.Failed != 2 || s.Total.Aborted != 1 || s.Total.AbortedAge != 2*time.Minute || len(s.Failures) != 2 {
		t.Errorf("total %+v, failures %+v; want 2 of 3 failed, and one apart that is 2m old", s.Total, s.Failures)
	}
}

// Whom the end of the run found without an answer got none, unless it was a
// stream that went on.
func TestErrorsCountWhatWasNeverAnswered(t *testing.T) {
	good, bad, cutOff := Sample{Status: 200}, Sample{Failure: Timeout}, Sample{Failure: Aborted}
	open, local := Sample{Failure: Aborted, Stream: &Stream{}}, Sample{Failure: Local}
	for _, c := range []struct {
		name    string
		samples []Sample
		want    float64
		valid   bool
	}{
		{"half of them", []Sample{good, cutOff, good, cutOff}, 0.5, true},
		{"beside failures", []Sample{good, cutOff, bad, good}, 0.5, true},
		{"none but those", []Sample{cutOff, cutOff}, 1, true},
		{"open streams", []Sample{good, open, open}, 0, true},
		{"none but open streams", []Sample{open}, 0, false},
		{"beside those that never left", []Sample{good, local, local, cutOff}, 0.5, true},
	} {
		one, other := newTally(2), newTally(2)
		for i := range c.samples {
			[]*tally{&one, &other}[i%2].add(&c.samples[i])
		}
		one.merge(&other)
		o := one.objective(mustSLO(t, "errors<40%")[0], time.Second, nil)
		if o.Value != c.want || o.Valid != c.valid || o.Holds != (c.valid && c.want < 0.4) {
			t.Errorf("%s: %+v, want %v, valid %v", c.name, o, c.want, c.valid)
		}
		if one.reset(); one.objective(o.Objective, time.Second, nil).Valid {
			t.Errorf("%s: there is data behind a reset", c.name)
		}
	}
}

// A second that is over passes its failures on to the last seconds, and a
// reset forgets those of the run.
func TestFailuresOfTheLastSeconds(t *testing.T) {
	c := newTestCollector()
	failure := Sample{Done: 400 * time.Millisecond, Status: 500, Failure: Status, Replica: probe.Unknown}
	for second := range recentSeconds + 1 {
		if second == 0 {
			c.add(&failure)
		}
		s := Snapshot{Elapsed: time.Duration(second+1) * time.Second}
		c.endSecond(&s, 0)
		c.fill(&s, nil)
		want := failure.Latency()
		if second == recentSeconds {
			want = 0
		}
		if got := s.Recent.FailedLatency.Max; got != want {
			t.Errorf("after second %d the slowest failure of the last %d is %v, want %v", second+1, recentSeconds, got, want)
		}
	}
	var s Snapshot
	if c.fill(&s, nil); s.Total.FailedService.Count != 1 {
		t.Errorf("failures of the run %+v, want one", s.Total.FailedService)
	}
	c.reset(0)
	if c.fill(&s, nil); s.Total.FailedService != (Quantiles{}) || len(s.Failures) != 0 {
		t.Errorf("after a reset %+v and %+v, want nothing", s.Total.FailedService, s.Failures)
	}
}

// Behind a reset the last seconds begin anew, those of a task too, and a
// second that it cut in two counts with the rest of it.
func TestResetForgetsTheLastSeconds(t *testing.T) {
	slo := mustSLO(t, "p95<100ms,b.p95<100ms,errors<1%")
	c := newCollector([]string{"a", "b"}, Options{Identifier: probe.NewIdentifier(nil), SLO: slo}, func() []string { return nil })
	at := func(offset time.Duration) (s Snapshot) {
		s.Phase, s.Elapsed = Running, offset
		c.endSecond(&s, 0)
		return s
	}
	add := func(n int, took time.Duration, f Failure) {
		for i := range 2 * n {
			c.add(&Sample{Done: took, Task: int32(i % 2), Failure: f, Replica: probe.Unknown})
		}
	}
	for second := range 2 {
		add(10, 3*time.Second, None)
		add(10, time.Second, Timeout)
		at(time.Duration(second+1) * time.Second)
	}
	add(10, 3*time.Second, None)
	c.reset(2500 * time.Millisecond)
	s := Snapshot{Phase: Running}
	c.fill(&s, nil)
	for _, o := range s.RecentSLO {
		if o.Valid {
			t.Errorf("at the reset %s is %s of the last seconds, want no data", o.Name, o.Format())
		}
	}
	add(5, 10*time.Millisecond, None)
	s = at(3 * time.Second)
	c.fill(&s, nil)
	for _, o := range s.RecentSLO {
		if !o.Holds {
			t.Errorf("behind the reset %s is %s of the last seconds, want it met", o.Name, o.Format())
		}
	}
	if r := s.Recent; r.Count != 10 || r.Over != 500*time.Millisecond || r.Failed != 0 || r.Latency.Max > 20*time.Millisecond {
		t.Errorf("last seconds %+v, want 10 fast ones of half a second", r)
	}
	if p := s.Points; len(p) != 3 || p[1].Rate != 40 || p[2].Rate != 20 {
		t.Errorf("history %+v, want 40 a second before the reset, 20 behind it", p)
	}
}

func TestStalled(t *testing.T) {
	recent := func(slowest, failed time.Duration) Stats {
		return Stats{Latency: Quantiles{Max: slowest}, FailedLatency: Quantiles{Max: failed}}
	}
	for _, c := range []struct {
		name string
		s    Snapshot
		want bool
	}{
		{"nothing under way", Snapshot{}, false},
		{"as long as the others", Snapshot{InFlight: 3, Oldest: 4 * time.Second, Recent: recent(5*time.Second, 0)}, false},
		{"as long as a timeout", Snapshot{InFlight: 3, Oldest: 4 * time.Second, Recent: recent(time.Second, 5*time.Second)}, false},
		{"not for long", Snapshot{InFlight: 3, Oldest: time.Second, Recent: recent(time.Millisecond, 0)}, false},
		{"longer than all", Snapshot{InFlight: 3, Oldest: 1100 * time.Millisecond, Recent: recent(time.Second, 0)}, true},
		{"a stream with longer gaps", Snapshot{InFlight: 3, Oldest: 4 * time.Second, Recent: Stats{Streams: &Streams{Gap: Quantiles{Count: 1, Max: 5 * time.Second}}}}, false},
		{"a stream that went silent", Snapshot{InFlight: 3, Flowing: 2, Oldest: 4 * time.Second, Recent: Stats{Streams: &Streams{Gap: Quantiles{Count: 1, Max: time.Second}}}}, true},
		{"no answer yet", Snapshot{InFlight: 3, Oldest: 1100 * time.Millisecond}, true},
	} {
		c.s.Health.Unsent = 4
		waiting, oldest, ok := c.s.Stalled()
		if ok != c.want || waiting != int64(c.s.InFlight-c.s.Flowing)+4 || oldest != c.s.Oldest {
			t.Errorf("%s: Stalled() = %d, %v, %v; want %v", c.name, waiting, oldest, ok, c.want)
		}
	}
}
