package advisor

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"headroom/load"
	"headroom/profiles"
)

// Change is what became of a figure since a baseline.
type Change string

// The changes. What may be worse and may be not is neither.
const (
	Better   Change = "better"
	NotWorse Change = "not worse"
	Worse    Change = "worse"
	Unclear  Change = "cannot tell"
)

// Comparison is a figure beside what it was in a baseline.
type Comparison struct {
	Figure    string         `json:"figure"`   // "latency p95" or "capacity"
	Baseline  string         `json:"baseline"` // the file
	Tolerance profiles.Ratio `json:"tolerance"`
	Before    Interval       `json:"before"`
	Now       *Interval      `json:"now"`   // nil: not known
	Ratio     *Ratio         `json:"ratio"` // of both; nil: there is none
	Change    Change         `json:"change"`
	Why       string         `json:"why"`
	Differs   []string       `json:"differs,omitempty"` // what else was not the same
}

// Ratio is a figure by what it was before, with the middle 90 % of what it may
// as well be.
type Ratio struct {
	Value load.Figure `json:"value"`
	Low   load.Figure `json:"low"`
	High  load.Figure `json:"high"`
}

// percent writes a ratio as a change: "+12 %".
func percent(f load.Figure) string {
	if f > 1e6 { // or infinite: one end of it has no bound
		return "without bound"
	}
	return fmt.Sprintf("%+.0f %%", float64(f-1)*100)
}

// String writes "+16 % [+8 % … +25 %]".
func (r Ratio) String() string {
	return fmt.Sprintf("%s [%s … %s]", percent(r.Value), percent(r.Low), percent(r.High))
}

// Share writes "116 % [108 … 125]".
func (r Ratio) Share() string {
	return fmt.Sprintf("%.0f %% [%.0f … %.0f]", float64(r.Value)*100, float64(r.Low)*100, float64(r.High)*100)
}

// ratioOf is now by before, by the method of variance estimates recovery (Zou
// and Donner 2008) on their logarithms: with x and y the logarithms of the
// values and (l, u) those of their intervals, the difference x - y goes from
// x - y - sqrt((x-lx)² + (uy-y)²) to x - y + sqrt((ux-x)² + (y-ly)²).
func ratioOf(now, before Interval) Ratio {
	log := math.Log
	x, y := log(now.Value), log(before.Value)
	below := math.Hypot(x-log(now.Low), log(before.High)-y)
	above := math.Hypot(log(now.High)-x, y-log(before.Low))
	exp := func(v float64) load.Figure { return load.Figure(math.Exp(v)) }
	return Ratio{exp(x - y), exp(x - y - below), exp(x - y + above)}
}

// compare judges a figure that may rise, or fall where it is good that it is
// high, by no more than the tolerance.
func compare(c Comparison, high bool) Comparison {
	r := ratioOf(*c.Now, c.Before)
	c.Ratio = &r
	limit := 1 + float64(c.Tolerance)/1000
	best, worst := r.Low, r.High
	beyond := func(f load.Figure, limit float64) bool { return float64(f) > limit }
	if high {
		limit, best, worst = 1-float64(c.Tolerance)/1000, r.High, r.Low
		beyond = func(f load.Figure, limit float64) bool { return float64(f) < limit }
	}
	switch {
	case beyond(best, limit):
		c.Change, c.Why = Worse, fmt.Sprintf("the change is beyond the tolerance of %s, whatever chance did", c.Tolerance)
	case beyond(worst, limit):
		c.Change, c.Why = Unclear, fmt.Sprintf("chance alone may make the difference between within and beyond the tolerance of %s: more requests, or a higher tolerance, would tell", c.Tolerance)
	case beyond(1, float64(worst)):
		c.Change, c.Why = Better, "more than chance explains"
	default:
		c.Change, c.Why = NotWorse, fmt.Sprintf("the change is within the tolerance of %s", c.Tolerance)
	}
	return c
}

// latencyInterval is a tail in seconds.
func latencyInterval(t load.Tail) Interval {
	return Interval{Value: t.P95.Seconds(), Low: t.Low.Seconds(), High: t.High.Seconds(), Unit: "s"}
}

