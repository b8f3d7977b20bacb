package scaler

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// limit is the longest that a test waits for an event outside virtual time.
const limit = 20 * time.Second

// front serves a proxy over the given replicas.
func front(t *testing.T, timeout time.Duration, maxQueue int, replicas ...http.HandlerFunc) (*balancer, *httptest.Server) {
	t.Helper()
	b := newBalancer(time.Now(), Config{MaxQueue: maxQueue})
	for i, h := range replicas {
		s := httptest.NewServer(h)
		t.Cleanup(s.Close)
		b.add(i+1, fmt.Sprint("replica-", i+1), s.Listener.Addr().String())
	}
	s := httptest.NewServer(newProxy(b, timeout))
	t.Cleanup(s.Close)
	return b, s
}

// fetch requests a URL and returns the answer with its body.
func fetch(t *testing.T, req *http.Request) (*http.Response, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	res, err := http.DefaultClient.Do(req.WithContext(ctx))
	if err != nil {
		t.Fatalf("%s %s: %v", req.Method, req.URL, err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatalf("%s %s: read the answer: %v", req.Method, req.URL, err)
	}
	return res, string(body)
}

func request(t *testing.T, method, url, body string) *http.Request {
	t.Helper()
	var r io.Reader
	if body != "" {
		r = strings.NewReader(body)
	}
	req, err := http.NewRequest(method, url, r)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

func TestProxyPassesRequestsOn(t *testing.T) {
	_, s := front(t, limit, 10, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Served-By", "somebody behind")
		w.WriteHeader(http.StatusTeapot)
		fmt.Fprintf(w, "%s %s host=%s for=%s length=%d te=%v body=%s", r.Method, r.RequestURI, r.Host,
			r.Header.Get("X-Forwarded-For"), r.ContentLength, r.TransferEncoding, body)
	})
	host := strings.TrimPrefix(s.URL, "http://")
	for _, tt := range []struct{ method, body, want string }{
		{"GET", "", "length=0 te=[] body="},
		{"OPTIONS", "", "length=0 te=[] body="},
		{"DELETE", "", "length=0 te=[] body="},
		{"POST", "", "length=0 te=[] body="},
		{"PUT", "text", "length=4 te=[] body=text"},
	} {
		res, body := fetch(t, request(t, tt.method, s.URL+"/a%2Fb?x=1;y=2", tt.body))
		want := fmt.Sprintf("%s /a%%2Fb?x=1;y=2 host=%s for=127.0.0.1 %s", tt.method, host, tt.want)
		if res.StatusCode != http.StatusTeapot || body != want {
			t.Errorf("%s: got %d %q, want 418 %q", tt.method, res.StatusCode, body, want)
		}
		if got := res.Header["X-Served-By"]; len(got) != 1 || got[0] != "replica-1" {
			t.Errorf("%s: got X-Served-By %q, want replica-1", tt.method, got)
		}
		if got := res.Header.Get("Server-Timing"); !strings.HasPrefix(got, "queue;dur=0.") {
			t.Errorf("%s: got Server-Timing %q, want the time in the queue", tt.method, got)
		}
	}
}

// A client such as net/http's repeats a request when a reused connection
// breaks. Whatever the request is, the replica must see it once.
func TestProxySendsOnce(t *testing.T) {
	for _, tt := range []struct{ name, method, key, body string }{
		{"GET", "GET", "", ""},
		{"HEAD", "HEAD", "", ""},
		{"POST without a body", "POST", "", ""},
		{"POST with a key", "POST", "k", ""},
		{"PUT with a body and a key", "PUT", "k", "text"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var seen atomic.Int64
			b, s := front(t, limit, 10, func(w http.ResponseWriter, r *http.Request) {
				io.Copy(io.Discard, r.Body)
				if r.URL.Path == "/first" {
					return
				}
				if got := r.Header.Get("Idempotency-Key"); got != tt.key {
					t.Errorf("the replica sees key %q, want %q", got, tt.key)
				}
				seen.Add(1)
				conn, _, err := w.(http.Hijacker).Hijack()
				if err != nil {
					t.Error(err)
					return
				}
				conn.Close()
			})
			fetch(t, request(t, "GET", s.URL+"/first", "")) // so that there is a connection to reuse
			req := request(t, tt.method, s.URL+"/second", tt.body)
			if tt.key != "" {
				req.Header.Set("Idempotency-Key", tt.key)
			}
			res, body := fetch(t, req)
			if res.StatusCode != http.StatusBadGateway || tt.method != "HEAD" && !strings.Contains(body, "replica-1 did not answer") {
				t.Errorf("got %d %q, want 502 that names the replica", res.StatusCode, body)
			}
			if got := seen.Load(); got != 1 {
				t.Errorf("the replica saw it %d times, want once", got)
			}
			if got := b.traffic().reason; got != reasonNone {
				t.Errorf("after the broken answer the replica still gets requests")
			}
		})
	}
}

func TestProxyTimesOut(t *testing.T) {
	left := make(chan struct{})
	_, s := front(t, 50*time.Millisecond, 10, func(w http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		close(left)
	})
	res, body := fetch(t, request(t, "GET", s.URL, ""))
	if want := "upstream timed out after 50ms: replica-1 did not answer\n"; res.StatusCode != http.StatusGatewayTimeout || body != want {
		t.Errorf("got %d %q, want 504 %q", res.StatusCode, body, want)
	}
	if got := res.Header.Get("X-Served-By"); got != "replica-1" {
		t.Errorf("got X-Served-By %q, want replica-1", got)
	}
	if !within(left, limit) {
		t.Error("the replica was not told")
	}
}

