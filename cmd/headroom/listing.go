package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"headroom/advisor/report"
	"headroom/scaler"
)

// The formats of a listing.
const (
	asTable = "table"
	asWide  = "wide"
	asJSON  = "json"
)

func (a *app) workersCommand() *cobra.Command {
	var all bool
	var logs string
	list := func(ctx context.Context, c *scaler.Client, out io.Writer, format string) error {
		workers, err := c.Workers(ctx)
		if err != nil {
			return err
		}
		if !all {
			workers = slices.DeleteFunc(workers, func(w scaler.Worker) bool { return w.Status == "TERMINATED" })
		}
		switch format {
		case asJSON:
			return report.WriteJSON(out, workers)
		case asWide:
			return scaler.WriteWorkersWide(out, workers, time.Now(), terminalWidth(a.out))
		}
		return scaler.WriteWorkers(out, workers)
	}
	cmd := a.listing("workers", func(ctx context.Context, c *scaler.Client, out io.Writer, format string) error {
		if logs != "" {
			return writeLogs(ctx, c, out, logs, format)
		}
		return list(ctx, c, out, format)
	})
	cmd.Short = "List the replicas of a running scaler, or what one of them printed"
	cmd.Example = "  headroom workers --watch -o wide\n  headroom workers --logs replica-3"
	cmd.Flags().BoolVarP(&all, "all", "a", false, "also those that went lately")
	cmd.Flags().StringVar(&logs, "logs", "", "print the latest output of the replica with this `ID`; with -o wide when and where each line was printed")
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) error {
		for _, other := range []string{"all", "watch"} {
			if logs != "" && cmd.Flags().Changed(other) {
				return usage("--%s: got it together with --logs, want one of the two", other)
			}
		}
		return nil
	}
	return cmd
}

func (a *app) queueCommand() *cobra.Command {
	cmd := a.listing("queue", func(ctx context.Context, c *scaler.Client, out io.Writer, format string) error {
		waiting, err := c.Queue(ctx)
		if err != nil {
			return err
		}
		switch format {
		case asJSON:
			return report.WriteJSON(out, waiting)
		case asWide:
			return scaler.WriteQueueWide(out, waiting, time.Now())
		}
		return scaler.WriteQueue(out, waiting)
	})
	cmd.Short = "List the requests that wait at a running scaler"
	return cmd
}

func writeLogs(ctx context.Context, c *scaler.Client, out io.Writer, id, format string) error {
	lines, err := c.Logs(ctx, id)
	if err != nil {
		return err
	}
	if format == asJSON {
		return report.WriteJSON(out, lines)
	}
	for _, l := range lines {
		text := l.Text
		if format == asWide {
			stream := "stdout"
			if l.Stderr {
				stream = "stderr"
			}
			text = l.At.UTC().Format("2006-01-02T15:04:05.000Z") + "  " + stream + "  " + text
		}
		if _, err := io.WriteString(out, text+"\n"); err != nil {
			return err
		}
	}
	return nil
}

// listing is a command that prints what a running scaler has, once or again
// each second.
func (a *app) listing(use string, list func(ctx context.Context, c *scaler.Client, out io.Writer, format string) error) *cobra.Command {
	var running runningScaler
	var format string
	var watch bool
	cmd := &cobra.Command{
		Use: use, Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !slices.Contains([]string{asTable, asWide, asJSON}, format) {
				return usage("--output: got %q, want %s, %s or %s", format, asTable, asWide, asJSON)
			}
			client, err := running.find()
			if err != nil {
				return err
			}
			render := func(ctx context.Context, out io.Writer) error { return list(ctx, client, out, format) }
			if !watch {
				return render(cmd.Context(), a.out)
			}
			return a.watchListing(render, newScreen(a.out, format != asJSON))
		},
	}
	running.flags(cmd)
	cmd.Flags().StringVarP(&format, "output", "o", asTable, fmt.Sprintf("%s, %s or %s", asTable, asWide, asJSON))
	cmd.Flags().BoolVar(&watch, "watch", false, "print it each second until Ctrl-C; on a terminal in place")
	return cmd
}
