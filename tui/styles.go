package tui

import (
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/ansi"
	"github.com/guptarohit/asciigraph"
	"github.com/muesli/termenv"
)

// tone is what a piece of text is to say besides its words. Wherever a tone
// carries meaning, a word or a sign says the same.
type tone uint8

const (
	plain tone = iota
	strong
	dim
	good
	warn
	bad
	accent
	chosen // the active tab, the focused field
	tones
)

// pen is how a curve is drawn: its colour and its line.
type pen uint8

const (
	penMain  pen = iota // solid
	penLow              // dashed
	penHigh             // dotted
	penBad              // dashed
	penLimit            // dotted
	pens
)

// palette is one colour for 256 and for 16 colours, on a light and on a dark
// background.
type palette struct{ light, dark, light16, dark16 string }

func (p palette) colour() lipgloss.TerminalColor {
	return lipgloss.CompleteAdaptiveColor{
		Light: lipgloss.CompleteColor{TrueColor: p.light, ANSI256: p.light, ANSI: p.light16},
		Dark:  lipgloss.CompleteColor{TrueColor: p.dark, ANSI256: p.dark, ANSI: p.dark16},
	}
}

var (
	grey   = palette{"243", "245", "8", "8"}
	green  = palette{"28", "78", "2", "10"}
	yellow = palette{"130", "221", "3", "11"}
	red    = palette{"160", "203", "1", "9"}
	blue   = palette{"25", "75", "4", "12"}
	violet = palette{"90", "176", "5", "13"}
)

// styles are all looks of the screen for one terminal. They are made once and
// never change.
type styles struct {
	ascii bool
	inks  [tones]ink
	looks [tones]lipgloss.Style // the same, for components that want a Style
	pens  [pens]asciigraph.AnsiColor
}

// ink is a style as the sequences around a text: rendering a lipgloss.Style
// takes microseconds, and a frame has hundreds of pieces.
type ink struct{ open, close string }

// newStyles suits the terminal behind out, whose background is taken for what
// COLORFGBG says of it, or for dark.
func newStyles(out io.Writer, ascii bool) *styles {
	return stylesOn(out, lipgloss.HasDarkBackground(), ascii)
}

// stylesOn suits the terminal behind out. With NO_COLOR bold and reverse stay.
func stylesOn(out io.Writer, dark, ascii bool) *styles {
	r := lipgloss.NewRenderer(out)
	r.SetHasDarkBackground(dark)
	colours := r.ColorProfile() != termenv.Ascii
	if !colours && r.Output().ColorProfile() != termenv.Ascii {
		r.SetColorProfile(termenv.ANSI)
	}
	return stylesFor(r, colours, ascii)
}

func stylesFor(r *lipgloss.Renderer, colours, ascii bool) *styles {
	style := func(p palette) lipgloss.Style {
		if !colours {
			return r.NewStyle()
		}
		return r.NewStyle().Foreground(p.colour())
	}
	s := &styles{ascii: ascii, looks: [tones]lipgloss.Style{
		plain:  r.NewStyle(),
		strong: r.NewStyle().Bold(true),
		dim:    style(grey),
		good:   style(green),
		warn:   style(yellow).Bold(true),
		bad:    style(red).Bold(true),
		accent: style(blue),
		chosen: style(blue).Bold(true).Reverse(true),
	}}
	for t, look := range s.looks {
		const mark = "x"
		open, close, _ := strings.Cut(look.Render(mark), mark)
		s.inks[t] = ink{open, close}
	}
	if colours {
		pen := func(p palette) asciigraph.AnsiColor { return penColour(r, p) }
		s.pens = [pens]asciigraph.AnsiColor{
			penMain: pen(blue), penLow: pen(green), penHigh: pen(violet), penBad: pen(red), penLimit: pen(grey),
		}
	}
	return s
}

// penColour is a colour as asciigraph wants it: its number of the 256.
func penColour(r *lipgloss.Renderer, p palette) asciigraph.AnsiColor {
	basic, number := p.light16, p.light
	if r.HasDarkBackground() {
		basic, number = p.dark16, p.dark
	}
	if r.ColorProfile() == termenv.ANSI {
		number = basic
	}
	n, err := strconv.Atoi(number)
	if err != nil {
		return asciigraph.Default
	}
	return asciigraph.AnsiColor(n)
}

func (s *styles) paint(t tone, text string) string {
	if t == plain || text == "" {
		return text
	}
	return s.inks[t].open + text + s.inks[t].close
}

// draw writes text in the colour of a pen.
func (s *styles) draw(p pen, text string) string {
	if s.pens[p] == asciigraph.Default {
		return text
	}
	return s.pens[p].String() + text + asciigraph.Default.String()
}

// strokes are the lines that curves are drawn with, so that they can be told
// apart without colours.
var strokes = [pens]asciigraph.CharSet{
	penMain:  asciigraph.DefaultCharSet,
	penLow:   dashed("╌", "╎"),
	penHigh:  dashed("┈", "┊"),
	penBad:   dashed("╍", "╏"),
	penLimit: dashed("·", "·"),
}

func dashed(horizontal, vertical string) asciigraph.CharSet {
	c := asciigraph.DefaultCharSet
	c.Horizontal, c.VerticalLine, c.StartCap, c.EndCap = horizontal, vertical, horizontal, horizontal
	return c
}

// toASCII replaces every character of a finished frame by an ASCII one of the
// same width, so that the frame keeps its shape.
func toASCII(frame string) string {
	var b strings.Builder
	b.Grow(len(frame))
	for state := byte(0); frame != ""; {
		piece, cells, n, next := ansi.DecodeSequence(frame, state, nil)
		frame, state = frame[n:], next
		switch r, _ := utf8.DecodeRuneInString(piece); {
		case r == '\x1b':
			b.WriteString(piece)
		case r < utf8.RuneSelf:
			b.WriteByte(piece[0]) // without accents that follow
		case plainSigns[r] != 0:
			b.WriteByte(plainSigns[r])
		default:
			b.WriteString(strings.Repeat("?", cells))
		}
	}
	return b.String()
}

// plainSigns are the signs of the program's own texts. Those that no one sign
// can stand for, such as Greek letters, it writes as words everywhere.
var plainSigns = map[rune]byte{
	'─': '-', '│': '|', '╭': '.', '╮': '.', '╰': '\'', '╯': '\'', '┃': '|', '┤': '|', '┼': '|', '└': '`', '├': '|',
	'╌': '=', '╎': ':', '┈': '~', '┊': ':', '╍': '%', '╏': ':', '╴': '-', '╶': '-', '━': '=',
	'·': '.', '…': '~', '–': '-', '→': '>', '←': '<', '↑': '^', '↓': 'v', '▲': '^', '▼': 'v', '▶': '>',
	'■': '#', '◆': '*', '✓': '+', '✗': 'x', '█': '#', '░': '.', '∞': '^', '×': 'x', '❚': '|', '▸': '>',
	'²': '2', '↗': '/', '↘': '\\', '●': 'o', '○': 'O',
	'▁': '_', '▂': '.', '▃': ':', '▄': '-', '▅': '=', '▆': '+', '▇': '*', '▀': '"',
}
