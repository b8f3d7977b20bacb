package load

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
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
	answer     answer
	reused     bool          // the connection has answered before
	dialled    time.Duration // how long its dial took, about a round trip
	generation uint64

	mu      sync.Mutex // guards the fields below, which abort needs
	nc      net.Conn
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
	start := time.Now()
	s.Sent = start.Sub(c.base)
	s.Replica = probe.Unknown
	err := c.try(start)
	if err != nil && c.mayRepeat(err, time.Since(start)) {
		c.hangUp()
		s.Retried = true
		err = c.try(start)
	}
	s.Done = time.Since(c.base)
	if c.answer.started() {
		s.FirstByte = c.answer.firstByte.Sub(c.base)
	}
	s.Bytes = c.answer.bytes
	if err != nil {
		c.hangUp()
		s.Failure = c.classify(err)
		return err
	}
	s.Status = c.answer.status
	s.Replica = c.identifier.Identify(int(s.Status), c.answer.head, c.answer.body)
	if s.Status >= 400 {
		s.Failure = Status
	}
	if !c.answer.keepAlive || c.answer.r != c.answer.w {
		c.hangUp() // asked for, or there are bytes that no request belongs to
	}
	return nil
}

// try performs one exchange on the present or on a fresh connection.
func (c *httpConn) try(start time.Time) error {
	deadline := start.Add(c.timeout)
	c.answer.firstByte, c.answer.bytes = time.Time{}, 0
	if c.nc != nil && c.generation != c.wire.generation.Load() {
		c.hangUp()
	}
	if c.nc == nil {
		if err := c.dial(deadline); err != nil {
			return err
		}
	}
	if err := c.nc.SetDeadline(deadline); err != nil {
		return err
	}
	if _, err := c.nc.Write(c.request.wire); err != nil {
		return err
	}
	if err := c.answer.read(c.request.head); err != nil {
		return err
	}
	c.reused = true
	return nil
}

// mayRepeat allows a second try where a server closed an idle connection just
// as we used it: nothing of an answer had come, and the end came as fast as a
// server tells that it knows nothing of the connection. One that comes later
// is a request that was cut off, and a failure.
func (c *httpConn) mayRepeat(err error, after time.Duration) bool {
	return c.reused && c.request.idempotent && !c.answer.started() && c.now.Err() == nil &&
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
	c.nc = nc
	aborted := c.aborted
	c.mu.Unlock()
	if aborted {
		return errAborted
	}
	c.generation = c.wire.generation.Load()
	c.answer.reset(nc)
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
	if c.nc != nil {
		c.nc.Close()
	}
}

func (c *httpConn) hangUp() {
	c.reused = false
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.nc != nil {
		c.nc.Close()
		c.nc = nil
	}
}

func (c *httpConn) Close() {
	c.unhook()
	c.hangUp()
}
