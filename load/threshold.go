package load

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"

	"headroom/profiles"
)

// Figure is a measured value. One that too many failures made infinite is null
// in JSON.
type Figure float64

// MarshalJSON writes a number, or null.
func (f Figure) MarshalJSON() ([]byte, error) {
	if math.IsInf(float64(f), 0) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(f))
}

// UnmarshalJSON reads what MarshalJSON writes.
func (f *Figure) UnmarshalJSON(b []byte) error {
	var v *float64
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	*f = Figure(math.Inf(1))
	if v != nil {
		*f = Figure(*v)
	}
	return nil
}

// Threshold is one of the thresholds and how the run does on it.
type Threshold struct {
	Threshold  profiles.Threshold `json:"threshold"`
	Value      Figure             `json:"value"`                // in the unit of the limit; of windows that of the worst
	AtLeast    bool               `json:"atLeast,omitempty"`    // the value is no less than Value
	Unanswered int64              `json:"unanswered,omitempty"` // requests that count as over the limit without an answer
	Windows    int                `json:"windows,omitempty"`    // that have been judged
	Missed     int                `json:"missed,omitempty"`     // of them, those in which it did not hold
	At         time.Duration      `json:"at,omitempty"`         // end of the worst window, as an offset
	Valid      bool               `json:"valid"`                // false: there is no data
	Holds      bool               `json:"holds"`                // in each window
}

// Format writes the value with its unit: "182ms", or "over 6020ms" where
// requests without an answer leave no more than a lower bound.
func (t Threshold) Format() string {
	text := t.Threshold.FormatValue(float64(t.Value))
	switch {
	case !t.Valid:
		return "no data"
	case math.IsInf(float64(t.Value), 0):
		text = "unbounded: too many failed"
	case t.AtLeast:
		text = "over " + text
	}
	if t.Windows > 0 {
		text += fmt.Sprintf(" in the worst of %s, up to %s", profiles.Plural(int64(t.Windows), "window", "windows"), profiles.Duration(t.At.Round(time.Second)))
	}
	if t.Missed > 0 {
		text += fmt.Sprintf("; missed in %d", t.Missed)
	}
	return text
}

// worse reports whether a value is further from holding than that of u.
func (t Threshold) worse(u Threshold) bool {
	switch {
	case t.Holds != u.Holds:
		return u.Holds
	case t.Threshold.Op == profiles.Greater || t.Threshold.Op == profiles.GreaterEqual:
		return t.Value < u.Value
	}
	return t.Value > u.Value
}

// gauge judges one threshold.
type gauge struct {
	profiles.Threshold
	row     int32      // of the requests that it is about, or allRows
	windows *windows   // nil: it is about the whole run
	crossed *Threshold // as it was when it ended the load; nil: it did not
}

// windows are the parts of a run that a threshold is judged in, one after the
// other.
type windows struct {
	present, before tally         // the window under way, and the one before, which the end of the run may prolong
	from, until     time.Duration // the window before is between them, the present one begins where it ends
	past, latest    Threshold     // what all before that came to, and that one
}

func newGauge(t profiles.Threshold, names []string) *gauge {
	g := &gauge{Threshold: t, row: allRows}
	if t.Task != "" && len(names) > 1 {
		g.row = int32(slices.Index(names, t.Task))
	}
	if t.Every > 0 {
		g.windows = &windows{present: newTally(2), before: newTally(2)}
	}
	g.reset(0)
	return g
}

// reset forgets what came until now, but not that the load was ended.
func (g *gauge) reset(now time.Duration) {
	if w := g.windows; w != nil {
		w.present.reset()
		w.before.reset()
		w.from, w.until = now, now
		w.past = Threshold{Threshold: g.Threshold}
		w.latest = w.past
	}
}

// with adds a window, if anything came in it.
func (t Threshold) with(window Threshold) Threshold {
	if !window.Valid {
		return t
	}
	count, missed := t.Windows+1, t.Missed
	if !window.Holds {
		missed++
	}
	if !t.Valid || window.worse(t) {
		t = window
	}
	t.Windows, t.Missed = count, missed
	return t
}

