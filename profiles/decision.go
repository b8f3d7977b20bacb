package profiles

import (
	"fmt"
	"time"
)

// Reason is a code that says which stage of the pipeline set a number.
type Reason string

// The reasons of a decision.
const (
	AtTarget       Reason = "at_target"        // within the tolerance of the target
	AboveTarget    Reason = "above_target"     // the metric asks for more
	BelowTarget    Reason = "below_target"     // the metric asks for fewer
	Burst          Reason = "burst"            // a panic window asks for more, or has just done so
	Starting       Reason = "starting"         // replicas that are starting may be enough
	Activated      Reason = "activated"        // load has come to a fleet at rest
	Quiet          Reason = "quiet"            // nothing has arrived for toZero.after
	FixedSize      Reason = "fixed"            // the policy has no metric
	NoData         Reason = "no_data"          // no metric could be read
	Unreadable     Reason = "unreadable"       // no metric could be read: onMetricError says how many
	MetricFailed   Reason = "metric_failed"    // one metric could not be read, so nothing is taken away
	UnderMin       Reason = "under_min"        // the fleet is smaller than min; acted on at once
	OverMax        Reason = "over_max"         // the fleet is larger than max; acted on at once
	StepLimit      Reason = "step_limit"       // up or down step or factor
	MinLimit       Reason = "min"              // replicas.min
	MaxLimit       Reason = "max"              // replicas.max
	UpStabilized   Reason = "up_stabilized"    // higher demand has not lasted long enough
	DownStabilized Reason = "down_stabilized"  // lower demand has not lasted long enough
	NotIdle        Reason = "not_idle"         // what could go has not been idle for down.idle
	Draining       Reason = "draining_backlog" // fewer requests will soon be in flight, so nothing is added
	Growing        Reason = "growing_backlog"  // more requests will soon be in flight, so nothing is taken away
	Rising         Reason = "rising_backlog"   // more requests will be in flight when what is added is ready
	Pinned         Reason = "pinned"           // held by hand or by a measurement
)

// The reasons of a Step that are none of a decision.
const (
	Measured  Reason = "measured"  // there is a level to decide from
	Unchanged Reason = "unchanged" // the stage has nothing against it
	Added     Reason = "added"     // there are to be more
	Removed   Reason = "removed"   // there are to be fewer
)

// Decision is how many replicas there should be, and why.
type Decision struct {
	At        time.Time `json:"at"`
	Current   int       `json:"current"`             // wanted before
	Raw       int       `json:"raw"`                 // what the metric alone asks for
	Desired   int       `json:"desired"`             // wanted from now on
	Reason    Reason    `json:"reason"`              // where Raw comes from
	LimitedBy Reason    `json:"limitedBy,omitempty"` // what kept Desired from Raw
	Kind      Kind      `json:"metric,omitempty"`    // the metric that won
	Total     Milli     `json:"total,omitempty"`     // its level over the fleet
	Target    Milli     `json:"target,omitempty"`    // its target per replica
	Valid     bool      `json:"valid"`               // false: nothing was known, Desired is Current
	Trail     Trail     `json:"trail,omitzero"`      // what each stage made of it; of the built-in scaler only
}

// Control is what governs a fleet: the policy in force, the latest decision
// under it, and how much CPU a replica may use.
type Control struct {
	Policy   Policy
	Decision Decision
	CPULimit Milli // cores of each replica, which cpu in percent is of; 0: no limit, then it is of one core
}

// String is the decision as one sentence, such as
// "1 -> 3: rps 28.4 with a target of 10 per replica asks for 3".
func (d Decision) String() string {
	move := fmt.Sprintf("%d -> %d", d.Current, d.Desired)
	if d.Current == d.Desired {
		move = fmt.Sprintf("stays at %d", d.Desired)
	}
	return move + ": " + d.Why()
}

// Why is the reason of the decision in words, with what limited it.
func (d Decision) Why() string { return d.why() + d.limit() }

func (d Decision) why() string {
	level := fmt.Sprintf("%s %.1f", d.Kind, d.Total.Float())
	switch d.Reason {
	case AboveTarget, BelowTarget:
		return fmt.Sprintf("%s with a target of %s%s asks for %d", level, d.Target, d.per(), d.Raw)
	case AtTarget:
		if d.per() == "" {
			return fmt.Sprintf("%s needs no change with a target of %s", level, d.Target)
		}
		return fmt.Sprintf("%s is within tolerance of %d x %s", level, d.Current, d.Target)
	case Burst:
		return fmt.Sprintf("a burst of %s with a target of %s per replica asks for %d", level, d.Target, d.Raw)
	case Starting:
		return fmt.Sprintf("%s is off its target of %s, but replicas are starting", level, d.Target)
	case Draining:
		return fmt.Sprintf("%s is above its target of %s%s, but draining", level, d.Target, d.per())
	case Growing:
		return fmt.Sprintf("%s is below its target of %s%s, but growing", level, d.Target, d.per())
	case Rising:
		return fmt.Sprintf("%s and rising with a target of %s%s asks for %d", level, d.Target, d.per(), d.Raw)
	case Activated:
		if d.Kind == "" {
			level = "a request"
		}
		return level + " at a fleet at rest"
	case Quiet:
		return "nothing has arrived for long enough"
	case FixedSize:
		return "the size is fixed"
	case NoData:
		return "no metric could be read"
	case Unreadable:
		return fmt.Sprintf("no metric could be read, which asks for %d", d.Raw)
	case MetricFailed:
		return "a metric could not be read, so nothing is taken away"
	case UnderMin:
		return "below min"
	case OverMax:
		return "above max"
	case Pinned:
		return "pinned"
	}
	return string(d.Reason) // of a platform, in its own words
}

func (d Decision) per() string {
	if kinds[d.Kind].scope == PerReplica {
		return " per replica"
	}
	return ""
}

func (d Decision) limit() string {
	switch d.LimitedBy {
	case "":
		return ""
	case StepLimit:
		return ", limited by the step"
	case MinLimit:
		return ", limited by min"
	case MaxLimit:
		return ", limited by max"
	case UpStabilized:
		return ", held back by the lowest demand of the stabilization time"
	case DownStabilized:
		return ", held by the highest demand of the stabilization time"
	case NotIdle:
		return ", waits for them to be idle for long enough"
	}
	return ", " + string(d.LimitedBy)
}
