package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

// screen shows one text after the other: in place on a terminal, else one
// below the other.
type screen struct {
	out     io.Writer
	size    func() (width, height int) // of the terminal; nil: there is none
	divided bool                       // off a terminal: a line with the time between two texts

	shown         int // lines of the last text
	width, height int // of the terminal when it was shown
}

func newScreen(out *os.File, divided bool) *screen {
	s := &screen{out: out, divided: divided}
	if fd := int(out.Fd()); term.IsTerminal(fd) && os.Getenv("TERM") != "dumb" {
		s.size = func() (int, int) {
			width, height, err := term.GetSize(fd)
			if err != nil {
				return leastColumns, 24
			}
			return width, height
		}
	}
	return s
}

// terminalWidth is the number of columns of a terminal; 0 where there is none.
func terminalWidth(out *os.File) int {
	width, _, err := term.GetSize(int(out.Fd()))
	if err != nil {
		return 0
	}
	return width
}

// show replaces the last text. What does not fit on the terminal is cut off,
// so that the place of its begin is known the next time. The cursor stays
// below it: wherever the program ends, the terminal is as it should be.
func (s *screen) show(text string, now time.Time) error {
	var b strings.Builder
	switch {
	case s.size != nil:
		s.redraw(&b, strings.Split(strings.TrimSuffix(text, "\n"), "\n"))
	case s.divided && s.shown > 0:
		fmt.Fprintf(&b, "--- %s\n%s", now.UTC().Format(time.RFC3339), text)
	default:
		b.WriteString(text)
	}
	s.shown = max(s.shown, 1)
	_, err := io.WriteString(s.out, b.String())
	return err
}

const (
	noWrap     = "\x1b[?7l" // long lines are cut by the terminal
	wrap       = "\x1b[?7h"
	clearLine  = "\x1b[K"
	clearBelow = "\x1b[J"
	home       = "\x1b[H"
)

func (s *screen) redraw(b *strings.Builder, lines []string) {
	width, height := s.size()
	if room := max(2, height-1); len(lines) > room {
		hidden := len(lines) - room + 1
		lines = append(lines[:room-1:room-1], fmt.Sprintf("and %d more lines", hidden))
	}
	b.WriteString(s.back(width, height) + noWrap)
	for _, line := range lines {
		b.WriteString(clearLine + line + "\n") // cleared afterwards, a full line would lose its end
	}
	b.WriteString(clearBelow + wrap)
	s.shown, s.width, s.height = len(lines), width, height
}

// back goes to the begin of the last text. A terminal of another size than it
// had then may have broken its lines anew, so all of it is used.
func (s *screen) back(width, height int) string {
	switch {
	case s.shown == 0:
		return ""
	case width != s.width || height != s.height:
		return home + clearBelow
	}
	return fmt.Sprintf("\x1b[%dA\r", s.shown)
}

// resized reports whether the terminal has another size than when the last text
// was shown.
func (s *screen) resized() bool {
	width, height := s.size()
	return width != s.width || height != s.height
}

// wipe takes the last text off the terminal.
func (s *screen) wipe() error {
	width, height := s.size()
	_, err := io.WriteString(s.out, s.back(width, height)+clearBelow)
	s.shown = 0
	return err
}
