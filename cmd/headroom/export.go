package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
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
			return a.printExport(policy, to, round)
		},
	}
	f := cmd.Flags()
	f.StringVar(&to, "to", "", "platform: "+strings.Join(platform.Names(), ", "))
	f.BoolVar(&list, "list", false, "list the platforms")
	f.BoolVar(&round, "round", false, "round a target down to what the platform can say")
	return cmd
}

// exportTo writes a policy as a platform's configuration, and returns what of
// it is lost there, a line each.
func exportTo(w io.Writer, p profiles.Policy, name string, round bool) (lost []string, err error) {
	to, err := platform.Find(name)
	if err != nil {
		return nil, &exit{exitUsage, err}
	}
	doc, err := to.Export(p, platform.Options{Round: round})
	if err != nil {
		return nil, &exit{exitUsage, err}
	}
	for _, l := range doc.Losses {
		lost = append(lost, fmt.Sprintf("lost: %s: %s", l.Field, l.Reason))
	}
	_, err = w.Write(doc.Text)
	return lost, err
}

// printExport writes a policy as a platform's configuration to stdout.
func (a *app) printExport(p profiles.Policy, name string, round bool) error {
	lost, err := exportTo(a.out, p, name, round)
	for _, l := range lost {
		write(a.err, l+"\n")
	}
	return err
}

// exportFile writes an advised policy, rounded to what the platform can say,
// to a file.
func (a *app) exportFile(path string, p profiles.Policy, name string) (lost []string, err error) {
	err = a.saveFile(path, func(w io.Writer) (err error) {
		lost, err = exportTo(w, p, name, true)
		return err
	})
	return lost, err
}

// exportAdvice writes the advised policy, with its full numbers, to a file,
// and says what is lost. A file that is there is an fs.ErrExist, unless it may
// be overwritten.
func (a *app) exportAdvice(s advisor.State, name, path string, overwrite bool) (notice string, err error) {
	if s.Advice == nil {
		return "", errors.New("there is no advice to export: measure first")
	}
	if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && !overwrite {
		return "", fmt.Errorf("%s: %w", path, fs.ErrExist)
	}
	lost, err := a.exportFile(path, s.Advice.Policy, name)
	return strings.Join(append([]string{"wrote " + path}, lost...), "; "), err
}
