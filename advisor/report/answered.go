package report

import (
	"cmp"
	"fmt"
	"slices"
	"unicode/utf8"

	"headroom/load"
	"headroom/probe"
	"headroom/profiles"
)

// replicas is the table of those that answered, with the ones that are known and
// did not behind them.
func (p *paper) replicas(s load.Snapshot, unanswered []probe.Replica) {
	if len(s.Replicas) == 0 {
		if s.Total.Count > s.Total.Failed {
			p.printf("\n")
			p.nameless(s)
		}
		return
	}
	p.printf("\n")
	rows := [][]string{{"replica", "state", "count", "failed", "share", "p50", "p95", "p99", "first", "last"}}
	parts := [][]string{{"replica", "network", "queue", "compute"}}
	for _, r := range s.Replicas {
		q := r.Service
		rows = append(rows, []string{r.Name, cmp.Or(string(r.State), none), fmt.Sprint(r.Count), fmt.Sprint(r.Failed), fmt.Sprintf("%.1f %%", r.Share*100),
			ms(q, q.P50), ms(q, q.P95), ms(q, q.P99), clock(r.First), clock(r.Last)})
		if m := r.Parts; m != nil {
			parts = append(parts, []string{r.Name, part(m.Network), part(m.Queue), part(m.Compute)})
		}
	}
	for _, r := range unanswered {
		rows = append(rows, []string{r.ID, string(r.State), "0", none, none, none, none, none, none, none})
	}
	if first := len(rows[0]) - 2; p.width > 0 && columnsBeside(rows) > p.width-leastName {
		for i, row := range rows { // large figures leave no room for all
			rows[i] = slices.Delete(row, first, first+1)
		}
	}
	p.table("nlrrrrrrrr"[:len(rows[0])], rows)
	p.naming(s)
	for _, sentence := range s.Spread() {
		p.say("%s", sentence)
	}
	p.unnamed(s)
	if len(parts) > 1 {
		p.printf("\n")
		p.table("nrrr", parts)
		p.say("mean ms of the service time, as the answers say it; network is what they leave")
	}
}

// leastName is how much of a replica's name a table must have room for.
const leastName = 11

// columnsBeside is how wide a table is beside its first column.
func columnsBeside(rows [][]string) int {
	width := 0
	for i := range rows[0][1:] {
		widest := 0
		for _, row := range rows {
			widest = max(widest, utf8.RuneCountInString(row[i+1]))
		}
		width += 2 + widest
	}
	return width
}

// naming says where the names of the replicas come from.
func (p *paper) naming(s load.Snapshot) {
	how := "as told"
	if s.Found {
		how = fmt.Sprintf("found by itself (%s: %s)", s.Sure, s.Why)
	}
	p.say("service time in ms; replicas named by %s, %s", s.Identity, how)
}

// unnamed counts the answers without a name.
func (p *paper) unnamed(s load.Snapshot) {
	if s.Unnamed > 0 {
		p.say("%s no replica", profiles.Plural(s.Unnamed, "answer names", "answers name"))
	}
}

// nameless says why there are no names of replicas, and what helps.
func (p *paper) nameless(s load.Snapshot) {
	p.say("no answer names its replica: %s. Let answers carry a header X-Served-By (docs/replicas.md has the three lines), or say with --replica-from where to look", cmp.Or(s.Why, "there was no good one"))
}
