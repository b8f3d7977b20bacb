package load

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"headroom/profiles"
)

// stdConn is a connection of net/http with the one message of its plan.
type stdConn struct {
	*clientConn
	message *Message
}

func (c stdConn) Do(s *Sample) error { return c.clientConn.Do(s, c.message) }

// clientTo prepares a connection that net/http makes.
func clientTo(t *testing.T, target string, edit func(*profiles.Plan)) stdConn {
	t.Helper()
	plan := closedPlan(1, 1, 0)
	plan.Target, plan.Timeout = target, 30*time.Second
	edit(&plan)
	e, err := New(plan, Options{})
	if err != nil {
		t.Fatal(err)
	}
	e.conns.base = time.Now()
	c, ok := e.conns.newConn(t.Context()).(*clientConn)
	if !ok {
		t.Fatal("the plan needs net/http and does not get it")
	}
	t.Cleanup(c.Close)
	return stdConn{c, messageOf(t, e)}
}

func http2(p *profiles.Plan) { p.HTTP2, p.Insecure = true, true }

func TestHTTP2(t *testing.T) {
	answer := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Served-By", "pod-2")
		fmt.Fprint(w, r.Proto, " ", r.Method, " ", r.Header.Get("X-Test"), " ", string(body))
	})
	secure := httptest.NewUnstartedServer(answer)
	secure.EnableHTTP2 = true
	secure.StartTLS()
	defer secure.Close()
	plain := httptest.NewUnstartedServer(answer)
	plain.Config.Protocols = new(http.Protocols)
	plain.Config.Protocols.SetUnencryptedHTTP2(true)
	plain.Start()
	defer plain.Close()
	for _, url := range []string{secure.URL, plain.URL} {
		c := clientTo(t, url, func(p *profiles.Plan) {
			http2(p)
			p.Method, p.Body, p.Header = http.MethodPost, []byte("payload"), http.Header{"X-Test": {"yes"}}
		})
		for i := range 3 {
			s := Sample{}
			err := c.Do(&s)
			if err != nil || s.Status != 200 || s.Bytes != int64(len("HTTP/2.0 POST yes payload")) || s.Replica != 0 {
				t.Fatalf("%s: Do = %v, %+v", url, err, s)
			}
			if s.Sent > s.FirstByte || s.FirstByte > s.Done || (s.Dial > 0) != (i == 0) || (s.TLS > 0) != (i == 0 && strings.HasPrefix(url, "https")) {
				t.Errorf("%s: request %d has times %+v, want them in order and one dial", url, i, s)
			}
		}
	}
}

