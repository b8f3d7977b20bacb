package profiles

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/netip"
	"time"
)

// Connections says how the users of a plan are connected to the target. Each
// has a connection of its own.
type Connections struct {
	DisableKeepAlive bool          // a fresh connection for each request
	ConnMaxAge       time.Duration // replace a connection that is older than this; 0: never
	ConnMaxRequests  int           // replace one that has carried so many requests; 0: never
	SourceIPs        []netip.Addr  // the users take turns at them; none: the system chooses

	Insecure      bool   // do not verify TLS certificates
	CACert        []byte // PEM: trust these authorities only
	Cert, Key     []byte // PEM: certificate of the client
	TLSServerName string // asked for and verified instead of the host of the target

	HTTP2     bool // HTTP/2; on plain TCP with prior knowledge (RFC 9113, section 3.3)
	Redirects int  // follow so many of a request; 0: a redirect is the answer
	Cookies   bool // each user keeps the cookies that it is given

	YesRemote bool // allow more than MostRemote requests per second to a public address
}

// MostRemote is how many requests per second an address that is neither this
// machine nor private gets, unless the plan says that it may.
const MostRemote = 100

// TLSConfig returns the configuration of TLS. Its ServerName is empty where
// that is the host of the target.
func (c Connections) TLSConfig() (*tls.Config, error) {
	config := &tls.Config{ServerName: c.TLSServerName, InsecureSkipVerify: c.Insecure, NextProtos: []string{"http/1.1"}}
	if c.HTTP2 {
		config.NextProtos = []string{"h2"}
	}
	if len(c.CACert) > 0 {
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(c.CACert) {
			return nil, errors.New("--cacert: got a file without a certificate, want one or more in PEM")
		}
	}
	if len(c.Cert)+len(c.Key) > 0 {
		pair, err := tls.X509KeyPair(c.Cert, c.Key)
		if err != nil {
			return nil, fmt.Errorf("--cert, --key: want a certificate and its key in PEM: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

// validate adds the problems of c to those of a plan.
func (c Connections) validate(bad func(format string, args ...any)) {
	if c.ConnMaxAge < 0 {
		bad("--conn-max-age: got %v, want more than 0", c.ConnMaxAge)
	}
	if c.ConnMaxRequests < 0 {
		bad("--conn-max-requests: got %d, want 1 or more", c.ConnMaxRequests)
	}
	if c.DisableKeepAlive && (c.ConnMaxAge > 0 || c.ConnMaxRequests > 0) {
		bad("--disable-keepalive: got it with --conn-max-age or --conn-max-requests, want one: each request has a connection of its own")
	}
	if c.Redirects < 0 || c.Redirects > mostRedirects {
		bad("--redirects: got %d, want 0..%d", c.Redirects, mostRedirects)
	}
	if (len(c.Cert) > 0) != (len(c.Key) > 0) {
		bad("--cert: got one of --cert and --key, want both or none")
	} else if _, err := c.TLSConfig(); err != nil {
		bad("%w", err)
	}
}

// mostRedirects bounds --redirects: longer chains are loops.
const mostRedirects = 50
