package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"headroom/advisor"
	"headroom/profiles"
)

// WriteSteps writes the steps of a measurement and what follows from them.
func WriteSteps(w io.Writer, c advisor.Capacity) error {
	p := &paper{w: w}
	p.steps(c)
	return p.err
}

// varies reports whether the steps of a fleet that nobody here governs were not all
// answered by as many replicas.
func varies(steps []advisor.Observation) bool {
	answered := 0
	for _, o := range steps {
		if o.Replicas != 0 || o.Answered == 0 || o.Trial.Users == 1 { // one user is served by one
			continue
		}
		if answered > 0 && o.Answered != answered {
			return true
		}
		answered = o.Answered
	}
	return false
}

func (p *paper) steps(c advisor.Capacity) {
	align, head := "llrrrrrt", []string{"step", "verdict", "req/s", "p50", "p95", "failed", "requests", "why"}
	differ := varies(c.Steps)
	if differ {
		align, head = "llrrrrrrt", slices.Insert(head, len(head)-1, "replicas")
	}
	rows := [][]string{head}
	for _, o := range c.Steps {
		rate, p50, p95 := none, none, none
		if o.Requests > 0 {
			rate, p50, p95 = profiles.FormatRate(o.Rate), bounded(o.P50), bounded(o.P95)
		}
		row := []string{o.Trial.Name, o.Finding(), rate, p50, p95, fmt.Sprint(o.Failed), fmt.Sprint(o.Requests)}
		switch {
		case differ && o.Answered > 0:
			row = append(row, fmt.Sprint(o.Answered))
		case differ:
			row = append(row, none)
		}
		rows = append(rows, append(row, o.Decisive()))
	}
	p.table(align, rows)
	if company := advisor.Company(c.Steps); company != "" {
		p.say("%s", company)
	}
	if c.Refusal == nil {
		alone := aloneText(c)
		if c.Knee > 0 {
			alone += fmt.Sprintf(", so that the knee is at %.1f users", c.Knee)
		}
		p.printf("\ncapacity of %s: %s under the SLO, %s at saturation; one request alone takes %s\n",
			profiles.Plural(max(1, c.Replicas), "replica", "replicas"), c.SLO, c.Saturation, alone)
		if m := c.Scaling; m != nil {
			p.printf("%d replicas: %s/s at saturation, %.0f %% of so many times one [%.0f … %.0f]\n",
				m.Replicas, profiles.FormatRate(m.Saturation), m.Efficiency.Value*100, m.Efficiency.Low*100, m.Efficiency.High*100)
			if text := togetherText(c); text != "" {
				p.printf("%s\n", text)
			}
		}
		p.printf("grade %s: %s (%s of %s used)\n", c.Grade, c.Assessment, c.Spent.Round(time.Second), c.Budget)
	}
}

// togetherText is what the second number of replicas hold within the SLO, or why
// that is not known; empty where nobody asked.
func togetherText(c advisor.Capacity) string {
	m := c.Scaling
	switch {
	case m.SLO == nil && m.Skipped == "":
		return ""
	case m.SLO == nil:
		return fmt.Sprintf("%d replicas: not measured under the SLO, as %s", m.Replicas, m.Skipped)
	}
	text := fmt.Sprintf("%d replicas: %s under the SLO", m.Replicas, m.SLO)
	if gain, ok := c.Gain(); ok {
		text += fmt.Sprintf(", %s of so many times one", gain.Share())
	}
	return text
}

// aloneText is the time of one request alone.
func aloneText(c advisor.Capacity) string {
	if c.Service <= 0 {
		return none
	}
	return profiles.FormatLatency(c.Service)
}

// tolerated is the share by which two capacities may differ and be called the
// same: what a grade B promises.
const tolerated profiles.Ratio = 100

