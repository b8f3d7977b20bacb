package main

import (
	"net/http"
	"net/url"
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
		if err := (headerFlag{"--workers-header", false}).add(header, given); err != nil {
			return nil, err
		}
	}
	return probe.NewWorkers(s.workers, header), nil
}
