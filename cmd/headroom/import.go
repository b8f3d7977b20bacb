package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"headroom/profiles"
)

// What a file can be imported as.
const (
	asPolicy   = "policy"
	asScenario = "scenario"
)

func (a *app) importCommand() *cobra.Command {
	var from, as string
	cmd := &cobra.Command{
		Use:   "import FILE | -- curl ARGUMENTS",
		Short: "Read a platform's configuration as a policy, or recorded requests as a scenario",
		Long: "Read a platform's configuration as a policy: what the platform will do, in the words of a policy file.\n\n" +
			"The policy keeps the file in its section platforms; an export to the same platform changes only what the policy says.\n\n" +
			"With --as scenario, read an OpenAPI 3 document, or a HAR file, which browsers save, as a scenario; behind --, a command line of curl.",
		Example: "  headroom import hpa.yaml > policy.yaml\n" +
			"  headroom import openapi.json --as scenario > api.yaml\n" +
			"  headroom import shop.har --as scenario > shop.yaml\n" +
			"  headroom import -- curl -X POST http://127.0.0.1:8000/predict --json '{\"x\": 1}' > predict.yaml",
		RunE: func(cmd *cobra.Command, args []string) error {
			switch dash := cmd.ArgsLenAtDash(); {
			case as != asPolicy && as != asScenario:
				return usage("--as: got %q, want %s or %s", as, asPolicy, asScenario)
			case dash >= 0:
				return a.importCurl(args[:dash], args[dash:])
			case len(args) != 1:
				return usage("arguments: got %d, want one: a file, or -- curl and its arguments", len(args))
			case as == asScenario:
				return a.importRequests(args[0])
			}
			return a.importPolicy(args[0], from)
		},
	}
	fromFlag(cmd, &from)
	cmd.Flags().StringVar(&as, "as", asPolicy, "what the file becomes: policy or scenario")
	return cmd
}

func (a *app) importPolicy(path, from string) error {
	f, err := readPlatformFile(path, from)
	if kind := profiles.HoldsRequests(f.text); err != nil && from == "" && kind != "" {
		return usage("%s: got %s, want --as scenario with it", path, kind)
	}
	if err != nil {
		return err
	}
	for _, line := range lossLines(f.losses) {
		write(a.err, line+"\n")
	}
	write(a.err, fmt.Sprintf("%s keeps %s\n", f.platform.Name, f.policy.Summary()))
	text, err := f.policy.YAML()
	if err != nil {
		return err
	}
	_, err = a.out.Write(text)
	return err
}

// importCurl takes what stands in front of -- and behind it.
func (a *app) importCurl(before, command []string) error {
	if len(before) > 0 || len(command) == 0 || command[0] != "curl" {
		return usage("arguments: got %q, want a file, or -- curl and its arguments", strings.Join(append(before, command...), " "))
	}
	draft, err := profiles.DraftOfCurl(command[1:])
	if err != nil {
		return &exit{exitUsage, err}
	}
	return a.writeDraft(draft)
}

func (a *app) importRequests(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return &exit{exitUsage, err}
	}
	draft, err := profiles.DraftOfFile(data)
	if err != nil {
		return usage("%s: %w", path, err)
	}
	return a.writeDraft(draft)
}

func (a *app) writeDraft(d profiles.Draft) error {
	for _, note := range d.Notes {
		write(a.err, "note: "+printable(note)+"\n")
	}
	_, err := a.out.Write(d.YAML())
	return err
}
