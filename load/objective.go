package load

import (
	"encoding/json"
	"math"
	"slices"
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

// wait is what is known of requests without an answer: they have been due for
// so long, so their latency is at least that.
type wait struct {
	age       time.Duration
	count     int64
	task      int32 // the row of its request plus 1; 0: nobody has chosen one yet
	streaming bool  // the first event of a stream has come
}

// objective judges o on its requests, and on those of waits that are of them.
func (c *collector) objective(o profiles.Objective, over time.Duration, waits []wait) Objective {
	if o.Task == "" {
		return c.total.objective(o, over, waits)
	}
	row := slices.Index(c.names, o.Task)
	if row < 0 {
		return Objective{Objective: o, Name: o.String()}
	}
	t := &c.total // where it is the only one
	if len(c.tasks) > 0 {
		t = &c.tasks[row]
	}
	return t.objective(o, over, slices.DeleteFunc(slices.Clone(waits), func(w wait) bool { return w.task != int32(row)+1 }))
}

// recently judges o on the last seconds, of which nothing is known by task.
func (c *collector) recently(o profiles.Objective, waits []wait) Objective {
	if o.Task != "" {
		return Objective{Objective: o, Name: o.String()}
	}
	return c.lately.objective(o, c.lately.over, waits)
}

// objective judges o on the requests of t and on those that wait.
func (t *tally) objective(o profiles.Objective, over time.Duration, waits []wait) Objective {
	out := Objective{Objective: o, Name: o.String()}
	switch o.Measure {
	case profiles.Throughput:
		out.Value, out.Valid = perSecond(t.count, over), over > 0
	case profiles.Errors:
		out.Value, out.Valid = float64(t.failed)/float64(max(t.count, 1)), t.count > 0
	case profiles.Gap:
		t.judgeGap(&out)
	case profiles.FirstEvent:
		waits = slices.DeleteFunc(slices.Clone(waits), func(w wait) bool { return w.streaming })
		t.judgeLatency(&out, t.streamed().ttft, waits)
	default:
		t.judgeLatency(&out, t.latency, waits)
	}
	out.Holds = out.Valid && o.Holds(out.Value)
	return out
}

// judgeGap sets what an objective on the gaps between events stands at. A
// request that failed has no gaps that could be late; it is for an objective
// on the errors.
func (t *tally) judgeGap(out *Objective) {
	gaps := t.streamed().gap.h
	out.Valid = gaps.TotalCount() > 0
	out.Value = float64(gaps.ValueAtQuantile(out.Objective.Quantile*100)) / 1e6
}

// judgeLatency sets what an objective on latencies, or on the times to the
// first event, stands at by those of the successes.
//
// A failed request has no latency that anyone could wait for, so it counts as
// slower than any. One that waits is a censored observation. When it is older
// than the limit it is over the limit, whatever comes, and counts with its
// age, the least its latency can be; when it is younger it says nothing and
// does not count. So with k that succeeded or wait and f that failed the
// q-quantile of all is the q(k+f)/k-quantile of the k, infinite beyond 1, and
// it is a lower bound unless it lies below the age of each that waits.
func (t *tally) judgeLatency(out *Objective, successes *hist, waits []wait) {
	o, h, youngest := out.Objective, successes, int64(math.MaxInt64)
	for _, w := range waits {
		if w.age.Seconds() <= o.Limit {
			continue
		}
		if h == successes {
			h = newHist(3)
			h.merge(successes)
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
	out.Valid = known+t.failed > 0
	if q *= float64(known+t.failed) / float64(max(known, 1)); q > 1 {
		out.Value = math.Inf(1)
		return
	}
	v := h.h.ValueAtQuantile(q * 100)
	out.Value, out.AtLeast = float64(v)/1e6, v >= youngest
}