// judgeThresholds fills in the thresholds. The one that ended the load stays as
// it was when it did.
func (c *collector) judgeThresholds(s *Snapshot, over time.Duration, waits []wait) {
	for _, g := range c.gauges {
		all, concerned := &c.total, waits
		if g.row != allRows {
			all = &c.tasks[g.row]
			concerned = c.of(waits, func(n int32) bool { return n == g.row })
		}
		switch {
		case g.crossed != nil:
			s.Thresholds = append(s.Thresholds, *g.crossed)
		case g.windows != nil:
			c.closeWindow(g, s, concerned)
			s.Thresholds = append(s.Thresholds, g.windows.past.with(g.windows.latest))
		default:
			s.Thresholds = append(s.Thresholds, c.threshold(g.Threshold, s, all, over, concerned))
		}
	}
}

// crossed names the threshold that ends the load, or has ended it; empty: none.
func (c *collector) crossed(s *Snapshot) string {
	for i, g := range c.gauges {
		t := s.Thresholds[i]
		if s.Phase == Running && g.Abort && t.Valid && !t.Holds && s.Elapsed >= g.Delay {
			g.crossed = &t
		}
		if g.crossed != nil {
			return g.String()
		}
	}
	return ""
}

// closeWindow judges the present window when it is over. At the end of the run
// a rest of half a window or more is one, a shorter one belongs to the window
// before; what comes after the load belongs to the last one.
func (c *collector) closeWindow(g *gauge, s *Snapshot, waits []wait) {
	w, length, first := g.windows, s.Loaded-g.windows.until, g.windows.until == g.windows.from
	switch {
	case s.Phase == Done && !first && length < g.Every/2:
		w.before.merge(&w.present)
	case s.Phase == Done && length > 0, s.Phase != Done && s.Phase != Draining && length >= g.Every-tick/2:
		w.past = w.past.with(w.latest)
		w.before, w.present = w.present, w.before
		w.from = w.until
	default:
		return
	}
	w.present.reset()
	w.until = s.Loaded
	w.latest = c.threshold(g.Threshold, s, &w.before, w.until-w.from, waits)
	w.latest.At = w.until
}

// threshold judges t on the requests of a tally, which came over so long, and
// on those of them that wait.
func (c *collector) threshold(t profiles.Threshold, s *Snapshot, all *tally, over time.Duration, waits []wait) Threshold {
	out := Threshold{Threshold: t}
	o, ok := t.Objective()
	if !ok {
		out.Value, out.Valid = c.figure(t, s, all, over)
		out.Holds = out.Valid && t.Op.Holds(float64(out.Value), t.Limit)
		return out
	}
	judged := all.objective(o, over, waits)
	out.AtLeast, out.Unanswered, out.Valid, out.Holds = judged.AtLeast, judged.Unanswered, judged.Valid, judged.Holds
	out.Value = Figure(judged.Value)
	if t.Metric == profiles.RequestDuration {
		out.Value *= 1000
	}
	return out
}

// figure is what a threshold is about where no objective says the same.
func (c *collector) figure(t profiles.Threshold, s *Snapshot, all *tally, over time.Duration) (Figure, bool) {
	number := func(n int64) (Figure, bool) {
		if t.Aggregation == profiles.CountOf {
			return Figure(n), true
		}
		return Figure(perSecond(n, over)), over > 0
	}
	switch t.Metric {
	case profiles.Requests, profiles.Iterations:
		return number(all.count)
	case profiles.DataReceived:
		return number(all.bytes)
	case profiles.DroppedIterations:
		n, _ := number(s.Health.Dropped)
		return n, s.Open
	case profiles.RequestDuration:
		return all.latency.aggregate(t)
	case profiles.RequestWaiting:
		return c.conns.firstByte.aggregate(t)
	case profiles.RequestConnecting:
		return c.conns.dial.aggregate(t)
	}
	return c.conns.tls.aggregate(t) // profiles.RequestTLS
}

// aggregate is a number of the times, in milliseconds; ok is false where there
// are none.
func (h *hist) aggregate(t profiles.Threshold) (ms Figure, ok bool) {
	n := h.h.TotalCount()
	if n == 0 {
		return 0, false
	}
	var d time.Duration
	switch t.Aggregation {
	case profiles.AverageOf:
		d = h.sum / time.Duration(n)
	case profiles.LeastOf:
		d = h.low
	case profiles.MostOf:
		d = h.high
	case profiles.MedianOf:
		d = h.at(0.5)
	default:
		d = h.at(t.Quantile)
	}
	return Figure(d.Seconds() * 1000), true
}
