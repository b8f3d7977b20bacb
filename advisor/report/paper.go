package report

import (
	"fmt"
	"io"
	"strings"

	"headroom/profiles"
)

// paper collects the first error of many writes, so that the layout reads as
// what it prints. A page of other formats is put together from the same tables
// and sentences: then they are kept instead of being laid out.
type paper struct {
	w     io.Writer
	width int // lines are kept to it; 0: nothing is cut or wrapped
	err   error
	kept  *[]block // nil: they are written
}

// block is a part of a page: a table, a text or lines for a shell.
type block struct {
	Table *grid
	Text  string
	Code  string
	Chart *chart
}

func (p *paper) printf(format string, args ...any) {
	if p.kept != nil {
		if text := strings.TrimSpace(fmt.Sprintf(format, args...)); text != "" {
			*p.kept = append(*p.kept, block{Text: text})
		}
		return
	}
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format, args...)
	}
}

// say writes a sentence on as many lines as it takes.
func (p *paper) say(format string, args ...any) {
	for _, line := range wrap(fmt.Sprintf(format, args...), p.width) {
		p.printf("%s\n", line)
	}
}

// command writes flags for a shell on as many lines as it takes, which a shell
// reads as one. A flag and its value stay together.
func (p *paper) command(flags []string) {
	const more = " \\"
	if p.kept != nil {
		*p.kept = append(*p.kept, block{Code: strings.Join(flags, " ")})
		return
	}
	p.printf("%s\n", strings.Join(fill(flags, max(0, p.width-len(more))), more+"\n"))
}

// table aligns rows of cells; align has a letter for each column: l and r for
// left and right, and for one that gives way where the page is too narrow n
// for names, which are cut so that they differ, or t for a text, which goes on
// below. The first row is the head.
func (p *paper) table(align string, rows [][]string) {
	if p.kept != nil {
		*p.kept = append(*p.kept, block{Table: &grid{align, rows}})
		return
	}
	widths := make([]int, len(align))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], len([]rune(cell)))
		}
	}
	flexible := strings.IndexAny(align, "nt")
	if flexible >= 0 && p.width > 0 {
		others := 2 * (len(widths) - 1)
		for i, w := range widths {
			if i != flexible {
				others += w
			}
		}
		widths[flexible] = min(widths[flexible], max(p.width-others, 8))
	}
	var names []string
	if flexible >= 0 && align[flexible] == 'n' {
		for _, row := range rows {
			names = append(names, row[flexible])
		}
		names = profiles.ShortNames(names, widths[flexible])
	}
	for i, row := range rows {
		rest := []string{}
		if flexible >= 0 {
			row = append([]string{}, row...)
			if names != nil {
				row[flexible] = names[i]
			} else {
				lines := wrap(row[flexible], widths[flexible])
				row[flexible], rest = lines[0], lines[1:]
			}
		}
		p.row(align, widths, row)
		for _, line := range rest {
			below := make([]string, len(row))
			below[flexible] = line
			p.row(align, widths, below)
		}
	}
}

func (p *paper) row(align string, widths []int, cells []string) {
	var line strings.Builder
	for i, cell := range cells {
		pad := strings.Repeat(" ", widths[i]-len([]rune(cell)))
		if i > 0 {
			line.WriteString("  ")
		}
		if align[i] == 'r' {
			line.WriteString(pad + cell)
		} else {
			line.WriteString(cell + pad)
		}
	}
	p.printf("%s\n", strings.TrimRight(line.String(), " "))
}

// wrap breaks text at spaces, and a word only where it is longer than a line.
// A width of 0 leaves it whole.
func wrap(s string, width int) []string {
	if width == 0 {
		return []string{s}
	}
	return fill(strings.Fields(s), width)
}

// fill puts words on as few lines as it can, and breaks a word only where it is
// longer than a line. With a width of 0 there is one line.
func fill(words []string, width int) []string {
	if width == 0 {
		return []string{strings.Join(words, " ")}
	}
	var lines []string
	line := []rune{}
	for _, field := range words {
		word := []rune(field)
		if len(line) > 0 && len(line)+1+len(word) > width {
			lines, line = append(lines, string(line)), line[:0]
		}
		if len(line) > 0 {
			line = append(line, ' ')
		}
		for ; len(word) > width; word = word[width:] {
			lines = append(lines, string(word[:width]))
		}
		line = append(line, word...)
	}
	return append(lines, string(line))
}
