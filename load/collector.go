package load

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"headroom/probe"
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

const (
	recentSeconds = 5
	maxPoints     = 3600 // history of one point a second, thinned by half when it is full
)

// collector turns logs of samples into statistics. All of it belongs to the
// engine's collecting goroutine.
type collector struct {
	names      []string // of requests
	identifier *probe.Identifier
	slo        profiles.SLO
	keep       int // samples to keep; 0: none
	kept       []Sample
	full       bool // there were more to keep

	spare         []Sample    // swapped with the logs
	spareFailures failureRows // and with the failures

	since     time.Duration // offset of the last reset
	total     tally
	tasks     []tally // by name, where there are several
	second    tally
	secondAt  time.Duration        // when the present second began
	planned   float64              // area of the planned load until then
	recent    [recentSeconds]tally // ring of the last finished seconds
	lately    tally                // their sum
	seconds   int                  // finished so far
	replicas  []replicaTally
	unnamed   int64
	failures  failureRows
	statuses  []StatusCount // in the order of the status
	cutOff    []wait        // requests that the end of the run cut off
	retried   int64
	conns     connTally
	remotes   func() []string // the addresses that were reached, by number less 1
	late      int64
	lag       *hist
	points    []Point
	thinEvery int // a point is made of so many seconds
}

// tally counts the requests of a stretch of time.
type tally struct {
	over                          time.Duration
	count, failed, aborted, bytes int64
	abortedAge                    time.Duration
	latency, service              *hist        // successes
	digits                        int          // of the histograms
	streams                       *streamTally // nil before the first one
}

func newTally(digits int) tally {
	return tally{latency: newHist(digits), service: newHist(digits), digits: digits}
}

type replicaTally struct {
	count, failed int64
	first, last   time.Duration
	service       *hist // successes; nil before the first answer
	second        int64 // answers of the present second
	recent        [recentSeconds]int64
}

