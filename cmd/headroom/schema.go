package main

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"headroom/advisor/report"
	"headroom/profiles"
)

func (a *app) schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:       "schema plan|policy|scenario",
		Short:     "Print the JSON Schema of a file, for editors",
		Example:   "  headroom schema policy > policy.schema.json",
		ValidArgs: []string{"plan", "policy", "scenario"},
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 || args[0] != "plan" && schemas[args[0]] == nil {
				return usage("arguments: got %q, want plan, policy or scenario", strings.Join(args, " "))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if args[0] == "plan" {
				return report.WriteJSON(a.out, planSchema(planFlags(cmd.Root())))
			}
			_, err := a.out.Write(schemas[args[0]])
			return err
		},
	}
}

// schemas are the JSON Schemas of files, by their kind.
var schemas = map[string][]byte{"policy": profiles.PolicySchema, "scenario": profiles.ScenarioSchema}

// planSchema is the JSON Schema of a plan with these flags. It says less than
// the commands do, which know what the values may be.
func planSchema(flags *pflag.FlagSet) map[string]any {
	scalar := map[string]any{"type": []string{"string", "number", "boolean", "null"}}
	properties := map[string]any{
		"version": map[string]any{"const": profiles.Version},
		"kind":    map[string]any{"const": "plan"},
	}
	describe := func(key string, f *pflag.Flag) {
		_, help := pflag.UnquoteUsage(f)
		property := map[string]any{"description": help}
		switch {
		case isRepeatable(f):
			property["anyOf"] = []any{scalar, map[string]any{"type": "array", "items": scalar}}
		case f.Value.Type() == "bool":
			property["type"] = []string{"boolean", "null"}
		default:
			property["type"] = scalar["type"]
		}
		properties[key] = property
	}
	flags.VisitAll(func(f *pflag.Flag) { describe(f.Name, f) })
	for key, name := range planAliases {
		describe(key, flags.Lookup(name))
	}
	return map[string]any{
		"$schema":              "https://json-schema.org/draft/2020-12/schema",
		"title":                "Headroom plan",
		"type":                 "object",
		"required":             []string{"version"},
		"additionalProperties": false,
		"properties":           properties,
	}
}
