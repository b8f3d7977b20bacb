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

func TestWatchListing(t *testing.T) {
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
				err := a.watchListing(func(_ context.Context, w io.Writer) error {
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
