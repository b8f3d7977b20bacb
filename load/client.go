package load

import (
	"context"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"

	"headroom/probe"
	"headroom/profiles"
)

// clientConn is a user whose requests net/http sends, over a transport of its
// own: HTTP/2, and where redirects are followed or cookies kept. It costs
// several times what httpConn does.
type clientConn struct {
	*connector
	halt      context.Context // ends when the run must stop at once
	source    netip.Addr      // invalid: any
	rng       rand.PCG
	client    http.Client
	transport *http.Transport

	// Of the latest connection.
	born       time.Duration // offset
	served     int           // requests since
	lifetime   lifetime
	generation uint64
	holds      *heldConn   // nil before the first
	reached    atomic.Bool // the target, once
}

var _ Conn = (*clientConn)(nil)

// needsClient reports whether connections are more than httpConn can do.
func needsClient(c profiles.Connections) bool { return c.HTTP2 || c.Redirects > 0 || c.Cookies }

func (k *connector) newClientConn(halt context.Context) *clientConn {
	c := &clientConn{connector: k, halt: halt}
	c.source, c.rng = k.nextUser()
	c.transport = c.newTransport()
	c.client = http.Client{Transport: c.transport, CheckRedirect: c.follow}
	if k.cookies {
		c.client.Jar, _ = cookiejar.New(nil) // it never fails
	}
	return c
}

func (c *clientConn) newTransport() *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(!c.http2)
	protocols.SetHTTP2(c.http2)
	protocols.SetUnencryptedHTTP2(c.http2)
	return &http.Transport{
		DialContext: func(ctx context.Context, _, address string) (net.Conn, error) { return c.dial(ctx, address, false) },
		DialTLSContext: func(ctx context.Context, _, address string) (net.Conn, error) {
			return c.dial(ctx, address, true)
		},
		TLSClientConfig:        c.dialer.tls,
		Protocols:              protocols,
		DisableCompression:     true, // what is measured is what is sent
		DisableKeepAlives:      c.connector.lifetime.requests == 1,
		MaxResponseHeaderBytes: headLimit,
	}
}

// dial is called by the transport for a request, on a goroutine that may
// outlive it. It ends with the run, and after a timeout.
func (c *clientConn) dial(request context.Context, address string, secure bool) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(c.halt, c.timeout)
	defer cancel()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	r := c.dialer.dial(ctx, c.source, host, port, secure)
	if r.conn != nil && !c.reached.Swap(true) { // where the first request goes is known only now
		if r.err = c.dialer.guard.spend(); r.err != nil {
			r.conn.Close()
			r.conn = nil
		}
	}
	if seen, ok := request.Value(sightingsKey{}).(*sightings); ok {
		seen.dialled(r)
	}
	return r.conn, r.err
}

// follow decides on a redirect after the requests via. The headers of the plan
// are for its target: another host gets none that may be a secret, nor does
// the target where the way to it is open to all.
func (c *clientConn) follow(next *http.Request, via []*http.Request) error {
	switch {
	case c.redirects == 0:
		return http.ErrUseLastResponse
	case len(via) > c.redirects:
		return protocolError(fmt.Sprintf("more than %s", profiles.Plural(c.redirects, "redirect", "redirects")))
	}
	if first := via[0].URL; next.URL.Host != first.Host || first.Scheme == "https" && next.URL.Scheme != "https" {
		maps.DeleteFunc(next.Header, func(name string, _ []string) bool {
			return name != "Accept" && name != "User-Agent" && name != "Content-Type"
		})
	}
	return nil
}

