package sim

import (
	"math"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"headroom/profiles"
)

// outcome is how a request ended.
type outcome uint8

const (
	answered outcome = iota
	refused          // the queue was full
	waited           // for a replica, for as long as it may
	timedOut         // the client gave up
	outcomes
)

// ledger counts what becomes of the requests, and how the fleet was.
type ledger struct {
	good     func(seconds float64) bool // a latency meets the SLO
	counts   [outcomes]int
	goods    int
	total    time.Duration // latency of the answered ones
	longest  time.Duration
	latency  *hdrhistogram.Histogram
	minutes  []tally // by when a request arrived
	out      Result
	supply   []int // by the second
	ordered  []int
	steps    []step
	stepLong time.Duration
	recent   *hdrhistogram.Histogram // of the answers of the present step
	current  int                     // step
}

// tally is requests that arrived, and those of them that were answered within
// the SLO.
type tally struct{ offered, good int32 }

// step is what becomes a Point.
type step struct {
	tally
	seconds, ready, wanted int
	waiting                int
	p95                    time.Duration
	answers                int64
}

// The range of the histograms, microseconds.
const (
	least  = 1
	utmost = int64(4 * time.Hour / time.Microsecond)
)

func newLedger(s Setup) ledger {
	l := ledger{
		good:    func(float64) bool { return true },
		latency: hdrhistogram.New(least, utmost, 3),
		recent:  hdrhistogram.New(least, utmost, 2),
		minutes: make([]tally, int(s.Length/time.Minute)+1),
	}
	if o, ok := s.SLO.Latency(); ok {
		l.good = o.Holds
	}
	l.stepLong = stepFor(s.Length)
	l.steps = make([]step, int((s.Length+l.stepLong-1)/l.stepLong))
	seconds := int(math.Ceil(s.Length.Seconds()))
	l.supply, l.ordered = make([]int, 0, seconds), make([]int, 0, seconds)
	return l
}

// mostPoints is how many points a series has at most.
const mostPoints = 1500

// stepFor is how long a point of the series is: a second, or as many minutes as
// it takes.
func stepFor(length time.Duration) time.Duration {
	if length <= mostPoints*time.Second {
		return time.Second
	}
	return time.Minute * (1 + (length-1)/(mostPoints*time.Minute))
}

// offer counts an arrival.
func (s *simulation) offer() {
	s.minutes[s.now/time.Minute].offered++
	s.steps[s.now/s.stepLong].offered++
}

// end counts how a request ended.
func (l *ledger) end(arrived, now time.Duration, how outcome) {
	l.counts[how]++
	if how != answered {
		return
	}
	took := now - arrived
	l.total += took
	l.longest = max(l.longest, took)
	micros := min(max(int64(took/time.Microsecond), least), utmost)
	_ = l.latency.RecordValue(micros) // within the range, as below
	if at := int(now / l.stepLong); at < len(l.steps) {
		if at != l.current {
			l.close(at)
		}
		_ = l.recent.RecordValue(micros)
	}
	if l.good(took.Seconds()) {
		l.goods++
		l.minutes[arrived/time.Minute].good++
		l.steps[arrived/l.stepLong].good++
	}
}

// close ends the present step, and goes on to another.
func (l *ledger) close(to int) {
	was := &l.steps[l.current]
	if was.answers = l.recent.TotalCount(); was.answers > 0 {
		was.p95 = time.Duration(l.recent.ValueAtQuantile(95)) * time.Microsecond
		l.recent.Reset()
	}
	l.current = to
}

// observe notes the fleet of a second: the replicas that are ready, and those
// that are wanted.
func (l *ledger) observe(now time.Duration, ready, wanted, waiting int) {
	l.supply, l.ordered = append(l.supply, ready), append(l.ordered, wanted)
	p := &l.steps[now/l.stepLong]
	p.seconds++
	p.ready += ready
	p.wanted += wanted
	p.waiting = max(p.waiting, waiting)
}

// change notes that another size is wanted.
func (l *ledger) change(c Change) { l.out.Changes = append(l.out.Changes, c) }

// result is what came of all of it, after its end.
func (s *simulation) result() Result {
	s.close(s.current)
	out := s.out
	out.Length = profiles.Duration(s.Length)
	out.Answered, out.Refused, out.Waited, out.TimedOut = s.counts[answered], s.counts[refused], s.counts[waited], s.counts[timedOut]
	out.Offered = out.Answered + out.Refused + out.Waited + out.TimedOut
	out.Good = s.goods
	if out.Offered > 0 {
		share := float64(out.Good) / float64(out.Offered)
		out.Attainment = &share
	}
	for i, m := range s.minutes {
		if m.offered == 0 {
			continue
		}
		if share := float64(m.good) / float64(m.offered); out.Worst == nil || share < out.Worst.Attainment {
			out.Worst = &Minute{At: profiles.Duration(time.Duration(i) * time.Minute), Attainment: share, Offered: int(m.offered)}
		}
	}
	if out.Answered > 0 {
		at := func(q float64) time.Duration { return time.Duration(s.latency.ValueAtQuantile(q)) * time.Microsecond }
		out.Latency = &Latency{
			Mean: s.total / time.Duration(out.Answered), P50: at(50), P90: at(90), P95: at(95), P99: at(99), Max: s.longest,
		}
	}
	out.SLO = s.objectives(out)
	out.Met = !slices.ContainsFunc(out.SLO, func(o Objective) bool { return !o.Met })
	out.ReplicaSeconds = s.replicaTime.Seconds()
	demand := s.Demand.perSecond(s.Load, s.Length)
	out.Needed = slices.Max(demand)
	out.Ready, out.Ordered = Compare(demand, s.supply), Compare(demand, s.ordered)
	out.Reaction = reaction(demand, s.supply, out.Changes)
	out.Step = profiles.Duration(s.stepLong)
	out.Series = s.series()
	return out
}
