package load

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/netip"
	"net/url"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"headroom/probe"
	"headroom/profiles"
)

// Conn performs the requests of one user, one at a time. It is the seam at
// which tests put a target without sockets and with virtual time.
type Conn interface {
	// Do sends the message and waits for the whole answer. It fills every
	// field of s but Intended, Queued and Task. The error explains s.Failure.
	Do(s *Sample, m *Message) error
	// Close ends the connection. It may be called once Do has returned.
	Close()
}

// wire is what all connections of a run share.
type wire struct {
	url        *url.URL // of the target
	identifier *probe.Identifier
	timeout    time.Duration // per request, from the send
	base       time.Time     // start of the run
	answers    sync.Pool     // of *answer
	dialer     *dialer
	lifetime   lifetime
	sources    []netip.Addr // local addresses, in turns
	seed       uint64       // of the lifetimes
	client     bool         // net/http sends
	http2      bool
	redirects  int // followed
	cookies    bool
	users      atomic.Uint64 // connections made so far, which is one a user
	generation atomic.Uint64 // connections of an older one are replaced before the next request
}

// newWire prepares the connections of a valid plan.
func newWire(plan profiles.Plan, identifier *probe.Identifier) (*wire, error) {
	target, err := url.Parse(plan.Target)
	if err != nil {
		return nil, err
	}
	secure, err := plan.TLSConfig()
	if err != nil {
		return nil, err
	}
	w := &wire{
		url: target, identifier: identifier, timeout: plan.Timeout, dialer: newDialer(secure, newGuard(plan)),
		lifetime: lifetime{plan.ConnMaxAge, plan.ConnMaxRequests}, sources: plan.SourceIPs, seed: plan.Seed,
		client: needsClient(plan.Connections), http2: plan.HTTP2, redirects: plan.Redirects, cookies: plan.Cookies,
	}
	if plan.DisableKeepAlive {
		w.lifetime = lifetime{requests: 1}
	}
	return w, nil
}

// newConn returns the connection of one more user. Its request is cut off when
// now ends.
func (w *wire) newConn(now context.Context) Conn {
	if w.client {
		return w.newClientConn(now)
	}
	return w.newHTTPConn(now)
}

// nextUser returns where the next user sends from, and its random numbers.
func (w *wire) nextUser() (source netip.Addr, rng rand.PCG) {
	number := w.users.Add(1) - 1
	if len(w.sources) > 0 {
		source = w.sources[number%uint64(len(w.sources))]
	}
	return source, *rand.NewPCG(w.seed, number)
}

// httpConn is a keep-alive HTTP/1.1 connection that is dialled when it is
// first needed and again after it broke or has lived.
type httpConn struct {
	*wire
	progress
	now    context.Context // ends when the run must stop at once
	unhook func() bool
	source netip.Addr // invalid: any
	rng    rand.PCG

	// Of the present connection.
	remote     int32
	dialled    time.Duration // how long its dial took, about a round trip
	born       time.Duration // offset
	served     int           // requests that it has carried
	lifetime   lifetime
	generation uint64

	mu      sync.Mutex // guards the fields below, which abort needs
	socket  socket
	aborted bool
}

var _ Conn = (*httpConn)(nil)

func (w *wire) newHTTPConn(now context.Context) *httpConn {
	c := &httpConn{wire: w, now: now}
	c.source, c.rng = w.nextUser()
	c.unhook = context.AfterFunc(now, c.abort)
	return c
}

func (c *httpConn) Do(s *Sample, m *Message) error {
	s.Sent = time.Since(c.base)
	s.Replica = probe.Unknown
	c.begin()
	a, err := c.try(s, m)
	if err != nil && a == nil && m.idempotent && c.mayRepeat(err, time.Since(c.base)-s.Sent) {
		c.hangUp()
		s.Retried = true
		a, err = c.try(s, m)
	}
	s.Remote = c.remote
	if err != nil {
		s.Done = time.Since(c.base)
		s.Failure = c.classify(err)
		c.hangUp()
	} else {
		s.Done = a.lastByte
		s.Status = a.status
		s.Replica = c.identifier.Identify(int(a.status), a.head, a.body)
		s.Failure, err = m.judge(s, a.head, a.body)
		if !a.keepAlive || a.r != a.w || c.lifetime.over(s.Done-c.born, c.served) {
			c.hangUp() // asked for, or there are bytes that no request belongs to
		}
	}
	if a != nil {
		s.FirstByte, s.Bytes, s.Stream = a.firstByte, a.bytes, a.events.end(err == nil)
		c.giveAnswer(a)
	}
	return err
}

// try performs one exchange on the present or on a fresh connection. With an
// error it returns the answer only if some of it had come.
func (c *httpConn) try(s *Sample, m *Message) (*answer, error) {
	deadline := s.Sent + c.timeout
	if c.socket != nil && (c.generation != c.wire.generation.Load() || c.lifetime.over(s.Sent-c.born, c.served)) {
		c.hangUp()
	}
	if c.socket == nil {
		if err := c.dial(s, deadline); err != nil {
			return nil, err
		}
	}
	if err := c.dialer.guard.spend(); err != nil {
		return nil, err
	}
	a, err := c.socket.exchange(m.wire, deadline)
	if err != nil {
		return nil, err
	}
	a.events.begun = &c.begun
	a.want = m.want
	if err := a.read(m.head); err != nil {
		if a.firstByte == 0 {
			c.giveAnswer(a)
			a = nil
		}
		return a, err
	}
	c.served++
	return a, nil
}

// mayRepeat allows a second try where a server closed an idle connection just
// as we used it and nothing of an answer had come. The end comes as fast as a
// server tells that it knows nothing of the connection. One that comes later
// is a request that was cut off, and a failure.
func (c *httpConn) mayRepeat(err error, after time.Duration) bool {
	return c.served > 0 && c.now.Err() == nil &&
		after < 3*c.dialled+staleWithin &&
		(errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE))
}

// staleWithin is added to three round trips for what schedulers take.
const staleWithin = 5 * time.Millisecond

func (c *httpConn) dial(s *Sample, deadline time.Duration) error {
	ctx, cancel := context.WithDeadline(c.now, c.base.Add(deadline))
	defer cancel()
	host, port := authority(c.url)
	fresh := c.dialer.dial(ctx, c.source, host, port, c.url.Scheme == "https")
	s.Dial, s.TLS = fresh.dial, fresh.tls
	c.remote, c.dialled, c.served = fresh.remote, fresh.dial, 0
	if fresh.err != nil {
		return fresh.err
	}
	c.born, c.generation = time.Since(c.base), c.wire.generation.Load()
	c.lifetime = c.wire.lifetime.draw(rand.New(&c.rng).Float64())
	c.mu.Lock()
	defer c.mu.Unlock()
	c.socket = newSocket(fresh.conn, c.wire)
	if c.aborted {
		return errAborted
	}
	return nil
}

// classify sees to it that the end of the run is not taken for a failure of
// the target.
func (c *httpConn) classify(err error) Failure {
	if c.now.Err() != nil {
		return Aborted
	}
	return classify(err)
}

// abort cuts off the request that is under way; it is called from outside.
func (c *httpConn) abort() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.aborted = true
	if c.socket != nil {
		c.socket.Close()
	}
}

func (c *httpConn) hangUp() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.socket != nil {
		c.socket.Close()
		c.socket = nil
	}
}

func (c *httpConn) Close() {
	c.unhook()
	c.hangUp()
}
