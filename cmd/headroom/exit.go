package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"headroom/advisor"
	"headroom/scaler"
)

// The exit codes. Of several the one listed first wins.
const (
	exitInterrupted  = 130
	exitUsage        = 2
	exitInconclusive = 3  // the generator was the limit, or advice is refused
	exitNotMet       = 99 // an SLO failed, or advice did not hold
	exitDrift        = 4  // a committed configuration says something else than the policy
	exitFailures     = 1  // requests failed, and no SLO was given
)

// exit is an error that sets the exit code. Its message may be empty when
// everything has been said.
type exit struct {
	code int
	err  error
}

func (e *exit) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *exit) Unwrap() error { return e.err }

// errStopped is the end of what was stopped before it had a result: by an
// interrupt, which says so itself, or from elsewhere.
var errStopped = &exit{exitInconclusive, stopped{}}

// stopped is an interruption with words of its own.
type stopped struct{}

func (stopped) Error() string        { return "stopped before there was a result" }
func (stopped) Is(target error) bool { return target == context.Canceled }

// usage marks an error as one of the command line, a file or the setting.
func usage(format string, args ...any) error { return &exit{exitUsage, fmt.Errorf(format, args...)} }

// exitCode prints an error and returns the code for it.
func exitCode(w io.Writer, signals *signals, err error) int {
	var known *exit
	code := exitUsage
	switch {
	case err == nil:
		code = 0
	case errors.As(err, &known):
		code = known.code
	}
	if signals.interrupted() {
		code, err = exitInterrupted, advisor.Failure(err)
		write(w, "headroom: interrupted\n")
	}
	if err != nil {
		write(w, complaint(err))
	}
	return code
}

// complaint is an error as the user sees it, each problem on a line of its
// own; nothing where there is nothing to say.
func complaint(err error) string {
	var b strings.Builder
	for line := range strings.Lines(strings.TrimSpace(err.Error())) {
		b.WriteString("headroom: " + strings.TrimSpace(line) + "\n")
	}
	return b.String()
}

// startError is what went wrong when the scaler could not start.
func startError(err error) error {
	var start *scaler.StartError
	if errors.As(err, &start) {
		return &exit{exitUsage, start}
	}
	return err
}
