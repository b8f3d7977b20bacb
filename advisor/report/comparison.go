package report

import (
	"fmt"
	"io"
	"time"

	"headroom/advisor"
	"headroom/profiles"
)

// WriteComparison writes before and after side by side.
func WriteComparison(w io.Writer, before, after advisor.Outcome) error {
	p := &paper{w: w}
	p.comparison(before, after)
	return p.err
}

func (p *paper) comparison(before, after advisor.Outcome) {
	row := func(name string, value func(advisor.Outcome) string) []string {
		return []string{name, value(before), value(after)}
	}
	rows := [][]string{{"the same load", "before", "after"}}
	rows = append(rows,
		row("requests", func(o advisor.Outcome) string { return fmt.Sprint(o.Stats.Count) }),
		row("failed", func(o advisor.Outcome) string {
			if o.Stats.Count == 0 {
				return none
			}
			return fmt.Sprintf("%.2f %%", o.Stats.FailShare()*100)
		}),
		row("cut off by the end", func(o advisor.Outcome) string { return fmt.Sprint(o.Stats.Aborted) }),
		row("throughput, req/s", func(o advisor.Outcome) string { return rate(o.Stats) }),
		row("latency p50, ms", func(o advisor.Outcome) string { return ms(o.Stats.Latency, o.Stats.Latency.P50) }),
		row("latency p95, ms", func(o advisor.Outcome) string { return ms(o.Stats.Latency, o.Stats.Latency.P95) }),
		row("latency p99, ms", func(o advisor.Outcome) string { return ms(o.Stats.Latency, o.Stats.Latency.P99) }),
		row("replicas up", func(o advisor.Outcome) string {
			if o.Least == o.Most {
				return fmt.Sprint(o.Most)
			}
			return fmt.Sprintf("%d … %d", o.Least, o.Most)
		}),
		row("replicas answered", func(o advisor.Outcome) string { return fmt.Sprint(len(o.Replicas)) }),
	)
	most := max(before.Most, after.Most)
	for _, r := range [][]string{
		row("replicas over time", func(o advisor.Outcome) string { return fleetLine(o, most) }),
		row("replica hours", func(o advisor.Outcome) string { return figure(o.ReplicaSeconds, 1./3600) }),
		row("cost", func(o advisor.Outcome) string { return figure(o.Cost, 1) }),
		row("within "+limitOf(before), func(o advisor.Outcome) string {
			if o.Attainment == nil {
				return none
			}
			return share(*o.Attainment)
		}),
	} {
		if r[1] != none || r[2] != none {
			rows = append(rows, r)
		}
	}
	for i := range before.SLO {
		rows = append(rows, row("SLO "+before.SLO[i].Name, func(o advisor.Outcome) string {
			if i >= len(o.SLO) {
				return none
			}
			return verdict(o.SLO[i])
		}))
	}
	rows = append(rows, row("generator", func(o advisor.Outcome) string { return string(o.Health.Verdict) }))
	p.table("lrr", rows)
}

// limitOf names the limit that the attainment is of.
func limitOf(o advisor.Outcome) string {
	slo := make(profiles.SLO, len(o.SLO))
	for i, objective := range o.SLO {
		slo[i] = objective.Objective
	}
	tightest, _ := slo.Latency()
	return profiles.Duration(tightest.Limit * float64(time.Second)).String()
}

// figure writes three digits of what may not be known.
func figure(v *float64, times float64) string {
	if v == nil {
		return none
	}
	return fmt.Sprintf("%.3g", *v*times)
}

// fleetColumns is how wide a fleet over time is drawn.
const fleetColumns = 24

// fleetLine draws the replicas that were up over a load, most as the highest bar:
// a column is as high as its lowest moment, so that what was missing shows.
func fleetLine(o advisor.Outcome, most int) string {
	if len(o.Fleet) == 0 || o.Length <= 0 || most == 0 {
		return none
	}
	bars := []rune("·▁▂▃▄▅▆▇█")
	line := make([]rune, fleetColumns)
	for i := range line {
		from, to := o.Length*time.Duration(i)/fleetColumns, o.Length*time.Duration(i+1)/fleetColumns
		least := most
		for k, l := range o.Fleet {
			if ended := k+1 < len(o.Fleet) && o.Fleet[k+1].At <= from; l.At < to && !ended {
				least = min(least, l.Up)
			}
		}
		line[i] = bars[(least*(len(bars)-1)+most-1)/most]
	}
	return string(line)
}
