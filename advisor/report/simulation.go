package report

import (
	"fmt"
	"io"
	"slices"
	"time"

	"headroom/advisor/sim"
	"headroom/profiles"
)

// Simulation is what became of one scaler.
type Simulation struct {
	Name     string      `json:"name"`
	Policy   string      `json:"policy,omitempty"`   // as it was followed, in words
	Balancer string      `json:"balancer,omitempty"` // before the replicas, in words
	Losses   []string    `json:"losses,omitempty"`   // where that is not what was asked for
	Refused  string      `json:"refused,omitempty"`  // why there is no result
	Cost     *float64    `json:"cost,omitempty"`     // by the price of a replica hour
	Result   *sim.Result `json:"result,omitempty"`
}

// ReplicaHours are those of a result.
func ReplicaHours(r sim.Result) float64 { return r.ReplicaSeconds / 3600 }

// WriteSimulation writes the figures of one simulation, judged by an SLO.
func WriteSimulation(w io.Writer, s Simulation, slo profiles.SLO, width int) error {
	p, r := &paper{w: w, width: width}, s.Result
	var rows [][]string
	row := func(name, format string, args ...any) {
		rows = append(rows, []string{name, fmt.Sprintf(format, args...)})
	}
	row("requests", "%d in %s", r.Offered, r.Length)
	if r.Offered == 0 {
		p.table("lt", rows)
		return p.err
	}
	from := ""
	if r.Worst.Attainment < 1 {
		from = fmt.Sprintf(" (from %s)", r.Worst.At)
	}
	if len(slo) == 0 {
		row("answered", "%s of the requests, %s in the worst minute%s; --slo says how fast they should be", share(*r.Attainment), share(r.Worst.Attainment), from)
	} else {
		row("SLO", "%s %s, %s of the requests good, %s in the worst minute%s", slo, metWord(r.Met), share(*r.Attainment), share(r.Worst.Attainment), from)
		for _, o := range r.SLO {
			if !o.Met {
				row("missed", "%s: it is %s", o.Objective, o.Text())
			}
		}
	}
	if l := r.Latency; l != nil {
		f := profiles.FormatLatency
		row("latency", "mean %s, p50 %s, p95 %s, p99 %s, max %s", f(l.Mean), f(l.P50), f(l.P95), f(l.P99), f(l.Max))
	}
	if failed := r.Offered - r.Answered; failed > 0 {
		row("failed", "%d: %d found the queue full, %d waited too long for a replica, %d timed out", failed, r.Refused, r.Waited, r.TimedOut)
	}
	cost := ""
	if s.Cost != nil {
		cost = fmt.Sprintf(", which cost %.2f", *s.Cost)
	}
	row("dispatch", "%s", s.Balancer)
	row("replicas", "%.2f replica hours%s; at most %d at once, %s", ReplicaHours(*r), cost, r.Most, profiles.Plural(len(r.Changes), "change", "changes"))
	row("too few", "%s of the time, on average short of %s of what the load takes: %s at its busiest", share(r.Ready.UnderTime), share(r.Ready.UnderAccuracy),
		profiles.Plural(r.Needed, "replica", "replicas"))
	row("too many", "%s of the time, on average %s beyond it", share(r.Ready.OverTime), share(r.Ready.OverAccuracy))
	row("unrest", "in %s of the seconds the size moved otherwise than the load asked", share(r.Ready.Instability))
	if r.Reaction != nil {
		row("reaction", "first decision for more %s after there were too few", tenths(*r.Reaction))
	}
	p.table("lt", rows)
	return p.err
}

// WriteSimulations writes a row for each of several simulations of the same
// arrivals, and below it why some have none.
func WriteSimulations(w io.Writer, all []Simulation, width int) error {
	p := &paper{w: w, width: width}
	rows, align := [][]string{{"scaler", "SLO", "good", "worst", "p95", "replica h", "few", "many", "unrest", "first"}}, "llrrrrrrrr"
	priced := slices.ContainsFunc(all, func(s Simulation) bool { return s.Cost != nil })
	if priced {
		rows[0], align = append(rows[0], "cost"), align+"r"
	}
	for _, s := range all {
		r := s.Result
		if r == nil || r.Offered == 0 {
			continue
		}
		p95, first := "–", "–"
		if r.Latency != nil {
			p95 = profiles.FormatLatency(r.Latency.P95)
		}
		if r.Reaction != nil {
			first = tenths(*r.Reaction)
		}
		row := []string{
			s.Name, metWord(r.Met), share(*r.Attainment), share(r.Worst.Attainment), p95,
			fmt.Sprintf("%.2f", ReplicaHours(*r)), share(r.Ready.UnderTime), share(r.Ready.OverTime), share(r.Ready.Instability), first,
		}
		if priced {
			row = append(row, fmt.Sprintf("%.2f", *s.Cost))
		}
		rows = append(rows, row)
	}
	if len(rows) > 1 {
		p.table(align, rows)
		p.printf("\n")
		p.say("The same arrivals, service times and start-up times for all. good: requests within the SLO, worst: in the worst minute; few and many: share of the time with fewer or more replicas than the load takes; unrest: share of the seconds in which the size moved otherwise than the load asked; first: from too few to the first decision for more.")
	}
	for _, s := range all {
		switch {
		case s.Refused != "":
			p.say("%s: %s", s.Name, s.Refused)
		case s.Policy != "":
			p.say("%s: %s; dispatch %s", s.Name, s.Policy, s.Balancer)
		}
	}
	return p.err
}

// tenths writes a duration to a tenth of a second.
func tenths(d profiles.Duration) string {
	return profiles.Duration(d.Std().Round(time.Second / 10)).String()
}

func metWord(met bool) string {
	if met {
		return "met"
	}
	return "missed"
}

// share writes a share of 1 in percent. What is not all is not called 100 %.
func share(v float64) string {
	digits := 1
	if v < 1 && v > 0.9995 {
		digits = 3
	}
	return fmt.Sprintf("%.*f %%", digits, 100*v)
}
