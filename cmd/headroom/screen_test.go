package main

import (
	"strings"
	"testing"
	"time"
)

// On a terminal each text takes the place of the last one, and never more than
// the terminal has.
func TestScreenOnATerminal(t *testing.T) {
	var out strings.Builder
	width, height := 80, 5
	s := &screen{out: &out, divided: true, size: func() (int, int) { return width, height }}
	for _, step := range []struct {
		what, text, want string
		width, height    int
	}{
		{"the first", "a\nb\n", "\x1b[?7l\x1b[Ka\n\x1b[Kb\n\x1b[J\x1b[?7h", 80, 5},
		{"a shorter one", "c\n", "\x1b[2A\r\x1b[?7l\x1b[Kc\n\x1b[J\x1b[?7h", 80, 5},
		{"one that does not fit", "1\n2\n3\n4\n5\n", "\x1b[1A\r\x1b[?7l\x1b[K1\n\x1b[K2\n\x1b[K3\n\x1b[Kand 2 more lines\n\x1b[J\x1b[?7h", 80, 5},
		{"one that fits", "1\n2\n3\n4\n", "\x1b[4A\r\x1b[?7l\x1b[K1\n\x1b[K2\n\x1b[K3\n\x1b[K4\n\x1b[J\x1b[?7h", 80, 5},
		{"on next to nothing", "1\n2\n3\n", "\x1b[H\x1b[J\x1b[?7l\x1b[K1\n\x1b[Kand 2 more lines\n\x1b[J\x1b[?7h", 80, 1},
		{"on a narrower one, which broke its lines", "1\n2\n", "\x1b[H\x1b[J\x1b[?7l\x1b[K1\n\x1b[K2\n\x1b[J\x1b[?7h", 60, 5},
	} {
		out.Reset()
		width, height = step.width, step.height
		if err := s.show(step.text, time.Time{}); err != nil || out.String() != step.want {
			t.Errorf("%s: got %q, %v, want %q", step.what, out.String(), err, step.want)
		}
	}
	out.Reset()
	if err := s.wipe(); err != nil || out.String() != "\x1b[2A\r\x1b[J" {
		t.Errorf("wipe writes %q, %v, want that two lines go", out.String(), err)
	}
}
