package load

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"headroom/profiles"
)

const okEmpty = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

// listenTLS is listen behind TLS.
func listenTLS(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	lent := httptest.NewTLSServer(nil) // for its certificate
	lent.Close()
	config := &tls.Config{Certificates: lent.TLS.Certificates}
	return strings.Replace(listen(t, func(nc net.Conn) {
		secure := tls.Server(nc, config)
		defer secure.Close()
		serve(secure)
	}), "http", "https", 1)
}

// idle makes a connection look as if nothing had been sent on it for long.
func idle(t *testing.T, c ownConn) {
	t.Helper()
	switch s := c.socket.(type) {
	case *streamSocket:
		s.last = 1
	default:
		makeIdle(s)
	}
}

// A server may close an idle connection, or say what nobody asked for. Seen
// before the send, any request goes over a fresh one, and is counted.
func TestStaleConnection(t *testing.T) {
	for _, c := range []struct{ name, late string }{
		{"closed", ""},
		{"a parting 408", "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"},
		{"a second answer", "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"},
	} {
		for scheme, listen := range map[string]func(*testing.T, func(net.Conn)) string{"http": listen, "https": listenTLS} {
			for _, method := range []string{http.MethodGet, http.MethodPost} {
				var requests atomic.Int32
				parted := make(chan struct{}, 10)
				speak := make(chan struct{}, 10)
				target := listen(t, func(nc net.Conn) {
					r := bufio.NewReader(nc)
					for first := true; ; first = false {
						if _, err := http.ReadRequest(r); err != nil {
							return
						}
						requests.Add(1)
						io.WriteString(nc, okEmpty)
						if !first {
							continue
						}
						<-speak
						if io.WriteString(nc, c.late); c.late == "" {
							nc.Close()
						}
						parted <- struct{}{}
					}
				})
				conn := connTo(t, target, func(p *profiles.Plan) { p.Method, p.Insecure = method, true })
				if err := conn.Do(new(Sample)); err != nil {
					t.Fatal(err)
				}
				speak <- struct{}{}
				<-parted
				idle(t, conn)
				s := Sample{}
				err := conn.Do(&s)
				if err != nil || s.Status != 200 || !s.Retried || s.Dial == 0 || requests.Load() != 2 {
					t.Errorf("%s, %s %s: %v, status %d, retried %v, %d requests; want 200 on a fresh connection, and 2",
						c.name, scheme, method, err, s.Status, s.Retried, requests.Load())
				}
				close(speak)
			}
		}
	}
}

// A close that no look came in time for meets a request that was sent. It is
// sent again, once, and only if that is safe.
func TestClosedWhileSending(t *testing.T) {
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		target := listen(t, func(nc net.Conn) {
			hear(nc)
			io.WriteString(nc, okEmpty)
			nc.(*net.TCPConn).SetLinger(0) // what comes then is refused at once
			hear(nc)
		})
		c := connTo(t, target, func(p *profiles.Plan) { p.Method = method })
		if err := c.Do(new(Sample)); err != nil {
			t.Fatal(err)
		}
		c.roundTrip = time.Hour // however slow this machine is
		s := Sample{}
		err := c.Do(&s)
		if again := method == http.MethodGet; again != (err == nil) || s.Retried != again {
			t.Errorf("%s as the server closes: %v, retried %v; want retried %v", method, err, s.Retried, again)
		}
	}
}

// What comes behind an answer ends the connection: it belongs to no request.
func TestBytesBehindAnAnswer(t *testing.T) {
	target := listen(t, func(nc net.Conn) {
		for r := bufio.NewReader(nc); ; {
			if _, err := http.ReadRequest(r); err != nil {
				return
			}
			io.WriteString(nc, okEmpty+"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
		}
	})
	c := connTo(t, target, nil)
	for i := range 3 {
		s := Sample{}
		if err := c.Do(&s); err != nil || s.Status != 200 || s.Dial == 0 || s.Retried {
			t.Errorf("request %d: %v, status %d, dial %v, retried %v; want 200 on a connection of its own", i+1, err, s.Status, s.Dial, s.Retried)
		}
	}
}

// A body that no send buffer has room for arrives whole.
func TestLongBody(t *testing.T) {
	body := bytes.Repeat([]byte("0123456789abcdef"), 4<<16)
	var got atomic.Int64
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		got.Store(n)
	})
	for name, server := range map[string]*httptest.Server{"TCP": httptest.NewServer(handler), "TLS": httptest.NewTLSServer(handler)} {
		defer server.Close()
		c := connTo(t, server.URL, func(p *profiles.Plan) { p.Method, p.Body, p.Insecure = http.MethodPost, body, true })
		for range 2 {
			if err := c.Do(new(Sample)); err != nil || got.Load() != int64(len(body)) {
				t.Fatalf("%s: Do = %v, and %d bytes arrived; want %d", name, err, got.Load(), len(body))
			}
		}
		if c.served != 2 {
			t.Errorf("%s: %d requests on the last connection, want both", name, c.served)
		}
	}
}

// An answer that comes before the whole request is taken, and the rest of the
// request is given up with its connection.
func TestEarlyAnswer(t *testing.T) {
	body := make([]byte, 8<<20) // more than any send buffer and window hold
	for scheme, listen := range map[string]func(*testing.T, func(net.Conn)) string{"http": listen, "https": listenTLS} {
		for _, stays := range []bool{true, false} {
			done := make(chan struct{})
			target := listen(t, func(nc net.Conn) {
				hear(nc)
				io.WriteString(nc, "HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno")
				if stays {
					<-done
				}
			})
			c := connTo(t, target, func(p *profiles.Plan) {
				p.Method, p.Body, p.Insecure, p.Timeout = http.MethodPost, body, true, time.Minute
			})
			s := Sample{}
			err := c.Do(&s)
			if err != nil || s.Status != 413 || s.Failure != Status || s.Bytes != 2 || c.socket != nil {
				t.Errorf("%s, the server stays %v: %v, %+v, still connected %v; want 413 and a connection that is given up", scheme, stays, err, s, c.socket != nil)
			}
			close(done)
		}
	}
}
