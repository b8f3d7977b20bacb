package tui

import (
	"fmt"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"
)

// page is a view whose rows can be moved through: head, sum and foot stay.
type page struct {
	head, rows, foot []string
	sum              []string // right below the rows
	tail             bool     // the end is what matters; it is shown unless the user moved
	titles           []string // of the columns that the rows can be sorted by
}

// scroll is where the user is in a page.
type scroll struct {
	top   int // first row in view
	moved bool
}

// visible is how many rows have room, the line that says where one is left
// out.
func (p page) visible(h int) int {
	room := max(0, h-len(p.head)-len(p.sum)-len(p.foot))
	if len(p.rows) > room {
		room = max(0, room-1)
	}
	return room
}

// last is the highest row that may come first.
func (p page) last(h int) int { return max(0, len(p.rows)-p.visible(h)) }

// top is the first row in view.
func (p page) top(at scroll, h int) int {
	if at.moved {
		return min(max(0, at.top), p.last(h))
	}
	if p.tail {
		return p.last(h)
	}
	return 0
}

// leap is how many rows a page is; the row at its edge stays in view.
func (p page) leap(h int) int { return max(1, p.visible(h)-1) }

// by is how many rows a key goes down; ok is false for one that does not move.
func (p page) by(msg tea.KeyMsg, h int) (rows int, ok bool) {
	switch {
	case key.Matches(msg, keys.Down):
		return 1, true
	case key.Matches(msg, keys.Up):
		return -1, true
	case key.Matches(msg, keys.PageDown):
		return p.leap(h), true
	case key.Matches(msg, keys.PageUp):
		return -p.leap(h), true
	case key.Matches(msg, keys.Bottom):
		return far, true
	case key.Matches(msg, keys.Top):
		return -far, true
	}
	return 0, false
}

// move is where the user is after going down by so many rows.
func (p page) move(at scroll, by, h int) scroll {
	top := min(max(0, p.top(at, h)+by), p.last(h))
	rest := 0
	if p.tail {
		rest = p.last(h)
	}
	return scroll{top: top, moved: top != rest}
}

// render returns at most h lines, the foot at the bottom.
func (p page) render(s *styles, at scroll, h int) []string {
	top, visible := p.top(at, h), p.visible(h)
	out := append([]string(nil), p.head...)
	out = append(out, p.rows[top:min(len(p.rows), top+visible)]...)
	if len(p.rows) > visible && visible > 0 {
		out = append(out, s.paint(dim, fmt.Sprintf(" rows %d to %d of %d: %s to move",
			top+1, min(len(p.rows), top+visible), len(p.rows), keys.move())))
	}
	out = append(out, p.sum...)
	for len(out) < h-len(p.foot) {
		out = append(out, "")
	}
	out = append(out, p.foot...)
	return out[:min(len(out), max(0, h))]
}
