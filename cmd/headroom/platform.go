package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"headroom/profiles"
	"headroom/profiles/document"
	"headroom/profiles/platform"
)

func (a *app) checkCommand() *cobra.Command {
	var from string
	var round bool
	cmd := &cobra.Command{
		Use:   "check POLICY FILE",
		Short: "Does this committed configuration still say what the policy says?",
		Long: "Compare what a platform does with a configuration to what it would do after an export of the policy.\n\n" +
			"Exit code 4 when the two differ.",
		Example: "  headroom check policy.yaml deploy/hpa.yaml",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return usage("arguments: got %d, want two: the policy file and the platform's file", len(args))
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			policy, err := readPolicy(args[0])
			if err != nil {
				return err
			}
			f, err := readPlatformFile(args[1], from)
			if err != nil {
				return err
			}
			write(a.err, fmt.Sprintf("%s keeps %s\n", args[1], f.policy.Summary()))
			doc, err := f.platform.Export(policy, platform.Options{Base: f.text, Round: round})
			if err != nil {
				return &exit{exitUsage, err}
			}
			drift := profiles.Changes(f.policy, doc.Effective)
			if len(drift) == 0 {
				write(a.out, fmt.Sprintf("%s says what %s says on %s\n", args[1], args[0], f.platform.Name))
				return nil
			}
			write(a.out, fmt.Sprintf("%s differs from %s on %s:\n", args[1], args[0], f.platform.Name))
			writeChanges(a.out, drift)
			return &exit{code: exitDrift}
		},
	}
	fromFlag(cmd, &from)
	cmd.Flags().BoolVar(&round, "round", false, "accept a target rounded down to what the platform can say")
	return cmd
}

// writeChanges prints the values of one policy and those of another.
func writeChanges(w io.Writer, changes []profiles.Change) {
	wide := 0
	for _, c := range changes {
		wide = max(wide, len(c.Field))
	}
	for _, c := range changes {
		write(w, fmt.Sprintf("  %-*s  %s -> %s\n", wide, c.Field, c.From, c.To))
	}
}

func fromFlag(cmd *cobra.Command, from *string) {
	cmd.Flags().StringVar(from, "from", "", "platform of the file: "+strings.Join(platform.Names(), ", ")+" (default: recognised by its content)")
}

// platformFile is a platform's configuration as a policy.
type platformFile struct {
	platform platform.Platform
	text     []byte
	policy   profiles.Policy
	losses   []platform.Loss
}

func readPlatformFile(path, from string) (f platformFile, err error) {
	if f.text, err = os.ReadFile(path); err != nil {
		return f, &exit{exitUsage, err}
	}
	if from != "" {
		if f.platform, err = platform.Find(from); err != nil {
			err = fmt.Errorf("--from: %w", err)
		}
	} else {
		f.platform, err = platform.Recognise(f.text)
	}
	if err != nil {
		if _, broken := document.Split(f.text); broken != nil && from == "" {
			err = fmt.Errorf("%w; as YAML it is broken: %w", err, broken)
		}
		return f, usage("%s: %w", path, err)
	}
	if f.policy, f.losses, err = f.platform.Import(f.text); err != nil {
		return f, usage("%s: %w", path, err)
	}
	return f, nil
}
