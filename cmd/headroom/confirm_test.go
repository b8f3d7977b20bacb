package main

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestReadYes(t *testing.T) {
	for in, want := range map[string]bool{
		"y\n": true, " YES \n": true, "y\r\n": true, "n\n": false, "\n": false, "yeah\n": false,
		"": false, "y": false, // the end of the input is no answer
	} {
		if got, err := readYes(t.Context(), strings.NewReader(in)); err != nil || got != want {
			t.Errorf("readYes(%q) = %v, %v; want %v", in, got, err, want)
		}
	}
}

// An interrupt is heard while nobody types.
func TestReadYesInterrupted(t *testing.T) {
	in, silent := io.Pipe()
	defer silent.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	yes, err := readYes(ctx, in)
	if yes || !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: got %v, %v, want the interrupt", yes, err)
	}
	cut := &signals{}
	cut.count.Add(1)
	var out strings.Builder
	if code := exitCode(&out, cut, err); code != exitInterrupted || out.String() != "headroom: interrupted\n" {
		t.Errorf("interrupted: exit code %d, says %q; want 130 and one word", code, out.String())
	}
}

// Off a terminal silence is no consent.
func TestConfirmWantsATerminal(t *testing.T) {
	var known *exit
	if yes, err := newApp(t).confirm("sure?"); yes || !errors.As(err, &known) || known.code != exitUsage || !strings.Contains(err.Error(), "--yes") {
		t.Errorf("no terminal: got %v, %v, want a usage error about --yes", yes, err)
	}
}
