package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

const watchEvery = time.Second

// watch shows what render writes, again and again, until an interrupt or until
// there is nothing to show any more.
func (a *app) watch(render func(ctx context.Context, out io.Writer) error, s *screen) error {
	ctx := a.signals.stop
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for seen := false; ; seen = true {
		var text bytes.Buffer
		switch err := render(ctx, &text); {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && seen:
			return fmt.Errorf("the scaler does not answer any more: %w", err)
		case err != nil:
			return err
		}
		if err := s.show(text.String(), time.Now()); err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// screen shows one text after the other: in place on a terminal, else one
// below the other.
type screen struct {
	out     io.Writer
	height  func() int // of the terminal; nil: there is none
	divided bool       // off a terminal: a line with the time between two texts
	shown   int        // lines of the last text
}

func newScreen(out *os.File, divided bool) *screen {
	s := &screen{out: out, divided: divided}
	if fd := int(out.Fd()); term.IsTerminal(fd) && os.Getenv("TERM") != "dumb" {
		s.height = func() int {
			_, height, err := term.GetSize(fd)
			if err != nil {
				return 24
			}
			return height
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
	case s.height != nil:
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
)

func (s *screen) redraw(b *strings.Builder, lines []string) {
	if room := max(2, s.height()-1); len(lines) > room {
		hidden := len(lines) - room + 1
		lines = append(lines[:room-1:room-1], fmt.Sprintf("and %d more lines", hidden))
	}
	if s.shown > 0 {
		fmt.Fprintf(b, "\x1b[%dA\r", s.shown)
	}
	b.WriteString(noWrap)
	for _, line := range lines {
		b.WriteString(line + clearLine + "\n")
	}
	b.WriteString(clearBelow + wrap)
	s.shown = len(lines)
}