func (c *clientConn) Do(s *Sample, m *Message) error {
	s.Sent = time.Since(c.base)
	s.Replica, s.Split = probe.Unknown, probe.Unsplit
	if c.generation != c.connector.generation.Load() || c.lifetime.over(s.Sent-c.born, c.served) {
		c.transport.CloseIdleConnections()
	}
	ctx, cancel := context.WithDeadline(c.halt, c.base.Add(s.Sent+c.timeout))
	defer cancel()
	seen := &sightings{base: c.base, dialer: c.dialer}
	err := c.exchange(seen.watch(ctx), seen, s, m)
	if s.Done == 0 {
		s.Done = time.Since(c.base)
	}
	c.note(s, seen)
	switch {
	case err == nil, s.Failure != None:
	case c.halt.Err() != nil:
		s.Failure = Aborted
	default:
		err = c.asProtocol(err)
		if _, port := seen.over(); port > 0 && c.holds != nil {
			s.Replica = c.holds.replica.Load()
		}
		if s.Failure = classify(err); s.Failure == Timeout {
			c.renew(seen)
		}
	}
	return err
}

// renew gives up the connection of a request that timed out: it may be the
// connection that is dead. net/http keeps one of HTTP/2 on which only a
// request was given up, and cannot be told not to.
func (c *clientConn) renew(seen *sightings) {
	seen.hangUp()
	c.transport.CloseIdleConnections()
	c.held.remove(c.holds)
	c.transport = c.newTransport()
	c.client.Transport = c.transport
}

// exchange sends the request and reads the whole answer.
func (c *clientConn) exchange(ctx context.Context, seen *sightings, s *Sample, m *Message) (err error) {
	request, err := m.forClient(ctx)
	if err != nil {
		return err
	}
	if err := c.dialer.guard.spend(); err != nil {
		return err
	}
	response, err := c.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if c.http2 && response.ProtoMajor != 2 {
		return protocolError("the answer is " + response.Proto + " and not HTTP/2")
	}
	a := c.takeAnswer(nil)
	defer c.giveAnswer(a)
	a.want = m.want
	a.events.log = m.streams
	if response.StatusCode < 400 && !m.head {
		a.events.begin(kindOf([]byte(response.Header.Get("Content-Type"))))
	}
	defer func() { s.Stream = a.events.end(err == nil) }()
	var head strings.Builder
	fmt.Fprintf(&head, "%s %s\r\n", response.Proto, response.Status)
	if err := response.Header.Write(&head); err != nil {
		return err
	}
	head.WriteString("\r\n")
	answered := func() *probe.Answer { // as the probe looks at it
		address, port := seen.over()
		return &probe.Answer{Status: response.StatusCode, Head: []byte(head.String()), Body: a.body, Remote: address, Conn: port, Task: int(s.Task)}
	}
	for {
		n, err := response.Body.Read(a.buf)
		a.lastByte = time.Since(c.base)
		a.keep(a.buf[:n])
		if s.Bytes = a.bytes; err == io.EOF {
			break
		} else if err != nil {
			if c.halt.Err() != nil {
				s.Replica = c.identifier.Identify(answered())
			}
			return err
		}
	}
	s.Status = int16(response.StatusCode)
	answer := answered()
	s.Replica, s.Split = c.identifier.Identify(answer), c.splitter.Split(answer)
	c.served++
	s.Done = a.lastByte
	s.Failure, err = m.judge(s, []byte(head.String()), a.body)
	return err
}

// note takes over what was seen of the connections of a request.
func (c *clientConn) note(s *Sample, seen *sightings) {
	seen.mu.Lock()
	defer seen.mu.Unlock()
	s.FirstByte, s.Remote = seen.firstByte, seen.remote
	s.Retried = seen.answered > 0 && seen.sent > seen.answered
	s.Dial, s.TLS = seen.dial, seen.tls
	if seen.fresh {
		c.born, c.served, c.generation = s.Sent+s.Dial+s.TLS, 1, c.connector.generation.Load()
		c.held.remove(c.holds)
		c.holds = c.held.add(c.born)
		c.lifetime = c.connector.lifetime.draw(rand.New(&c.rng).Float64())
	}
	if c.holds != nil {
		s.Switched = c.holds.answered(s.Replica)
	}
}

func (c *clientConn) Close() {
	c.transport.CloseIdleConnections()
	c.held.remove(c.holds)
}