// What does not speak HTTP/2 is told from what is out of reach.
func TestHTTP2Failures(t *testing.T) {
	old := httptest.NewUnstartedServer(http.NotFoundHandler())
	old.Config.ErrorLog = log.New(io.Discard, "", 0)
	old.StartTLS()
	defer old.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := l.Addr().String()
	l.Close()
	for _, c := range []struct {
		name, url string
		want      Failure
	}{
		{"HTTP/1.1 over TLS", old.URL, TLS},
		{"HTTP/1.1", listen(t, func(nc net.Conn) {
			io.ReadFull(nc, make([]byte, len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")))
			io.WriteString(nc, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
			io.Copy(io.Discard, nc)
		}), Dial},
		{"not even that", listen(t, func(nc net.Conn) {
			io.ReadFull(nc, make([]byte, len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")))
			io.WriteString(nc, "<!DOCTYPE HTML>\n")
			io.Copy(io.Discard, nc)
		}), Dial},
		{"never answers", listen(t, func(nc net.Conn) { io.Copy(io.Discard, nc) }), Timeout},
		{"refused", "http://" + closed, Dial},
	} {
		s := Sample{}
		hasty := func(p *profiles.Plan) {
			if http2(p); c.want == Timeout {
				p.Timeout = 50 * time.Millisecond
			}
		}
		if err := clientTo(t, c.url, hasty).Do(&s); err == nil || s.Failure != c.want {
			t.Errorf("%s: %v, class %v; want %v", c.name, err, s.Failure, c.want)
		}
	}
}

func TestRedirectsAndCookies(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/a", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "7"})
		http.Redirect(w, r, "/b", http.StatusFound)
	})
	mux.HandleFunc("/b", func(w http.ResponseWriter, r *http.Request) {
		if c, err := r.Cookie("session"); err != nil || c.Value != "7" {
			http.Error(w, "no session", http.StatusUnauthorized)
		}
	})
	mux.HandleFunc("/loop", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/loop", http.StatusFound) })
	server := httptest.NewServer(mux)
	defer server.Close()
	for _, c := range []struct {
		path      string
		redirects int
		cookies   bool
		status    int16
		failure   Failure
	}{
		{"/a", 0, true, 302, None},
		{"/a", 1, true, 200, None},
		{"/a", 1, false, 401, Status},
		{"/loop", 3, false, 0, Protocol},
	} {
		s := Sample{}
		err := clientTo(t, server.URL+c.path, func(p *profiles.Plan) { p.Redirects, p.Cookies = c.redirects, c.cookies }).Do(&s)
		if s.Status != c.status || s.Failure != c.failure || s.Retried {
			t.Errorf("%s, %d redirects, cookies %v: status %d, class %v (%v), want %d, %v",
				c.path, c.redirects, c.cookies, s.Status, s.Failure, err, c.status, c.failure)
		}
	}
}

// net/http sends again by itself what met a connection that was closed while
// it was idle; it is counted.
func TestClientRetriesAreCounted(t *testing.T) {
	var connections atomic.Int32
	target := listen(t, func(nc net.Conn) {
		r := bufio.NewReader(nc)
		first := connections.Add(1) == 1
		for {
			if _, err := http.ReadRequest(r); err != nil {
				return
			}
			io.WriteString(nc, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
			if first {
				http.ReadRequest(r)
				return // without an answer to the second
			}
		}
	})
	c := clientTo(t, target, func(p *profiles.Plan) { p.Cookies = true })
	for i := range 2 {
		s := Sample{}
		if err := c.Do(&s); err != nil || s.Retried != (i == 1) {
			t.Errorf("request %d: %v, retried %v; want that of the second alone", i+1, err, s.Retried)
		}
	}
}

func TestClientConnectionsEnd(t *testing.T) {
	c := newCounter(t)
	r := runTo(t, c.URL, 1, 40, func(p *profiles.Plan) { p.Cookies, p.ConnMaxRequests = true, 10 })
	if n := r.Conns.Opened; n < 4 || n > 5 {
		t.Errorf("%d connections, want 4 or 5 of 8 to 10 requests each", n)
	}
	c = newCounter(t)
	r = runTo(t, c.URL, 1, 10, func(p *profiles.Plan) { p.Cookies, p.DisableKeepAlive = true, true })
	if n := r.Conns.Opened; n != 10 {
		t.Errorf("%d connections without keep-alive, want 10", n)
	}
}

func TestClientAborts(t *testing.T) {
	arrived := make(chan struct{})
	plan := closedPlan(1, 1, 0)
	plan.Target = listen(t, func(nc net.Conn) {
		hear(nc)
		close(arrived)
		io.Copy(io.Discard, nc)
	})
	plan.Cookies = true
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-arrived; cancel() }()
	e, err := New(plan, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if r, err := e.Run(ctx); err != nil || r.Total.Aborted != 1 || r.Total.Count != 0 {
		t.Errorf("Run = %d aborted, %d counted, %v; want 1, 0", r.Total.Aborted, r.Total.Count, err)
	}
}

// A connection of HTTP/2 on which a request timed out may be dead: the next
// request has one of its own.
func TestATimeoutGivesUpTheConnection(t *testing.T) {
	var connections, requests atomic.Int32
	done := make(chan struct{})
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if requests.Add(1) == 2 {
			<-done
		}
	}))
	server.EnableHTTP2 = true
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			connections.Add(1)
		}
	}
	server.StartTLS()
	defer server.Close()
	defer close(done)
	c := clientTo(t, server.URL, http2)
	for i, want := range []Failure{None, Timeout, None, None} {
		s := Sample{}
		if c.timeout = 30 * time.Second; want == Timeout {
			c.timeout = 50 * time.Millisecond
		}
		if err := c.Do(&s); s.Failure != want {
			t.Errorf("request %d: %v, class %v; want %v", i+1, err, s.Failure, want)
		}
	}
	if n := connections.Load(); n != 2 {
		t.Errorf("%d connections, want a second one after the timeout", n)
	}
}

// One limit holds for the heads of all protocols.
func TestLongHeads(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for i := range 10 {
			w.Header().Set(fmt.Sprint("X-Long-", i), strings.Repeat("x", headLimit/8))
		}
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	for _, http2 := range []bool{false, true} {
		s := Sample{}
		err := clientTo(t, server.URL, func(p *profiles.Plan) { p.HTTP2, p.Cookies, p.Insecure = http2, true, true }).Do(&s)
		if s.Failure != Protocol {
			t.Errorf("HTTP/2 %v: %v, class %v; want %v", http2, err, s.Failure, Protocol)
		}
	}
}

// What an answer is judged by is no part of its times.
func TestJudgingTakesNoTime(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "ok") }))
	defer server.Close()
	own := connTo(t, server.URL, nil)
	std := clientTo(t, server.URL, func(p *profiles.Plan) { p.Cookies = true })
	for name, c := range map[string]struct {
		conn    Conn
		message *Message
		base    time.Time
	}{"ours": {own.httpConn, own.message, own.base}, "net/http": {std.clientConn, std.message, std.base}} {
		var judged time.Duration
		c.message.seen = func(_, _ []byte) { judged = time.Since(c.base) }
		s := Sample{}
		if err := c.conn.Do(&s, c.message); err != nil || s.Done >= judged {
			t.Errorf("%s: %v, done after %v and judged after %v; want the last byte first", name, err, s.Done, judged)
		}
	}
	// An answer that comes at once is complete with its first byte.
	s := Sample{}
	if err := own.Do(&s); err != nil || s.Done != s.FirstByte {
		t.Errorf("Do = %v, done after %v, the first byte after %v; want the same", err, s.Done, s.FirstByte)
	}
}
