package advisor

import (
	"fmt"
	"math"
	"time"

	"headroom/advisor/model"
	"headroom/profiles"
)

// Interval is a measured value with what it may as well be: the middle 90 % of
// what the measurement would give if it were repeated. A Low of 0 says that
// nothing below the value was proven.
type Interval struct {
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
	Unit  string  `json:"unit"`
}

// String writes "16.4/s [15.1 … 17.2]".
func (i Interval) String() string {
	low := "–"
	if i.Low > 0 {
		low = profiles.FormatRate(i.Low)
	}
	return fmt.Sprintf("%s%s [%s … %s]", profiles.FormatRate(i.Value), i.Unit, low, profiles.FormatRate(i.High))
}

// lies writes "between 15.1 and 17.2/s".
func (i Interval) lies() string {
	low, high := profiles.FormatRate(i.Low), profiles.FormatRate(i.High)
	switch {
	case math.IsInf(i.High, 1):
		return fmt.Sprintf("above %s%s", low, i.Unit)
	case i.Low <= 0:
		return fmt.Sprintf("below %s%s", high, i.Unit)
	}
	return fmt.Sprintf("between %s and %s%s", low, high, i.Unit)
}

// Capacity is what the measured replicas hold.
type Capacity struct {
	Saturation  Interval       `json:"saturation"`       // highest throughput at all
	SLO         Interval       `json:"slo"`              // highest load that meets the SLO
	Service     time.Duration  `json:"service"`          // mean service time of one request alone
	Knee        float64        `json:"knee"`             // users who together reach saturation: saturation x service (asymptotic bounds)
	Curves      []model.Curve  `json:"curves,omitempty"` // of the throughput over users, the one that fits best first; none from few rungs
	Replicas    int            `json:"replicas"`         // that were measured; 0: unknown
	Baseline    Observation    `json:"baseline"`
	Steps       []Observation  `json:"steps"`
	Budget      time.Duration  `json:"budget"`
	Spent       time.Duration  `json:"spent"`
	Control     *Observation   `json:"control,omitempty"` // the baseline once more at the end; nil: there was no time
	Scaling     *Scaling       `json:"scaling,omitempty"` // at a second number of replicas; nil: not measured
	Confirmed   bool           `json:"confirmed"`
	HostLimited bool           `json:"hostLimited"` // the machine, not the service, was what saturated
	CPU         time.Duration  `json:"cpuPerRequest"`
	Idle        *float64       `json:"idle,omitempty"`        // cores that one replica uses without any load; nil: not known
	CPULimit    profiles.Milli `json:"cpuLimit,omitzero"`     // cores that its scaler let a replica use; 0: no limit is known
	Host        HostUse        `json:"host"`                  // at the SLO capacity
	Even        bool           `json:"even,omitempty"`        // arrivals came at equal distances, which flatters
	Interrupted bool           `json:"interrupted,omitempty"` // it is what was found until then
	Grown       string         `json:"grown,omitempty"`       // a fleet that is not governed here became larger; what that cost
	Doubt       string         `json:"doubt,omitempty"`       // why a step near the end of the search counts for nothing
	Assessment
	Refusal *Refusal `json:"refusal,omitempty"`

	settled  float64 // the load that the search ended on
	passed   float64 // highest load that passed the test; 0: none
	failed   float64 // lowest load that failed it, or saturation
	missed   float64 // lowest load whose figures missed the SLO, or saturation
	over     bool    // there is a load whose figures did
	at       float64 // load whose host use was noted
	met      float64 // highest load whose figures met the SLO
	restless string  // the step of that load, where it did not settle
}

// note takes from an open-loop step what later conclusions need.
func (c *Capacity) note(o Observation) {
	switch o.Verdict {
	case model.Pass:
		c.passed = max(c.passed, o.Offered)
	case model.Fail:
		c.failed = min(c.failed, o.Offered)
	}
	if !o.Met {
		c.missed, c.over = min(c.missed, o.Offered), true
		return
	}
	if o.Offered >= c.met {
		if c.met, c.restless = o.Offered, ""; o.Unsettled {
			c.restless = o.Trial.Name
		}
	}
	if o.Offered >= c.at && o.Host.Known {
		c.at, c.Host = o.Offered, o.Host
		if o.Host.Replicas > 0 && o.Rate > 0 {
			c.CPU = time.Duration(o.Host.Replicas / o.Rate * float64(time.Second))
		}
	}
}

// settle sets the SLO capacity to the load that is left standing. Until the
// search is over its interval is what was proven: from the highest load that
// passed the test to the lowest that failed it. Where a load failed below one
// that passed, the evidence contradicts itself and proves nothing.
func (c *Capacity) settle(rate float64) {
	c.settled = rate
	c.SLO = Interval{Value: rate, Low: min(rate, c.passed), High: max(rate, c.failed), Unit: "/s"}
	if c.contradicted() {
		c.SLO.Low, c.SLO.High = 0, max(rate, c.passed)
	}
}

func (c *Capacity) contradicted() bool { return c.failed <= c.passed }

// PerReplica is what one replica is counted on for, rounded down to a
// thousandth.
func (c Capacity) PerReplica() profiles.Milli { return profiles.Milli(c.Each().Value * 1000) }
