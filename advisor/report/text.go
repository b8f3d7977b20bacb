package report

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"headroom/load"
	"headroom/profiles"
)

// none stands where there is no data, which is never zero.
const none = "–"

// WriteSummary writes a finished run as the terminal shows it at the end, in
// lines of so many columns, 80 or more; of 0 nothing is cut or wrapped.
func WriteSummary(w io.Writer, r Run, width int) error {
	p, s := &paper{w: w, width: width}, r.Result
	p.printf("\n")
	p.say("%s, %s: %s", s.Started.Format(time.DateTime), demand(s), lasted(s))
	p.steered(s)
	p.requests(s)
	p.streams(s)
	p.replicas(s, r.Fleet.Unanswered())
	p.failures(s)
	p.notes(s)
	p.slo(s.SLO)
	p.thresholds(s)
	p.generator(s)
	return p.err
}

// demand is what the load was.
func demand(s load.Snapshot) string {
	switch {
	case s.Open && s.Shaped:
		return "open model, arrivals over time"
	case s.Open:
		return "open model"
	case s.Shaped:
		return "users over time"
	}
	users := profiles.Plural(s.Wanted, "user", "users")
	if s.Spawned < s.Wanted {
		return fmt.Sprintf("%d of %s", s.Spawned, users) // the load was over before the others came
	}
	return users
}

// steered writes the flags that repeat what was done by hand.
func (p *paper) steered(s load.Snapshot) {
	if len(s.Stages) == 0 {
		return
	}
	p.say("steered by hand; these flags, instead of those it was started with, repeat the load:")
	p.command(profiles.StageFlags(s.Stages))
}

// lasted tells the load, over which rates are taken, from the wait for what
// was under way at its end.
func lasted(s load.Snapshot) string {
	const digits = 100 * time.Millisecond
	text := s.Loaded.Round(digits).String()
	if s.Loaded < time.Second {
		text = profiles.FormatLatency(s.Loaded)
	}
	text += " of load"
	if rest := (s.Elapsed - s.Loaded).Round(digits); rest > 0 {
		text += fmt.Sprintf(", then %s for the last answers", rest)
	}
	return text
}

// withTotal are the rows of the requests, with one of all below several.
func withTotal(s load.Snapshot) []load.Stats {
	if len(s.Requests) < 2 {
		return s.Requests
	}
	return append(slices.Clip(s.Requests), s.Total)
}

func (p *paper) requests(s load.Snapshot) {
	counts := [][]string{{"request", "count", "failed", "req/s", "received"}}
	var latency, service []distribution
	for _, r := range withTotal(s) {
		counts = append(counts, []string{r.Name, fmt.Sprint(r.Count), failed(r.Failed, r.Count), rate(r), profiles.FormatSize(r.Bytes)})
		latency = append(latency, distribution{r.Name, r.Latency})
		service = append(service, distribution{r.Name, r.Service})
	}
	p.printf("\n")
	p.table("nrrrr", counts)
	p.distributions("latency ms", latency)
	p.distributions("service time ms", service)
	p.say("of successes: latency from the intended start, service time from the actual send")
	if s.DeadSince > 0 {
		p.say("nothing has succeeded since %s", clock(s.DeadSince))
	}
	if t := s.Total; t.Aborted > 0 {
		p.say("still in flight at the end, and in no latency above: %s", profiles.Plural(t.Aborted, "request", "requests"))
		if !s.Open && t.Aborted > t.OpenStreams() {
			p.say("a user that waits sends nothing else, so a stall weighs little here: with --rate arrivals go on and it shows in full")
		}
	}
}

// distribution is a row of a table of times.
type distribution struct {
	name string
	load.Quantiles
}

// distributions is a table of times in milliseconds.
func (p *paper) distributions(title string, rows []distribution) {
	cells := [][]string{{title, "min", "avg", "p50", "p90", "p95", "p99", "max"}}
	for _, r := range rows {
		q := r.Quantiles
		cells = append(cells, []string{r.name, ms(q, q.Min), ms(q, q.Mean), ms(q, q.P50), ms(q, q.P90), ms(q, q.P95), ms(q, q.P99), ms(q, q.Max)})
	}
	p.printf("\n")
	p.table("nrrrrrrr", cells)
}

