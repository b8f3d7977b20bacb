package load

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"headroom/probe"
)

// Conn performs the requests of one user, one at a time. It is the seam at
// which tests put a target without sockets and with virtual time.
type Conn interface {
	// Do sends the request and waits for the whole answer. It fills every
	// field of s but Intended and Late. The error explains s.Failure.
	Do(s *Sample) error
	// Close ends the connection. It may be called once Do has returned.
	Close()
}

// wire is what all connections of a run share.
type wire struct {
	request    *request
	identifier *probe.Identifier
	timeout    time.Duration // per request, from the send
	base       time.Time     // start of the run
	answers    sync.Pool     // of *answer
	dialer     dialer
	tls        *tls.Config   // nil for plain HTTP
	generation atomic.Uint64 // connections of an older one are replaced before the next request
}

// httpConn is a keep-alive HTTP/1.1 connection that is dialled when it is
// first needed and again after it broke.
type httpConn struct {
	*wire
	now        context.Context // ends when the run must stop at once
	unhook     func() bool
	reused     bool          // the connection has answered before
	dialled    time.Duration // how long its dial took, about a round trip
	generation uint64

	mu      sync.Mutex // guards the fields below, which abort needs
	socket  socket
	aborted bool
}

var _ Conn = (*httpConn)(nil)

// newConn returns a connection whose request is cut off when now ends.
func (w *wire) newConn(now context.Context) *httpConn {
	c := &httpConn{wire: w, now: now}
	c.unhook = context.AfterFunc(now, c.abort)
	return c
}

func (c *httpConn) Do(s *Sample) error {
	s.Sent = time.Since(c.base)
	s.Replica = probe.Unknown
	a, err := c.try(s.Sent)
	if err != nil && a == nil && c.mayRepeat(err, time.Since(c.base)-s.Sent) {
		c.hangUp()
		s.Retried = true
		a, err = c.try(s.Sent)
	}
	if a != nil {
		s.FirstByte, s.Done, s.Bytes = a.firstByte, a.lastByte, a.bytes
	}
	if err != nil {
		s.Done = time.Since(c.base)
		c.hangUp()
		s.Failure = c.classify(err)
	} else {
		s.Status = a.status
		s.Replica = c.identifier.Identify(int(a.status), a.head, a.body)
		if s.Status >= 400 {
			s.Failure = Status
		}
		if !a.keepAlive || a.r != a.w {
			c.hangUp() // asked for, or there are bytes that no request belongs to
		}
	}
	if a != nil {
		c.giveAnswer(a)
	}
	return err
}

// try performs one exchange on the present or on a fresh connection. With an
// error it returns the answer only if some of it had come.
func (c *httpConn) try(start time.Duration) (*answer, error) {
	deadline := start + c.timeout
	if c.socket != nil && c.generation != c.wire.generation.Load() {
		c.hangUp()
	}
	if c.socket == nil {
		if err := c.dial(c.base.Add(deadline)); err != nil {
			return nil, err
		}
	}
	a, err := c.socket.exchange(c.request.wire, deadline)
	if err != nil {
		return nil, err
	}
	if err := a.read(c.request.head); err != nil {
		if a.firstByte == 0 {
			c.giveAnswer(a)
			a = nil
		}
		return a, err
	}
	c.reused = true
	return a, nil
}

// mayRepeat allows a second try where a server closed an idle connection just
// as we used it and nothing of an answer had come. The end comes as fast as a
// server tells that it knows nothing of the connection. One that comes later
// is a request that was cut off, and a failure.
func (c *httpConn) mayRepeat(err error, after time.Duration) bool {
	return c.reused && c.request.idempotent && c.now.Err() == nil &&
		after < 3*c.dialled+staleWithin &&
		(errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE))
}

// staleWithin is added to three round trips for what schedulers take.
const staleWithin = 5 * time.Millisecond

func (c *httpConn) dial(deadline time.Time) error {
	ctx, cancel := context.WithDeadline(c.now, deadline)
	defer cancel()
	began := time.Now()
	nc, err := c.dialer.dial(ctx)
	if err != nil {
		return err
	}
	c.dialled = time.Since(began)
	if c.tls != nil {
		secure := tls.Client(nc, c.tls)
		if err := secure.HandshakeContext(ctx); err != nil {
			nc.Close()
			return &handshakeError{err}
		}
		nc = secure
	}
	c.mu.Lock()
	c.socket = newSocket(nc, c.wire)
	aborted := c.aborted
	c.mu.Unlock()
	if aborted {
		return errAborted
	}
	c.generation = c.wire.generation.Load()
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
	c.reused = false
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