// WriteMeasurements writes two measurements side by side, and whether the second
// is better, in lines of so many columns; of 0 of any width.
func WriteMeasurements(w io.Writer, a, b advisor.Measurement, width int) error {
	p := &paper{w: w, width: width}
	p.say("A is %s under %s", a.Target, a.SLO)
	p.say("B is %s under %s", b.Target, b.SLO)
	p.printf("\n")
	row := func(name string, of func(advisor.Measurement) string) []string { return []string{name, of(a), of(b)} }
	interval := func(of func(advisor.Capacity) advisor.Interval) func(advisor.Measurement) string {
		return func(m advisor.Measurement) string {
			if i := of(m.Capacity); i.Value > 0 {
				return i.String()
			}
			return none
		}
	}
	rows := [][]string{
		{"", "A", "B"},
		row("date, UTC", func(m advisor.Measurement) string { return m.Date.UTC().Format(time.DateTime) }),
		row("replicas", func(m advisor.Measurement) string { return fmt.Sprint(max(1, m.Capacity.Replicas)) }),
		row("capacity under the SLO", interval(func(c advisor.Capacity) advisor.Interval { return c.SLO })),
		row("saturation", interval(func(c advisor.Capacity) advisor.Interval { return c.Saturation })),
		row("one request alone", func(m advisor.Measurement) string { return aloneText(m.Capacity) }),
		row("grade", func(m advisor.Measurement) string {
			if r := m.Capacity.Refusal; r != nil {
				return "refused (" + r.Code + ")"
			}
			return string(m.Capacity.Grade)
		}),
	}
	if several := row("so many together, under it", severalHold); several[1] != none || several[2] != none {
		rows = append(rows, several)
	}
	p.table("lrr", rows)
	change := advisor.CompareCapacity("A", tolerated, b, a)
	p.printf("\n")
	p.say("%s", change)
	for _, d := range change.Differs {
		p.say("%s", d)
	}
	return p.err
}

// severalHold is what the second number of replicas hold within the SLO.
func severalHold(m advisor.Measurement) string {
	if s := m.Capacity.Scaling; s != nil && s.SLO != nil {
		return fmt.Sprintf("%d: %s", s.Replicas, s.SLO)
	}
	return none
}

// WriteRefusal writes why nothing is advised.
func WriteRefusal(w io.Writer, r *advisor.Refusal) error {
	_, err := fmt.Fprintf(w, "no advice (%s): %s\n  %s\n", r.Code, r.Why, r.Do)
	return err
}

// WriteAdvice writes a recommendation with its working.
func WriteAdvice(w io.Writer, r advisor.Recommendation) error {
	p := &paper{w: w}
	p.advice(r)
	return p.err
}

func (p *paper) advice(r advisor.Recommendation) {
	p.printf("recommendation, grade %s\n", r.Grade)
	if r.GradeWhy != "" {
		p.printf("%s\n", strings.Join(wrap(r.Assessment.String(), proseWidth), "\n"))
	}
	if len(r.Traffic) > 0 {
		p.printf("%s\n", strings.Join(wrap(trafficText(r.Traffic), proseWidth), "\n"))
	}
	p.printf("\n")
	width := 0
	for _, v := range r.Values {
		width = max(width, len(v.Name))
	}
	for _, v := range r.Values {
		p.printf("  %-*s  %s\n", width, v.Name, valueText(v))
		p.printf("  %-*s  %s\n", width, "", v.Formula)
		for _, line := range wrap(v.Why, 88-width) {
			p.printf("  %-*s  %s\n", width, "", line)
		}
	}
	texts := metricLines(r)
	if r.Capped != "" {
		texts = append(texts, r.Capped)
	}
	p.printf("%s", paragraphs(append(texts, r.Notes...)))
}

// trafficText is what was taken from a recorded load, in a line.
func trafficText(values []advisor.Value) string {
	return "the traffic, by the trace: " + valuesText(values)
}

func valuesText(values []advisor.Value) string {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = v.Name + " " + valueText(v)
	}
	return strings.Join(texts, ", ")
}

func bounded(d time.Duration) string {
	if d > time.Hour {
		return "∞"
	}
	return milliseconds(d)
}