// streams is the table of the answers that were streams of events.
func (p *paper) streams(s load.Snapshot) {
	rows := [][]string{{"stream ms", "count", "complete", "events", "ttft p50", "p95", "gap p50", "p95"}}
	for _, r := range withTotal(s) {
		if r.Streams == nil {
			continue
		}
		first, gap := r.Streams.TTFT, r.Streams.Gap
		rows = append(rows, []string{r.Name, fmt.Sprint(r.Streams.Count), fmt.Sprint(r.Streams.Complete), fmt.Sprint(r.Streams.Events),
			ms(first, first.P50), ms(first, first.P95), ms(gap, gap.P50), ms(gap, gap.P95)})
	}
	if len(rows) > 1 {
		p.printf("\n")
		p.table("nrrrrrrr", rows)
		p.say("ttft from the intended start to the first event, gap from one event to the next; of all streams, as far as they came")
	}
}

// failures is the table of what went wrong, and of what the end of the run
// met still under way; then how long the failures took.
func (p *paper) failures(s load.Snapshot) {
	rows := [][]string{{"failure", "count", "first", "last", "example"}}
	var latency, service []distribution
	for _, f := range s.Failures {
		name := f.Failure.String()
		rows = append(rows, []string{name, fmt.Sprint(f.Count), clock(f.First), clock(f.Last), f.Example})
		if f.Status > 0 {
			name = fmt.Sprintf("%s %d", name, f.Status)
		}
		if n := len(latency); n > 0 && latency[n-1].name == name {
			continue // the checks have one of all of them
		}
		latency = append(latency, distribution{name, f.Latency})
		service = append(service, distribution{name, f.Service})
	}
	t := s.Total
	if n := t.Aborted - t.OpenStreams(); n > 0 {
		example := fmt.Sprintf("in flight at the end, the oldest for %s", profiles.FormatLatency(t.AbortedAge))
		rows = append(rows, []string{load.Aborted.String(), fmt.Sprint(n), none, none, example})
	}
	if n := t.OpenStreams(); n > 0 {
		rows = append(rows, []string{none, fmt.Sprint(n), none, none, "streams still open at the end, which is no failure"})
	}
	if len(rows) > 1 {
		p.printf("\n")
		p.table("lrrrt", rows)
	}
	if len(s.Failures) > 0 {
		p.distributions("failed latency ms", latency)
		p.distributions("failed service ms", service)
	}
}

// notes says what else a reader of the figures should know.
func (p *paper) notes(s load.Snapshot) {
	if s.Spent != "" {
		p.printf("\n")
		p.say("the load ended with the last row of the feed %s, which is read once", s.Spent)
	}
	if n, which := redirects(s.Statuses); n > 0 {
		p.printf("\n")
		p.say("%s (%s), which are not followed", profiles.Plural(n, "answer was a redirect", "answers were redirects"), which)
	}
	if c := s.Conns; c.Opened > 0 {
		p.printf("\n")
		text := fmt.Sprintf("%s to %s: dial p50 %s, p99 %s ms", profiles.Plural(c.Opened, "connection", "connections"),
			profiles.Plural(len(c.Remotes), "address", "addresses"), ms(c.Dial, c.Dial.P50), ms(c.Dial, c.Dial.P99))
		if c.TLS.Count > 0 {
			text += fmt.Sprintf("; TLS p50 %s, p99 %s ms", ms(c.TLS, c.TLS.P50), ms(c.TLS, c.TLS.P99))
		}
		p.say("%s; first byte p50 %s, p99 %s ms", text, ms(c.FirstByte, c.FirstByte.P50), ms(c.FirstByte, c.FirstByte.P99))
	}
	if s.Retried > 0 {
		p.printf("\n")
		p.say("%s a connection that the server had closed, and went out again on a fresh one", profiles.Plural(s.Retried, "request met", "requests met"))
	}
}

