package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"headroom/profiles"
	"headroom/profiles/document"
)

// settingsFile is what a configuration file says.
type settingsFile struct {
	settings []setting
	notes    []string
}

// configFile is the one to read: the one that was asked for, else the first
// that there is; empty where there is none.
func configFile(asked string) (string, error) {
	if asked != "" {
		return asked, nil
	}
	places := []string{"headroom.yaml", "locust.conf"}
	if dir, err := os.UserConfigDir(); err == nil {
		places = append(places, filepath.Join(dir, "headroom", "headroom.yaml"))
	}
	for _, path := range places {
		_, err := os.Stat(path)
		switch {
		case err == nil:
			return path, nil
		case !errors.Is(err, fs.ErrNotExist):
			return "", usage("%w", err)
		}
	}
	return "", nil
}

// addConfig adds the flag that makes a command one that reads plans.
func addConfig(f *pflag.FlagSet) {
	f.String("config", "", "read flags from `FILE`, a plan or a locust.conf (default: headroom.yaml or locust.conf here, or headroom.yaml in the user's configuration)")
}

// planAliases are the keys of a plan that are not the name of a flag.
var planAliases = map[string]string{"target": "host", "stages": "stage"}

// planFlags are the flags that a plan may set: those of all commands that read
// one, except for the one that names it.
func planFlags(root *cobra.Command) *pflag.FlagSet {
	all := pflag.NewFlagSet("", pflag.ContinueOnError)
	for _, c := range root.Commands() {
		if c.Flags().Lookup("config") == nil {
			continue
		}
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Name != "config" && f.Name != "help" && all.Lookup(f.Name) == nil {
				copied := *f
				copied.Shorthand = "" // two commands may use one for different flags
				all.AddFlag(&copied)
			}
		})
	}
	return all
}

// readPlan reads a plan. A key that it may not have, and a value of the wrong
// form, are problems also where this command has no use for them.
func readPlan(path string, flags *pflag.FlagSet) (settingsFile, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return settingsFile{}, usage("--config: %w", err)
	}
	docs, err := document.Split(text)
	switch {
	case err == nil && len(docs) == 0:
		err = errors.New("the file is empty")
	case err == nil && len(docs) > 1:
		err = errors.New("got several documents, want one")
	}
	if err != nil {
		return settingsFile{}, located(path, document.Problems(err))
	}
	entries, err := docs[0].Entries()
	out, problems := planSettings(path, entries, flags)
	if problems = append(document.Problems(err), problems...); len(problems) > 0 {
		return settingsFile{}, located(path, problems)
	}
	return withoutSpawnRate(out), nil
}

// withoutSpawnRate leaves out the spawn rate beside what says itself when users
// start: a plan may keep it for runs whose flags replace the stages.
func withoutSpawnRate(all []setting) (out settingsFile) {
	shaped := slices.ContainsFunc(all, func(s setting) bool {
		return slices.Contains([]string{"stage", "step", "shape", "replay"}, s.flag)
	})
	for _, s := range all {
		if shaped && s.flag == "spawn-rate" {
			out.notes = append(out.notes, s.place()+" is not used beside a shape, which says when users start")
			continue
		}
		out.settings = append(out.settings, s)
	}
	return out
}

// planSettings is what the entries of a plan set.
func planSettings(path string, entries []document.Entry, flags *pflag.FlagSet) (out []setting, problems []document.Problem) {
	head := map[string]string{"version": "", "kind": "plan"}
	by := map[string]string{} // the keys that set the flags
	for _, e := range entries {
		bad := func(format string, args ...any) {
			problems = append(problems, document.Problem{Line: e.Line, Key: document.Excerpt(e.Key), Text: fmt.Sprintf(format, args...)})
		}
		values, ok := texts(e.Value)
		if _, ok := head[e.Key]; ok {
			head[e.Key] = strings.Join(values, ",")
			continue
		}
		name := e.Key
		if alias, ok := planAliases[name]; ok {
			name = alias
		}
		flag := flags.Lookup(name)
		switch other, twice := by[name]; {
		case flag == nil:
			bad("unknown key, want target, stages or the long name of a flag, as headroom run --help lists them")
		case !ok && isRepeatable(flag):
			bad("got keys with values, want a list")
		case !ok:
			bad("got a list or keys with values, want a single value")
		case len(values) > 1 && !isRepeatable(flag):
			bad("got a list, want a single value")
		case twice:
			bad("got it and %s, want one", other)
		case len(values) > 0:
			by[name] = e.Key
			out = append(out, setting{name, values, fmt.Sprintf("%s:%d", path, e.Line)})
		}
	}
	for _, w := range []struct{ key, want string }{{"version", profiles.Version}, {"kind", "plan"}} {
		if got := head[w.key]; got != w.want {
			line := 0
			if at := slices.IndexFunc(entries, func(e document.Entry) bool { return e.Key == w.key }); at >= 0 {
				line = entries[at].Line
			}
			problems = append(problems, document.Problem{Line: line, Key: w.key, Text: fmt.Sprintf("got %q, want %q", got, w.want)})
		}
	}
	return out, problems
}

// texts are the values of a scalar, or of a list of them; none where there is
// nothing.
func texts(tree any) (out []string, ok bool) {
	switch v := tree.(type) {
	case nil:
		return nil, true
	case string:
		return []string{v}, true
	case []any:
		for _, item := range v {
			text, ok := item.(string)
			if !ok {
				return nil, false
			}
			out = append(out, text)
		}
		return out, true
	}
	return nil, false
}

// located is an error with the problems of a file, as FILE:LINE: KEY: what.
func located(path string, problems []document.Problem) error {
	var errs []error
	for _, p := range document.Problems(document.Join(problems)) {
		at := path
		if p.Line > 0 {
			at = fmt.Sprintf("%s:%d", path, p.Line)
		}
		p.Line = 0
		errs = append(errs, fmt.Errorf("%s: %w", at, p))
	}
	return &exit{exitUsage, errors.Join(errs...)}
}
