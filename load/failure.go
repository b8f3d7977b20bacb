package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"syscall"
	"time"
)

// Failure is why a request counts as failed.
type Failure uint8

// The classes of failure. Aborted requests were under way when the run was
// stopped. They are counted apart, but an objective on the errors counts those
// that had no answer by then.
const (
	None Failure = iota
	DNS
	Dial // no connection, or none of the protocol that was asked for
	TLS
	Timeout
	Reset    // the connection ended before the answer did
	Protocol // what came back is not an HTTP answer
	Status   // 4xx or 5xx
	Check    // the answer is not what a check of the scenario wants
	Local    // this machine ran out of ports or descriptors
	Aborted
)

var failureNames = [...]string{"", "dns", "dial", "tls", "timeout", "reset", "protocol", "status", "check", "local", "aborted"}

// String is the class in one word.
func (f Failure) String() string { return failureNames[f] }

// unreached reports whether the request never got to the service.
func (f Failure) unreached() bool { return f == DNS || f == Dial || f == TLS || f == Local }

// MarshalText writes the word.
func (f Failure) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText reads the word.
func (f *Failure) UnmarshalText(b []byte) error {
	for i, name := range failureNames {
		if name == string(b) {
			*f = Failure(i)
			return nil
		}
	}
	return fmt.Errorf("unknown failure %q", b)
}

// protocolError is an answer that breaks HTTP.
type protocolError string

func (e protocolError) Error() string { return string(e) }

var errAborted = errors.New("aborted")

// classify tells the class of an error that a connection returned.
func classify(err error) Failure {
	var dns *net.DNSError
	var bad protocolError
	var netErr net.Error
	var handshake *handshakeError
	switch {
	case errors.Is(err, errAborted):
		return Aborted
	case errors.As(err, &bad):
		return Protocol
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE), errors.Is(err, syscall.EADDRNOTAVAIL):
		return Local
	case errors.As(err, &dns):
		return DNS
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded),
		errors.As(err, &netErr) && netErr.Timeout():
		return Timeout
	case errors.As(err, &handshake), isAlert(err):
		return TLS
	case errors.Is(err, errNoHTTP2), isDial(err):
		return Dial
	default:
		return Reset
	}
}

func isDial(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

// isAlert reports whether the other side ended TLS with an alert, which in TLS
// 1.3 may come after the handshake.
func isAlert(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "remote error"
}

// handshakeError is a TLS handshake that failed, for whatever reason.
type handshakeError struct{ error }

func (e *handshakeError) Unwrap() error { return e.error }

// describe is the error as the table of failures shows it: without addresses
// that differ from connection to connection.
func describe(err error, after time.Duration) string {
	var op *net.OpError
	var handshake *handshakeError
	var call *os.SyscallError
	var client *url.Error
	if errors.As(err, &client) {
		err = client.Err // without the URL
	}
	switch {
	case errors.As(err, &handshake) && classify(err) == TLS:
		return "TLS handshake: " + handshake.Error()
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection was closed before the answer was complete"
	case classify(err) == Timeout:
		return fmt.Sprintf("no complete answer within %v", after)
	case errors.Is(err, syscall.EADDRNOTAVAIL) && errors.As(err, &call) && call.Syscall == "bind":
		return "this machine does not have the address of --source-ip"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return "out of local ports for this address (widen sysctl net.ipv4.ip_local_port_range, or spread over --source-ip)"
	case errors.Is(err, syscall.EMFILE):
		return "out of file descriptors for this process (raise ulimit -n)"
	case errors.Is(err, syscall.ENFILE):
		return "out of file descriptors on this machine (raise sysctl fs.file-max)"
	case errors.As(err, &op):
		return fmt.Sprintf("%s %s: %v", op.Op, op.Net, op.Err)
	default:
		return err.Error()
	}
}
