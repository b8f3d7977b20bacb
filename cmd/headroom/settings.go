package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"headroom/scaler"
)

// The values of a command's flags come from, the later ones winning:
//
//	their defaults
//	a configuration file, which is a plan or a locust.conf
//	LOCUST_USERS and the like
//	HEADROOM_USERS and the like
//	the command line
//
// Only commands that have --config read a file, and what is Locust's.

// setting is the value of a flag that was not given on the command line.
type setting struct {
	flag   string
	values []string // several only where the flag can be repeated
	from   string   // such as "headroom.yaml:4" or "HEADROOM_USERS"
}

// place is where an error points to: a variable, or a key in a file.
func (s setting) place() string {
	if strings.Contains(s.from, ":") {
		return s.from + ": " + s.flag
	}
	return s.from
}

// settled is what became of the settings of a command.
type settled struct {
	from  map[string]string // where the values come from that were taken, by flag
	notes []string          // what was not, and should not go unnoticed
}

// configure sets the flags of a command that the command line left open.
func (a *app) configure(cmd *cobra.Command, args []string) error {
	if err := a.settle(cmd, args); err != nil {
		return err
	}
	for _, note := range strays(cmd.Root(), os.Environ()) {
		write(a.err, note+"\n")
	}
	return nil
}

// refuseNoFile refuses an empty name of a file on the command line, as a variable
// of a shell that is not set leaves it.
func refuseNoFile(f *pflag.FlagSet) (err error) {
	want := map[string]string{"FILE": "the name of a file", "PREFIX": "what the names of files begin with"}
	f.Visit(func(f *pflag.Flag) {
		kind, _ := pflag.UnquoteUsage(f)
		if f.Value.String() == "" && want[kind] != "" && err == nil {
			err = usage("--%s: got nothing, want %s", f.Name, want[kind])
		}
	})
	return err
}

// settle is settle for a command that goes on: what it takes is said.
func (a *app) settle(cmd *cobra.Command, args []string) error {
	s, err := settle(cmd, args)
	if err != nil || cmd.Flags().Lookup("config") == nil {
		return err
	}
	for _, note := range append(s.summary(), s.notes...) {
		write(a.err, note+"\n")
	}
	return nil
}

// settle sets the flags of a parsed command line that it left open. The error
// lists all problems of a source at once.
func settle(cmd *cobra.Command, args []string) (settled, error) {
	s, f := settled{from: map[string]string{}}, cmd.Flags()
	if err := refuseNoFile(f); err != nil {
		return s, err
	}
	if err := s.take(f, args, environment(f)); err != nil {
		return s, err
	}
	config := f.Lookup("config")
	if config == nil {
		return s, nil
	}
	variables, notes := locustEnvironment()
	s.notes = append(s.notes, notes...)
	if err := s.take(f, args, variables); err != nil {
		return s, err
	}
	path, err := configFile(config.Value.String())
	if err != nil || path == "" {
		return s, err
	}
	read := readPlan
	if strings.HasSuffix(path, ".conf") {
		read = readLocustConf
	}
	file, err := read(path, planFlags(cmd.Root()))
	if err != nil {
		return s, err
	}
	s.notes = append(s.notes, file.notes...)
	return s, s.take(f, args, file.settings)
}

// take gives the flags that no higher level has set the values of this one.
func (s *settled) take(f *pflag.FlagSet, args []string, level []setting) error {
	above := map[string]string{}
	f.Visit(func(flag *pflag.Flag) { above[flag.Name] = flag.Value.String() })
	if len(args) > 0 {
		above["host"] = args[0]
	}
	sizes := f.Lookup("timezone") != nil // for a traffic, of which a trace is one too
	var errs []error
	for _, one := range level {
		flag := f.Lookup(one.flag)
		if _, ok := above[one.flag]; ok || flag == nil || givesWay(one.flag, above) || sizes && otherTraffic(one.flag, above) {
			continue
		}
		if len(one.values) > 1 && !isRepeatable(flag) {
			errs = append(errs, fmt.Errorf("%s: got a list, want a single value", one.place()))
			continue
		}
		for _, value := range one.values {
			if err := f.Set(one.flag, value); err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", one.place(), badValue(err)))
			}
		}
		s.from[one.flag] = one.from
	}
	if len(errs) > 0 {
		return &exit{exitUsage, errors.Join(errs...)}
	}
	return nil
}

