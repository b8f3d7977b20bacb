package load

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"headroom/probe"
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

// httpConn is a keep-alive HTTP/1.1 connection that is dialled when it is
// first needed and again after it broke or has lived.
type httpConn struct {
	*connector
	halt   context.Context // ends when the run must stop at once
	unhook func() bool
	source netip.Addr // invalid: any
	rng    rand.PCG

	// Of the present connection.
	address    string        // that it goes to
	remote     int32         // its number
	holds      *heldConn     // nil before the first
	roundTrip  time.Duration // about, and at most mostRoundTrip
	born       time.Duration // offset
	served     int           // requests that it has carried
	lifetime   lifetime
	generation uint64

	mu      sync.Mutex // guards the fields below, which abort needs
	socket  socket
	aborted bool
}

var _ Conn = (*httpConn)(nil)

func (k *connector) newHTTPConn(halt context.Context) *httpConn {
	c := &httpConn{connector: k, halt: halt}
	c.source, c.rng = k.nextUser()
	c.unhook = context.AfterFunc(halt, c.abort)
	return c
}

func (c *httpConn) Do(s *Sample, m *Message) error {
	s.Sent = time.Since(c.base)
	s.Replica, s.Split = probe.Unknown, probe.Unsplit
	a, err := c.try(s, m)
	if a == nil && c.mayRepeat(err, m, time.Since(c.base)-s.Sent) {
		c.hangUp()
		s.Retried = true
		a, err = c.try(s, m)
	}
	s.Remote = c.remote
	if err != nil {
		s.Done = time.Since(c.base)
		s.Failure = c.classify(err)
		switch {
		case s.Failure != Aborted && c.socket != nil:
			s.Replica = c.holds.replica.Load()
		case s.Failure == Aborted && a != nil && len(a.head) > 0:
			s.Replica = c.identifier.Identify(c.answered(a, s))
		}
		c.hangUp()
	} else {
		s.Done = a.lastByte
		s.Status = a.status
		seen := c.answered(a, s)
		s.Replica, s.Split = c.identifier.Identify(seen), c.splitter.Split(seen)
		s.Switched = c.holds.answered(s.Replica)
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

// answered is an answer as the probe looks at it.
func (c *httpConn) answered(a *answer, s *Sample) *probe.Answer {
	return &probe.Answer{Status: int(a.status), Head: a.head, Body: a.body, Remote: c.address, Conn: c.holds.number, Task: int(s.Task)}
}

// try performs one exchange on the present or on a fresh connection. With an
// error it returns the answer only if some of it had come.
func (c *httpConn) try(s *Sample, m *Message) (*answer, error) {
	deadline := s.Sent + c.timeout
	if c.socket != nil && (c.generation != c.connector.generation.Load() || c.lifetime.over(s.Sent-c.born, c.served)) {
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
	a, err := c.socket.exchange(m.encoded, deadline)
	if err == nil {
		a.events.log, a.want = m.streams, m.want
		err = a.read(m.head)
	}
	if !c.socket.finish() && a != nil {
		a.keepAlive = false
	}
	if err == nil {
		c.served++
	} else if a != nil && a.firstByte == 0 {
		c.giveAnswer(a)
		a = nil
	}
	return a, err
}

// mayRepeat allows a second try, on a fresh connection, where the first met one
// that went stale while it was idle. Seen before anything was sent, that is the
// connection's affair, whatever the method.
//
// Else the server closed it just as we used it, and nothing of an answer had
// come; what is not idempotent may have been done by then. The end comes as
// fast as a server tells that it knows nothing of the connection. One that
// comes later is a request that was cut off, and a failure.
func (c *httpConn) mayRepeat(err error, m *Message, after time.Duration) bool {
	switch {
	case c.halt.Err() != nil:
		return false
	case errors.Is(err, errStale):
		return true
	}
	return m.idempotent && c.served > 0 && after < 3*c.roundTrip+staleWithin &&
		(errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE))
}

const (
	staleWithin   = 5 * time.Millisecond   // is added to three round trips for what schedulers take
	mostRoundTrip = 100 * time.Millisecond // a connection that took longer lost a packet on the way, or met a full backlog
)

func (c *httpConn) dial(s *Sample, deadline time.Duration) error {
	ctx, cancel := context.WithDeadline(c.halt, c.base.Add(deadline))
	defer cancel()
	host, port := authority(c.url)
	fresh := c.dialer.dial(ctx, c.source, host, port, c.url.Scheme == "https")
	s.Dial, s.TLS = fresh.dial, fresh.tls
	c.address, c.remote, c.roundTrip, c.served = fresh.address, fresh.remote, min(fresh.roundTrip, mostRoundTrip), 0
	if fresh.err != nil {
		return fresh.err
	}
	c.born, c.generation = time.Since(c.base), c.connector.generation.Load()
	c.holds = c.held.add(c.born)
	c.lifetime = c.connector.lifetime.draw(rand.New(&c.rng).Float64())
	c.mu.Lock()
	defer c.mu.Unlock()
	c.socket = newSocket(fresh.conn, c.connector)
	if c.aborted {
		return errAborted
	}
	return nil
}

// classify sees to it that the end of the run is not taken for a failure of
// the target.
func (c *httpConn) classify(err error) Failure {
	if c.halt.Err() != nil {
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
		c.held.remove(c.holds)
	}
}

func (c *httpConn) Close() {
	c.unhook()
	c.hangUp()
}
