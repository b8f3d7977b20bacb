package report

import (
	"io"
	"time"

	"headroom/advisor"
	"headroom/probe"
)

// WriteSources writes what each source says of the replicas, and what kept the
// swarm from them at its end or for long, in lines as those of WriteSummary.
// Where there is nothing to say it writes nothing.
func WriteSources(w io.Writer, f probe.Fleet, noticed []advisor.Noticed, width int) error {
	p := &paper{w: w, width: width}
	p.sources(f, noticed)
	return p.err
}

func (p *paper) sources(f probe.Fleet, noticed []advisor.Noticed) {
	if line := f.SourceLine(); line != "" {
		p.printf("\n")
		p.say("%s", line)
		for _, source := range f.Sources {
			if source.Error != "" {
				p.say("%s", source.Error)
			}
		}
	}
	for _, n := range noticed {
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
}
