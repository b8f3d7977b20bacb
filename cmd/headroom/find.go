package main

import (
	"cmp"
	"net"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"headroom/scaler"
)

// tokenVariable holds the token of a scaler or a run that is not this user's.
const tokenVariable = "HEADROOM_TOKEN"

// runningScaler adds the flags that find a running scaler.
type runningScaler struct {
	cmd       *cobra.Command
	name, url string
}

func (s *runningScaler) flags(cmd *cobra.Command) {
	s.cmd = cmd
	cmd.Flags().StringVar(&s.name, "name", "default", "name of the scaler")
	cmd.Flags().StringVar(&s.url, "scaler", "", "`URL` of its control API instead; the token of one of another user goes into "+tokenVariable)
}

func (s *runningScaler) find() (*scaler.Client, error) {
	if s.url == "" {
		client, err := scaler.Find("", s.name)
		if err != nil {
			return nil, &exit{exitUsage, err}
		}
		return client, nil
	}
	if s.cmd != nil && s.cmd.Flags().Changed("name") {
		return nil, usage("--scaler: got it together with --name, want one of the two")
	}
	address, base, err := apiAddress("--scaler", s.url)
	if err != nil {
		return nil, err
	}
	client, err := scaler.FindByAPI("", address)
	if err == nil {
		return client, nil
	}
	if token := os.Getenv(tokenVariable); token != "" {
		return scaler.NewClient(base, token), nil
	}
	return nil, usage("--scaler: got %s: %w; for one of another user, %s must hold its token", s.url, err, tokenVariable)
}

// apiAddress is the HOST:PORT of an API that was given as a URL or as that,
// and its URL. The error names the flag.
func apiAddress(flag, given string) (address, base string, err error) {
	text := given
	if _, _, err := net.SplitHostPort(given); err == nil && !strings.Contains(given, "://") {
		text = "http://" + given
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" ||
		cmp.Or(u.Path, "/") != "/" || u.RawQuery != "" || u.User != nil {
		return "", "", usage("%s: got %q, want a URL such as http://127.0.0.1:8001", flag, given)
	}
	address, err = addressOf(text)
	return address, u.Scheme + "://" + u.Host, err
}
