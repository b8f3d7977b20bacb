package load

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"headroom/profiles"
)

// shard is where the users that share it leave their samples. The log is
// swapped, not copied, so a user holds the lock for one append.
type shard struct {
	mu       sync.Mutex // guards the fields below
	log      []Sample
	failures failureRows
	_        [64]byte // keeps shards off each other's cache lines
}

func (s *shard) add(sample *Sample, err error, timeout time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = append(s.log, *sample)
	if sample.Failure != None && sample.Failure != Aborted {
		s.failures.add(sample, err, timeout)
	}
}

const recentSeconds = 5

// collector turns logs of samples into statistics. All of it belongs to the
// engine's collecting goroutine.
type collector struct {
	names   []string // of requests
	slo     profiles.SLO
	gauges  []*gauge // of the thresholds
	keep    int      // samples to keep; 0: none
	kept    []Sample
	full    bool     // there were more to keep
	counted []*tally // of the latest request

	spare         []Sample    // swapped with the logs
	spareFailures failureRows // and with the failures

	since    time.Duration // offset of the last reset
	total    tally
	tasks    []tally // by name, where there are several
	recent   *window
	lately   lately
	watched  []*window     // by name, where there are several; nil: no objective is about it
	secondAt time.Duration // when the present second began
	planned  float64       // area of the planned load until then
	replicas tracker
	holding  holding // of the latest snapshot
	failures failureRows
	failed   []failureTimes // of each class and status
	statuses []StatusCount  // in the order of the status
	cutOff   []wait         // requests that the end of the run cut off
	life     lifeSign
	retried  int64
	conns    connTally
	remotes  func() []string // the addresses that were reached, by number less 1
	late     int64
	lag      *hist
	spans    spans
	points   []Point
}

// failureTimes are the times of one class of failures, and of one status of
// those that have one.
type failureTimes struct {
	failure Failure
	status  int16
	rows    []int64 // how many, by the number of the request
	*clocks
}

func newCollector(names []string, o Options, remotes func() []string) *collector {
	c := &collector{names: names, replicas: tracker{identifier: o.Identifier}, slo: o.SLO, keep: o.Keep, lag: newHist(2), conns: newConnTally(), remotes: remotes}
	c.total, c.recent, c.lately = newTally(3), newWindow(), newLately(o.Lately)
	if len(names) > 1 {
		c.watched = make([]*window, len(names))
		for i, name := range names {
			c.tasks = append(c.tasks, newTally(2))
			if slices.ContainsFunc(o.SLO, func(o profiles.Objective) bool { return o.Task == name }) {
				c.watched[i] = newWindow()
			}
		}
	}
	for _, t := range o.Thresholds {
		c.gauges = append(c.gauges, newGauge(t, names))
	}
	return c
}

// gather empties one shard into the statistics.
func (c *collector) gather(s *shard) {
	s.mu.Lock()
	log, failures := s.log, s.failures
	s.log, s.failures = c.spare[:0], c.spareFailures[:0]
	s.mu.Unlock()

	for i := range log {
		c.add(&log[i])
	}
	c.failures.merge(failures)
	if c.keep > 0 {
		room := min(c.keep-len(c.kept), len(log))
		c.kept = append(c.kept, log[:room]...)
		c.full = c.full || room < len(log)
	}
	c.spare, c.spareFailures = log, failures
}

func (c *collector) add(s *Sample) {
	plain := c.plain(s.Task)
	for _, t := range c.tallies(s.Task) {
		t.add(s)
		if plain && s.Stream == nil && s.Failure != None && s.Failure != Aborted && s.Failure != Local {
			t.eventless++
		}
	}
	c.life.add(s)
	c.conns.add(s)
	if s.Retried {
		c.retried++
	}
	c.lag.record(s.Lag())
	if s.Late() {
		c.late++
	}
	c.addStatus(s.Status)
	c.replicas.add(s)
	c.lately.add(s)
	switch s.Failure {
	case None:
	case Aborted:
		c.addCutOff(s)
	default:
		f := c.timesOf(s.Failure, s.Status)
		f.record(s)
		f.rows[s.Task]++
	}
}

// addCutOff keeps what the SLO has to know of a request without a whole answer.
func (c *collector) addCutOff(s *Sample) {
	w := wait{row: s.Task, age: s.Latency(), count: 1}
	if s.Stream != nil {
		w.heard(true, *s.Stream, s.Done)
	}
	c.cutOff = append(c.cutOff, w)
}

