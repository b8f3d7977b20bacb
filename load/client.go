package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptrace"
	"net/netip"
	"strings"
	"sync"
	"time"

	"headroom/probe"
	"headroom/profiles"
)

// clientConn is a user whose requests net/http sends, over a transport of its
// own: HTTP/2, and where redirects are followed or cookies kept. It costs
// several times what httpConn does.
type clientConn struct {
	*wire
	progress
	now       context.Context // ends when the run must stop at once
	source    netip.Addr      // invalid: any
	rng       rand.PCG
	client    http.Client
	transport *http.Transport

	// Of the latest connection.
	born       time.Duration // offset
	served     int           // requests since
	lifetime   lifetime
	generation uint64

	mu   sync.Mutex // guards the field below: the transport dials on goroutines of its own
	last dialled
}

var _ Conn = (*clientConn)(nil)

// needsClient reports whether connections are more than httpConn can do.
func needsClient(c profiles.Connections) bool { return c.HTTP2 || c.Redirects > 0 || c.Cookies }

func (w *wire) newClientConn(now context.Context) *clientConn {
	c := &clientConn{wire: w, now: now}
	c.source, c.rng = w.nextUser()
	protocols := new(http.Protocols)
	protocols.SetHTTP1(!w.http2)
	protocols.SetHTTP2(w.http2)
	protocols.SetUnencryptedHTTP2(w.http2)
	c.transport = &http.Transport{
		DialContext: func(_ context.Context, _, address string) (net.Conn, error) { return c.dial(address, false) },
		DialTLSContext: func(_ context.Context, _, address string) (net.Conn, error) {
			return c.dial(address, true)
		},
		TLSClientConfig:    w.dialer.tls,
		Protocols:          protocols,
		DisableCompression: true, // what is measured is what is sent
		DisableKeepAlives:  w.lifetime.requests == 1,
	}
	c.client = http.Client{Transport: c.transport, CheckRedirect: c.follow}
	if w.cookies {
		c.client.Jar, _ = cookiejar.New(nil) // it fails never
	}
	return c
}

// dial is called by the transport. It ends with the run, and after a timeout.
func (c *clientConn) dial(address string, secure bool) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(c.now, c.timeout)
	defer cancel()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	r := c.dialer.dial(ctx, c.source, host, port, secure)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last = r
	return r.conn, r.err
}

// follow decides on a redirect after the requests via.
func (c *clientConn) follow(_ *http.Request, via []*http.Request) error {
	switch {
	case c.redirects == 0:
		return http.ErrUseLastResponse
	case len(via) > c.redirects:
		return protocolError(fmt.Sprintf("more than %s", profiles.Plural(c.redirects, "redirect", "redirects")))
	}
	return nil
}

func (c *clientConn) Do(s *Sample, m *Message) error {
	s.Sent = time.Since(c.base)
	s.Replica = probe.Unknown
	c.begin()
	if c.generation != c.wire.generation.Load() || c.lifetime.over(s.Sent-c.born, c.served) {
		c.transport.CloseIdleConnections()
	}
	ctx, cancel := context.WithDeadline(c.now, c.base.Add(s.Sent+c.timeout))
	defer cancel()
	seen := &sightings{base: c.base}
	err := c.exchange(httptrace.WithClientTrace(ctx, seen.trace()), s, m)
	s.Done = time.Since(c.base)
	c.note(s, seen)
	switch {
	case err == nil, s.Failure != None:
	case c.now.Err() != nil:
		s.Failure = Aborted
	default:
		err = asProtocol(err)
		if s.Failure = classify(err); s.Failure == Timeout {
			c.transport.CloseIdleConnections() // it may be the connection that is dead
		}
	}
	return err
}

// exchange sends the request and reads the whole answer.
func (c *clientConn) exchange(ctx context.Context, s *Sample, m *Message) (err error) {
	request, err := m.forClient(ctx)
	if err != nil {
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
	a.events.begun = &c.begun
	if response.ContentLength < 0 {
		a.events.begin([]byte(response.Header.Get("Content-Type")))
	}
	defer func() { s.Stream = a.events.end(err == nil) }()
	for {
		n, err := response.Body.Read(a.buf)
		a.lastByte = time.Since(c.base)
		a.keep(a.buf[:n])
		if s.Bytes = a.bytes; err == io.EOF {
			break
		} else if err != nil {
			return err
		}
	}
	var head strings.Builder
	fmt.Fprintf(&head, "%s %s\r\n", response.Proto, response.Status)
	if err := response.Header.Write(&head); err != nil {
		return err
	}
	head.WriteString("\r\n")
	s.Status = int16(response.StatusCode)
	s.Replica = c.identifier.Identify(response.StatusCode, []byte(head.String()), a.body)
	c.served++
	s.Done = time.Since(c.base)
	s.Failure, err = m.judge(s, []byte(head.String()), a.body)
	return err
}

// note takes over what was seen of the connections of a request.
func (c *clientConn) note(s *Sample, seen *sightings) {
	c.mu.Lock()
	defer c.mu.Unlock()
	first, fresh, repeated := seen.of()
	s.FirstByte, s.Retried, s.Remote = first, repeated, c.last.remote
	if fresh || c.last.err != nil {
		s.Dial, s.TLS = c.last.dial, c.last.tls
	}
	if fresh {
		c.born, c.served, c.generation = s.Sent+s.Dial+s.TLS, 1, c.wire.generation.Load()
		c.lifetime = c.wire.lifetime.draw(rand.New(&c.rng).Float64())
	}
}

func (c *clientConn) Close() { c.transport.CloseIdleConnections() }

// asProtocol marks errors of net/http that mean an answer that breaks HTTP;
// they have no type.
func asProtocol(err error) error {
	var bad protocolError
	if errors.As(err, &bad) {
		return bad
	}
	for _, text := range []string{"malformed HTTP", "malformed MIME", "bad Content-Length", "server response headers exceeded", "http2: frame too large", "http2: client conn could not be established", "PROTOCOL_ERROR"} {
		if strings.Contains(err.Error(), text) {
			return protocolError(text + ": " + innermost(err).Error())
		}
	}
	return err
}

func innermost(err error) error {
	for next := errors.Unwrap(err); next != nil; next = errors.Unwrap(err) {
		err = next
	}
	return err
}

// sightings is what a trace sees of one request. The transport calls from
// goroutines of its own, also after the request was given up.
type sightings struct {
	base time.Time

	mu        sync.Mutex // guards the fields below
	firstByte time.Duration
	fresh     bool // a connection was made for it
	sent      int  // over connections
	answered  int
}

func (s *sightings) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.sent++
			s.fresh = s.fresh || !info.Reused
		},
		GotFirstResponseByte: func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.answered++
			if s.firstByte == 0 {
				s.firstByte = time.Since(s.base)
			}
		},
	}
}

// of returns when the first byte came, whether there was a fresh connection,
// and whether the transport sent a request again.
func (s *sightings) of() (firstByte time.Duration, fresh, repeated bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.firstByte, s.fresh, s.answered > 0 && s.sent > s.answered
}
