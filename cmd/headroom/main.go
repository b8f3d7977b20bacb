// Command headroom finds out how much load a service can take and turns that
// into an autoscale configuration that holds.
//
// This package wires the others together: it is the only place with flags,
// exit codes and signals.
package main

import (
	"context"
	"io"
	"os"
	_ "time/tzdata" // schedules name time zones, and not every machine knows them

	"headroom/scaler"
	"headroom/tui"
)

func main() {
	if scaler.IsSupervisor(os.Args) {
		os.Exit(scaler.Supervise(os.Args))
	}
	if tui.IsGuard(os.Args) {
		os.Exit(tui.Guard())
	}
	os.Exit(run(os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr}))
}

// streams are the three that every command has. The result goes to out,
// everything else to err.
type streams struct {
	in       *os.File
	out, err *os.File
}

// run executes one command line and returns its exit code.
func run(args []string, io streams) int {
	signals := catchSignals(context.Background())
	defer signals.release()
	root := newRoot(io, signals)
	root.SetArgs(args)
	err := root.ExecuteContext(signals.now)
	return exitCode(io.err, signals, err)
}

// write sends text to a stream; what cannot be written to a terminal that is
// gone cannot be reported either.
func write(w io.Writer, text string) { _, _ = io.WriteString(w, text) }