// givesWay reports whether a setting says nothing any more beside what higher
// levels have set: a load of another kind, or another request.
func givesWay(flag string, above map[string]string) bool {
	has := func(names ...string) bool {
		return slices.ContainsFunc(names, func(n string) bool { _, ok := above[n]; return ok })
	}
	shaped := has("stage", "step", "shape", "replay", "trace")
	rate := has("rate", "trace") || strings.Contains(above["stage"]+above["step"]+above["shape"], "/")
	switch flag {
	case "users", "spawn-rate":
		return shaped || rate
	case "wait":
		return rate
	case "arrivals", "max-users", "on-busy":
		return (shaped || has("users")) && !rate
	case "rate", "stage", "step", "shape", "replay", "trace", "trace-column", "trace-interval", "compress":
		return shaped || rate || has("users")
	case "method", "body":
		return has("scenario")
	case "scenario":
		return has("method", "body")
	}
	return false
}

// otherTraffic reports whether a setting says what the traffic is in one way,
// as a range or as a trace, where higher levels have said it in the other.
func otherTraffic(flag string, above map[string]string) (ok bool) {
	switch flag {
	case "traffic":
		_, ok = above["trace"]
	case "trace", "trace-format", "trace-column", "trace-interval", "timezone":
		_, ok = above["traffic"]
	}
	return ok
}

// summary says in a line what was taken, by its source.
func (s settled) summary() []string {
	flags := map[string][]string{}
	for _, name := range slices.Sorted(maps.Keys(s.from)) {
		source, _, _ := strings.Cut(s.from[name], ":")
		if source != variable(name) {
			flags[source] = append(flags[source], "--"+name)
			continue
		}
		flags["the environment"] = append(flags["the environment"], source)
	}
	var parts []string
	for _, source := range slices.Sorted(maps.Keys(flags)) {
		parts = append(parts, strings.Join(flags[source], ", ")+" from "+source)
	}
	if len(parts) == 0 {
		return nil
	}
	return []string{"settings: " + strings.Join(parts, "; ")}
}

// variable is the environment variable of a flag.
func variable(flag string) string {
	return "HEADROOM_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// environment is what HEADROOM_ variables say of flags, a repeatable one on a
// line for each time. One that is empty says nothing.
func environment(f *pflag.FlagSet) (out []setting) {
	f.VisitAll(func(flag *pflag.Flag) {
		name := variable(flag.Name)
		value := os.Getenv(name)
		if value == "" {
			return
		}
		values := []string{value}
		if isRepeatable(flag) {
			values = strings.FieldsFunc(value, func(r rune) bool { return r == '\n' || r == '\r' })
		}
		out = append(out, setting{flag.Name, values, name})
	})
	return out
}

// strays is a note on the variables that look like ours and set no flag of any
// command, as when one is misspelled.
func strays(root *cobra.Command, environ []string) (notes []string) {
	known := map[string]bool{tokenVariable: true, scaler.ReplicaVariable: true}
	for _, cmd := range root.Commands() {
		cmd.Flags().VisitAll(func(f *pflag.Flag) { known[variable(f.Name)] = true })
	}
	var unknown []string
	for _, entry := range environ {
		if name, value, _ := strings.Cut(entry, "="); strings.HasPrefix(name, "HEADROOM_") && value != "" && !known[name] {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	slices.Sort(unknown)
	return []string{strings.Join(unknown, ", ") + ": not used: no flag of any command has that name"}
}

// repeatable is a flag of ours that adds to its value each time it is given.
type repeatable interface{ repeatable() bool }

// isRepeatable reports whether a flag can be given several times.
func isRepeatable(f *pflag.Flag) bool {
	if ours, ok := f.Value.(repeatable); ok {
		return ours.repeatable()
	}
	_, ok := f.Value.(pflag.SliceValue)
	return ok
}

// badValue is what is wrong with the value of a flag, in our words.
func badValue(err error) error {
	var bad *pflag.InvalidValueError
	if !errors.As(err, &bad) {
		return err
	}
	cause := errors.Unwrap(bad)
	if !errors.Is(cause, strconv.ErrSyntax) && !errors.Is(cause, strconv.ErrRange) {
		return cause
	}
	want := "a number"
	if bad.GetFlag().Value.Type() == "bool" {
		want = "true or false"
	}
	return fmt.Errorf("got %q, want %s", bad.GetValue(), want)
}
