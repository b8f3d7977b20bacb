package report

import (
	"fmt"
	"io"
	"strings"
	"time"

	"headroom/load"
	"headroom/profiles"
)

// paper collects the first error of many writes, so that the layout below
// reads as what it prints.
type paper struct {
	w   io.Writer
	err error
}

func (p *paper) printf(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format, args...)
	}
}

// table aligns rows of cells; align has an l or an r for each column.
func (p *paper) table(align string, rows [][]string) {
	widths := make([]int, len(align))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], len([]rune(cell)))
		}
	}
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-len([]rune(cell)))
			if i > 0 {
				line.WriteString("  ")
			}
			if align[i] == 'l' {
				line.WriteString(cell + pad)
			} else {
				line.WriteString(pad + cell)
			}
		}
		p.printf("%s\n", strings.TrimRight(line.String(), " "))
	}
}

// WriteSummary writes a finished run as the terminal shows it at the end.
func WriteSummary(w io.Writer, s load.Snapshot) error {
	p := &paper{w: w}
	p.printf("\n%s for %s", s.Started.Format(time.DateTime), s.Elapsed.Round(100*time.Millisecond))
	if s.Open {
		p.printf(", open model\n\n")
	} else {
		p.printf(", %d users\n\n", s.Wanted)
	}
	rows := [][]string{{"request", "count", "failed", "req/s", "min", "avg", "p50", "p95", "p99", "max", "service p95", "bytes"}}
	for _, r := range s.Requests {
		q := r.Latency
		rows = append(rows, []string{r.Name, fmt.Sprint(r.Count), failed(r.Failed, r.Count), profiles.FormatRate(r.Rate()),
			ms(q, q.Min), ms(q, q.Mean), ms(q, q.P50), ms(q, q.P95), ms(q, q.P99), ms(q, q.Max), ms(r.Service, r.Service.P95), size(r.Bytes)})
	}
	p.table("lrrrrrrrrrrr", rows)
	p.printf("latency in ms, from the intended start; service from the actual send\n")
	p.replicas(s)
	p.failures(s)
	if s.Aborted > 0 {
		p.printf("\n%d requests were cut off by the end of the run, the oldest after %s\n", s.Aborted, profiles.FormatLatency(s.AbortedAge))
	}
	if s.Retried > 0 {
		p.printf("\n%d requests met a connection that the server had closed, and were sent again\n", s.Retried)
	}
	if len(s.SLO) > 0 {
		p.printf("\n")
		for _, o := range s.SLO {
			p.printf("SLO %s: %s %s\n", o.Name, o.Format(), mark(o.Holds))
		}
	}
	p.printf("\ngenerator %s", s.Health.Verdict)
	if s.Health.Reason != "" {
		p.printf(": %s", s.Health.Reason)
	}
	p.printf(" (sends late by p50 %s, p99 %s; %.2f cores", profiles.FormatLatency(s.Health.LagP50), profiles.FormatLatency(s.Health.LagP99), s.Health.CPU)
	if s.Health.Late > 0 {
		p.printf("; %d arrivals waited for a free user", s.Health.Late)
	}
	p.printf(")\n")
	if s.Health.Verdict == load.Limited {
		p.printf("INCONCLUSIVE: the generator, not the target, was the limit\n")
	}
	return p.err
}

func (p *paper) replicas(s load.Snapshot) {
	if len(s.Replicas) == 0 {
		if s.Total.Count > s.Total.Failed {
			p.printf("\nno answer names its replica: send a header such as X-Served-By or a JSON field hostname, or say where to look with --replica-from\n")
		}
		return
	}
	how := "as told"
	if s.Found {
		how = "found by itself"
	}
	p.printf("\n")
	rows := [][]string{{"replica", "count", "failed", "share", "p50", "p95", "p99", "first seen"}}
	for _, r := range s.Replicas {
		q := r.Service
		rows = append(rows, []string{r.Name, fmt.Sprint(r.Count), failed(r.Failed, r.Count), fmt.Sprintf("%.1f %%", r.Share*100),
			ms(q, q.P50), ms(q, q.P95), ms(q, q.P99), clock(r.First)})
	}
	p.table("lrrrrrrr", rows)
	p.printf("service time in ms; replicas named by %s, %s\n", s.Identity, how)
	if s.Unnamed > 0 {
		p.printf("%d answers name no replica\n", s.Unnamed)
	}
}

func (p *paper) failures(s load.Snapshot) {
	if len(s.Failures) == 0 {
		return
	}
	p.printf("\n")
	rows := [][]string{{"failure", "example", "count", "first", "last"}}
	for _, f := range s.Failures {
		rows = append(rows, []string{f.Failure.String(), f.Example, fmt.Sprint(f.Count), clock(f.First), clock(f.Last)})
	}
	p.table("llrrr", rows)
}

func failed(n, of int64) string {
	if of == 0 {
		return "0"
	}
	return fmt.Sprintf("%d (%.2f %%)", n, float64(n)/float64(of)*100)
}

// ms writes a time of a distribution in milliseconds, or a dash where there
// is no data.
func ms(q load.Quantiles, d time.Duration) string {
	if q.Count == 0 {
		return "–"
	}
	return milliseconds(d)
}

func milliseconds(d time.Duration) string {
	switch v := float64(d) / float64(time.Millisecond); {
	case v < 10:
		return fmt.Sprintf("%.2f", v)
	case v < 100:
		return fmt.Sprintf("%.1f", v)
	default:
		return fmt.Sprintf("%.0f", v)
	}
}

func size(n int64) string {
	switch {
	case n >= 10<<20:
		return fmt.Sprintf("%.0f MiB", float64(n)/(1<<20))
	case n >= 10<<10:
		return fmt.Sprintf("%.0f KiB", float64(n)/(1<<10))
	default:
		return fmt.Sprint(n)
	}
}

// clock writes an offset as minutes and seconds.
func clock(d time.Duration) string {
	return fmt.Sprintf("%02d:%02d", int(d.Minutes()), int(d.Seconds())%60)
}

func mark(ok bool) string {
	if ok {
		return "✓"
	}
	return "✗"
}
