package load

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// dialer opens connections. Every dial resolves the name again and starts
// with the next of its addresses, so that connections spread over all of them
// and new ones are found. It is safe for concurrent use.
type dialer struct {
	tls   *tls.Config // for those that need it
	guard *guard
	turn  atomic.Uint32
	seen  func(dialResult) // is shown each connection, or why there is none; nil: nobody looks

	resolve func(ctx context.Context, host string) ([]netip.Addr, error)
	control func(network, address string, c syscall.RawConn) error // of a socket with a source, before it connects

	mu      sync.Mutex // guards the fields below
	numbers map[string]int32
	remotes []string // the addresses that were reached, by number less 1
}

// dialResult is a fresh connection, or why there is none, and what it cost.
type dialResult struct {
	conn      net.Conn
	host      string
	addresses []netip.Addr  // that it resolved to
	address   string        // that was reached
	remote    int32         // its number; 0: none was
	dial      time.Duration // name, addresses that failed, and TCP
	roundTrip time.Duration // about: TCP with the address that was reached
	tls       time.Duration // handshake; 0: none
	err       error
}

func newDialer(config *tls.Config, guard *guard) *dialer {
	return &dialer{tls: config, guard: guard, resolve: resolve, control: choosePortLate, numbers: map[string]int32{}}
}

// authority is the host and port of a URL.
func authority(u *url.URL) (host, port string) {
	if port = u.Port(); port == "" {
		port = "80"
		if u.Scheme == "https" {
			port = "443"
		}
	}
	return u.Hostname(), port
}

// dial connects from source, if it is valid, to a host and port.
//
// It runs on a goroutine of its own, which ends with it: what it needs of the
// stack would otherwise stay with each user for good.
func (d *dialer) dial(ctx context.Context, source netip.Addr, host, port string, secure bool) dialResult {
	result := make(chan dialResult)
	go func() {
		r := dialResult{host: host}
		began := time.Now()
		if r.addresses, r.err = d.resolve(ctx, host); r.err == nil {
			r.conn, r.roundTrip, r.err = d.connect(ctx, source, host, r.addresses, port)
		}
		if r.dial = time.Since(began); r.err == nil {
			r.address = r.conn.RemoteAddr().String()
			r.remote = d.number(r.address)
			if secure {
				d.handshake(ctx, &r)
			}
		}
		result <- r
	}()
	r := <-result // it ends with ctx
	if d.seen != nil {
		d.seen(r)
	}
	return r
}

// connect tries the addresses of a host in turn. Each has an equal share of the
// time that is left: one that swallows everything must not use up all of it.
// took is the time of the one that was reached.
func (d *dialer) connect(ctx context.Context, source netip.Addr, host string, addresses []netip.Addr, port string) (conn net.Conn, took time.Duration, err error) {
	if source.IsValid() {
		if addresses = sameFamily(addresses, source); len(addresses) == 0 {
			return nil, 0, &net.OpError{Op: "dial", Net: "tcp", Err: fmt.Errorf("%s has no address that can be reached from %s", host, source)}
		}
	}
	nd := d.from(source)
	first := int(d.turn.Add(1) - 1)
	for i := range addresses {
		address := addresses[(first+i)%len(addresses)]
		if err = d.guard.admit(address); err != nil {
			continue
		}
		limited, cancel := share(ctx, len(addresses)-i)
		began := time.Now()
		conn, err = nd.DialContext(limited, "tcp", net.JoinHostPort(address.String(), port))
		took = time.Since(began)
		cancel()
		if err == nil {
			return conn, took, nil
		}
	}
	return nil, 0, err
}

// share is a context with one of n equal shares of the time that ctx has left.
func share(ctx context.Context, n int) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok || n == 1 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, time.Until(deadline)/time.Duration(n))
}

// handshake begins TLS on a fresh connection.
func (d *dialer) handshake(ctx context.Context, r *dialResult) {
	config := d.tls
	if config.ServerName == "" {
		config = config.Clone()
		config.ServerName = r.host
	}
	began := time.Now()
	secure := tls.Client(r.conn, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		r.conn.Close()
		r.conn, r.err = nil, &handshakeError{err}
		return
	}
	r.conn, r.tls = secure, time.Since(began)
}

// mostRemotes is how many addresses are told apart; those that come later
// share the last number.
const mostRemotes = 256

// number returns the number of an address, from 1.
func (d *dialer) number(address string) int32 {
	d.mu.Lock()
	defer d.mu.Unlock()
	if n, ok := d.numbers[address]; ok {
		return n
	}
	if len(d.remotes) == mostRemotes {
		return mostRemotes
	}
	if len(d.remotes) == mostRemotes-1 {
		address = "others"
	}
	d.remotes = append(d.remotes, address)
	n := int32(len(d.remotes))
	d.numbers[address] = n
	return n
}

// reached returns the addresses so far, by number less 1.
func (d *dialer) reached() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.remotes[:len(d.remotes):len(d.remotes)]
}

// resolve returns the addresses of a host, which may be one itself.
func resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	if address, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{address}, nil
	}
	return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
}

func sameFamily(addresses []netip.Addr, source netip.Addr) []netip.Addr {
	var same []netip.Addr
	for _, a := range addresses {
		if a = a.Unmap(); a.Is4() == source.Is4() {
			same = append(same, a)
		}
	}
	return same
}

// from is a net.Dialer that dials from an address, if it is valid.
func (d *dialer) from(source netip.Addr) net.Dialer {
	if !source.IsValid() {
		return net.Dialer{}
	}
	return net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(source, 0)), Control: d.control}
}
