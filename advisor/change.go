package advisor

import (
	"fmt"
	"math"
	"slices"

	"headroom/profiles"
)

// Change is what a capacity has become, against another one.
type Change string

// The values of a change.
const (
	Better     Change = "better"
	Worse      Change = "worse"
	Same       Change = "the same" // within what is tolerated, for certain
	CannotTell Change = "cannot tell"
)

// CapacityChange is the judgement on two capacities. Ratio is of the later one
// to the earlier one, with its interval; its Value is 0 where there is none.
type CapacityChange struct {
	Verdict Change   `json:"verdict"`
	Why     string   `json:"why"`
	Ratio   Interval `json:"ratio"`
}

// CompareCapacity says what became of a capacity under one and the same SLO. It
// is better or worse where all of the interval of its ratio is beyond the
// tolerance, a share of 0 or more, and the same where all of it is within.
//
// The interval of the ratio follows from those of the two by their distances on
// the logarithmic scale, as these are independent of each other (MOVER, Donner
// and Zou 2012): ln low = ln r - √(ln²(is/is.low) + ln²(was.high/was)), and ln
// high likewise.
func CompareCapacity(was, is Capacity, tolerance float64) CapacityChange {
	unknown := func(why string, args ...any) CapacityChange {
		return CapacityChange{Verdict: CannotTell, Why: fmt.Sprintf(why, args...)}
	}
	switch {
	case was.Refusal != nil:
		return unknown("the earlier measurement was refused: %s", was.Refusal.Why)
	case is.Refusal != nil:
		return unknown("the later measurement was refused: %s", is.Refusal.Why)
	case was.SLO.Value <= 0 || is.SLO.Value <= 0:
		return unknown("a capacity is missing")
	case max(1, was.Replicas) != max(1, is.Replicas):
		return unknown("one is of %s, the other of %s: what several hold is not so many times what one does",
			fleetOf(was), fleetOf(is))
	}
	ratio := is.SLO.Value / was.SLO.Value
	below := math.Hypot(logRatio(is.SLO.Value, is.SLO.Low), logRatio(was.SLO.High, was.SLO.Value))
	above := math.Hypot(logRatio(is.SLO.High, is.SLO.Value), logRatio(was.SLO.Value, was.SLO.Low))
	c := CapacityChange{Ratio: Interval{Value: ratio, Low: ratio * math.Exp(-below), High: ratio * math.Exp(above)}}
	figures := fmt.Sprintf("%s, it was %s: %+.0f %% [%+.0f … %+.0f]", is.SLO, was.SLO, percentMore(ratio), percentMore(c.Ratio.Low), percentMore(c.Ratio.High))
	switch {
	case c.Ratio.Low > 1+tolerance:
		c.Verdict, c.Why = Better, figures
	case c.Ratio.High < 1-tolerance:
		c.Verdict, c.Why = Worse, figures
	case c.Ratio.Low >= 1-tolerance && c.Ratio.High <= 1+tolerance:
		c.Verdict, c.Why = Same, figures
	default:
		c.Verdict, c.Why = CannotTell, figures+"; the intervals are too wide to tell"
	}
	return c
}

// CompareMeasurements is CompareCapacity of two measurements, which say nothing
// of each other under different SLOs or of other tasks.
func CompareMeasurements(was, is Measurement, tolerance float64) CapacityChange {
	switch {
	case was.SLO != is.SLO:
		return CapacityChange{Verdict: CannotTell, Why: fmt.Sprintf("one is under %s, the other under %s", was.SLO, is.SLO)}
	case !slices.Equal(was.Tasks, is.Tasks):
		return CapacityChange{Verdict: CannotTell, Why: fmt.Sprintf("one is of the tasks %v, the other of %v", was.Tasks, is.Tasks)}
	}
	return CompareCapacity(was.Capacity, is.Capacity, tolerance)
}

// logRatio is ln(high/low), infinite where nothing below high was proven.
func logRatio(high, low float64) float64 {
	if low <= 0 {
		return math.Inf(1)
	}
	return max(0, math.Log(high/low))
}

func percentMore(ratio float64) float64 { return (ratio - 1) * 100 }

func fleetOf(c Capacity) string { return profiles.Plural(max(1, c.Replicas), "replica", "replicas") }