func newCollector(names []string, identifier *probe.Identifier, slo profiles.SLO, keep int, remotes func() []string) *collector {
	c := &collector{names: names, identifier: identifier, slo: slo, keep: keep, thinEvery: 1, lag: newHist(2), conns: newConnTally(), remotes: remotes}
	c.total, c.second, c.lately = newTally(3), newTally(2), newTally(2)
	for i := range c.recent {
		c.recent[i] = newTally(2)
	}
	if len(names) > 1 {
		for range names {
			c.tasks = append(c.tasks, newTally(2))
		}
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
	c.total.add(s)
	c.second.add(s)
	if len(c.tasks) > 0 {
		c.tasks[s.Task].add(s)
	}
	if s.Failure == Aborted {
		c.cutOff = append(c.cutOff, wait{age: s.Latency(), count: 1, task: s.Task + 1, streaming: s.Stream != nil && s.Stream.Events > 0})
		return
	}
	c.conns.add(s)
	if s.Retried {
		c.retried++
	}
	if s.Late {
		c.late++
	} else {
		c.lag.record(s.Sent - s.Intended)
	}
	c.addStatus(s.Status)
	c.addReplica(s)
}

func (t *tally) add(s *Sample) {
	if s.Stream != nil {
		t.streamed().add(s)
	}
	if s.Failure == Aborted {
		t.aborted++
		t.abortedAge = max(t.abortedAge, s.Latency())
		return
	}
	t.count++
	t.bytes += s.Bytes
	if s.Failure != None {
		t.failed++
		return
	}
	t.latency.record(s.Latency())
	t.service.record(s.Service())
}

// streamed is the tally of the streams. Most runs have none.
func (t *tally) streamed() *streamTally {
	if t.streams == nil {
		t.streams = newStreamTally(t.digits)
	}
	return t.streams
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

func (c *collector) addReplica(s *Sample) {
	if s.Replica == probe.Unknown {
		if s.Status != 0 {
			c.unnamed++
		}
		return
	}
	for int(s.Replica) >= len(c.replicas) {
		c.replicas = append(c.replicas, replicaTally{})
	}
	r := &c.replicas[s.Replica]
	if r.service == nil {
		r.service, r.first = newHist(2), s.Done
	}
	r.first, r.last = min(r.first, s.Done), max(r.last, s.Done)
	r.count++
	r.second++
	if s.Failure != None {
		r.failed++
		return
	}
	r.service.record(s.Service())
}

// endSecond closes the present second if one has passed and makes a point of
// it. area is that of the planned load so far: in the open model, how many
// arrivals were planned.
func (c *collector) endSecond(s *Snapshot, area float64) {
	now := s.Elapsed
	length := now - c.secondAt
	if length < time.Second-tick/2 {
		return
	}
	c.second.over = length
	slot := &c.recent[c.seconds%recentSeconds]
	*slot, c.second = c.second, *slot
	c.second.reset()

	for i := range c.replicas {
		r := &c.replicas[i]
		r.recent[c.seconds%recentSeconds], r.second = r.second, 0
	}
	p := Point{At: now, Users: s.Users, InFlight: s.InFlight, Planned: s.Planned}
	if s.Open {
		p.Planned = (area - c.planned) / length.Seconds()
	}
	c.seconds++
	c.secondAt, c.planned = now, area
	c.lately.reset()
	for i := range min(c.seconds, recentSeconds) {
		c.lately.merge(&c.recent[i])
	}
	if c.seconds%c.thinEvery != 0 {
		return
	}
	p.Rate, p.Failed = perSecond(slot.count, length), perSecond(slot.failed, length)
	p.Latency = slot.latency.quantiles()
	c.points = append(c.points, p)
	if len(c.points) >= maxPoints {
		c.thin()
	}
}

// thin halves the history; from then on a point stands for twice the time.
// Earlier snapshots keep the old one.
func (c *collector) thin() {
	c.points = Halve(c.points)
	c.thinEvery *= 2
}

// Halve returns every other element of a history, the last one included, in
// memory of its own.
func Halve[T any](history []T) []T {
	half := make([]T, 0, len(history))
	for i := 1 - len(history)%2; i < len(history); i += 2 {
		half = append(half, history[i])
	}
	return half
}

// reset forgets the totals, not the history.
func (c *collector) reset(now time.Duration) {
	c.since = now
	c.total.reset()
	for i := range c.tasks {
		c.tasks[i].reset()
	}
	for i := range c.replicas {
		c.replicas[i] = replicaTally{}
	}
	c.unnamed, c.failures, c.statuses, c.cutOff, c.retried = 0, nil, nil, nil, 0
	c.late = 0
	c.lag.reset()
	c.conns.reset()
}

// fill writes the statistics into a snapshot. Rates are taken over the time of
// the load, and the SLO is judged with an eye on the requests that wait.
func (c *collector) fill(s *Snapshot, waits []wait) {
	over := max(0, s.Loaded-c.since)
	s.Total = c.total.stats(c.title(), over)
	s.Requests = []Stats{s.Total}
	if len(c.tasks) > 0 {
		s.Requests = nil
	}
	for i := range c.tasks {
		s.Requests = append(s.Requests, c.tasks[i].stats(c.names[i], over))
	}
	for _, o := range c.slo {
		s.SLO = append(s.SLO, c.objective(o, over, waits))
		if s.Phase == Running {
			s.RecentSLO = append(s.RecentSLO, c.recently(o, waits))
		}
	}
	s.Recent = c.lately.stats(c.title(), c.lately.over)
	s.Failures = append([]FailureCount{}, c.failures...)
	s.Statuses = append([]StatusCount{}, c.statuses...)
	s.Retried, s.Unnamed = c.retried, c.unnamed
	s.Conns = c.conns.connections(c.remotes())
	s.Points = c.points
	if source, given, ok := c.identifier.Source(); ok {
		s.Identity, s.Found = source.String(), !given
	}
	names := c.identifier.Names()
	s.Replicas = []Replica{}
	var named int64
	for _, r := range c.replicas {
		named += r.count
	}
	for i, r := range c.replicas {
		if r.count == 0 {
			continue
		}
		var recent int64
		for _, n := range r.recent {
			recent += n
		}
		s.Replicas = append(s.Replicas, Replica{
			Name: names[i], Count: r.count, Failed: r.failed, First: r.first, Last: r.last,
			Share: float64(r.count) / float64(named), Rate: perSecond(recent, c.lately.over), Service: r.service.quantiles(),
		})
	}
}

// title is what all requests together are called.
func (c *collector) title() string {
	if len(c.names) > 1 {
		return "all"
	}
	return c.names[0]
}

func (t *tally) reset() {
	t.over, t.count, t.failed, t.aborted, t.bytes, t.abortedAge = 0, 0, 0, 0, 0, 0
	t.latency.reset()
	t.service.reset()
	if t.streams != nil {
		t.streams.reset()
	}
}

func (t *tally) merge(u *tally) {
	t.over += u.over
	t.count += u.count
	t.failed += u.failed
	t.aborted += u.aborted
	t.abortedAge = max(t.abortedAge, u.abortedAge)
	t.bytes += u.bytes
	t.latency.merge(u.latency)
	t.service.merge(u.service)
	if u.streams != nil {
		t.streamed().merge(u.streams)
	}
}

// scale is the latency that a lag of the generator is judged against.
func (c *collector) scale() time.Duration {
	if o, ok := c.slo.Latency(); ok {
		return time.Duration(o.Limit * float64(time.Second))
	}
	return c.total.latency.quantiles().P95
}

func (t *tally) stats(name string, over time.Duration) Stats {
	s := Stats{
		Name: name, Over: over, Count: t.count, Failed: t.failed, Aborted: t.aborted, AbortedAge: t.abortedAge, Bytes: t.bytes,
		Latency: t.latency.quantiles(), Service: t.service.quantiles(),
	}
	if t.streams != nil && t.streams.count > 0 {
		s.Streams = t.streams.streams()
	}
	return s
}
