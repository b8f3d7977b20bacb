package main

import (
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"headroom/advisor"
	"headroom/advisor/remote"
	"headroom/scaler/httpapi"
	"headroom/tui"
)

var _ tui.Controller = (*remote.Client)(nil)

// remoteFlags say whether a session can be reached over HTTP, and by whom.
type remoteFlags struct {
	api       string // HOST:PORT; empty: not at all
	tokenFile string
	control   bool

	token string // once it was checked
}

func (r *remoteFlags) flags(f *pflag.FlagSet) {
	f.StringVar(&r.api, "api", "", "serve the state, /metrics and control of this run at `HOST:PORT`; headroom attach shows it elsewhere")
	f.StringVar(&r.tokenFile, "api-token-file", "", "`FILE` with the token that opens --api; an address that other machines reach needs one (default: a new one, which attach finds on this machine)")
	f.BoolVar(&r.control, "control", false, "who has the token of --api may also change the run, not only look at it")
}

// leastToken is how long a token must be, in characters: 32 make 128 bits of
// hexadecimal digits.
const leastToken = 32

// check finds out what is wrong before anything starts.
func (r *remoteFlags) check() error {
	if r.api == "" {
		switch {
		case r.tokenFile != "":
			return usage("--api-token-file: got %s without --api, want both", r.tokenFile)
		case r.control:
			return usage("--control: got it without --api, want both")
		}
		return nil
	}
	address, err := httpapi.SplitAddress(r.api)
	switch {
	case err != nil:
		return usage("--api: got %q, want HOST:PORT such as 127.0.0.1:9000", r.api)
	case r.tokenFile != "":
		r.token, err = readToken("--api-token-file", r.tokenFile)
		return err
	case !httpapi.IsLoopback(address.Host):
		return usage("--api: got %q, which other machines reach, want a loopback address, or --api-token-file with the token that opens it", r.api)
	}
	r.token = httpapi.NewToken()
	return nil
}

// readToken reads a file that holds a token and nothing else.
func readToken(flag, path string) (string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", usage("%s: %w", flag, err)
	}
	token := strings.TrimSpace(string(data))
	if len(token) < leastToken || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", usage("%s: got %d characters in %s, want %d or more, ASCII and without blanks", flag, len(token), path, leastToken)
	}
	return token, nil
}

// startServed runs a session as start does, and lets it be reached as the
// flags, which were checked, say.
func (a *app) startServed(s *advisor.Session, r remoteFlags) (end func(), err error) {
	if r.api == "" {
		return start(a.signals.now, s), nil
	}
	wait, err := a.expose(s, r)
	if err != nil {
		return nil, err
	}
	stop := start(a.signals.now, s)
	return func() {
		stop()
		wait()
	}, nil
}

// expose lets a session be reached until it has ended. It returns what waits
// for the end of that.
func (a *app) expose(s *advisor.Session, r remoteFlags) (wait func(), err error) {
	l, err := httpapi.Listen("--api", r.api)
	if err != nil {
		return nil, &exit{exitUsage, err}
	}
	name, forget, err := announce(l, r.token)
	if err != nil {
		l.Close()
		return nil, &exit{exitUsage, err}
	}
	may := "read-only: --control lets it be steered"
	if r.control {
		may = "who has its token may steer this run"
	}
	write(a.err, fmt.Sprintf("API http://%s (headroom attach %s), %s\n", httpapi.Reachable(l.Addr()), name, may))
	server := remote.NewServer(l, remote.Config{Session: s, Token: r.token, Control: r.control})
	ended := make(chan error, 1)
	go func() { ended <- server.Run() }()
	return func() {
		if err := <-ended; err != nil {
			write(a.err, complaint(fmt.Errorf("--api: %w", err)))
		}
		forget()
	}, nil
}

// announce makes the API of a run known to the other commands of this user.
func announce(l net.Listener, token string) (name string, forget func(), err error) {
	dir := httpapi.DefaultDir()
	if err := httpapi.MakeDir(dir); err != nil {
		return "", nil, err
	}
	name = fmt.Sprintf("run-%d", os.Getpid()) // nobody else's, so that it needs no lock
	forget = func() { httpapi.RemoveEntry(dir, name) }
	entry := httpapi.Entry{Kind: httpapi.Run, Name: name, PID: os.Getpid(), API: httpapi.Reachable(l.Addr()), Token: token}
	if err := entry.Write(dir); err != nil {
		forget()
		return "", nil, err
	}
	return name, forget, nil
}
