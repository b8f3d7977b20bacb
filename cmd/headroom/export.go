package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"headroom/advisor"
	"headroom/profiles"
	"headroom/profiles/platform"
)

func (a *app) exportCommand() *cobra.Command {
	var to string
	var list, round bool
	cmd := &cobra.Command{
		Use:     "export POLICY --to NAME",
		Short:   "Write a policy as a platform's configuration",
		Example: "  headroom export policy.yaml --to jcloud > jcloud.yml",
		RunE: func(cmd *cobra.Command, args []string) error {
			if list {
				for _, p := range platform.All() {
					write(a.out, fmt.Sprintf("%-8s  %-12s  %s\n", p.Name, p.File, p.Title))
				}
				return nil
			}
			if len(args) != 1 || to == "" {
				return usage("export: got %d files and --to %q, want one POLICY and --to one of %s", len(args), to, strings.Join(platform.Names(), ", "))
			}
			policy, err := profiles.ReadPolicy(args[0])
			if err != nil {
				return &exit{exitUsage, err}
			}
			doc, err := exportTo(policy, to, round)
			if err != nil {
				return &exit{exitUsage, err}
			}
			for _, l := range doc.Losses {
				write(a.err, fmt.Sprintf("lost: %s: %s\n", l.Field, l.Reason))
			}
			_, err = a.out.Write(doc.Text)
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&to, "to", "", "platform: "+strings.Join(platform.Names(), ", "))
	f.BoolVar(&list, "list", false, "list the platforms")
	f.BoolVar(&round, "round", false, "round a target down to what the platform can say")
	return cmd
}

func exportTo(p profiles.Policy, name string, round bool) (platform.Document, error) {
	to, err := platform.Find(name)
	if err != nil {
		return platform.Document{}, err
	}
	return to.Export(p, platform.Options{Round: round})
}

// exportAdvice writes the advised policy, with its full numbers, to a file.
func exportAdvice(s advisor.State, name, path string) error {
	if s.Advice == nil {
		return errors.New("there is no advice to export: measure first")
	}
	doc, err := exportTo(s.Advice.Policy, name, true)
	if err != nil {
		return err
	}
	return saveFile(path, func(w io.Writer) error {
		_, err := w.Write(doc.Text)
		return err
	})
}
