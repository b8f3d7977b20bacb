package main

import (
	"bufio"
	"context"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"headroom/advisor/report"
	"headroom/scaler"
)

func (a *app) workersCommand() *cobra.Command {
	var all bool
	cmd := a.listing("workers", "List the replicas of a running scaler", func(ctx context.Context, c *scaler.Client, asJSON bool) error {
		workers, err := c.Workers(ctx)
		if err != nil {
			return err
		}
		if !all {
			workers = slices.DeleteFunc(workers, func(w scaler.Worker) bool { return w.Status == "TERMINATED" })
		}
		if asJSON {
			return report.WriteJSON(a.out, workers)
		}
		return scaler.WriteWorkers(a.out, workers)
	})
	cmd.Flags().BoolVarP(&all, "all", "a", false, "also those that went lately")
	return cmd
}

func (a *app) queueCommand() *cobra.Command {
	return a.listing("queue", "List the requests that wait at a running scaler", func(ctx context.Context, c *scaler.Client, asJSON bool) error {
		waiting, err := c.Queue(ctx)
		if err != nil {
			return err
		}
		if asJSON {
			return report.WriteJSON(a.out, waiting)
		}
		return scaler.WriteQueue(a.out, waiting)
	})
}

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