// tallies are those that a request of a row counts in. They are valid until
// the next call.
func (c *collector) tallies(row int32) []*tally {
	c.counted = append(c.counted[:0], &c.total, &c.recent.second)
	if len(c.tasks) > 0 {
		c.counted = append(c.counted, &c.tasks[row])
		if w := c.watched[row]; w != nil {
			c.counted = append(c.counted, &w.second)
		}
	}
	for _, g := range c.gauges {
		if g.windows != nil && (g.row == allRows || g.row == row) {
			c.counted = append(c.counted, &g.windows.present)
		}
	}
	return c.counted
}

func (c *collector) addStatus(status int16) {
	if status == 0 {
		return
	}
	i, found := slices.BinarySearchFunc(c.statuses, status, func(row StatusCount, status int16) int { return cmp.Compare(row.Status, status) })
	if !found {
		c.statuses = slices.Insert(c.statuses, i, StatusCount{Status: status})
	}
	c.statuses[i].Count++
}

// timesOf are the times of the failures of a class and a status.
func (c *collector) timesOf(f Failure, status int16) failureTimes {
	if f != Status {
		status = 0
	}
	for _, row := range c.failed {
		if row.failure == f && row.status == status {
			return row
		}
	}
	row := failureTimes{f, status, make([]int64, len(c.names)), newClocks(2)}
	c.failed = append(c.failed, row)
	return row
}

// requests are those that failed so, where there are several.
func (c *collector) requests(f failureTimes) (out []RequestCount) {
	for i, n := range f.rows {
		if n > 0 && len(c.names) > 1 {
			out = append(out, RequestCount{c.names[i], n})
		}
	}
	return out
}

// reset forgets the totals, not the history.
func (c *collector) reset(now time.Duration) {
	c.since = now
	c.total.reset()
	c.recent.reset()
	for _, w := range c.watched {
		if w != nil {
			w.reset()
		}
	}
	for i := range c.tasks {
		c.tasks[i].reset()
	}
	c.replicas.reset()
	c.lately.reset()
	c.failures, c.failed, c.statuses, c.cutOff, c.retried = nil, nil, nil, nil, 0
	c.late = 0
	c.life = lifeSign{}
	c.lag.reset()
	c.conns.reset()
	c.spans = spans{}
	for _, g := range c.gauges {
		g.reset(now)
	}
}

// fill writes the statistics into a snapshot. Rates are taken over the time of
// the load, and the SLO is judged with an eye on the requests that wait.
func (c *collector) fill(s *Snapshot, waits []wait) {
	over := max(0, s.Loaded-c.since)
	s.Total = c.total.stats(c.title(), over, streamsOpen(waits, allRows))
	if s.Phase == Done {
		s.Total.Histogram = bins(c.total.latency.h)
	}
	s.Requests = []Stats{s.Total}
	if len(c.tasks) > 0 {
		s.Requests = nil
	}
	for i := range c.tasks {
		row := c.tasks[i].stats(c.names[i], over, streamsOpen(waits, int32(i)))
		if s.Phase == Done {
			row.Histogram = bins(c.tasks[i].latency.h)
		}
		s.Requests = append(s.Requests, row)
	}
	c.judge(s, over, waits)
	c.judgeThresholds(s, over, waits)
	s.Recent = c.recent.sum.stats(c.title(), c.recent.sum.over, s.Total.OpenStreams())
	s.Failures = append([]FailureCount{}, c.failures...)
	for i := range s.Failures {
		row := &s.Failures[i]
		times := c.timesOf(row.Failure, row.Status)
		row.Latency, row.Service = times.latency.quantiles(), times.service.quantiles()
		if row.Check == "" {
			row.Requests = c.requests(times)
		}
	}
	s.Statuses = append([]StatusCount{}, c.statuses...)
	s.Retried = c.retried
	s.Conns = c.conns.connections(c.remotes())
	s.Conns.Open, s.Conns.Oldest = c.holding.open, c.holding.oldest
	all, by := c.lately.summaries(s.Elapsed)
	s.Lately = all
	c.replicas.fill(s, c.holding, by)
	s.Points = c.points
	if s.Phase == Done {
		s.DeadSince = c.life.deadSince(s.Loaded, s.Total.Latency.P99)
		c.spans.add(&c.recent.second, false)
		s.Tail = c.spans.tail(c.cutOff)
	}
}

// title is what all requests together are called.
func (c *collector) title() string {
	if len(c.names) > 1 {
		return "all"
	}
	return c.names[0]
}

// scale is the latency that a lag of the generator is judged against, and the
// quantile of the lag: those that the SLO speaks of. Without one it is the
// typical service time, as the latency has the lag in it, and p95.
func (c *collector) scale() (typical time.Duration, quantile float64) {
	quantile = 0.95
	o, ok := c.slo.Latency()
	if !ok {
		return c.total.service.quantiles().P50, quantile
	}
	return time.Duration(o.Limit * float64(time.Second)), max(quantile, o.Quantile)
}
