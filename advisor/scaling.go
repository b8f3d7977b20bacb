package advisor

import (
	"context"
	"fmt"
	"time"

	"headroom/advisor/model"
	"headroom/profiles"
)

// Scaling is what several replicas hold together, against one.
type Scaling struct {
	Replicas    int       `json:"replicas"`
	Saturation  float64   `json:"saturation"`        // requests per second, of all
	Efficiency  Interval  `json:"efficiency"`        // saturation over replicas times that of one; 1: nothing is shared
	HostLimited bool      `json:"hostLimited"`       // the machine that they shared was at its limit, which says nothing of others
	SLO         *Interval `json:"slo,omitempty"`     // highest load of all that meets the SLO; nil: not measured
	Skipped     string    `json:"skipped,omitempty"` // why it was not
}

const (
	secondShare   = 0.05 // of the budget, for a rung with the second number of replicas
	leastScaling  = 0.6  // efficiency: below, replicas hardly help
	freelyScaling = 0.8  // efficiency: below, no more than twice the replicas that were measured are advised
)

// second measures how much more so many times the replicas hold: the rung of
// the ladder that saturated one, with as many users more. It comes near the end,
// as the fleet is another one then. A fleet that does not come to that size
// leaves it out.
func (s *search) second(ctx context.Context, c *Capacity) error {
	if c.Scaling != nil { // known from the search that is continued
		c.Refusal = refuseScaling(c.Scaling)
		return nil
	}
	if s.Second == 0 {
		return nil
	}
	s.reserve = s.togetherTime(nil)
	length := min(s.left()-s.reserve, s.share(secondShare))
	first := max(1, c.Replicas)
	times := s.Second / first
	if length < minStep || times < 2 {
		return nil
	}
	users := 0 // of the first rung on the plateau
	for _, o := range rungs(s.steps) {
		if o.Trial.Users > 1 && o.Rate >= c.Saturation.Value*plateauShare {
			users = o.Trial.Users
			break
		}
	}
	o, err := s.step(ctx, Trial{Name: fmt.Sprintf("%d replicas", s.Second), Users: times * users, Replicas: s.Second, Length: length})
	switch {
	case ctx.Err() != nil:
		return err
	case err != nil:
		c.Doubt = fmt.Sprintf("%d replicas could not be measured: %v", s.Second, err)
		return nil
	case o.Spoiled || o.Failed*2 > o.Requests:
		return nil
	}
	c.Scaling = scalingOf(o, c.Saturation, first, s.Seed)
	c.Refusal = refuseScaling(c.Scaling)
	return nil
}

// scalingOf compares a step with several replicas with the saturation of the
// first ones.
func scalingOf(o Observation, one Interval, first int, seed uint64) *Scaling {
	times := float64(o.Trial.Replicas) / float64(first)
	out := &Scaling{Replicas: o.Trial.Replicas, Saturation: o.Rate, HostLimited: o.Host.Saturated()}
	low, high, ok := model.Spread([]model.Blocks{o.answers()}, seed,
		func(totals []model.Tally) (float64, bool) { return totals[0].Rate(), true })
	if !ok || len(o.Blocks) == 0 {
		low, high = o.Rate, o.Rate
	}
	out.Efficiency = Interval{Value: o.Rate / (times * one.Value), Low: low / (times * one.High), High: high / (times * one.Low)}
	return out
}

// secondTime is what the second number of replicas is expected to take, of which
// so much is known.
func (s *search) secondTime(known *Scaling) time.Duration {
	if s.Second == 0 || known != nil {
		return s.togetherTime(known)
	}
	return s.share(secondShare) + s.togetherTime(nil)
}

// rungs are the steps of the closed model with the fleet as it was found.
func rungs(steps []Observation) []Observation {
	var out []Observation
	for _, o := range steps {
		if o.Trial.Users > 0 && o.Trial.Replicas == 0 && o.Trial.Name != controlName && !o.Spoiled {
			out = append(out, o)
		}
	}
	return out
}

// contention is the share of the work that is done one after the other, over
// replicas: Amdahl's σ, from the efficiency at two sizes.
func (s Scaling) contention(first float64) float64 {
	times := float64(s.Replicas) / first
	return max(0, (1/s.Efficiency.Value-1)/(times-1))
}

// capScaling keeps max to what the measured efficiency speaks for, and says what
// that leaves unserved.
func (s sized) capScaling(high Value) (v Value, note string) {
	if s.Evidence == nil || s.Evidence.Scaling == nil {
		return high, ""
	}
	m := s.Evidence.Scaling
	most := max(float64(2*m.Replicas), s.least().Value)
	if m.HostLimited || m.Efficiency.Value >= freelyScaling || high.Value <= most {
		return high, ""
	}
	first := float64(max(1, s.Evidence.Replicas))
	serves := most * s.alone() / (1 + m.contention(first)*(most/first-1))
	note = fmt.Sprintf("max is held at %.0f, twice the %d replicas that were measured, as these gave only %.2f times what %.0f did; so many serve about %s of the %s requests/s",
		most, m.Replicas, m.Efficiency.Value*float64(m.Replicas)/first, first, profiles.FormatRate(serves), s.Traffic.High)
	high.Rejected = append(high.Rejected, Rejection{fmt.Sprintf("%.0f", high.Value), "the arithmetic asks for it, but replicas share something: no more than twice the measured ones are advised"})
	high.Value, high.Low, high.High = most, min(high.Low, most), most
	high.Formula += fmt.Sprintf(", at most 2 x %d", m.Replicas)
	return high, note
}
