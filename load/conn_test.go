package load

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"headroom/probe"
	"headroom/profiles"
)

// ownConn is a connection with the one message of its plan.
type ownConn struct {
	*httpConn
	message *Message
}

func (d ownConn) Do(s *Sample) error { return d.httpConn.Do(s, d.message) }

// messageOf is what the first user of an engine sends first.
func messageOf(t *testing.T, e *Engine) *Message {
	t.Helper()
	a := e.tasks.newActor(0, rand.New(rand.NewPCG(1, 1)))
	if !a.next() {
		t.Fatal("there is no request")
	}
	return &a.message
}

// connTo prepares a connection to a target as the engine does.
func connTo(t *testing.T, target string, edit func(*profiles.Plan)) ownConn {
	t.Helper()
	plan := closedPlan(1, 1, 0)
	plan.Target = target
	if edit != nil {
		edit(&plan)
	}
	e, err := New(plan, Options{})
	if err != nil {
		t.Fatal(err)
	}
	e.conns.base = time.Now()
	c := e.conns.newHTTPConn(t.Context())
	t.Cleanup(c.Close)
	return ownConn{c, messageOf(t, e)}
}

// listen answers each connection with serve.
func listen(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer nc.Close()
				serve(nc)
			}()
		}
	}()
	t.Cleanup(func() { l.Close(); <-ended })
	return "http://" + l.Addr().String() + "/x"
}

// hear reads one request.
func hear(nc net.Conn) error {
	_, err := http.ReadRequest(bufio.NewReader(nc))
	return err
}

func TestRequestsReachARealServer(t *testing.T) {
	var dials atomic.Int32
	var saw atomic.Value
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		saw.Store(fmt.Sprint(r.Method, r.URL.RequestURI(), " ", r.Header.Get("X-Test"), " ", r.Host, " ", string(body)))
		io.WriteString(w, `{"hostname":"pod-1"}`)
	}))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			dials.Add(1)
		}
	}
	server.Start()
	defer server.Close()

	c := connTo(t, server.URL+"/a/b?c=d", func(p *profiles.Plan) {
		p.Method, p.Body = http.MethodPost, []byte("payload")
		p.Header = http.Header{"x-test": {"yes"}, "Host": {"example.test"}}
	})
	for range 3 {
		var s Sample
		if err := c.Do(&s); err != nil || s.Status != 200 || s.Failure != None {
			t.Fatalf("Do = %v, sample %+v", err, s)
		}
		if s.Replica != 0 || s.Sent > s.FirstByte || s.FirstByte > s.Done || s.Bytes == 0 {
			t.Errorf("sample %+v, want replica 0 and times in order", s)
		}
		if got, want := saw.Load(), "POST/a/b?c=d yes example.test payload"; got != want || s.Bytes != 20 {
			t.Errorf("the server saw %s, want %s; %d bytes came back, want 20", got, want, s.Bytes)
		}
	}
	if n := dials.Load(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
	c.connector.generation.Add(1)
	if err := c.Do(new(Sample)); err != nil {
		t.Fatal(err)
	}
	if n := dials.Load(); n != 2 {
		t.Errorf("%d connections after recycling, want 2", n)
	}
}

func TestTLS(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "ok") }))
	server.Config.ErrorLog = nil
	defer server.Close()
	var s Sample
	if err := connTo(t, server.URL, func(p *profiles.Plan) { p.Insecure = true }).Do(&s); err != nil || s.Status != 200 {
		t.Errorf("with --insecure: %v, %+v", err, s)
	}
	s = Sample{}
	if err := connTo(t, server.URL, nil).Do(&s); err == nil || s.Failure != TLS {
		t.Errorf("unknown authority: %v, class %v; want %v", err, s.Failure, TLS)
	}
	s = Sample{}
	plain := listen(t, func(nc net.Conn) { io.WriteString(nc, "HTTP/1.1 400 Bad Request\r\n\r\n") })
	if err := connTo(t, strings.Replace(plain, "http", "https", 1), nil).Do(&s); err == nil || s.Failure != TLS {
		t.Errorf("no TLS there: %v, class %v; want %v", err, s.Failure, TLS)
	}
}

// A server that wants a client certificate says so with an alert.
func TestTLSAlert(t *testing.T) {
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		server.TLS.MaxVersion = version
		s := Sample{}
		err := connTo(t, server.URL, func(p *profiles.Plan) { p.Insecure = true }).Do(&s)
		if s.Failure != TLS || err == nil {
			t.Errorf("%s: class %v (%v), want %v", tls.VersionName(version), s.Failure, err, TLS)
		}
	}
}

