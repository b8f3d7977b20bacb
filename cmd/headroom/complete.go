package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"headroom/advisor"
	"headroom/cmd/headroom/target"
	"headroom/profiles"
	"headroom/profiles/platform"
	"headroom/scaler/httpapi"
)

// flagValues are the few that a flag can have, by its name, or by "COMMAND FLAG"
// where they depend on the command.
var flagValues = map[string]func() []string{
	"arrivals":       fixed(profiles.Poisson, profiles.Even),
	"on-busy":        fixed(profiles.Queued, profiles.Dropped),
	"dispatch":       fixed(profiles.Dispatches...),
	"metric":         fixed(advisor.Metrics()...),
	"distribution":   fixed(target.Constant, target.Exponential),
	"as":             fixed("policy", "scenario"),
	"to":             platform.Names,
	"export":         exportNames,
	"replica-from":   fixed("json:", "header:", "cookie:", "text:", "addr"),
	"scaler":         runningNames(httpapi.Scaler),
	"apply name":     runningNames(httpapi.Scaler),
	"workers name":   runningNames(httpapi.Scaler),
	"queue name":     runningNames(httpapi.Scaler),
	"workers output": fixed(asTable, asWide, asJSON),
	"queue output":   fixed(asTable, asWide, asJSON),
	"config output":  fixed(asText, asJSON, asYAML),
	"version output": fixed(asText, asJSON),
	"report format":  func() []string { return formats.Names(false) },
}

// argumentValues are those of the commands whose arguments are no files.
var argumentValues = map[string]func() []string{
	"run": fixed[string](), "watch": fixed[string](), "capacity": fixed[string](), "workers": fixed[string](), "queue": fixed[string](),
	"demo": fixed[string](), "target": fixed[string](), "version": fixed[string](),
	"attach": runningNames(httpapi.Scaler, httpapi.Run),
}

// addCompletion teaches the shells what flags and arguments can be. Files are
// offered only where one is meant.
func addCompletion(root *cobra.Command) {
	for _, cmd := range root.Commands() {
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			words, ok := flagValues[cmd.Name()+" "+f.Name]
			if !ok {
				words, ok = flagValues[f.Name]
			}
			if kind, _ := pflag.UnquoteUsage(f); !ok && f.NoOptDefVal == "" && !takesPath(kind) {
				words, ok = fixed[string](), true
			}
			if ok { // fails only for a flag that has one
				_ = cmd.RegisterFlagCompletionFunc(f.Name, offer(words))
			}
		})
		if words, ok := argumentValues[cmd.Name()]; ok {
			cmd.ValidArgsFunction = offer(words)
		}
	}
}

// refuseUnknown has the commands of the library refuse words that name nothing,
// which it answers with a help: that of completion would be taken for a script.
func refuseUnknown(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	root.InitDefaultHelpCmd()
	for _, cmd := range root.Commands() {
		switch cmd.Name() {
		case "completion":
			cmd.Args = cobra.ArbitraryArgs
			cmd.RunE = func(_ *cobra.Command, args []string) error {
				return usage("shell: %w", profiles.OneOf(strings.Join(args, " "), commandNames(cmd)))
			}
			for _, shell := range cmd.Commands() {
				shell.Args = noArguments
			}
		case "help":
			cmd.Args = func(_ *cobra.Command, args []string) error {
				if _, rest, err := root.Find(args); err != nil || len(rest) > 0 {
					return unknownCommand(root, strings.Join(args, " "))
				}
				return nil
			}
		}
	}
}

// takesPath reports whether the value of a flag is, or may be, a file or a
// folder, by what the help calls it.
func takesPath(kind string) bool {
	return slices.ContainsFunc([]string{"FILE", "DIR", "PREFIX", "NAME: VALUE"}, func(word string) bool { return strings.Contains(kind, word) })
}

// offer gives words to the shell. Those that end in a sign go on behind it.
func offer(words func() []string) cobra.CompletionFunc {
	return func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		out := words()
		directive := cobra.ShellCompDirectiveNoFileComp
		if slices.ContainsFunc(out, func(w string) bool { return strings.HasSuffix(w, "=") || strings.HasSuffix(w, ":") }) {
			directive |= cobra.ShellCompDirectiveNoSpace
		}
		return out, directive
	}
}

func fixed[T ~string](all ...T) func() []string {
	return func() []string {
		out := make([]string, len(all))
		for i, v := range all {
			out[i] = string(v)
		}
		return out
	}
}

// exportNames begin a NAME=FILE.
func exportNames() (out []string) {
	for _, name := range platform.Names() {
		out = append(out, name+"=")
	}
	return out
}

// runningNames are those of what runs on this machine.
func runningNames(kinds ...httpapi.Kind) func() []string {
	return func() (out []string) {
		entries, _ := httpapi.Entries(httpapi.DefaultDir())
		for _, e := range entries {
			if slices.Contains(kinds, e.Kind) {
				out = append(out, e.Name)
			}
		}
		return out
	}
}
