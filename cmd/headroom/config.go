package main

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"headroom/advisor/report"
	"headroom/profiles"
	"headroom/profiles/document"
)

// effective is the value of a flag, and where it comes from.
type effective struct {
	Flag   string   `json:"flag"`
	Values []string `json:"values"` // none: not set; several of a repeatable flag
	From   string   `json:"from"`   // "default", "flag", "FILE:LINE" or a variable
}

func (a *app) configCommand() *cobra.Command {
	format := asText
	cmd := &cobra.Command{
		Use:   "config [COMMAND [ARGUMENTS AND FLAGS]]",
		Short: "Print the flags of a command with the values it would have here, and where they come from",
		Long: "Print the flags of a command, of run where none is named, with the values it would have here and where they come from:\n" +
			"default, a line of a configuration file, an environment variable, or flag where the command line gives it.\n" +
			"Nothing is started. Secrets are hidden.",
		Example: "  headroom config\n" +
			"  headroom config -o yaml run -u 20 --rate 50 > headroom.yaml",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				args = []string{"run"}
			}
			return a.printConfig(format, args)
		},
	}
	f := cmd.Flags()
	f.SetInterspersed(false) // flags behind the command are the command's
	f.StringVarP(&format, "output", "o", format, fmt.Sprintf("%s, %s, or %s: what is set, as a plan", asText, asJSON, asYAML))
	return cmd
}

// The ways to print the configuration and the version.
const (
	asText = "text"
	asYAML = "yaml"
)

// printConfig prints what a command line would mean.
func (a *app) printConfig(format string, line []string) error {
	cmd, rest, err := newRoot(a.streams, a.signals).Find(line)
	if err != nil || !cmd.HasParent() {
		return unknownCommand(cmd.Root(), line[0])
	}
	if err := cmd.ParseFlags(rest); err != nil {
		return flagError(cmd, err)
	}
	flags := cmd.Flags()
	settings, err := settle(cmd, flags.Args())
	if err != nil {
		return err
	}
	for _, note := range settings.notes {
		write(a.err, note+"\n")
	}
	values := effectiveFlags(flags, settings)
	switch {
	case format == asText:
		return printEffective(a.out, values)
	case format == asJSON:
		return report.WriteJSON(a.out, struct {
			Version string      `json:"version"`
			Kind    string      `json:"kind"`
			Command string      `json:"command"`
			Flags   []effective `json:"flags"`
		}{profiles.Version, "config", cmd.Name(), values})
	case format != asYAML:
		return usage("--output: got %q, want %s, %s or %s", format, asText, asJSON, asYAML)
	case flags.Lookup("config") == nil:
		return usage("--output: got %s for %s, which reads no plan, want %s or %s", asYAML, cmd.Name(), asText, asJSON)
	}
	target := ""
	if flags.Lookup("host") != nil && flags.ArgsLenAtDash() < 0 { // else it is a file, or a command
		target = secretsOf(flags).Hide(first(flags.Args()))
	}
	_, err = a.out.Write(planText(values, target))
	return err
}

// effectiveFlags are the flags in the order of the help.
func effectiveFlags(flags *pflag.FlagSet, s settled) (out []effective) {
	secrets := secretsOf(flags)
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		e := effective{Flag: f.Name, Values: []string{}, From: "default"}
		if text := f.Value.String(); isRepeatable(f) {
			e.Values = append(e.Values, listOf(f)...) // a copy
		} else if text != "" {
			e.Values = append(e.Values, text)
		}
		for i := range e.Values {
			e.Values[i] = secrets.Hide(e.Values[i])
		}
		switch from, ok := s.from[f.Name]; {
		case ok:
			e.From = from
		case f.Changed:
			e.From = "flag"
		}
		out = append(out, e)
	})
	return out
}

// secretsOf are those that the flags name.
func secretsOf(flags *pflag.FlagSet) *profiles.Secrets {
	if f := flags.Lookup("secret"); f != nil {
		return profiles.NewSecrets(listOf(f)...)
	}
	return nil
}

// listOf are the values of a repeatable flag.
func listOf(f *pflag.Flag) []string {
	if list, ok := f.Value.(pflag.SliceValue); ok {
		return list.GetSlice()
	}
	if text := f.Value.String(); text != "" {
		return strings.Split(text, ",")
	}
	return nil
}

func printEffective(w io.Writer, values []effective) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "FLAG\tVALUE\tFROM")
	for _, e := range values {
		shown := e.Values
		if len(shown) == 0 {
			shown = []string{"-"}
		}
		for i, value := range shown {
			flag, from := "", ""
			if i == 0 {
				flag, from = e.Flag, e.From
			}
			fmt.Fprintf(table, "%s\t%s\t%s\n", flag, printable(value), from)
		}
	}
	return table.Flush()
}

// plain is text that needs no quotes in YAML, where all values are read as they
// are written.
var plain = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/-]*$`)

func scalar(text string) string {
	if plain.MatchString(text) && text != "null" {
		return text
	}
	return document.Flow(text)
}

// planText is a plan with the values that are no defaults.
func planText(values []effective, target string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "version: %s\nkind: plan\n", profiles.Version)
	put := func(key, value, from string) { fmt.Fprintf(&b, "%s: %s  # %s\n", key, value, from) }
	if target != "" {
		put("target", scalar(target), "argument")
	}
	for _, e := range values {
		if e.From == "default" || e.Flag == "config" {
			continue
		}
		value := scalar(strings.Join(e.Values, "")) // of none or one
		if len(e.Values) > 1 {
			items := make([]any, len(e.Values))
			for i, v := range e.Values {
				items[i] = v
			}
			value = document.Flow(items)
		}
		put(e.Flag, value, e.From)
	}
	return b.Bytes()
}