func TestFailureClasses(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refused := "http://" + closed.Addr().String()
	closed.Close()

	for _, c := range []struct {
		name   string
		target string
		want   Failure
		text   string // part of the description
	}{
		{"refused", refused, Dial, "connection refused"},
		{"no such name", "http://no-such-host.invalid/", DNS, "no-such-host.invalid"},
		{"never answers", listen(t, func(nc net.Conn) { io.Copy(io.Discard, nc) }), Timeout, "no complete answer within 300ms"},
		{"half an answer", listen(t, func(nc net.Conn) {
			hear(nc)
			io.WriteString(nc, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhal")
			io.Copy(io.Discard, nc)
		}), Timeout, "no complete answer"},
		{"closes", listen(t, func(nc net.Conn) { hear(nc) }), Reset, "closed before the answer was complete"},
		{"cuts off", listen(t, func(nc net.Conn) {
			hear(nc)
			io.WriteString(nc, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhal")
		}), Reset, "closed before the answer was complete"},
		{"resets", listen(t, func(nc net.Conn) {
			hear(nc)
			nc.(*net.TCPConn).SetLinger(0)
		}), Reset, "reset by peer"},
		{"garbage", listen(t, func(nc net.Conn) {
			hear(nc)
			io.WriteString(nc, "hello\n")
			io.Copy(io.Discard, nc)
		}), Protocol, "not HTTP/1.1"},
		{"503", listen(t, func(nc net.Conn) {
			hear(nc)
			io.WriteString(nc, "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
		}), Status, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			conn := connTo(t, c.target, func(p *profiles.Plan) { p.Timeout = 300 * time.Millisecond })
			s := Sample{}
			err := conn.Do(&s)
			if s.Failure != c.want || s.Done < s.Sent {
				t.Errorf("class %v (%v), want %v", s.Failure, err, c.want)
			}
			if c.text != "" && (err == nil || !strings.Contains(describe(err, 300*time.Millisecond), c.text)) {
				t.Errorf("described as %q, want something with %q", describe(err, 300*time.Millisecond), c.text)
			}
		})
	}
}

// A connection that ends while the target works on a request is a failure,
// also on a connection that was used before, and a fresh one is never
// repeated.
func TestACrashIsNotRepeated(t *testing.T) {
	for name, answersFirst := range map[string]bool{"fresh": false, "used before": true} {
		var requests atomic.Int32
		target := listen(t, func(nc net.Conn) {
			r := bufio.NewReader(nc)
			for {
				if _, err := http.ReadRequest(r); err != nil {
					return
				}
				requests.Add(1)
				if answersFirst && requests.Load() == 1 {
					io.WriteString(nc, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
					continue
				}
				if answersFirst {
					<-time.After(100 * time.Millisecond) // it works on it
				}
				return
			}
		})
		c := connTo(t, target, nil)
		want := int32(1)
		if answersFirst {
			want = 2
			if err := c.Do(new(Sample)); err != nil {
				t.Fatal(err)
			}
			c.roundTrip = 0 // however slow this machine is
		}
		s := Sample{}
		err := c.Do(&s)
		if err == nil || s.Retried || s.Failure != Reset || requests.Load() != want {
			t.Errorf("%s: %v, class %v, retried %v, %d requests; want a reset and %d", name, err, s.Failure, s.Retried, requests.Load(), want)
		}
	}
}

func TestAbortCutsOffARequest(t *testing.T) {
	arrived := make(chan struct{})
	target := listen(t, func(nc net.Conn) {
		hear(nc)
		close(arrived)
		io.Copy(io.Discard, nc)
	})
	plan := closedPlan(1, 1, 0)
	plan.Target = target
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-arrived; cancel() }()
	e, err := New(plan, Options{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := e.Run(ctx)
	if err != nil || r.Total.Aborted != 1 || r.Total.Count != 0 || len(r.Failures) != 0 {
		t.Errorf("Run = %d aborted, %d counted, failures %v, %v; want 1, 0, none", r.Total.Aborted, r.Total.Count, r.Failures, err)
	}
}

// echo answers as fast as it can, without allocating.
func echo(nc net.Conn) {
	wire := []byte("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n{\"hostname\":\"pod-1\"}")
	buf := make([]byte, 4096)
	for {
		if _, err := nc.Read(buf); err != nil {
			return
		}
		if _, err := nc.Write(wire); err != nil {
			return
		}
	}
}

func TestARequestAllocatesNothing(t *testing.T) {
	c := connTo(t, listen(t, echo), nil)
	sh := &shard{log: make([]Sample, 0, 10000)}
	request := func() {
		s := Sample{}
		if err := c.Do(&s); err != nil {
			t.Fatal(err)
		}
		sh.add(&s, nil, time.Second)
	}
	learn(request)
	if n := testing.AllocsPerRun(500, request); n != 0 {
		t.Errorf("%v allocations per request, want 0", n)
	}
	if c.identifier.Names()[0] != "pod-1" {
		t.Errorf("replicas %v, want pod-1", c.identifier.Names())
	}
}

// learn sends until it is known where the answers name their replica: the first
// ones are looked at closely, which is not free.
func learn(request func()) {
	for range 300 {
		request()
	}
}

func BenchmarkRequest(b *testing.B) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			go echo(nc)
		}
	}()
	plan := closedPlan(8*runtime.GOMAXPROCS(0), 1e6, 0)
	plan.Target, plan.Requests = "http://"+l.Addr().String()+"/", max(b.N, 1)
	e, err := New(plan, Options{Identifier: probe.NewIdentifier(nil)})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	r, err := e.Run(b.Context())
	if err != nil || r.Total.Failed > 0 {
		b.Fatal(err, r.Failures)
	}
	b.ReportMetric(r.Total.Rate(), "req/s")
}
