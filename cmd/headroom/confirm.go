package main

import (
	"bufio"
	"context"
	"io"
	"strings"
)

// confirm asks on the terminal; without one it refuses, because silence is no
// consent.
func (a *app) confirm(question string) (bool, error) {
	if !a.interactive() {
		return false, usage("--yes: got nothing, and there is no terminal to ask on: pass --yes")
	}
	write(a.err, question+" [y/N] ")
	yes, err := readYes(a.signals.stop, a.in)
	if err != nil {
		write(a.err, "\n") // the cursor is still behind the question
	}
	return yes, err
}

// readYes reads the answer to a question, until ctx ends. No answer is a no.
func readYes(ctx context.Context, in io.Reader) (bool, error) {
	// Nothing ends the reading of a terminal: after an interrupt it goes on
	// until the process ends, which is at once.
	answered := make(chan bool, 1)
	go func() {
		line, err := bufio.NewReader(in).ReadString('\n')
		line = strings.ToLower(strings.TrimSpace(line))
		answered <- err == nil && (line == "y" || line == "yes")
	}()
	select {
	case yes := <-answered:
		return yes, nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
}
