package report

import (
	"fmt"
	"io"
	"strings"

	"headroom/advisor"
)

// WriteMarkdown writes a run in GitHub's Markdown, without charts.
func WriteMarkdown(w io.Writer, r Run) error { return newPage(r).markdown(w) }

// WriteMeasurementMarkdown writes a measurement, and what became of the capacity
// since a baseline, in GitHub's Markdown.
func WriteMeasurementMarkdown(w io.Writer, m advisor.Measurement) error {
	c := m.Capacity
	out := page{Title: "Capacity of " + m.Target, Mood: plain, Verdict: fmt.Sprintf("%s under %s", c.SLO, m.SLO)}
	switch {
	case c.Refusal != nil:
		out.Mood, out.Verdict = unsure, "Refused: "+c.Refusal.Why
	case m.Baseline != nil && !m.Baseline.Known():
		out.Mood = unsure
	case m.Baseline != nil && !m.Baseline.Good():
		out.Mood = bad
	case m.Baseline != nil:
		out.Mood = good
	}
	out.add("Baseline", func(p *paper) { p.baselineTable(m.Baseline) })
	out.add("Measurement", func(p *paper) { p.steps(c) })
	return out.markdown(w)
}

// signs stand before a verdict.
var signs = map[mood]string{good: "✅ ", bad: "❌ ", unsure: "⚠️ ", plain: ""}

func (p page) markdown(w io.Writer) error {
	out := &paper{w: w}
	out.printf("# %s\n\n**%s%s**\n", markdownText(p.Title), signs[p.Mood], markdownText(p.Verdict))
	for _, s := range p.Sections {
		heading := "\n## " + s.Title + "\n"
		for _, b := range s.Blocks {
			if b.Chart != nil {
				continue
			}
			out.printf("%s\n", heading)
			heading = ""
			switch {
			case b.Table != nil:
				out.pipes(b.Table)
			case b.Code != "":
				out.printf("```\n%s\n```\n", b.Code)
			default:
				out.printf("%s\n", markdownText(b.Text))
			}
		}
	}
	return out.err
}

// pipes writes a table as Markdown has it.
func (p *paper) pipes(g *grid) {
	for i, row := range g.Rows {
		cells := make([]string, len(row))
		for j, cell := range row {
			cells[j] = markdownText(cell)
		}
		p.printf("| %s |\n", strings.Join(cells, " | "))
		if i == 0 {
			for _, align := range g.Align {
				if align == 'r' {
					p.printf("|---:")
				} else {
					p.printf("|:---")
				}
			}
			p.printf("|\n")
		}
	}
}

// markdownText keeps a text from being taken for anything else.
func markdownText(text string) string {
	return markdownSigns.Replace(text)
}

var markdownSigns = strings.NewReplacer("\\", "\\\\", "|", "\\|", "<", "&lt;", ">", "&gt;", "&", "&amp;", "*", "\\*", "_", "\\_", "`", "\\`", "[", "\\[", "]", "\\]", "\r", " ", "\n", " ")
