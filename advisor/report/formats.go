package report

import (
	"io"

	"headroom/advisor"
)

// Format is a way to write a run down.
type Format struct {
	Name  string
	Write func(w io.Writer, r Run, width int) error    // lines of a text take width columns; of 0 any
	Pair  func(w io.Writer, a, b Run, width int) error // side by side; nil: there is no such thing
}

// FormatList is a choice of formats.
type FormatList []Format

// Formats are all of this package.
var Formats = FormatList{
	{"text", WriteText, WritePair},
	{"json", anyWidth(WriteRun), nil},
	{"csv", anyWidth(WriteLocustStats), nil},
	{"html", anyWidth(WriteHTML), WritePairHTML},
	{"junit", anyWidth(WriteJUnit), nil},
	{"markdown", anyWidth(WriteMarkdown), WritePairMarkdown},
	{"locust-json", anyWidth(WriteLocustJSON), nil},
	{"k6", anyWidth(WriteK6), nil},
	{"hdr", anyWidth(WriteHDR), nil},
}

// anyWidth is for formats that have no lines to keep short.
func anyWidth(write func(io.Writer, Run) error) func(io.Writer, Run, int) error {
	return func(w io.Writer, r Run, _ int) error { return write(w, r) }
}

// Names are the names of the formats, or of those for two runs.
func (l FormatList) Names(pair bool) (names []string) {
	for _, f := range l {
		if !pair || f.Pair != nil {
			names = append(names, f.Name)
		}
	}
	return names
}

// Find is the format of a name.
func (l FormatList) Find(name string) (f Format, ok bool) {
	for _, f := range l {
		if f.Name == name {
			return f, true
		}
	}
	return f, false
}

// WriteText writes a run as the terminal shows it at its end.
func WriteText(w io.Writer, r Run, width int) error {
	if err := WriteSummary(w, r, width); err != nil {
		return err
	}
	if err := WriteBaseline(w, r.Baseline, width); err != nil {
		return err
	}
	if err := WriteSources(w, r.Fleet, r.Noticed, width); err != nil {
		return err
	}
	if err := WriteTimeline(w, "replicas over the load", r.Timeline.Of(r.offset()), width); err != nil {
		return err
	}
	return WriteFindings(w, r.Advice, r.Before, r.After)
}

// WriteFindings writes what a session found besides its swarm: the advice, and
// the comparison that proves it. Each may be nil.
func WriteFindings(w io.Writer, advice *advisor.Recommendation, before, after *advisor.Outcome) error {
	p := &paper{w: w}
	if advice != nil {
		p.printf("\n")
		p.advice(*advice)
	}
	if advice != nil && before != nil && after != nil {
		p.printf("\n")
		p.comparison(*before, *after)
	}
	return p.err
}

// WriteHDR writes the latencies as HdrHistogram's percentile file.
func WriteHDR(w io.Writer, r Run) error { return r.Result.Total.Histogram.WritePercentiles(w) }
