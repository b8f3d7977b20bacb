package load

import (
	"context"
	"errors"
	"net"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync"
	"time"
)

// sightings is what is seen of one request from below net/http. The transport
// calls from goroutines of its own, also after the request was given up.
type sightings struct {
	base   time.Time
	dialer *dialer

	mu        sync.Mutex // guards the fields below
	firstByte time.Duration
	dial, tls time.Duration // of the latest connection that was tried for it
	remote    int32         // number of the address that it went to; 0: none was reached
	conn      net.Conn      // that it went over
	fresh     bool          // a connection was made for it
	sent      int           // over connections
	answered  int
}

// sightingsKey is where the context of a request has its sightings.
type sightingsKey struct{}

// watch returns the context of a request that is watched.
func (s *sightings) watch(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(context.WithValue(ctx, sightingsKey{}, s), &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) {
			remote := s.dialer.number(info.Conn.RemoteAddr().String())
			s.mu.Lock()
			defer s.mu.Unlock()
			s.sent++
			s.conn, s.remote = info.Conn, remote
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
	})
}

// dialled notes a connection that was tried for the request.
func (s *sightings) dialled(r dialResult) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dial, s.tls, s.remote = r.dial, r.tls, r.remote
}

// hangUp closes the connection that the request went over.
func (s *sightings) hangUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != nil {
		s.conn.Close()
	}
}

// over is the address that the request went to, and the local port of its
// connection.
func (s *sightings) over() (address string, port int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn == nil {
		return "", 0
	}
	if local, ok := s.conn.LocalAddr().(*net.TCPAddr); ok {
		port = int64(local.Port)
	}
	return s.conn.RemoteAddr().String(), port
}

// errNoHTTP2 is a connection that could not be made, as one that a port
// refuses: users hold back from it. Whatever a server says that expects
// another protocol, read as a frame it is too large, or it hangs up.
var errNoHTTP2 = errors.New("the target does not speak HTTP/2 without TLS")

// asProtocol marks errors of net/http that mean an answer that breaks HTTP;
// they have no type.
func (c *clientConn) asProtocol(err error) error {
	var bad protocolError
	if errors.As(err, &bad) {
		return bad
	}
	var client *url.Error
	if errors.As(err, &client) {
		err = client.Err // without the URL
	}
	says := func(texts ...string) bool {
		for _, text := range texts {
			if strings.Contains(err.Error(), text) {
				return true
			}
		}
		return false
	}
	switch {
	case c.url.Scheme == "http" && says("http2: frame too large", "http2: client conn could not be established"):
		return errNoHTTP2
	case says("server response headers exceeded", "response header list larger"):
		return errLongHead
	case says("malformed HTTP", "malformed MIME", "bad Content-Length", "http2: frame too large", "http2: client conn could not be established", "PROTOCOL_ERROR", "connection error: "):
		return protocolError(err.Error())
	}
	return err
}
