package platform

import (
	"slices"
	"strings"
	"testing"
	"time"

	"headroom/profiles"
)

// A query holds four scrapes, and what was exported says over what it looks.
func TestQueriesHoldScrapes(t *testing.T) {
	for _, c := range []struct {
		window time.Duration
		want   string // of the query
		lost   string // of the window; empty: it is kept
	}{
		{2 * time.Second, "[1m]", "metrics[0].window 2s becomes 1m"},
		{30 * time.Second, "[1m]", "metrics[0].window 30s becomes 1m"},
		{time.Minute, "[1m]", ""},
		{90500 * time.Millisecond, "[90500ms]", ""},
		{5 * time.Minute, "[5m]", ""},
	} {
		for _, pl := range []Platform{keda, nomad} {
			t.Run(pl.Name+" "+c.window.String(), func(t *testing.T) {
				doc, err := pl.Export(running(func(p *profiles.Policy) { p.Metrics[0].Window = profiles.Duration(c.window) }), Options{})
				if err != nil {
					t.Fatal(err)
				}
				if !strings.Contains(string(doc.Text), c.want) {
					t.Errorf("want a query over %s in\n%s", c.want, doc.Text)
				}
				i := slices.IndexFunc(doc.Losses, func(l Loss) bool { return l.Field == "metrics[0].window" })
				if got := i >= 0; got != (c.lost != "") || got && doc.Losses[i].Change() != c.lost {
					t.Errorf("losses %v, want %q", doc.Losses, c.lost)
				}
				if note := strings.Contains(strings.Join(doc.Notes, "\n"), "wants a scrape every"); note != (c.window < 4*time.Minute) {
					t.Errorf("notes %q, want one on scrapes: %t", doc.Notes, !note)
				}
			})
		}
	}
}
