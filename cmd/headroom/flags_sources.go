package main

import (
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"headroom/probe"
)

// sourceFlags say what knows the replicas of a target, besides its answers.
type sourceFlags struct {
	scaler  string   // the name or the API of the one whose replicas are behind the target
	workers string   // URL of a list of them
	headers []string // of that question
}

func (s *sourceFlags) add(f *pflag.FlagSet) {
	f.StringVar(&s.scaler, "scaler", "", "`NAME` or URL of the control API of the scaler whose replicas are behind the target, where that is not its own service")
	s.addList(f)
}

// addList adds those of a list of workers.
func (s *sourceFlags) addList(f *pflag.FlagSet) {
	f.StringVar(&s.workers, "workers-url", "", "`URL` that lists the target's workers as JSON, as EverAI's API does; asked every few seconds")
	f.StringArrayVar(&s.headers, "workers-header", nil, "header of that question, such as 'Authorization: Bearer ${env.TOKEN}', or `@FILE` with one a line (repeatable)")
}

// list asks for the workers; nil where no list of them is given.
func (s sourceFlags) list() (*probe.Workers, error) {
	if s.workers == "" {
		if len(s.headers) > 0 {
			return nil, usage("--workers-header: got it without --workers-url, want both")
		}
		return nil, nil
	}
	u, err := url.Parse(s.workers)
	switch {
	case err == nil && u.User != nil:
		return nil, usage("--workers-url: got one with a name or password, want it without: --workers-header takes what is secret")
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		given := "one that is none"
		if !strings.Contains(s.workers, "@") { // else no part of it is surely no password
			path, _, _ := strings.Cut(s.workers, "?") // behind it there may be a secret
			given = strconv.Quote(path)
		}
		return nil, usage("--workers-url: got %s, want a URL such as https://example.com/workers", given)
	}
	header := http.Header{}
	for _, given := range s.headers {
		if err := addHeaders(header, given); err != nil {
			return nil, err
		}
	}
	return probe.NewWorkers(s.workers, header), nil
}

// addHeaders takes over a --workers-header. What is wrong with one is said
// without its value.
func addHeaders(to http.Header, given string) error {
	lines := given
	file, inFile := strings.CutPrefix(given, "@")
	if inFile {
		data, err := os.ReadFile(file)
		if err != nil {
			return usage("--workers-header: %w", err)
		}
		lines = strings.TrimSpace(string(data))
	}
	for line := range strings.Lines(lines) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), ":")
		if name = strings.TrimSpace(name); !ok || name == "" || strings.ContainsAny(name, " \t") {
			return usage("--workers-header: got a line that is no header, want NAME: VALUE")
		}
		if !inFile && !inEnvironment.MatchString(value) {
			return usage("--workers-header: got %s with a value in plain text, which everybody on this machine can read; want one with ${env.NAME}, or @FILE", name)
		}
		value, err := fromEnvironment(strings.TrimSpace(value))
		if err != nil {
			return err
		}
		to.Add(name, value)
	}
	return nil
}

// inEnvironment is a value that is filled in from the environment.
var inEnvironment = regexp.MustCompile(`\$\{env\.([A-Za-z_][A-Za-z0-9_]*)\}`)

// fromEnvironment fills in what is in the environment.
func fromEnvironment(value string) (out string, err error) {
	out = inEnvironment.ReplaceAllStringFunc(value, func(place string) string {
		name := inEnvironment.FindStringSubmatch(place)[1]
		set, ok := os.LookupEnv(name)
		if !ok || set == "" {
			err = usage("--workers-header: got ${env.%s}, which is not set in the environment", name)
		}
		return set
	})
	return out, err
}
