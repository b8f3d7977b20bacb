package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"headroom/profiles"
	"headroom/profiles/document"
	"headroom/scaler"
)

func (a *app) applyCommand() *cobra.Command {
	var name runningScaler
	var settings []string
	var yes bool
	cmd := &cobra.Command{
		Use:   "apply [POLICY]",
		Short: "Show what a policy would change at a running scaler, ask, and hand it over",
		Long: "Show what a policy would change at a running scaler, ask, and hand it over.\n\n" +
			"Without a policy file, the settings change the policy that the scaler follows. A scaler with a policy file saves\n" +
			"what is applied; else it lasts until the scaler ends. A scaler that was pinned to a size follows its policy again.",
		Example: "  headroom apply policy.yaml\n  headroom apply --set max_workers=5 --set down.idle=2m",
		Args: func(_ *cobra.Command, args []string) error {
			switch {
			case len(args) > 1:
				return usage("arguments: got %d, want one: the policy file", len(args))
			case len(args) == 0 && len(settings) == 0:
				return usage("arguments: got none, want a policy file, or --set key=value, or both")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := name.find()
			if err != nil {
				return err
			}
			present, tag, err := client.Policy(cmd.Context())
			if err != nil {
				return err
			}
			policy := present
			if len(args) > 0 {
				if policy, err = readPolicy(args[0]); err != nil {
					return err
				}
			}
			if policy, err = withSettings(policy, settings); err != nil {
				return err
			}
			return a.apply(cmd.Context(), client, change{present, policy, tag}, yes)
		},
	}
	name.flags(cmd)
	setFlag(cmd.Flags(), &settings)
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	return cmd
}

// change is a policy that is to replace another.
type change struct {
	from, to profiles.Policy
	tag      string // of from
}

// apply shows a change, asks, and makes it, unless somebody else was faster.
func (a *app) apply(ctx context.Context, client *scaler.Client, c change, yes bool) error {
	question := "apply this?"
	switch changes := profiles.Changes(c.from, c.to); {
	case len(changes) > 0:
		writeChanges(a.err, changes)
	case !profiles.Same(c.from, c.to):
		write(a.err, "only what platforms and people read is different: calibration or platforms\n")
	default:
		write(a.err, "nothing to change: the scaler follows this policy already\n")
		fleet, _, err := client.Status(ctx)
		if err != nil {
			return err
		}
		if !fleet.Pinned { // once more, as it may not have been saved
			applied, err := client.Apply(ctx, c.to, c.tag)
			return errors.Join(err, unsaved(applied))
		}
		question = fmt.Sprintf("it is pinned to %d: let the policy decide again?", fleet.Wanted)
	}
	a.warn(c.to.Warnings())
	if !yes {
		ok, err := a.confirm(question)
		if err != nil || !ok {
			return err
		}
	}
	applied, err := client.Apply(ctx, c.to, c.tag)
	if err != nil {
		return err
	}
	for _, text := range applied.Held {
		write(a.err, text+"\n")
	}
	switch {
	case applied.SavedTo != "":
		write(a.err, fmt.Sprintf("applied, and saved to %s\n", applied.SavedTo))
	case applied.File == "":
		write(a.err, fmt.Sprintf("applied until the scaler ends, but not saved: %s\n", applied.NotSaved))
	}
	return unsaved(applied)
}

// unsaved is the error of a policy file that could not be written: the next
// start would go on with another policy.
func unsaved(applied scaler.Applied) error {
	if applied.File == "" || applied.SavedTo != "" {
		return nil
	}
	return usage("applied until the scaler ends, but not saved to %s: %s", applied.File, applied.NotSaved)
}

// warn prints what there is to know about a policy that is valid.
func (a *app) warn(warnings []string) {
	for _, w := range warnings {
		write(a.err, "warning: "+w+"\n")
	}
}

func setFlag(f *pflag.FlagSet, settings *[]string) {
	f.StringArrayVar(settings, "set", nil, "`KEY=VALUE` of the policy, such as replicas.max=5 or EverAI's max_workers=5 (repeatable)")
}

// withSettings is a policy with the values of --set, all of them or none.
func withSettings(p profiles.Policy, texts []string) (profiles.Policy, error) {
	var errs []error
	settings := make([]profiles.Setting, len(texts))
	for i, text := range texts {
		var err error
		if settings[i], err = profiles.ParseSetting(text); err != nil {
			errs = append(errs, fmt.Errorf("--set: %w", err))
		}
	}
	if errs != nil {
		return p, &exit{exitUsage, errors.Join(errs...)}
	}
	changed, err := p.With(settings...)
	for _, problem := range document.Problems(err) {
		errs = append(errs, fmt.Errorf("--set: %w", problem))
	}
	if errs != nil {
		return p, &exit{exitUsage, errors.Join(errs...)}
	}
	return changed, nil
}
