package report

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"headroom/load"
	"headroom/profiles"
)

// page is a report that has more than lines: HTML and Markdown are made of it.
type page struct {
	Title    string
	Mood     mood
	Verdict  string
	Sections []section
}

// mood is how a verdict is to be taken.
type mood string

const (
	good   mood = "good"
	bad    mood = "bad"
	unsure mood = "unsure"
	plain  mood = "plain" // nothing was asked for
)

// section is a part of a page with a heading.
type section struct {
	Title  string
	Blocks []block
}

// grid is a table. Align has a letter for each column, as paper.table takes
// it; the first row is the head.
type grid struct {
	Align string
	Rows  [][]string
}

// add appends a section of what write puts on paper, if that is anything.
func (p *page) add(title string, write func(*paper)) {
	var blocks []block
	write(&paper{kept: &blocks})
	if len(blocks) > 0 {
		p.Sections = append(p.Sections, section{title, blocks})
	}
}

func (p *paper) chart(c *chart) {
	if c != nil {
		*p.kept = append(*p.kept, block{Chart: c})
	}
}

// newPage is the report of a run.
func newPage(r Run) page {
	s := r.Result
	out := page{Title: "Load on " + r.Target}
	out.Mood, out.Verdict = conclusion(r)
	out.add("Summary", func(p *paper) {
		p.say("%s UTC, %s: %s", s.Started.UTC().Format(time.DateTime), demand(s), lasted(s))
		p.table("lr", summaryRows(r))
		p.steered(s)
		p.endedBy(s)
	})
	out.add("Objectives", func(p *paper) { p.objectives(s.SLO) })
	out.add("Thresholds", func(p *paper) { p.thresholdTable(s.Thresholds) })
	out.add("Baseline", func(p *paper) { p.baselineTable(r.Baseline) })
	out.add("Over time", func(p *paper) {
		for _, c := range overTime(r) {
			p.chart(c)
		}
	})
	out.add("Requests", func(p *paper) { p.requests(s) })
	out.add("Distribution", func(p *paper) { p.distribution(s.Total) })
	out.add("Streams", func(p *paper) { p.streams(s) })
	out.add("Failures", func(p *paper) { p.failures(s) })
	out.add("Replicas", func(p *paper) {
		p.replicas(s, r.Fleet.Unanswered())
		p.sources(r.Fleet, r.Noticed)
	})
	out.add("Replicas over the load", func(p *paper) { p.timeline("step by step", r.Timeline.Of(r.offset())) })
	out.add("Connections", func(p *paper) { p.notes(s) })
	out.add("Measurement", func(p *paper) {
		if r.Capacity != nil {
			p.chart(scalingCurve(*r.Capacity))
			p.steps(*r.Capacity)
		}
	})
	out.add("Advice", func(p *paper) { p.working(r) })
	out.add("Generator", func(p *paper) { p.generator(s) })
	out.add("Events", func(p *paper) { p.events(r) })
	out.add("How it was made", func(p *paper) { p.origin(r) })
	return out
}

// summaryRows are the figures of a run that everybody asks for.
func summaryRows(r Run) [][]string {
	rows := [][]string{{"figure", "value"}}
	for _, f := range figures {
		rows = append(rows, []string{f.name, f.of(r)})
	}
	return rows
}

// figures say what a run was in a line each.
var figures = []struct {
	name string
	of   func(Run) string
}{
	{"requests", func(r Run) string { return fmt.Sprint(r.Result.Total.Count) }},
	{"failed", func(r Run) string { return failed(r.Result.Total.Failed, r.Result.Total.Count) }},
	{"cut off by the end", func(r Run) string { return fmt.Sprint(r.Result.Total.Aborted) }},
	{"throughput, req/s", func(r Run) string { return rate(r.Result.Total) }},
	{"latency p50, ms", func(r Run) string { return ms(r.Result.Total.Latency, r.Result.Total.Latency.P50) }},
	{"latency p95, ms", func(r Run) string { return ms(r.Result.Total.Latency, r.Result.Total.Latency.P95) }},
	{"latency p99, ms", func(r Run) string { return ms(r.Result.Total.Latency, r.Result.Total.Latency.P99) }},
	{"service time p95, ms", func(r Run) string { return ms(r.Result.Total.Service, r.Result.Total.Service.P95) }},
	{"replicas answered", func(r Run) string {
		if len(r.Result.Replicas) == 0 {
			return none
		}
		return fmt.Sprint(len(r.Result.Replicas))
	}},
	{"generator", func(r Run) string { return string(r.Result.Health.Verdict) }},
}

// objectives is the table of the SLO.
func (p *paper) objectives(objectives []load.Objective) {
	rows := [][]string{{"objective", "value", "verdict"}}
	for _, o := range objectives {
		rows = append(rows, []string{o.Name, o.Format(), sign(o.Valid, o.Holds)})
	}
	if len(rows) > 1 {
		p.table("lrl", rows)
	}
	for _, o := range objectives {
		if o.Unanswered > 0 {
			p.say("%s: %s", o.Name, unanswered(o))
		}
	}
}

// distribution is the chart of the latencies and their percentiles.
func (p *paper) distribution(t load.Stats) {
	p.chart(spread(t.Histogram))
	rows := [][]string{{"percentile", "latency ms"}}
	for _, q := range []float64{0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 0.9999, 1} {
		if d, ok := t.Histogram.Quantile(q); ok {
			d = min(max(d, t.Latency.Min), t.Latency.Max)
			rows = append(rows, []string{profiles.MilliOf(q*100).String() + " %", milliseconds(d)})
		}
	}
	if len(rows) > 1 {
		p.table("lr", rows)
	}
}

// working is the advice as a table, what proves it, and the policy to copy.
func (p *paper) working(r Run) {
	if r.Advice == nil {
		return
	}
	p.say("%s", strings.TrimSuffix(fmt.Sprintf("grade %s: %s", r.Advice.Grade, r.Advice.Assessment), ": "))
	rows := [][]string{{"setting", "value", "from", "because"}}
	for _, v := range r.Advice.Values {
		rows = append(rows, []string{v.Name, valueText(v), v.Formula, v.Why})
	}
	p.table("lltt", rows)
	for _, note := range append(append(metricLines(*r.Advice), r.Advice.Capped), r.Advice.Notes...) {
		if note != "" {
			p.say("%s", note)
		}
	}
	if policy, err := r.Advice.Policy.YAML(); err == nil {
		*p.kept = append(*p.kept, block{Code: strings.TrimSpace(string(policy))})
	}
	if r.Before != nil && r.After != nil {
		p.comparison(*r.Before, *r.After)
	}
}

// events is the log of the session.
func (p *paper) events(r Run) {
	rows := [][]string{{"time", "kind", "event"}}
	for _, e := range r.Events {
		rows = append(rows, []string{e.At.UTC().Format(time.TimeOnly), e.Kind, e.Text})
	}
	if len(rows) > 1 {
		p.table("llt", rows)
	}
}

// origin says on what and with what a run was made, and how to repeat it.
func (p *paper) origin(r Run) {
	if r.Machine.Cores > 0 {
		p.say("%s on %s", cmp.Or(r.Program, "headroom"), r.Machine)
	}
	words := make([]string, len(r.Command))
	for i, word := range r.Command {
		words[i] = shellWord(word)
	}
	p.command(words)
}

// shellWord writes an argument so that a shell reads it as one word.
func shellWord(arg string) string {
	const safe = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=:,./@%"
	if arg != "" && strings.Trim(arg, safe) == "" {
		return arg
	}
	return "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
}
