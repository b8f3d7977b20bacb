package load

import (
	"crypto/tls"
	"errors"
	"net"
	"syscall"
	"time"
)

// socket is an established connection to the target, over which one request
// goes at a time. Times are offsets from the start of the run.
type socket interface {
	// exchange sends a request and returns an answer from the pool of the
	// run, ready to be read. It returns none when it knows that there is no
	// byte of one, and errStale when it sent nothing for that reason. What
	// takes longer than until deadline is given up, reading the rest of the
	// answer included.
	exchange(request []byte, deadline time.Duration) (*answer, error)
	// finish follows exchange and the reading of the answer. It gives up what
	// of the request is not sent by then, and returns false if there was some:
	// the connection is of no more use.
	finish() bool
	// Close ends the connection, and may be called at any time.
	Close() error
}

// errStale is a connection that ended while it was idle, or brought bytes that
// no request had asked for. They must not pass for the answer to the next one.
var errStale = errors.New("the connection went stale while it was idle")

// lookAfter is how long after the start of the last request a socket looks
// whether it went stale meanwhile. Sooner than that looking would cost more
// than it is worth: the reset that follows what is sent on a closed connection
// tells it.
const lookAfter = time.Millisecond

// upload is the end of a long request. A goroutine sends it while its user
// listens already, since a server may answer before a request is whole and
// then take no more of it. What the sending fails of, reading fails of too.
type upload struct {
	conn  net.Conn
	ended chan error // nil: there is none
}

// start sends b over a connection until a deadline.
func (u *upload) start(conn net.Conn, b []byte, deadline time.Time) error {
	if err := conn.SetWriteDeadline(deadline); err != nil {
		return err
	}
	ended := make(chan error, 1)
	u.conn, u.ended = conn, ended
	go func() {
		_, err := conn.Write(b)
		ended <- err
	}()
	return nil
}

// finish ends the sending, and reports whether all had been sent.
func (u *upload) finish() bool {
	if u.ended == nil {
		return true
	}
	failed := u.conn.SetWriteDeadline(time.Unix(1, 0)) // ends a Write that waits, and only that
	err := <-u.ended
	u.conn, u.ended = nil, nil
	return failed == nil && err == nil
}

// streamSocket is the socket that works on every connection and system.
type streamSocket struct {
	net.Conn
	upload
	conns *connector
	raw   syscall.RawConn // of TCP below; nil: unknown
	last  time.Duration   // deadline of the last request; 0: there was none
}

func newStreamSocket(nc net.Conn, k *connector) *streamSocket {
	s := &streamSocket{Conn: nc, conns: k}
	if secure, ok := nc.(*tls.Conn); ok {
		nc = secure.NetConn()
	}
	if tcp, ok := nc.(syscall.Conn); ok {
		s.raw, _ = tcp.SyscallConn() // without it a stale connection shows when a request fails
	}
	return s
}

// inOneGo is the longest request that is sent before listening: every system
// buffers as much.
const inOneGo = 16 << 10

func (s *streamSocket) exchange(request []byte, deadline time.Duration) (*answer, error) {
	if s.last > 0 && deadline-s.last > lookAfter && s.stale() {
		return nil, errStale
	}
	s.last = deadline
	at := s.conns.base.Add(deadline)
	if err := s.SetDeadline(at); err != nil {
		return nil, err
	}
	if len(request) > inOneGo {
		if err := s.upload.start(s.Conn, request, at); err != nil {
			return nil, err
		}
	} else if _, err := s.Write(request); err != nil {
		return nil, err
	}
	return s.conns.takeAnswer(s), nil
}

// stale reports whether anything has come since the last answer. Of TLS that
// is a goodbye or what it does not foresee: session tickets come before the
// first answer. (A key update would cost the connection, no more.)
func (s *streamSocket) stale() (stale bool) {
	if s.raw == nil || s.raw.Control(func(fd uintptr) { stale = readable(fd) }) != nil {
		return false
	}
	return stale
}
