package tui

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// width is how many cells s takes, which may be painted. It counts by itself
// what nearly all of a screen is: ASCII, lines and colours. With
// ansi.StringWidth alone, which splits into graphemes, that was most of the
// work of a frame.
func width(s string) int {
	cells := 0
	for i := 0; i < len(s); {
		if c := s[i]; c >= ' ' && c <= '~' {
			cells++
			i++
			continue
		}
		if n := colour(s[i:]); n > 0 {
			i += n
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if (r < '─' || r > '█') && r != '·' && r != '…' {
			return ansi.StringWidth(s)
		}
		cells++
		i += n
	}
	return cells
}

// colour is how long the sequence is with which s changes colours; 0: there is
// none.
func colour(s string) int {
	if !strings.HasPrefix(s, "\x1b[") {
		return 0
	}
	for i := 2; i < len(s); i++ {
		switch c := s[i]; {
		case c == 'm':
			return i + 1
		case c != ';' && (c < '0' || c > '9'):
			return 0
		}
	}
	return 0
}

// clean makes a text from elsewhere safe to show on one line. Names, headers
// and error texts come from the target: without this they could move the
// cursor or hide what else is on the screen.
func clean(s string) string {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] >= 0x7f {
			return strings.Map(printable, strings.ToValidUTF8(s, "?"))
		}
	}
	return s
}

func printable(r rune) rune {
	switch {
	case r == '\n' || r == '\t' || r == '\r':
		return ' '
	case r >= 0xfe00 && r <= 0xfe0f: // they change the width of the character before, in some terminals
		return -1
	case !unicode.IsGraphic(r):
		return '?'
	case r >= utf8.RuneSelf && width(" "+string(r)+" ") != width(string(r))+2:
		return -1 // it would join a neighbour and take the space of none
	default:
		return r
	}
}

// fit cuts or pads s, which may be painted, to exactly w cells.
func fit(s string, w int) string {
	return pad(cut(s, w), w)
}

// cut shortens s to at most w cells, with an ellipsis where that takes
// anything away.
func cut(s string, w int) string {
	if w <= 0 {
		return ""
	}
	if width(s) <= w {
		return s
	}
	return ansi.Truncate(s, w, "…")
}

func pad(s string, w int) string {
	if missing := w - width(s); missing > 0 {
		return s + strings.Repeat(" ", missing)
	}
	return s
}

func padLeft(s string, w int) string {
	if missing := w - width(s); missing > 0 {
		return strings.Repeat(" ", missing) + s
	}
	return s
}

// cutMiddle shortens a plain text where it tells least: in the middle.
func cutMiddle(s string, w int) string {
	have := width(s)
	switch {
	case have <= w:
		return s
	case w < 8:
		return cut(s, w)
	}
	left := ansi.Truncate(s, w/2, "")
	room := w - width(left) - 1
	right := ansi.TruncateLeft(s, have-room, "")
	if width(right) > room { // it began in the middle of a wide character
		right = ansi.TruncateLeft(s, have-room+1, "")
	}
	return left + "…" + right
}

// wrap breaks a plain text into lines of at most w cells, not at hyphens: flags
// and names have them.
func wrap(s string, w int) []string {
	if w <= 0 {
		return nil
	}
	const hyphen, unbreakable = "-", "\u2011"
	whole := ansi.Wrap(strings.ReplaceAll(clean(s), hyphen, unbreakable), w, "")
	var out []string
	for _, line := range strings.Split(strings.ReplaceAll(whole, unbreakable, hyphen), "\n") {
		if width(line) > w { // Wrap does not count a space before the first word
			out = append(out, strings.Split(ansi.Hardwrap(line, w, true), "\n")...)
		} else {
			out = append(out, line)
		}
	}
	return out
}

// wrapShort breaks a plain text into at most n lines of w cells. Where that is
// too little the text loses its middle: errors end with what would be right.
func wrapShort(s string, w, n int) []string {
	lines := wrap(s, w)
	for room := n * w; len(lines) > n; room -= max(1, w/8) {
		lines = wrap(cutMiddle(clean(s), room), w)
	}
	return lines
}

// sides puts left and right at the ends of a line of w cells. Where both do
// not fit, left is cut.
func sides(left, right string, w int) string {
	space := w - width(right)
	if right == "" || space < 2 {
		return cut(left, w)
	}
	return fit(left, space) + right
}

// part is a piece of a line that gives way when the line gets short: the
// highest rank first. Rank 0 stays.
type part struct {
	text string // painted
	rank int
}

// join puts as many parts as fit between separators, in their order.
func join(parts []part, separator string, w int) string {
	total := func() int {
		n := 0
		for i, p := range parts {
			if n += width(p.text); i > 0 {
				n += width(separator)
			}
		}
		return n
	}
	kept := parts[:0:0]
	for _, p := range parts {
		if p.text != "" {
			kept = append(kept, p)
		}
	}
	parts = kept
	for total() > w {
		worst := -1
		for i, p := range parts {
			if p.rank > 0 && (worst < 0 || p.rank >= parts[worst].rank) {
				worst = i
			}
		}
		if worst < 0 {
			break
		}
		parts = append(parts[:worst:worst], parts[worst+1:]...)
	}
	texts := make([]string, len(parts))
	for i, p := range parts {
		texts[i] = p.text
	}
	return cut(strings.Join(texts, separator), w)
}

// pack puts parts on as few lines of w cells as it can, in their order.
func pack(parts []string, w int) []string {
	var out []string
	for _, p := range parts {
		last := len(out) - 1
		switch {
		case p == "":
		case last >= 0 && width(out[last])+2+width(p) <= w:
			out[last] += "  " + p
		default:
			out = append(out, p)
		}
	}
	return out
}

// box frames lines to exactly w x h cells, with a title at the left and a
// note at the right of its upper edge.
func box(s *styles, title, note string, lines []string, w, h int) []string {
	if w < 8 || h < 2 {
		return exactly(lines, w, h)
	}
	edge := func(text string) string { return s.paint(dim, text) }
	room := w - 4 // the corners and one line beside each
	head := ""
	if title != "" {
		head = " " + cut(title, room-2) + " "
	}
	tail := ""
	if note != "" && width(head)+width(note)+2 <= room {
		tail = " " + note + " "
	}
	fill := max(0, room-width(head)-width(tail))
	out := make([]string, 0, h)
	out = append(out, edge("╭─")+s.paint(strong, head)+edge(strings.Repeat("─", fill))+tail+edge("─╮"))
	for i := range h - 2 {
		line := ""
		if i < len(lines) {
			line = lines[i]
		}
		out = append(out, edge("│")+fit(line, w-2)+edge("│"))
	}
	return append(out, edge("╰"+strings.Repeat("─", w-2)+"╯"))
}

// exactly cuts and pads lines to w x h cells.
func exactly(lines []string, w, h int) []string {
	out := make([]string, max(0, h))
	for i := range out {
		line := ""
		if i < len(lines) {
			line = lines[i]
		}
		out[i] = fit(line, w)
	}
	return out
}

// beside puts blocks of equal height next to each other.
func beside(blocks ...[]string) []string {
	if len(blocks) == 0 {
		return nil
	}
	out := make([]string, len(blocks[0]))
	for _, block := range blocks {
		for i := range out {
			out[i] += block[i]
		}
	}
	return out
}

// indent puts a blank before each line.
func indent(lines []string) []string {
	out := make([]string, len(lines))
	for i, line := range lines {
		out[i] = " " + line
	}
	return out
}