// CompareRun says what became of the p95 of a run since another one: now is nil
// where there is too little to say how sure it is.
func CompareRun(file string, tolerance profiles.Ratio, now *load.Tail, before load.Tail) Comparison {
	c := Comparison{Figure: "latency p95", Baseline: file, Tolerance: tolerance, Before: latencyInterval(before)}
	if now == nil {
		c.Change, c.Why = Unclear, "the run was too short to say how sure its p95 is, want 5 seconds with answers or more"
		return c
	}
	interval := latencyInterval(*now)
	c.Now = &interval
	if now.P95 == load.Unbounded {
		c.Change, c.Why = Worse, "so many requests failed that there is no p95"
		return c
	}
	return compare(c, false)
}

// CompareCapacity says what became of the capacity under the SLO since another
// measurement. One that was refused has none, and what is under another SLO, of
// other tasks or of another number of replicas says nothing of it.
func CompareCapacity(file string, tolerance profiles.Ratio, now, before Measurement) Comparison {
	c := Comparison{Figure: "capacity", Baseline: file, Tolerance: tolerance, Before: before.Capacity.SLO, Differs: differences(now, before)}
	unclear := func(why string, args ...any) Comparison {
		c.Change, c.Why = Unclear, fmt.Sprintf(why, args...)
		return c
	}
	switch {
	case before.Capacity.Refusal != nil || before.Capacity.SLO.Value <= 0:
		return unclear("the earlier measurement has none")
	case now.Capacity.Refusal != nil || now.Capacity.SLO.Value <= 0:
		return unclear("the measurement was refused")
	}
	c.Now = &now.Capacity.SLO
	switch {
	case now.SLO != before.SLO:
		return unclear("it is what holds under %s, not under %s", now.SLO, before.SLO)
	case !slices.Equal(now.Tasks, before.Tasks):
		return unclear("it is of the tasks %s, not of %s", strings.Join(now.Tasks, ", "), strings.Join(before.Tasks, ", "))
	case fleetOf(now) != fleetOf(before):
		return unclear("what several replicas hold is not so many times what one does")
	}
	return compare(c, true)
}

func fleetOf(m Measurement) string {
	return profiles.Plural(max(1, m.Capacity.Replicas), "replica", "replicas")
}

// differences are what else is not the same in two measurements.
func differences(now, before Measurement) (out []string) {
	for _, d := range []struct{ what, now, before string }{
		{"target", now.Target, before.Target},
		{"machine", now.Machine.String(), before.Machine.String()},
		{"fleet", fleetOf(now), fleetOf(before)},
	} {
		if d.now != d.before {
			out = append(out, Difference(d.what, d.now, d.before))
		}
	}
	return out
}

// Difference says that something is not what it was in the baseline.
func Difference(what, now, before string) string {
	return fmt.Sprintf("another %s: %s, it was %s", what, now, before)
}

// Known reports whether it can be told what became of the figure.
func (c Comparison) Known() bool { return c.Change != Unclear }

// Good reports whether it is known not to have become worse.
func (c Comparison) Good() bool { return c.Change == Better || c.Change == NotWorse }

// String is the comparison in a sentence or two.
func (c Comparison) String() string {
	text := fmt.Sprintf("%s against %s: %s", c.Figure, c.Baseline, c.Change)
	if c.Now == nil {
		return text + "; " + c.Why
	}
	text += fmt.Sprintf("; it is %s, it was %s", c.Format(*c.Now), c.Format(c.Before))
	if c.Ratio != nil {
		text += ": " + c.Ratio.String()
	}
	return text + "; " + c.Why
}

// Format writes an interval of the figure with its unit.
func (c Comparison) Format(i Interval) string {
	if i.Unit != "s" {
		return i.String()
	}
	text := func(seconds float64) string {
		if seconds >= load.Unbounded.Seconds() {
			return "unbounded"
		}
		return profiles.FormatLatency(time.Duration(seconds * float64(time.Second)))
	}
	return fmt.Sprintf("%s [%s … %s]", text(i.Value), text(i.Low), text(i.High))
}
