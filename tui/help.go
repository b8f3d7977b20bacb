package tui

import (
	"strings"

	tea "github.com/charmbracelet/bubbletea"
)

// helpKey moves through a help that has more than fits; any other key leaves
// it.
func (m *screen) helpKey(msg tea.KeyMsg) {
	p, h := m.helpPage(), m.bodyHeight()
	if by, ok := p.by(msg, h); ok && p.last(h) > 0 {
		m.helpAt = p.move(m.helpAt, by, h)
		return
	}
	m.mode = modeNormal
}

// helpPage lists every command with its keys, in as many columns as there is
// room for. What explains signs and words stays in view.
func (m *screen) helpPage() page {
	const columnWidth = 39
	s, w := m.styles, m.w
	groups := helpGroups(m.offered(), s)
	columns := max(1, min(len(groups), (w-1)/columnWidth))
	lists := make([][]string, columns)
	for _, lines := range groups {
		shortest := 0
		for i := range lists {
			if len(lists[i]) < len(lists[shortest]) {
				shortest = i
			}
		}
		if len(lists[shortest]) > 0 {
			lists[shortest] = append(lists[shortest], "")
		}
		lists[shortest] = append(lists[shortest], lines...)
	}
	height := 0
	for _, list := range lists {
		height = max(height, len(list))
	}
	blocks := make([][]string, columns)
	for i, list := range lists {
		blocks[i] = exactly(list, columnWidth, height)
	}
	marks := append([]string{""}, prose(s, dim, "On a time axis: ▶ swarm · M measure · A apply · V verify · ■ idle · ↗ ↘ the load steps · e changed by hand · ▲3 ▼2 replicas wanted · ● first answer of a replica · ○ one goes · ✗ SLO lost · ✓ regained", w)...)
	marks = append(marks, prose(s, dim, "rates and p50 are the mean of a column; p95, p99 and counts its peak", w)...)
	return page{rows: indent(beside(blocks...)), sum: append(marks, prose(s, dim, unservedWords, w)...)}
}

// helpGroups are the lines of each group, its title first. What has no key is
// shown as it is typed.
func helpGroups(commands []command, s *styles) (groups [][]string) {
	title := ""
	for _, c := range commands {
		if c.group != title {
			title = c.group
			groups = append(groups, []string{s.paint(strong, title)})
		}
		last := &groups[len(groups)-1]
		*last = append(*last, s.paint(accent, padLeft(c.label(), 13))+" "+c.what)
	}
	return groups
}

// label are the keys of a command, or how it is typed.
func (c command) label() string {
	var labels []string
	for _, k := range c.keys {
		if label := k.Help().Key; label != "" {
			labels = append(labels, label)
		}
	}
	if len(labels) == 0 {
		return keys.Palette.Help().Key + c.name
	}
	return strings.Join(labels, " ")
}
