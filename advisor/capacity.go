package advisor

import (
	"fmt"
	"time"

	"headroom/advisor/model"
	"headroom/profiles"
)

// Interval is a measured value with what it may as well be.
type Interval struct {
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
	Unit  string  `json:"unit"`
}

// String writes "16.4/s [15.1 … 17.2]".
func (i Interval) String() string {
	return fmt.Sprintf("%s%s [%s … %s]", number(i.Value), i.Unit, number(i.Low), number(i.High))
}

func number(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	default:
		return fmt.Sprintf("%.2f", v)
	}
}

// Grade says how well a capacity is supported.
type Grade string

// The grades. A needs evidence that this measurement does not gather: a
// second replica count and a drift control.
const (
	GradeB Grade = "B" // bracket within 10 %, passed by the test and confirmed
	GradeC Grade = "C" // bracket within 30 %
	GradeD Grade = "D" // bounds only
)

// Capacity is what the measured replicas hold.
type Capacity struct {
	Saturation  Interval      `json:"saturation"` // highest throughput at all
	SLO         Interval      `json:"slo"`        // highest load that meets the SLO; low: highest that passed the test
	Service     time.Duration `json:"service"`    // mean service time of one request alone
	Replicas    int           `json:"replicas"`   // that were measured; 0: unknown
	Baseline    Observation   `json:"baseline"`
	Steps       []Observation `json:"steps"`
	Budget      time.Duration `json:"budget"`
	Spent       time.Duration `json:"spent"`
	Confirmed   bool          `json:"confirmed"`
	HostLimited bool          `json:"hostLimited"` // the machine, not the service, was what saturated
	CPU         time.Duration `json:"cpuPerRequest"`
	Host        HostUse       `json:"host"` // at the SLO capacity
	Grade       Grade         `json:"grade,omitempty"`
	GradeWhy    string        `json:"gradeWhy,omitempty"`
	Refusal     *Refusal      `json:"refusal,omitempty"`

	passed float64 // highest load whose verdict was Pass
	at     float64 // load whose host use was noted
}

// note takes from a step at that rate what later conclusions need.
func (c *Capacity) note(o Observation, rate float64) {
	if o.Verdict == model.Pass {
		c.passed = max(c.passed, rate)
	}
	if o.Met && rate >= c.at && o.Host.Known {
		c.at, c.Host = rate, o.Host
		if o.Host.Replicas > 0 && o.Rate > 0 {
			c.CPU = time.Duration(o.Host.Replicas / o.Rate * float64(time.Second))
		}
	}
}

// grade judges the bracket around the SLO capacity.
func (c *Capacity) grade() {
	width := c.SLO.High/c.SLO.Value - 1
	switch {
	case width <= 0.10 && c.Confirmed && c.passed >= 0.9*c.SLO.Value:
		c.Grade, c.GradeWhy = GradeB, "a second replica count would raise it"
	case width <= 0.30:
		c.Grade, c.GradeWhy = GradeC, fmt.Sprintf("the bracket is %.0f %% wide%s; a longer --budget narrows it", width*100, unproven(c))
	default:
		c.Grade, c.GradeWhy = GradeD, fmt.Sprintf("the bracket is %.0f %% wide; a longer --budget narrows it", width*100)
	}
}

func unproven(c *Capacity) string {
	if !c.Confirmed {
		return " and not confirmed"
	}
	if c.passed < 0.9*c.SLO.Value {
		return " and the steps are too short to prove it"
	}
	return ""
}

// PerReplica is the SLO capacity of one replica, rounded down to a
// thousandth.
func (c Capacity) PerReplica() profiles.Milli {
	return profiles.Milli(c.SLO.Value / float64(max(1, c.Replicas)) * 1000)
}
