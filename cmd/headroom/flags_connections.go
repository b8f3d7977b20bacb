package main

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"headroom/profiles"
)

// pemFlags name the files of certificates.
type pemFlags struct{ ca, cert, key string }

// reach adds the flags that say how a connection to the target is made.
func (l *loadFlags) reach(f *pflag.FlagSet) {
	c := &l.plan.Connections
	f.BoolVarP(&c.Insecure, "insecure", "k", false, "do not verify TLS certificates")
	f.StringVar(&l.pem.ca, "cacert", "", "trust the certificate authorities in `FILE` (PEM), and no others")
	f.StringVar(&l.pem.cert, "cert", "", "certificate of the client, in `FILE` (PEM)")
	f.StringVar(&l.pem.key, "key", "", "its private key, in `FILE` (PEM; default: the file of --cert)")
	f.StringVar(&c.TLSServerName, "server-name", "", "host `NAME` that TLS asks for and verifies, instead of the target's")
	f.BoolVar(&c.HTTP2, "http2", false, "HTTP/2; without TLS with prior knowledge")
	flagVar(f, &c.Redirects, "redirects", "", "", "count", "follow so many redirects of a request (default: a redirect is the answer)", profiles.ParseCount)
	f.Var(&parsed[[]netip.Addr]{to: &c.SourceIPs, kind: "address", many: true,
		parse: func(s string) ([]netip.Addr, error) { return parseAddresses(c.SourceIPs, s) }},
		"source-ip", "send from these local addresses, users taking turns (repeatable, or a list with commas)")
}

// connections adds the flags that say how users are connected to the target.
func (l *loadFlags) connections(f *pflag.FlagSet) {
	c := &l.plan.Connections
	l.reach(f)
	f.BoolVar(&c.Cookies, "cookies", false, "each user keeps the cookies that it is given")
	f.BoolVar(&c.DisableKeepAlive, "disable-keepalive", false, "a fresh connection for each request")
	durationVar(f, &c.ConnMaxAge, "conn-max-age", "", "replace a connection after this long, less up to a fifth at random, so that new replicas get traffic")
	flagVar(f, &c.ConnMaxRequests, "conn-max-requests", "", "", "count", "replace a connection after so many requests, less up to a fifth at random", profiles.ParseCount)
	f.BoolVar(&c.YesRemote, "yes-remote", false,
		fmt.Sprintf("allow more than %d requests/s to an address that is neither this machine nor private", profiles.MostRemote))
}

// fillPEM reads the files of certificates.
func (l *loadFlags) fillPEM(p *profiles.Plan) error {
	switch {
	case l.pem.key == "":
		l.pem.key = l.pem.cert
	case l.pem.cert == "":
		return usage("--key: got %s without --cert, want both", l.pem.key)
	}
	for _, file := range []struct {
		flag, name string
		to         *[]byte
	}{{"cacert", l.pem.ca, &p.CACert}, {"cert", l.pem.cert, &p.Cert}, {"key", l.pem.key, &p.Key}} {
		if file.name == "" {
			continue
		}
		data, err := os.ReadFile(file.name)
		if err != nil {
			return usage("--%s: %w", file.flag, err)
		}
		*file.to = data
	}
	return nil
}

// parseAddresses adds the addresses of a list to those before.
func parseAddresses(before []netip.Addr, s string) ([]netip.Addr, error) {
	for text := range strings.SplitSeq(s, ",") {
		a, err := netip.ParseAddr(strings.TrimSpace(text))
		if err != nil {
			return nil, fmt.Errorf("got %q, want addresses of this machine such as 127.0.0.2", s)
		}
		if err := isOurs(a); err != nil {
			return nil, fmt.Errorf("got %q, want addresses of this machine: %w", text, err)
		}
		before = append(before, a)
	}
	return before, nil
}

// isOurs fails for an address that nothing can be sent from: it takes a port of
// it for a moment.
func isOurs(a netip.Addr) error {
	l, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(netip.AddrPortFrom(a, 0)))
	if err != nil {
		return err
	}
	return l.Close()
}
