package report

import (
	"io"
	"time"

	"headroom/advisor"
)

// WriteSources writes what each source says of the replicas, and what kept the
// swarm from them at its end or for long, in lines as those of WriteSummary.
// Where there is nothing to say it writes nothing.
func WriteSources(w io.Writer, s advisor.State, width int) error {
	p := &paper{w: w, width: width}
	if line := s.Fleet.SourceLine(); line != "" {
		p.printf("\n")
		p.say("%s", line)
		for _, source := range s.Fleet.Sources {
			if source.Error != "" {
				p.say("%s", source.Error)
			}
		}
	}
	for _, n := range s.Noticed {
		if !n.Lasting() {
			continue
		}
		when := "from " + n.First.Format(time.TimeOnly)
		if n.AtEnd {
			when += " to the end"
		} else {
			when += " to " + n.Last.Format(time.TimeOnly)
		}
		p.printf("\n")
		p.say("notice %s: %s", when, n.Text)
	}
	return p.err
}
