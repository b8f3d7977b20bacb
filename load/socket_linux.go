package load

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// newSocket chooses how requests go over a connection.
func newSocket(nc net.Conn, k *connector) socket {
	if tcp, ok := nc.(*net.TCPConn); ok {
		if raw, err := tcp.SyscallConn(); err == nil {
			s := &directSocket{TCPConn: tcp, raw: raw, conns: k}
			s.onReady = s.proceed
			return s
		}
	}
	return newStreamSocket(nc, k)
}

// directSocket is a TCP connection that saves what Write and Read spend on a
// request beside sending it and receiving the answer.
//
// The request is written from inside the callback of RawConn.Read, which then
// returns false: the poller was armed before the callback ran, so the
// goroutine parks at once until there is something to read. Read after Write
// would try to read first, in vain. The buffer is taken when there are bytes
// for it. And the deadline is not set for every request: that of an earlier
// one stays, and is moved when it strikes too early.
type directSocket struct {
	*net.TCPConn
	upload
	raw      syscall.RawConn
	conns    *connector
	onReady  func(fd uintptr) bool // s.proceed, bound once
	deadline time.Duration         // of the request under way
	armed    time.Duration         // the deadline that is set; 0: none

	// Of the request under way.
	look   bool // whether the connection is stale, before sending
	sent   bool
	rest   []byte  // what the send buffer of the system had no room for
	answer *answer // with the first bytes
	err    error   // that proceed met
}

func (s *directSocket) exchange(request []byte, deadline time.Duration) (*answer, error) {
	s.look = s.armed > 0 && deadline-s.deadline > lookAfter
	s.deadline = deadline
	if s.armed == 0 || deadline < s.armed {
		if err := s.arm(); err != nil {
			return nil, err
		}
	}
	s.sent, s.rest, s.answer, s.err = false, request, nil, nil
	for {
		err := s.raw.Read(s.onReady)
		switch {
		case s.tooEarly(err):
			err = s.arm()
		case err == nil && s.err != nil:
			err = s.err
		case err == nil && s.answer != nil:
			return s.answer, nil
		case err == nil:
			err = s.upload.start(s.TCPConn, s.rest, s.conns.base.Add(s.deadline))
		}
		if err != nil {
			return nil, err
		}
	}
}

// proceed is called when a request is to be sent, and then whenever there may
// be something to read. It returns true when its part is done.
func (s *directSocket) proceed(fd uintptr) bool {
	if s.look {
		s.look = false // the poller does not tell again what came before it was armed
		if readable(fd) {
			s.err = errStale
			return true
		}
	}
	if !s.sent {
		s.sent = true
		n, err := transfer(unix.SYS_SENDTO, fd, s.rest, unix.MSG_NOSIGNAL)
		if err == nil {
			s.rest = s.rest[n:]
		} else if err != syscall.EAGAIN && err != syscall.EINTR {
			s.fail("write", err)
		}
		return s.err != nil || len(s.rest) > 0
	}
	a := s.conns.takeAnswer(s)
	n, err := transfer(unix.SYS_RECVFROM, fd, a.buf, 0)
	switch {
	case n > 0:
		a.received(n)
		s.answer = a
		return true
	case err == nil:
		s.err = io.EOF
	case err != syscall.EAGAIN && err != syscall.EINTR:
		s.fail("read", err)
	}
	s.conns.giveAnswer(a)
	return s.err != nil
}

// readable reports whether reading from a socket would return at once, since
// bytes have come, or the end, or an error.
func readable(fd uintptr) bool {
	var b [1]byte
	_, err := transfer(unix.SYS_RECVFROM, fd, b[:], unix.MSG_PEEK)
	return err != syscall.EAGAIN && err != syscall.EINTR
}

// transfer sends or receives on a socket, which does not block. Without the
// scheduler being told, and past the layers of the file system, this takes a
// tenth less than Write and Read.
func transfer(call, fd uintptr, b []byte, flags uintptr) (n int, err error) {
	r, _, errno := unix.RawSyscall6(call, fd, uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), flags, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(r), nil
}

func (s *directSocket) fail(op string, err error) {
	s.err = &net.OpError{Op: op, Net: "tcp", Addr: s.RemoteAddr(), Err: os.NewSyscallError(op, err)}
}

// Read reads more of an answer that has begun.
func (s *directSocket) Read(p []byte) (int, error) {
	for {
		n, err := s.TCPConn.Read(p)
		if !s.tooEarly(err) {
			return n, err
		}
		if err := s.arm(); err != nil {
			return 0, err
		}
	}
}

// tooEarly reports whether err is the deadline of an earlier request.
func (s *directSocket) tooEarly(err error) bool {
	return err != nil && errors.Is(err, os.ErrDeadlineExceeded) && time.Since(s.conns.base) < s.deadline
}

func (s *directSocket) arm() error {
	s.armed = s.deadline
	return s.SetReadDeadline(s.conns.base.Add(s.deadline))
}
