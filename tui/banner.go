package tui

import (
	"fmt"
	"strings"
	"time"

	"headroom/advisor"
	"headroom/load"
)

// bannerLines is what a banner takes of the dashboard at most.
const bannerLines = 2

// banner is what one has to know before one looks at the charts: that nothing
// succeeds, or what keeps the load from replicas. It names the view that says
// more.
func banner(st advisor.State, s *styles, w int) []string {
	if why := dead(st); why != "" {
		return pointing(s, bad, "✗ "+why, viewFailures, w)
	}
	if len(st.Notices) > 0 {
		return pointing(s, warn, "! "+st.Notices[0].Text, viewReplicas, w)
	}
	return nil
}

// pointing is a text with the number of a view behind it. Where it is too long
// for a banner it loses its last clauses, not words of the others.
func pointing(s *styles, t tone, text string, view, w int) []string {
	text, to := clean(text), fmt.Sprintf(" (view %d)", view+1)
	for len(wrap(text+to, w-2)) > bannerLines {
		end := max(strings.LastIndex(text, ", "), strings.LastIndex(text, "; "), strings.LastIndex(text, ": "))
		if end < 0 {
			break
		}
		text = text[:end]
	}
	return said(s, t, text+to, w, bannerLines)
}

// dead says since when nothing has succeeded, and how requests fail instead;
// "" where some succeed, or none came to an end lately.
func dead(st advisor.State) string {
	l := st.Load
	if !st.Loaded || l.Phase != load.Running || l.Recent.Count == 0 || l.Recent.Failed < l.Recent.Count {
		return ""
	}
	text := "nothing has succeeded"
	if at, ok := lastSuccess(st); ok {
		text += " since " + clock(at)
	}
	return text + ": " + l.LatestFailure().Words()
}

// lastSuccess is the end of the last second of the load in which a request
// succeeded, as an offset; ok is false where there was none.
func lastSuccess(st advisor.State) (at time.Duration, ok bool) {
	for i := len(st.Points) - 1; i >= 0; i-- {
		p := st.Points[i]
		at = st.Load.Elapsed - (st.Points[len(st.Points)-1].At - p.At)
		if at <= 0 || p.Rate > p.Failed {
			return at, at > 0
		}
	}
	return 0, false
}
