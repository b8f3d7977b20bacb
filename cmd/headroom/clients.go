package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"headroom/profiles"
)

func (a *app) applyCommand() *cobra.Command {
	var name runningScaler
	var yes bool
	cmd := &cobra.Command{
		Use:   "apply POLICY",
		Short: "Show what a policy would change at a running scaler, ask, and hand it over",
		Args:  oneArgument("the policy file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			policy, err := profiles.ReadPolicy(args[0])
			if err != nil {
				return &exit{exitUsage, err}
			}
			client, err := name.find()
			if err != nil {
				return err
			}
			present, err := client.Policy(cmd.Context())
			if err != nil {
				return err
			}
			changes := profiles.Changes(present, policy)
			if len(changes) == 0 {
				write(a.err, "nothing to change: the scaler follows this policy already\n")
				return nil
			}
			for _, c := range changes {
				write(a.err, fmt.Sprintf("  %-20s  %s -> %s\n", c.Field, c.From, c.To))
			}
			if !yes {
				ok, err := a.confirm("apply this?")
				if err != nil || !ok {
					return err
				}
			}
			if err := client.Follow(cmd.Context(), policy); err != nil {
				return err
			}
			write(a.err, "applied\n")
			return nil
		},
	}
	name.flags(cmd)
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	return cmd
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