// redirects counts the answers that send elsewhere, and names their statuses.
func redirects(statuses []load.StatusCount) (n int64, which string) {
	var names []string
	for _, row := range statuses {
		switch row.Status {
		case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
			n += row.Count
			names = append(names, fmt.Sprintf("%d %s", row.Status, http.StatusText(int(row.Status))))
		}
	}
	return n, strings.Join(names, ", ")
}

func (p *paper) slo(objectives []load.Objective) {
	if len(objectives) > 0 {
		p.printf("\n")
	}
	for _, o := range objectives {
		text := fmt.Sprintf("SLO %s: %s", o.Name, verdict(o))
		if o.Unanswered > 0 {
			text += " (" + unanswered(o) + ")"
		}
		p.say("%s", text)
	}
}

// unanswered says what counts as over an objective without a measured time.
func unanswered(o load.Objective) string {
	switch o.Objective.Measure {
	case profiles.Gap:
		return fmt.Sprintf("%s silent for longer than the limit", profiles.Plural(o.Unanswered, "open stream was", "open streams were"))
	case profiles.FirstEvent:
		return fmt.Sprintf("%s over it without a first event", profiles.Plural(o.Unanswered, "request was", "requests were"))
	}
	return fmt.Sprintf("%s over it without a whole answer", profiles.Plural(o.Unanswered, "request was", "requests were"))
}

// verdict is what an objective stands at, with a sign.
func verdict(o load.Objective) string { return o.Format() + mark(o.Valid, o.Holds) }

func (p *paper) generator(s load.Snapshot) {
	h := s.Health
	text := fmt.Sprintf("generator %s", h.Verdict)
	if h.Reason != "" {
		text += ": " + h.Reason
	}
	p50, p99, cores := none, none, "its processor time not measured in so short a time"
	if s.Total.Count > 0 {
		p50, p99 = profiles.FormatLatency(h.LagP50), profiles.FormatLatency(h.LagP99)
	}
	if h.CPU > 0 {
		cores = fmt.Sprintf("%.2f cores", h.CPU)
	}
	text += fmt.Sprintf(" (sends late by p50 %s, p99 %s; %s", p50, p99, cores)
	if share, ok := h.Achieved(); ok {
		text += fmt.Sprintf("; %.1f %% of %s sent", share*100, profiles.Plural(h.Due, "arrival", "arrivals"))
	}
	if h.Late > 0 {
		text += fmt.Sprintf("; %s for a free user", profiles.Plural(h.Late, "arrival waited", "arrivals waited"))
	}
	if h.Dropped > 0 {
		text += fmt.Sprintf("; %s for want of a free user", profiles.Plural(h.Dropped, "arrival was dropped", "arrivals were dropped"))
	}
	if h.Missed > 0 {
		text += fmt.Sprintf("; answers slower than the users' pace cost %s", profiles.Plural(h.Missed, "request", "requests"))
	}
	p.printf("\n")
	p.say("%s)", text)
	if left := h.Resources(); left != "" {
		p.say("it and its machine: %s", left)
	}
	if h.Verdict == load.Limited {
		p.say("INCONCLUSIVE: the generator, not the target, was the limit")
	}
}

func failed(n, of int64) string {
	if of == 0 {
		return "0"
	}
	return fmt.Sprintf("%d (%.2f %%)", n, float64(n)/float64(of)*100)
}

func rate(s load.Stats) string {
	if s.Over <= 0 {
		return none
	}
	return profiles.FormatRate(s.Rate())
}

// ms writes a time of a distribution in milliseconds.
func ms(q load.Quantiles, d time.Duration) string {
	if q.Count == 0 {
		return none
	}
	return milliseconds(d)
}

// part is a mean time in ms, where there is one.
func part(d *time.Duration) string {
	if d == nil {
		return none
	}
	return milliseconds(*d)
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

// clock writes an offset as minutes and seconds.
func clock(d time.Duration) string {
	return fmt.Sprintf("%02d:%02d", int(d.Minutes()), int(d.Seconds())%60)
}
