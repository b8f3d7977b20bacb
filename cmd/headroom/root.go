package main

import (
	"errors"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"headroom/profiles"
)

// app is what the commands share.
type app struct {
	streams
	signals *signals
	ascii   bool // nothing else on a dashboard
}

func newRoot(io streams, signals *signals) *cobra.Command {
	a := &app{streams: io, signals: signals}
	swarm, form := a.runCommand()
	root := &cobra.Command{
		Use:           "headroom",
		Short:         "Find out how much load a service takes, and get an autoscale configuration that holds",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(cmd, args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !a.draws() {
				return cmd.Help()
			}
			if err := a.settle(swarm, nil); err != nil {
				return err
			}
			return form(cmd.Context())
		},
	}
	root.PersistentPreRunE = a.configure
	root.SetIn(io.in)
	root.SetOut(io.out)
	root.SetErr(io.err)
	root.SetFlagErrorFunc(flagError)
	a.asciiFlag(root.Flags())
	root.AddCommand(
		swarm, a.watchCommand(), a.attachCommand(), a.capacityCommand(), a.adviseCommand(), a.tuneCommand(), a.applyCommand(), a.exportCommand(), a.importCommand(), a.checkCommand(),
		a.simulateCommand(), a.reportCommand(), a.schemaCommand(), a.scalerCommand(), a.workersCommand(), a.queueCommand(), a.demoCommand(), a.targetCommand(), a.configCommand(), a.versionCommand(), a.docsCommand(),
	)
	refuseUnknown(root)
	addCompletion(root)
	return root
}

func commandNames(root *cobra.Command) (names []string) {
	for _, c := range root.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	return names
}

func unknownCommand(root *cobra.Command, got string) error {
	return usage("command: %w", profiles.OneOf(got, commandNames(root)))
}

// flagError says in our words what pflag says in its own.
func flagError(cmd *cobra.Command, err error) error {
	var bad *pflag.InvalidValueError
	var unknown *pflag.NotExistError
	switch {
	case errors.As(err, &unknown):
		name := "--" + unknown.GetSpecifiedName()
		if short := unknown.GetSpecifiedShortnames(); short != "" {
			name = "-" + unknown.GetSpecifiedName()
		}
		advice := "see " + cmd.CommandPath() + " --help"
		if near, ok := profiles.Nearest(unknown.GetSpecifiedName(), flagNames(cmd)); ok {
			advice = "did you mean --" + near + "?"
		}
		return usage("flag: got %s, which %s does not have: %s", name, cmd.CommandPath(), advice)
	case !errors.As(err, &bad):
		return &exit{exitUsage, err}
	}
	return usage("--%s: %w", bad.GetFlag().Name, badValue(err))
}

// flagNames are those that the help of a command shows.
func flagNames(cmd *cobra.Command) (names []string) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, f.Name)
		}
	})
	return names
}

// terminal reports whether somebody sits at a terminal.
func (a *app) terminal() bool {
	return term.IsTerminal(int(a.in.Fd())) && term.IsTerminal(int(a.out.Fd()))
}

// dumb reports whether that terminal can only print.
func (a *app) dumb() bool { return a.terminal() && os.Getenv("TERM") == "dumb" }

// interactive reports whether there is a terminal to draw on.
func (a *app) interactive() bool { return a.terminal() && !a.dumb() }

// draws is interactive for what is drawn on the whole screen; it says why
// there will be none on a terminal that could be thought to have one.
func (a *app) draws() bool {
	if a.dumb() {
		write(a.err, "TERM is dumb, so there is no dashboard: going on in plain lines\n")
	}
	return a.interactive()
}

// columns is how wide the lines of a result may be; 0 where it goes into a file
// or a pipe, which take any.
func (a *app) columns() int {
	if !term.IsTerminal(int(a.out.Fd())) {
		return 0
	}
	width, _, err := term.GetSize(int(a.out.Fd()))
	if err != nil {
		return leastColumns
	}
	return max(width, leastColumns)
}

// leastColumns is what a result needs; a terminal that has less wraps it.
const leastColumns = 80
