package main

import (
	"net/http"
	"os"
	"regexp"
	"strings"
)

// headerFlag is a flag that gives headers: one as NAME: VALUE, or a file of
// them. Its errors are without the value, which may be a secret.
type headerFlag struct {
	name  string
	plain bool // a value may stand on the command line, where everybody on this machine can read it
}

func (f headerFlag) add(to http.Header, given string) error {
	lines := given
	file, inFile := strings.CutPrefix(given, "@")
	if inFile {
		data, err := os.ReadFile(file)
		if err != nil {
			return usage("%s: %w", f.name, err)
		}
		lines = strings.TrimSpace(string(data))
		if lines == "" {
			return usage("%s: got %s without a header, want NAME: VALUE on each line", f.name, file)
		}
	}
	for line := range strings.Lines(lines) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), ":")
		if name = strings.TrimSpace(name); !ok || name == "" || strings.ContainsAny(name, " \t") {
			return usage("%s: got a line that is no header, want NAME: VALUE", f.name)
		}
		if !f.plain && !inFile && !inEnvironment.MatchString(value) {
			return usage("%s: got %s with a value in plain text, which everybody on this machine can read; want one with ${env.NAME}, or @FILE", f.name, name)
		}
		value, err := f.fill(strings.TrimSpace(value))
		if err != nil {
			return err
		}
		to.Add(name, value)
	}
	return nil
}

// inEnvironment is a value that is filled in from the environment.
var inEnvironment = regexp.MustCompile(`\$\{env\.([A-Za-z_][A-Za-z0-9_]*)\}`)

// fill puts in what is in the environment.
func (f headerFlag) fill(value string) (out string, err error) {
	out = inEnvironment.ReplaceAllStringFunc(value, func(place string) string {
		name := inEnvironment.FindStringSubmatch(place)[1]
		set, ok := os.LookupEnv(name)
		if !ok || set == "" {
			err = usage("%s: got ${env.%s}, which is not set in the environment", f.name, name)
		}
		return set
	})
	return out, err
}
