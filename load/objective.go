package load

import (
	"encoding/json"
	"math"
	"time"

	"headroom/profiles"
)

// Objective is one objective of the SLO and how the run does on it.
type Objective struct {
	Objective  profiles.Objective `json:"-"`
	Name       string             `json:"objective"`            // as the grammar writes it
	Value      float64            `json:"value"`                // in the unit of the limit; +Inf where too many failed
	AtLeast    bool               `json:"atLeast,omitempty"`    // the value is no less than Value
	Unanswered int64              `json:"unanswered,omitempty"` // requests that count as over the limit without an answer
	Valid      bool               `json:"valid"`                // false: there is no data yet
	Holds      bool               `json:"holds"`
}

// MarshalJSON writes null for a value that too many failures made infinite.
func (o Objective) MarshalJSON() ([]byte, error) {
	type plain Objective
	value := &o.Value
	if math.IsInf(o.Value, 0) {
		value = nil
	}
	return json.Marshal(struct {
		plain
		Value *float64 `json:"value"`
	}{plain(o), value})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (o *Objective) UnmarshalJSON(b []byte) error {
	type plain Objective
	in := struct {
		*plain
		Value *float64 `json:"value"`
	}{plain: (*plain)(o)}
	if err := json.Unmarshal(b, &in); err != nil {
		return err
	}
	o.Value = math.Inf(1)
	if in.Value != nil {
		o.Value = *in.Value
	}
	parsed, err := profiles.ParseSLO(o.Name)
	if err != nil {
		return err
	}
	o.Objective = parsed[0]
	return nil
}

// Format writes the value with its unit: "82.6ms", or "over 6.02s" where
// requests without an answer leave no more than a lower bound.
func (o Objective) Format() string {
	switch {
	case !o.Valid:
		return "no data"
	case math.IsInf(o.Value, 0):
		return "unbounded: too many failed"
	case o.AtLeast:
		return "over " + o.Objective.FormatValue(o.Value)
	}
	return o.Objective.FormatValue(o.Value)
}

// objective judges o on the requests of t and on those of them that wait.
// Requests that failed on this machine say nothing about the target.
func (t *tally) objective(o profiles.Objective, over time.Duration, waits []wait) Objective {
	out := Objective{Objective: o, Name: o.String()}
	switch o.Measure {
	case profiles.Throughput:
		out.Value, out.Valid = perSecond(t.count, over), over > 0
	case profiles.Errors:
		// What the end of the run cut off never got its answer, unless that is
		// a stream which goes on.
		wrong, reached := t.failed-t.local+t.unanswered, t.count-t.local+t.unanswered
		out.Value, out.Valid = float64(wrong)/float64(max(reached, 1)), reached > 0
	case profiles.Gap:
		// A request that failed has no gaps that could be late; it is for
		// an objective on the errors.
		judgeTimes(&out, t.streamed().gap, 0, silences(waits))
	case profiles.FirstEvent:
		streams := t.streamed()
		judgeTimes(&out, streams.ttft, t.failed-t.local-t.eventless-streams.broken, unbegun(waits))
	default:
		judgeTimes(&out, t.latency, t.failed-t.local, waits)
	}
	out.Holds = out.Valid && o.Holds(out.Value)
	return out
}

// judgeTimes sets what an objective on latencies, or on the times of events,
// stands at by those that are known, those that failed instead and those that
// wait.
//
// A failed request has no latency that anyone could wait for, so it counts as
// slower than any. One that waits is a censored observation. When it is older
// than the limit it is over the limit, whatever comes, and counts with its
// age, the least its latency can be; when it is younger it says nothing and
// does not count. So with k that succeeded or wait and f that failed the
// q-quantile of all is the q(k+f)/k-quantile of the k, infinite beyond 1, and
// it is a lower bound unless it lies below the age of each that waits.
func judgeTimes(out *Objective, times *hist, failed int64, waits []wait) {
	o, h, youngest := out.Objective, times, int64(math.MaxInt64)
	for _, w := range waits {
		if w.age.Seconds() <= o.Limit {
			continue
		}
		if h == times {
			h = newHist(3)
			h.merge(times)
		}
		h.recordMany(w.age, w.count)
		out.Unanswered += w.count
		youngest = min(youngest, micros(w.age))
	}
	known := h.h.TotalCount()
	if o.Measure == profiles.Mean {
		out.Value, out.Valid, out.AtLeast = h.sum.Seconds()/float64(max(known, 1)), known > 0, out.Unanswered > 0
		return
	}
	q := 1.0
	if o.Quantile > 0 {
		q = o.Quantile
	}
	out.Valid = known+failed > 0
	if q *= float64(known+failed) / float64(max(known, 1)); q > 1 {
		out.Value = math.Inf(1)
		return
	}
	v := h.at(q)
	out.Value, out.AtLeast = v.Seconds(), micros(v) >= youngest
}
