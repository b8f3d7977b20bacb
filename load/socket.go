package load

import (
	"net"
	"time"
)

// socket is an established connection to the target, over which one request
// goes at a time. Times are offsets from the start of the run.
type socket interface {
	// exchange sends a request and returns an answer from the pool of the
	// run, ready to be read. It returns none when it knows that there is no
	// byte of one. What takes longer than until deadline is given up, reading
	// the rest of the answer included.
	exchange(request []byte, deadline time.Duration) (*answer, error)
	// Close ends the connection, and may be called at any time.
	Close() error
}

// streamSocket is the socket that works on every connection and system.
type streamSocket struct {
	net.Conn
	conns *connector
}

func (s *streamSocket) exchange(request []byte, deadline time.Duration) (*answer, error) {
	if err := s.SetDeadline(s.conns.base.Add(deadline)); err != nil {
		return nil, err
	}
	if _, err := s.Write(request); err != nil {
		return nil, err
	}
	return s.conns.takeAnswer(s), nil
}
