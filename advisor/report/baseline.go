package report

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"headroom/advisor"
	"headroom/load"
	"headroom/profiles"
)

// Against compares a run with an earlier one, which was read from a file and
// has a tail.
func (r Run) Against(before Run, file string, tolerance profiles.Ratio) *advisor.Comparison {
	c := advisor.CompareRun(file, tolerance, r.Result.Tail, *before.Result.Tail)
	for _, d := range []struct{ what, now, before string }{
		{"target", r.Target, before.Target},
		{"machine", r.Machine.String(), before.Machine.String()},
		{"set of requests", requestNames(r.Result), requestNames(before.Result)},
		{"load", demand(r.Result), demand(before.Result)},
	} {
		if d.now != d.before {
			c.Differs = append(c.Differs, advisor.Difference(d.what, d.now, d.before))
		}
	}
	for _, d := range []struct {
		what        string
		now, before float64
		text        func(float64) string
	}{
		{"rate of arrivals", arrivalRate(r.Result), arrivalRate(before.Result), func(v float64) string { return profiles.FormatRate(v) + "/s" }},
		{"length", r.Result.Loaded.Seconds(), before.Result.Loaded.Seconds(), func(v float64) string {
			return profiles.Duration(time.Duration(v * float64(time.Second)).Round(time.Second)).String()
		}},
	} {
		if math.Abs(d.now-d.before) > alike*max(d.now, d.before) {
			c.Differs = append(c.Differs, advisor.Difference(d.what, d.text(d.now), d.text(d.before)))
		}
	}
	return &c
}

// alike is by how much, as a share, two runs may differ in what was meant to be
// the same.
const alike = 0.1

func requestNames(s load.Snapshot) string {
	var names []string
	for _, r := range s.Requests {
		names = append(names, r.Name)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// arrivalRate is how many arrivals were due each second; 0 in the closed model.
func arrivalRate(s load.Snapshot) float64 {
	if !s.Open || s.Loaded <= 0 {
		return 0
	}
	return float64(s.Health.Due) / s.Loaded.Seconds()
}

// WriteBaseline writes what became of a figure since a baseline; nothing where
// there is none.
func WriteBaseline(w io.Writer, c *advisor.Comparison, width int) error {
	p := &paper{w: w, width: width}
	p.baseline(c)
	return p.err
}

func (p *paper) baseline(c *advisor.Comparison) {
	if c == nil {
		return
	}
	p.printf("\n")
	p.say("%s%s", c, mark(c.Known(), c.Good()))
	for _, difference := range c.Differs {
		p.say("%s", difference)
	}
}

// baselineTable is the comparison as a table of one row, and what may explain
// it.
func (p *paper) baselineTable(c *advisor.Comparison) {
	if c == nil {
		return
	}
	row := []string{c.Figure, none, c.Format(c.Before), none, string(c.Change)}
	if c.Now != nil {
		row[1] = c.Format(*c.Now)
	}
	if c.Ratio != nil {
		row[3] = c.Ratio.String()
	}
	p.table("lrrrl", [][]string{{"figure", "now", "in " + c.Baseline, "change", "verdict"}, row})
	p.say("%s", c.Why)
	for _, difference := range c.Differs {
		p.say("%s", difference)
	}
}

// CheckBaseline reports why a run cannot be what another is compared with.
func CheckBaseline(r Run) error {
	switch tail := r.Result.Tail; {
	case tail == nil:
		return fmt.Errorf("got a run that does not say how sure its p95 is, want one of 5 seconds or more with answers")
	case tail.P95 == load.Unbounded:
		return fmt.Errorf("got a run in which so many requests failed that it has no p95, want one that is good")
	}
	return nil
}
