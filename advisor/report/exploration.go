package report

import (
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"

	"headroom/advisor"
	"headroom/advisor/sim"
	"headroom/profiles"
)

// Exploration is what a search found, and what it was asked.
type Exploration struct {
	Version    string             `json:"version"`
	Kind       string             `json:"kind"`
	SLO        string             `json:"slo"`
	Scaler     string             `json:"scaler"`         // that follows the policies, by its name
	Balancer   string             `json:"balancer"`       // before the replicas, in words
	Load       string             `json:"load,omitempty"` // that they are simulated under, where it was derived
	Seed       uint64             `json:"seed"`
	Price      float64            `json:"price,omitempty"`     // of a replica hour
	Needed     float64            `json:"needed"`              // share of the requests that the SLO wants to be good, 0..1
	Ceiling    *sim.Estimate      `json:"ceiling,omitempty"`   // requests per second that no target was raised above; nil: any
	Assessment advisor.Assessment `json:"assessment,omitzero"` // of what it rests on
	sim.Exploration
}

// Warnings are what of the chosen policy should not be overlooked.
func (x Exploration) Warnings() []string {
	if c := x.Chosen; c != nil && c.Worst < x.Needed {
		return []string{fmt.Sprintf("in its worst minute %s of the requests are good, fewer than the %s that %s asks for", share(c.Worst), share(x.Needed), x.SLO)}
	}
	return nil
}

// WriteExploration writes the front of cost and attainment, what was chosen of
// it and why, and what its neighbours would do.
func WriteExploration(w io.Writer, x Exploration, width int) error {
	p := &paper{w: w, width: width}
	front, beside := x.shown(), ""
	if !slices.ContainsFunc(front, func(o sim.Option) bool { return o.Start }) {
		front, beside = append(front, x.Start), "; the start is beside them"
	}
	p.say("%s around that of the start were foreseen as a fluid, %d of them simulated%s, with the same arrivals and start-up times.", profiles.Plural(x.Foreseen, "policy", "policies"), x.Simulated, x.under())
	if c := x.Ceiling; c != nil {
		p.say("No target was raised above the %s/s that advice counts on for one replica [%s … %s]: several hold more each only while they share one queue, and no step of the measurement shows that they do.",
			profiles.FormatRate(c.Value), profiles.FormatRate(c.Low), profiles.FormatRate(c.High))
	}
	p.say("No other one costs less than these and has as many requests good%s:", beside)
	p.printf("\n")
	p.options(x, front)
	p.printf("\n")
	if x.Chosen == nil {
		p.say("None of them meets %s. Search around another policy, with a higher min or a lower target: what comes before a replica can be ready must be held by those that are there.", x.SLO)
		return p.err
	}
	c := x.Chosen
	p.say("chosen: %s, every %s, down after %s. It is the cheapest that meets %s in each of %d runs of other chance, of which the table has the first. On average %s of the requests are good [%s … %s], and in the worst minute of all runs %s, for %s. The start takes %s in the first run.",
		c.Policy.Summary(), c.Policy.Interval, downAfter(c.Policy), x.SLO, c.Runs, share(c.Attainment.Value), share(c.Attainment.Low), share(min(1, c.Attainment.High)), share(c.Worst),
		x.price(c.ReplicaSeconds.Value, fmt.Sprintf(" [%s … %s]", hours(c.ReplicaSeconds.Low), hours(c.ReplicaSeconds.High))), x.price(x.Start.ReplicaSeconds, ""))
	for _, warning := range x.Warnings() {
		p.say("warning: %s", warning)
	}
	if a := x.Assessment; a.Grade != "" {
		p.say("grade %s: %s", a.Grade, a)
	}
	if len(x.Ends) > 0 {
		p.say("No further values were tried for %s: a search around it may find more.", strings.Join(x.Ends, " and "))
	}
	p.printf("\n")
	p.say("Its neighbours, with one number turned:")
	p.printf("\n")
	p.options(x, x.Neighbours)
	return p.err
}

// under is what the policies were simulated under, and by whom they are followed.
func (x Exploration) under() string {
	text := fmt.Sprintf(", followed by the scaler %s (dispatch %s)", x.Scaler, x.Balancer)
	if x.Load != "" {
		text += ", under " + x.Load
	}
	return text
}

// shown is the front without those that leave out hardly any of the misses of one
// which costs less.
func (x Exploration) shown() []sim.Option {
	const hardly = 0.25
	misses := func(o sim.Option) float64 { return 1 - o.Attainment }
	var out []sim.Option
	for _, o := range x.Front {
		if n := len(out); n > 0 && misses(o) > (1-hardly)*misses(out[n-1]) && o.Met == out[n-1].Met && !x.chose(o) {
			continue
		}
		out = append(out, o)
	}
	return out
}

func (x Exploration) chose(o sim.Option) bool {
	return x.Chosen != nil && reflect.DeepEqual(o.Policy, x.Chosen.Policy)
}

// options writes a row for each.
func (p *paper) options(x Exploration, all []sim.Option) {
	rows := [][]string{{"", "target", "min", "max", "every", "step", "down", "SLO", "good", "worst", "hours"}}
	align := "lrrrrrrlrrr"
	if x.Price > 0 {
		rows[0], align = append(rows[0], "cost"), align+"r"
	}
	for _, o := range all {
		mark, step := "", "–"
		switch {
		case x.chose(o):
			mark = "chosen"
		case o.Start:
			mark = "start"
		}
		if n := o.Policy.Up.Step; n > 0 {
			step = fmt.Sprint(n)
		}
		row := []string{
			mark, o.Policy.Metrics[0].Target.String(), fmt.Sprint(o.Policy.Replicas.Min), o.Policy.Replicas.Max.String(), o.Policy.Interval.String(),
			step, downAfter(o.Policy).String(), metWord(o.Met), share(o.Attainment), share(o.Worst), hours(o.ReplicaSeconds),
		}
		if x.Price > 0 {
			row = append(row, fmt.Sprintf("%.2f", o.ReplicaSeconds/3600*x.Price))
		}
		rows = append(rows, row)
	}
	p.table(align, rows)
}

// downAfter is how long it takes until a replica is let go.
func downAfter(p profiles.Policy) profiles.Duration {
	if p.Metrics[0].PerReplica() {
		return p.Down.Stabilization
	}
	return p.Down.Idle
}

func hours(seconds float64) string { return fmt.Sprintf("%.2f", seconds/3600) }

// price is what replicas cost, in hours with their interval, and in money where
// that is known.
func (x Exploration) price(seconds float64, interval string) string {
	text := hours(seconds) + " replica hours" + interval
	if x.Price > 0 {
		text += fmt.Sprintf(", which cost %.2f", seconds/3600*x.Price)
	}
	return text
}
