package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestWatch(t *testing.T) {
	gone := errors.New("connection refused")
	for _, tt := range []struct {
		name   string
		fails  int           // at which time, from 1
		ends   time.Duration // the interrupt
		err    error
		says   string
		prints string
	}{
		{"until an interrupt", 0, 2500 * time.Millisecond, context.Canceled, "", "text 1\n--- 2000-01-01T00:00:01Z\ntext 2\n--- 2000-01-01T00:00:02Z\ntext 3\n"},
		{"until the scaler has gone", 2, time.Minute, gone, "the scaler does not answer any more: ", "text 1\n"},
		{"there was none", 1, time.Minute, gone, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeoutCause(t.Context(), tt.ends, nil)
				defer cancel()
				stop, interrupt := context.WithCancel(t.Context())
				defer context.AfterFunc(ctx, interrupt)()
				a := &app{signals: &signals{stop: stop}}
				n := 0
				var out strings.Builder
				err := a.watch(func(_ context.Context, w io.Writer) error {
					n++
					if n == tt.fails {
						return gone
					}
					fmt.Fprintf(w, "text %d\n", n)
					return nil
				}, &screen{out: &out, divided: true})
				if !errors.Is(err, tt.err) || !strings.HasPrefix(err.Error(), tt.says) || out.String() != tt.prints {
					t.Errorf("got %v, prints %q; want %v, %q", err, out.String(), tt.err, tt.prints)
				}
			})
		})
	}
}

// On a terminal each text takes the place of the last one, and never more than
// the terminal has.
func TestScreenOnATerminal(t *testing.T) {
	var out strings.Builder
	height := 5
	s := &screen{out: &out, divided: true, height: func() int { return height }}
	for _, step := range []struct {
		what, text, want string
		height           int
	}{
		{"the first", "a\nb\n", "\x1b[?7la\x1b[K\nb\x1b[K\n\x1b[J\x1b[?7h", 5},
		{"a shorter one", "c\n", "\x1b[2A\r\x1b[?7lc\x1b[K\n\x1b[J\x1b[?7h", 5},
		{"one that does not fit", "1\n2\n3\n4\n5\n", "\x1b[1A\r\x1b[?7l1\x1b[K\n2\x1b[K\n3\x1b[K\nand 2 more lines\x1b[K\n\x1b[J\x1b[?7h", 5},
		{"one that fits", "1\n2\n3\n4\n", "\x1b[4A\r\x1b[?7l1\x1b[K\n2\x1b[K\n3\x1b[K\n4\x1b[K\n\x1b[J\x1b[?7h", 5},
		{"on next to nothing", "1\n2\n3\n", "\x1b[4A\r\x1b[?7l1\x1b[K\nand 2 more lines\x1b[K\n\x1b[J\x1b[?7h", 1},
	} {
		out.Reset()
		height = step.height
		if err := s.show(step.text, time.Time{}); err != nil || out.String() != step.want {
			t.Errorf("%s: got %q, %v, want %q", step.what, out.String(), err, step.want)
		}
	}
}