// As long as something comes, a stream may take longer than the timeout; and
// what comes arrives at once.
func TestProxyStreams(t *testing.T) {
	t.Parallel()
	const timeout = time.Second
	next := make(chan struct{})
	_, s := front(t, timeout, 10, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for i := 0; ; i++ {
			fmt.Fprintf(w, "data: %d\n\n", i)
			w.(http.Flusher).Flush()
			select {
			case <-next:
			case <-r.Context().Done():
				return
			}
		}
	})
	res, err := http.Get(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	began := time.Now()
	for i := 0; time.Since(began) < 2*timeout; i++ {
		if want := fmt.Sprint("data: ", i); !lines.Scan() || lines.Text() != want {
			t.Fatalf("after %s: got %q (%v), want %q", time.Since(began), lines.Text(), lines.Err(), want)
		}
		lines.Scan() // the empty line
		wait(t.Context(), timeout/4)
		select {
		case next <- struct{}{}:
		case <-time.After(limit):
			t.Fatalf("after %s: the replica has gone", time.Since(began))
		}
	}
	for lines.Scan() { // now nothing comes any more
	}
	if lines.Err() == nil {
		t.Error("a stream that stops: got a proper end, want a broken connection")
	}
}

func TestProxyLimitsTheQueue(t *testing.T) {
	arrived, answer := make(chan struct{}), make(chan struct{})
	b, s := front(t, limit, 1, func(w http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		<-answer
	})
	var clients sync.WaitGroup
	clients.Go(func() { fetch(t, request(t, "GET", s.URL, "")) })
	<-arrived
	clients.Go(func() { fetch(t, request(t, "GET", s.URL, "")) })
	eventually(t, "one request waits", func() bool { return len(b.traffic().waiting) == 1 })
	res, body := fetch(t, request(t, "GET", s.URL, ""))
	if res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") != "1" || body != "the queue is full: 1 requests wait for a replica\n" {
		t.Errorf("got %d %q with Retry-After %q, want 503 with 1", res.StatusCode, body, res.Header.Get("Retry-After"))
	}
	close(answer)
	<-arrived
	clients.Wait()
}

func TestProxyClientGoesAway(t *testing.T) {
	// The one that waits may be handed the slot before its own end is seen.
	arrived, left := make(chan struct{}, 2), make(chan struct{}, 2)
	b, s := front(t, limit, 10, func(w http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		<-r.Context().Done()
		left <- struct{}{}
	})
	ctx, cancel := context.WithCancel(t.Context())
	var clients sync.WaitGroup
	for range 2 { // one that is served and one that waits
		clients.Go(func() {
			if res, err := http.DefaultClient.Do(request(t, "GET", s.URL, "").WithContext(ctx)); err == nil {
				res.Body.Close()
				t.Errorf("cancelled: got status %d", res.StatusCode)
			}
		})
	}
	<-arrived
	eventually(t, "both are in", func() bool { return b.traffic().inFlight == 2 })
	cancel()
	clients.Wait()
	if !within(left, limit) {
		t.Error("the replica was not told")
	}
	eventually(t, "both are out", func() bool { return b.traffic().inFlight == 0 })
	if got := b.traffic().reason; len(b.traffic().backends) != 1 || got != reasonBusy {
		t.Error("the replica is blamed for a client that went away")
	}
}

// An upload that goes wrong is not the replica's fault either.
func TestProxyUploadBreaksOff(t *testing.T) {
	for _, tt := range []struct{ name, sent string }{
		{"the client goes away", "Content-Length: 100000\r\n\r\n" + strings.Repeat("x", 50000)},
		{"the client sends nonsense", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nnonsense\r\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			started := make(chan struct{}, 1)
			b, s := front(t, limit, 10, func(w http.ResponseWriter, r *http.Request) {
				io.ReadFull(r.Body, make([]byte, 5))
				started <- struct{}{}
				io.Copy(io.Discard, r.Body)
			})
			conn, err := net.Dial("tcp", s.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\n%s", tt.sent)
			<-started
			conn.Close()
			eventually(t, "it is over", func() bool { return b.traffic().inFlight == 0 })
			if got := b.traffic().reason; got != reasonBusy {
				t.Error("the replica is blamed for what the client did")
			}
		})
	}
}

func TestProxyPassesUpgrades(t *testing.T) {
	t.Parallel()
	_, s := front(t, time.Second, 10, upgrade)
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(limit))
	fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
	r := bufio.NewReader(conn)
	res, err := http.ReadResponse(r, nil)
	if err != nil || res.StatusCode != http.StatusSwitchingProtocols || res.Header.Get("X-Served-By") != "replica-1" {
		t.Fatalf("upgrade: got %+v, %v, want 101 from replica-1", res, err)
	}
	wait(t.Context(), 1500*time.Millisecond) // longer than the timeout, which does not apply here
	fmt.Fprintln(conn, "hello")
	if line, err := r.ReadString('\n'); line != "hello\n" {
		t.Errorf("echo: got %q, %v, want hello", line, err)
	}
}

// eventually polls for an event that nothing announces.
func eventually(t *testing.T, what string, happened func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	for !happened() {
		if !wait(ctx, 5*time.Millisecond) {
			t.Fatalf("not within %s: %s", limit, what)
		}
	}
}
