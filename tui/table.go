package tui

import (
	"slices"
	"strings"
	"time"

	"headroom/profiles"
)

// column of a table. When the table gets narrow the columns of the highest
// rank go first; those of rank 0 stay.
type column struct {
	title string
	width int
	left  bool // aligned to the left; numbers are not
	rank  int
	grows bool // takes what its texts need of the room that is left; one a table
	name  bool // what is cut still differs from the others
	wraps bool // what does not fit goes on below; of the last column
}

type cell struct {
	text  string
	tone  tone
	value float64 // of a number, to sort by
}

func text(s string) cell          { return cell{text: s} }
func toned(t tone, s string) cell { return cell{text: s, tone: t} }

// number is a cell with a figure as it is written.
func number[T int | int64 | float64 | time.Duration](v T, s string) cell {
	return cell{text: s, value: float64(v)}
}

// in is the cell in another tone.
func (c cell) in(t tone) cell {
	c.tone = t
	return c
}

// toneIf is t where the condition holds.
func toneIf(condition bool, t tone) tone {
	if condition {
		return t
	}
	return plain
}

const columnGap = 2

// wrapped is how many lines a cell takes at most that goes on below.
const wrapped = 4

// table is rows under columns.
type table struct {
	columns []column
	rows    [][]cell
}

// render lays the table out over at most w cells. A row is one line, and more
// where a cell goes on below.
func (t table) render(s *styles, w int) (head string, rows []string) {
	shown := t.choose(w)
	widths := t.widths(shown, w)
	line := func(cellOf func(n, i int) cell) string {
		var b strings.Builder
		for n, i := range shown {
			if n > 0 {
				b.WriteString(strings.Repeat(" ", columnGap))
			}
			c := cellOf(n, i)
			content := cut(clean(c.text), widths[n])
			if !t.columns[i].left {
				content = padLeft(content, widths[n])
			}
			b.WriteString(s.paint(c.tone, content))
			if t.columns[i].left && n < len(shown)-1 {
				b.WriteString(strings.Repeat(" ", max(0, widths[n]-width(content))))
			}
		}
		return b.String()
	}
	head = line(func(_, i int) cell { return toned(dim, t.columns[i].title) })
	names := make([][]string, len(shown))
	for n, i := range shown {
		if t.columns[i].name {
			names[n] = t.names(i, widths[n])
		}
	}
	for r, row := range t.rows {
		var below []string
		rows = append(rows, line(func(n, i int) cell {
			if i >= len(row) {
				return cell{}
			}
			c := row[i]
			if names[n] != nil {
				c.text = names[n][r]
			}
			if t.columns[i].wraps {
				lines := wrapShort(c.text, widths[n], wrapped)
				c.text = lines[0]
				for _, more := range lines[1:] {
					below = append(below, strings.Repeat(" ", before(widths[:n]))+s.paint(c.tone, more))
				}
			}
			return c
		}))
		rows = append(rows, below...)
	}
	return head, rows
}

// before is where the column behind those of these widths begins.
func before(widths []int) int {
	at := 0
	for _, w := range widths {
		at += w + columnGap
	}
	return at
}

// names are those of a column, short enough for w cells.
func (t table) names(i, w int) []string {
	names := make([]string, len(t.rows))
	for r, row := range t.rows {
		if i < len(row) {
			names[r] = clean(row[i].text)
		}
	}
	return profiles.ShortNames(names, w)
}

// choose leaves out the columns of the highest rank until the rest fits, and
// takes back those that fit all the same.
func (t table) choose(w int) []int {
	byRank := make([]int, len(t.columns))
	total := -columnGap
	for i, c := range t.columns {
		byRank[i] = i
		total += c.width + columnGap
	}
	slices.SortStableFunc(byRank, func(a, b int) int { return t.columns[a].rank - t.columns[b].rank })
	out := make([]bool, len(t.columns))
	for n := len(byRank) - 1; n >= 0 && total > w; n-- {
		if c := t.columns[byRank[n]]; c.rank > 0 {
			out[byRank[n]] = true
			total -= c.width + columnGap
		}
	}
	for _, i := range byRank {
		if need := t.columns[i].width + columnGap; out[i] && total+need <= w {
			out[i] = false
			total += need
		}
	}
	var shown []int
	for i := range t.columns {
		if !out[i] {
			shown = append(shown, i)
		}
	}
	return shown
}

// widths gives the column that grows what its content needs, if there is
// room.
func (t table) widths(shown []int, w int) []int {
	widths := make([]int, len(shown))
	spare := w + columnGap
	for n, i := range shown {
		widths[n] = t.columns[i].width
		spare -= widths[n] + columnGap
	}
	for n, i := range shown {
		if !t.columns[i].grows || spare <= 0 {
			continue
		}
		need := widths[n]
		for _, row := range t.rows {
			if i < len(row) {
				need = max(need, width(clean(row[i].text)))
			}
		}
		widths[n] = min(need, widths[n]+spare)
	}
	return widths
}
