package load

import (
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"net/url"
	"sync/atomic"
)

// dialer opens TCP connections to one host. Every dial resolves the name
// again and starts with the next of its addresses, so that connections spread
// over all of them and new ones are found.
type dialer struct {
	host, port string
	turn       *atomic.Uint32
}

func newDialer(u *url.URL) dialer {
	d := dialer{host: u.Hostname(), port: u.Port(), turn: new(atomic.Uint32)}
	if d.port == "" {
		d.port = "80"
		if u.Scheme == "https" {
			d.port = "443"
		}
	}
	return d
}

func (d dialer) dial(ctx context.Context) (net.Conn, error) {
	addresses := []string{d.host}
	if _, err := netip.ParseAddr(d.host); err != nil {
		if addresses, err = net.DefaultResolver.LookupHost(ctx, d.host); err != nil {
			return nil, err
		}
	}
	first := int(d.turn.Add(1) - 1)
	var nd net.Dialer
	var err error
	for i := range addresses {
		var nc net.Conn
		address := addresses[(first+i)%len(addresses)]
		if nc, err = nd.DialContext(ctx, "tcp", net.JoinHostPort(address, d.port)); err == nil {
			return nc, nil
		}
	}
	return nil, err
}

func newTLS(u *url.URL, insecure bool) *tls.Config {
	if u.Scheme != "https" {
		return nil
	}
	return &tls.Config{ServerName: u.Hostname(), InsecureSkipVerify: insecure, NextProtos: []string{"http/1.1"}}
}
