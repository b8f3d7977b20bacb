package tui

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/charmbracelet/bubbles/key"
	"github.com/charmbracelet/bubbles/textinput"
	tea "github.com/charmbracelet/bubbletea"

	"headroom/profiles"
)

// arrangement is which rows of a view are shown, and in which order.
type arrangement struct {
	by      string // title of the column that they are sorted by; "": in their own order
	reverse bool   // the other way round
	filter  string // what must stand in one of their texts, in whatever case; "": nothing
}

// keeps reports whether a row with these texts is shown.
func (a arrangement) keeps(texts ...string) bool {
	if a.filter == "" {
		return true
	}
	want := strings.ToLower(a.filter)
	return slices.ContainsFunc(texts, func(t string) bool { return strings.Contains(strings.ToLower(t), want) })
}

// line says what is left out; it is there, empty, where nothing is, so that
// the rows do not move.
func (a arrangement) line(kept, all int, s *styles, w int) string {
	if a.filter == "" {
		return ""
	}
	return " " + s.paint(warn, cut(fmt.Sprintf("filter %q: %d of %d, %s shows all", a.filter, kept, all, keys.Cancel.Help().Key), w-2))
}

// arranged is t with the rows that are shown, in their order, and a sign at the
// column that they are sorted by; kept are their numbers in t.
func (t table) arranged(a arrangement) (out table, kept []int) {
	kept = t.arrange(a)
	out = t.marked(a)
	out.rows = make([][]cell, len(kept))
	for i, r := range kept {
		out.rows[i] = t.rows[r]
	}
	return out, kept
}

// arrange returns the numbers of the rows that are shown: figures the largest
// first, texts from A to Z, or each the other way round, and what has no figure
// last.
func (t table) arrange(a arrangement) []int {
	var kept []int
	for r, row := range t.rows {
		var texts []string
		for i, c := range row {
			if t.columns[i].left {
				texts = append(texts, c.text)
			}
		}
		if a.keeps(texts...) {
			kept = append(kept, r)
		}
	}
	at := slices.IndexFunc(t.columns, func(c column) bool { return c.title == a.by })
	if at < 0 {
		return kept
	}
	absent := func(c cell) int {
		if c.text == none || c.text == "" {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(kept, func(x, y int) int {
		one, other := t.rows[x][at], t.rows[y][at]
		if by := cmp.Compare(absent(one), absent(other)); by != 0 {
			return by
		}
		if a.reverse {
			one, other = other, one
		}
		if t.columns[at].left {
			return cmp.Compare(one.text, other.text)
		}
		return cmp.Compare(other.value, one.value)
	})
	return kept
}

// marked is t with a sign at the column that it is sorted by: ▲ where what is
// less comes first.
func (t table) marked(a arrangement) table {
	t.columns = slices.Clone(t.columns)
	for i := range t.columns {
		if c := &t.columns[i]; c.title == a.by {
			sign := "▼"
			if c.left != a.reverse {
				sign = "▲"
			}
			c.title += sign
			c.width = max(c.width, width(c.title))
		}
	}
	return t
}

// titles are those of the columns that have room.
func (t table) titles(w int) []string {
	var out []string
	for _, i := range t.choose(w) {
		out = append(out, t.columns[i].title)
	}
	return out
}

// sortBy sorts the rows of the view by a column, by the next one where none is
// named, and after the last one in their own order.
func (m *screen) sortBy(args []string) (tea.Cmd, error) {
	titles := m.page().titles
	at := &m.arranged[m.view]
	name := strings.Join(args, " ")
	switch {
	case len(titles) == 0:
		return nil, errors.New("this view has no rows to sort")
	case name == "":
		titles = append(titles, "")
		at.by, at.reverse = titles[(slices.Index(titles, at.by)+1)%len(titles)], false
	case slices.Contains(titles, name):
		at.by, at.reverse = name, false
	default:
		return nil, profiles.OneOf(name, titles)
	}
	m.scrolls[m.view] = scroll{}
	return nil, nil
}

// reverseSort turns the order of the rows round.
func (m *screen) reverseSort() tea.Cmd {
	at := &m.arranged[m.view]
	if at.by == "" {
		m.notice = notice{text: "the rows are in their own order: " + keys.Sort.Help().Key + " sorts them by a column", bad: true}
		return nil
	}
	at.reverse, m.scrolls[m.view] = !at.reverse, scroll{}
	return nil
}

// sortable are the titles of the columns that the view can be sorted by.
func (m *screen) sortable() []string { return m.page().titles }

// filterBy shows only the rows of the view with a text; without one it asks for
// it.
func (m *screen) filterBy(args []string) (tea.Cmd, error) {
	if m.view == viewDashboard || m.view == viewAdvisor {
		return nil, errors.New("this view has no rows to filter")
	}
	at := &m.arranged[m.view]
	if len(args) > 0 {
		at.filter, m.scrolls[m.view] = strings.Join(args, " "), scroll{}
		return nil, nil
	}
	m.mode = modeFilter
	m.filter.SetValue(at.filter)
	m.filter.CursorEnd()
	m.filter.Focus()
	return nil, nil
}

// unfilter takes the key that shows all rows again, before it means to stop.
func (m *screen) unfilter(msg tea.KeyMsg) bool {
	at := &m.arranged[m.view]
	if at.filter == "" || !key.Matches(msg, keys.Cancel) {
		return false
	}
	at.filter, m.scrolls[m.view] = "", scroll{}
	return true
}

// filterKey takes what is typed after the key of the filter; it counts at once.
func (m *screen) filterKey(msg tea.KeyMsg) tea.Cmd {
	at := &m.arranged[m.view]
	var cmd tea.Cmd
	switch {
	case key.Matches(msg, keys.Accept):
		m.mode = modeNormal
	case key.Matches(msg, keys.Cancel):
		m.mode = modeNormal
		m.filter.SetValue("")
	default:
		m.filter, cmd = m.filter.Update(msg)
	}
	if m.mode == modeNormal {
		m.filter.Blur()
	}
	at.filter, m.scrolls[m.view] = m.filter.Value(), scroll{}
	return cmd
}

// filterLine is where the filter is typed.
func filterLine(in textinput.Model, s *styles) []string {
	return []string{" " + s.paint(accent, "▸ filter ") + in.View()}
}
