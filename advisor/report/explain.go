package report

import (
	"fmt"
	"io"
	"strings"

	"headroom/advisor"
	"headroom/profiles"
)

const proseWidth = 92 // columns that a derivation is wrapped to

// WriteExplanation writes the whole derivation of a recommendation: what was
// measured, which models fit it, how each metric did, and each value with its
// interval, its inputs, and what it is not. Lines are kept to so many columns,
// and texts to fewer where that reads better; 0: only texts are.
func WriteExplanation(w io.Writer, c advisor.Capacity, r advisor.Recommendation, width int) error {
	p := &paper{w: w, width: width}
	p.steps(c)
	if p.width = proseWidth; width > 0 {
		p.width = min(width, proseWidth)
	}
	p.printf("\n")
	p.curves(c)
	p.metrics(r)
	if len(r.Traffic) > 0 {
		p.printf("the traffic, by the trace\n")
	}
	for _, v := range r.Traffic {
		p.printf("\n")
		p.derivation(v)
	}
	if len(r.Traffic) > 0 {
		p.printf("\n")
	}
	p.printf("recommendation, grade %s\n", r.Grade)
	p.say("%s", r.Assessment)
	for _, v := range r.Values {
		p.printf("\n")
		p.derivation(v)
	}
	if r.Restriction != nil {
		p.printf("\n")
		p.say("%s", r.Restriction)
	}
	if r.Capped != "" {
		p.printf("\n")
		p.say("%s", r.Capped)
	}
	for _, n := range r.Notes {
		p.printf("\n")
		p.say("%s", n)
	}
	return p.err
}

// curves are the models of the throughput over users.
func (p *paper) curves(c advisor.Capacity) {
	p.say("throughput over users: the knee is at %.1f, which saturation times the time of one request alone come to", c.Knee)
	if len(c.Curves) == 0 {
		p.say("the rungs of the ladder are too few to fit a model to them")
		p.printf("\n")
		return
	}
	rows := [][]string{{"model", "AICc", "lambda", "sigma", "kappa", "at most", "at users"}}
	for _, m := range c.Curves {
		most, peak := none, none
		if m.Max > 0 {
			most = profiles.FormatRate(m.Max) + "/s"
		}
		if m.Peak > 0 {
			peak = fmt.Sprintf("%.1f", m.Peak)
		}
		rows = append(rows, []string{m.Model, fmt.Sprintf("%.1f", m.AICc), fmt.Sprintf("%.4g", m.Lambda), fmt.Sprintf("%.4f", m.Sigma), fmt.Sprintf("%.2g", m.Kappa), most, peak})
	}
	p.table("lrrrrrr", rows)
	p.say("the lowest AICc fits best")
	p.printf("\n")
}

// metrics are the verdicts with the tests they rest on.
func (p *paper) metrics(r advisor.Recommendation) {
	if len(r.Policy.Metrics) > 0 {
		p.say("scales on %s: %s", r.Policy.Metrics[0].Kind, r.Chosen)
		p.printf("\n")
	}
	for _, m := range r.Metrics {
		p.printf("  %-12s  %s\n", m.Kind, m.Fitness)
		for _, line := range wrap(m.Why, p.width-16) {
			p.printf("  %12s  %s\n", "", line)
		}
		for _, t := range m.Tests {
			mark, text := "✗", t.Instead
			switch {
			case t.Missing:
				mark = none
			case t.Passed:
				mark = "✓"
			}
			if text == "" {
				text = fmt.Sprintf("%.3g, wanted %s", t.Value, t.Want)
			}
			p.printf("  %12s  %s %-9s %s\n", "", mark, t.Name, text)
		}
	}
	if len(r.Metrics) > 0 {
		p.printf("\n")
	}
}

func (p *paper) derivation(v advisor.Value) {
	const margin = 12
	p.printf("  %-*s%s\n", margin, v.Name, valueText(v))
	below := func(what, text string) {
		for i, line := range wrap(text, p.width-2*margin) {
			if i > 0 {
				what = ""
			}
			p.printf("  %*s%-*s%s\n", margin, "", margin, what, line)
		}
	}
	below("formula", v.Formula)
	for _, in := range v.Inputs {
		below("from", in)
	}
	below("because", v.Why)
	for _, no := range v.Rejected {
		below("not", no.Option+": "+no.Why)
	}
}

// valueText writes "25.4 requests/s per replica [23 … 27]".
func valueText(v advisor.Value) string {
	text := fmt.Sprintf("%s %s", profiles.MilliOf(v.Value), v.Unit)
	if v.Low < v.High {
		text += fmt.Sprintf(" [%s … %s]", profiles.MilliOf(v.Low), profiles.MilliOf(v.High))
	}
	return text
}

// metricLines say in short why a recommendation scales on what it does, and
// what is to be said of the CPU, which most people think of first.
func metricLines(r advisor.Recommendation) []string {
	if len(r.Metrics) == 0 || len(r.Policy.Metrics) == 0 {
		return nil
	}
	kind := r.Policy.Metrics[0].Kind
	lines := []string{fmt.Sprintf("It scales on %s: %s.", kind, r.Chosen)}
	if r.Restriction != nil {
		lines = append(lines, r.Restriction.String()+".")
	}
	for _, m := range r.Metrics {
		if m.Kind == profiles.CPU && kind != profiles.CPU && m.Fitness != advisor.Unmeasured {
			lines = append(lines, fmt.Sprintf("cpu is %s: %s.", m.Fitness, m.Why))
		}
	}
	return append(lines, "All of it: headroom advise MEASUREMENT --explain.")
}

func paragraphs(texts []string) string {
	var out strings.Builder
	for _, t := range texts {
		out.WriteString("\n" + strings.Join(wrap(t, proseWidth), "\n") + "\n")
	}
	return out.String()
}
