package sim

import (
	"math"
	"time"

	"headroom/profiles"
)

// Result is what came of a simulation. What there is no figure for is nil.
type Result struct {
	Length   profiles.Duration `json:"length"`   // of the load
	Offered  int               `json:"offered"`  // requests; each is one of the next four
	Answered int               `json:"answered"` //
	Refused  int               `json:"refused"`  // as the queue was full
	Waited   int               `json:"waited"`   // for a replica, for longer than they may
	TimedOut int               `json:"timedOut"` // the client gave up
	Good     int               `json:"good"`     // answered within the tightest latency of the SLO

	Attainment *float64    `json:"attainment,omitempty"` // Good of Offered, 0..1
	Worst      *Minute     `json:"worstMinute,omitempty"`
	Met        bool        `json:"met"` // every objective of the SLO
	SLO        []Objective `json:"slo,omitempty"`
	Latency    *Latency    `json:"latency,omitempty"`

	ReplicaSeconds float64 `json:"replicaSeconds"` // from the order of each to its end, within the length
	Most           int     `json:"mostReplicas"`   // that existed at once, starting and draining ones included
	Needed         int     `json:"neededReplicas"` // that the load takes at its busiest

	Ready    Elasticity         `json:"ready"`              // of the replicas in service, as users see it
	Ordered  Elasticity         `json:"ordered"`            // of those that are wanted, as they were decided
	Reaction *profiles.Duration `json:"reaction,omitempty"` // from the first second with too few to the next decision for more

	Changes []Change          `json:"changes"` // of the size, oldest first
	Step    profiles.Duration `json:"step"`    // of the series
	Series  []Point           `json:"series"`
}

// Objective is one of the SLO, and what it stands at.
type Objective struct {
	Objective string   `json:"objective"`
	Value     *float64 `json:"value,omitempty"` // seconds, a share 0..1, or per second; nil: beyond all that was answered
	Met       bool     `json:"met"`

	Of profiles.Objective `json:"-"`
}

// Text is the value in its unit.
func (o Objective) Text() string {
	if o.Value == nil {
		return "beyond all that was answered"
	}
	return o.Of.FormatValue(*o.Value)
}

// Minute is one of those of the load, by when its requests arrived.
type Minute struct {
	At         profiles.Duration `json:"at"` // its begin
	Attainment float64           `json:"attainment"`
	Offered    int               `json:"offered"`
}

// Latency is that of the answered requests, from their arrival, nanoseconds.
type Latency struct {
	Mean time.Duration `json:"mean"`
	P50  time.Duration `json:"p50"`
	P90  time.Duration `json:"p90"`
	P95  time.Duration `json:"p95"`
	P99  time.Duration `json:"p99"`
	Max  time.Duration `json:"max"`
}

// Change is a decision for another size.
type Change struct {
	At   time.Duration `json:"at"` // nanoseconds since the start
	From int           `json:"from"`
	To   int           `json:"to"`
	Why  string        `json:"why"`
}

// Point is a step of the series.
type Point struct {
	At      time.Duration  `json:"at"`            // its begin, nanoseconds since the start
	Load    float64        `json:"load"`          // arrivals per second
	Ready   float64        `json:"ready"`         // replicas in service, mean
	Wanted  float64        `json:"wanted"`        // mean
	Waiting int            `json:"waiting"`       // most requests that waited
	P95     *time.Duration `json:"p95,omitempty"` // latency of what was answered in it, nanoseconds
	Good    *float64       `json:"good,omitempty"`
}

// series is the steps as points.
func (l *ledger) series() []Point {
	out := make([]Point, len(l.steps))
	for i, p := range l.steps {
		seconds := float64(max(1, p.seconds))
		out[i] = Point{
			At: time.Duration(i) * l.stepLong, Load: float64(p.offered) / seconds,
			Ready: float64(p.ready) / seconds, Wanted: float64(p.wanted) / seconds, Waiting: p.waiting,
		}
		if p.answers > 0 {
			out[i].P95 = &p.p95
		}
		if p.offered > 0 {
			share := float64(p.good) / float64(p.offered)
			out[i].Good = &share
		}
	}
	return out
}

// objectives judges each of them, as load does in a run. Requests that were not
// answered count as slower than any limit; the mean is of the others, if any.
func (s *simulation) objectives(r Result) []Objective {
	out := make([]Objective, len(s.SLO))
	for i, o := range s.SLO {
		v := s.measure(o, r)
		out[i] = Objective{Objective: o.String(), Met: o.Holds(v), Of: o}
		if !math.IsInf(v, 1) {
			out[i].Value = &v
		}
	}
	return out
}

// measure is what an objective speaks of.
func (s *simulation) measure(o profiles.Objective, r Result) float64 {
	switch o.Measure {
	case profiles.Errors:
		return float64(r.Offered-r.Answered) / float64(max(1, r.Offered))
	case profiles.Throughput:
		return float64(r.Answered) / s.Length.Seconds()
	case profiles.Percentile:
		rank := o.Quantile * float64(r.Offered)
		if rank > float64(r.Answered) {
			return math.Inf(1)
		}
		if r.Answered > 0 {
			return float64(s.latency.ValueAtQuantile(100*rank/float64(r.Answered))) / 1e6
		}
	case profiles.Mean:
		switch {
		case r.Latency != nil:
			return r.Latency.Mean.Seconds()
		case r.Offered > 0:
			return math.Inf(1)
		}
	case profiles.Max:
		switch {
		case r.Answered < r.Offered:
			return math.Inf(1)
		case r.Latency != nil:
			return r.Latency.Max.Seconds()
		}
	}
	return 0 // nothing came
}

// reaction is the time from the first second in which the supply was short to
// the next decision for more; nil where it never was, or nothing came of it.
func reaction(demand, supply []int, changes []Change) *profiles.Duration {
	for i, d := range demand {
		if supply[i] >= d {
			continue
		}
		since := time.Duration(i) * time.Second
		for _, c := range changes {
			if c.At >= since && c.To > c.From {
				took := profiles.Duration(c.At - since)
				return &took
			}
		}
		return nil
	}
	return nil
}
