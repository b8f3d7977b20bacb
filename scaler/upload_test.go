package scaler

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// slowUpload sends a byte after each of the waits, then ends.
type slowUpload struct {
	ctx   context.Context
	waits []time.Duration
}

func (u *slowUpload) Read(p []byte) (int, error) {
	if len(u.waits) == 0 {
		return 0, io.EOF
	}
	if !wait(u.ctx, u.waits[0]) {
		return 0, u.ctx.Err()
	}
	u.waits = u.waits[1:]
	return copy(p, "x"), nil
}

// An upload may take longer than the timeout, which begins anew with what
// comes; the answer to it may not.
func TestProxyTimesTheReplicaNotTheUpload(t *testing.T) {
	const timeout = 10 * time.Second
	for _, tt := range []struct {
		name   string
		waits  []time.Duration
		answer time.Duration // after the whole request
		code   int
		took   time.Duration
	}{
		{"a long upload", []time.Duration{9 * time.Second, 9 * time.Second, 9 * time.Second}, 9 * time.Second, 200, 36 * time.Second},
		{"a long upload, no answer", []time.Duration{9 * time.Second, 9 * time.Second}, time.Hour, 504, 28 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBalancer(time.Now(), Config{})
				b.add(1, "replica-1", "replica:80")
				p := newProxy(b, timeout)
				p.upstream.dial = func(context.Context, string, string) (net.Conn, error) {
					ours, theirs := net.Pipe()
					go func() {
						defer theirs.Close()
						req, err := http.ReadRequest(bufio.NewReader(theirs))
						if err != nil {
							return
						}
						if n, err := io.Copy(io.Discard, req.Body); err != nil || !wait(t.Context(), tt.answer) {
							return
						} else {
							fmt.Fprintf(theirs, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\n%d", n)
						}
					}()
					return ours, nil
				}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				w := httptest.NewRecorder()
				began := time.Now()
				p.ServeHTTP(w, httptest.NewRequestWithContext(ctx, "POST", "http://service/", &slowUpload{ctx, tt.waits}))
				if took := time.Since(began); w.Code != tt.code || took != tt.took {
					t.Errorf("got %d %q after %s, want %d after %s", w.Code, w.Body, took, tt.code, tt.took)
				}
			})
		})
	}
}

// An upload that stops is given up, and is not the replica's fault.
func TestProxyGivesUpAnUploadThatStops(t *testing.T) {
	b, s := front(t, 50*time.Millisecond, 10, func(w http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) })
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(limit))
	fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhello")
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if body, _ := io.ReadAll(res.Body); res.StatusCode != http.StatusRequestTimeout || string(body) != "the upload stopped for 50ms\n" {
		t.Errorf("got %d %q, want 408 that says so", res.StatusCode, body)
	}
	eventually(t, "the replica is free", func() bool { return b.traffic().inFlight == 0 })
	if got := b.traffic().reason; got != reasonBusy {
		t.Error("the replica is blamed for an upload that stopped")
	}
}

// early answers an upload that it does not read with n bytes, and keeps the
// connection.
func early(n int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		conn, rw, err := w.(http.Hijacker).Hijack()
		if err != nil {
			panic(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "HTTP/1.1 413 Too Large\r\nContent-Length: %d\r\n\r\n%s", n, strings.Repeat("x", n))
		io.Copy(io.Discard, rw)
	}
}

// serveBoth serves a proxy over a replica to clients of HTTP/1 and of HTTP/2.
func serveBoth(t *testing.T, replica http.HandlerFunc) (b *balancer, url string) {
	t.Helper()
	b, s := front(t, limit, 10, replica)
	both := httptest.NewUnstartedServer(s.Config.Handler)
	both.Config.Protocols = &http.Protocols{}
	both.Config.Protocols.SetHTTP1(true)
	both.Config.Protocols.SetUnencryptedHTTP2(true)
	both.Start()
	t.Cleanup(both.Close)
	return b, both.URL
}

// An answer to an upload that pauses arrives at once and as a whole. Over
// HTTP/1 the connection ends with it, as the rest is in the way of another
// request.
func TestProxyPassesEarlyAnswers(t *testing.T) {
	for _, size := range []int{3, 100_000} { // the larger does not fit into the server's buffer
		b, url := serveBoth(t, early(size))
		t.Run(fmt.Sprint("HTTP/1, ", size), func(t *testing.T) {
			t.Parallel()
			conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			conn.SetDeadline(time.Now().Add(limit / 2)) // before other times apply
			fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nhello")
			lines := bufio.NewReader(conn)
			res, err := http.ReadResponse(lines, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			if body, err := io.ReadAll(res.Body); res.StatusCode != 413 || len(body) != size || err != nil || !res.Close {
				t.Errorf("got %d with %d bytes, %v, the last %v; want 413 with %d, and that it is the last", res.StatusCode, len(body), err, res.Close, size)
			}
			fmt.Fprintf(conn, "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n")
			if line, err := lines.ReadString('\n'); err == nil {
				t.Errorf("what came of the upload was answered: %q", line)
			} else if timeout := net.Error(nil); errors.As(err, &timeout) && timeout.Timeout() {
				t.Error("the connection is still open")
			}
			eventually(t, "the slot is free", func() bool { return b.traffic().inFlight == 0 })
		})
		t.Run(fmt.Sprint("HTTP/2, ", size), func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), limit/2)
			defer cancel()
			upload, more := io.Pipe()
			defer more.Close()
			req, err := http.NewRequestWithContext(ctx, "POST", url, upload)
			if err != nil {
				t.Fatal(err)
			}
			res, err := cleartext2(t).Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			if body, err := io.ReadAll(res.Body); res.StatusCode != 413 || len(body) != size || err != nil {
				t.Errorf("got %d with %d bytes, %v; want 413 with %d", res.StatusCode, len(body), err, size)
			}
			eventually(t, "the slot is free", func() bool { return b.traffic().inFlight == 0 })
		})
	}
}

// A client of HTTP/1 may get its answer while it sends.
func TestProxyPassesBothWaysAtOnce(t *testing.T) {
	_, url := serveBoth(t, func(w http.ResponseWriter, r *http.Request) {
		http.NewResponseController(w).EnableFullDuplex()
		lines := bufio.NewScanner(r.Body)
		for lines.Scan() {
			fmt.Fprintln(w, lines.Text())
			w.(http.Flusher).Flush()
		}
	})
	upload, more := io.Pipe()
	ctx, cancel := context.WithTimeout(t.Context(), limit/2)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, "POST", url, upload)
	if err != nil {
		t.Fatal(err)
	}
	go fmt.Fprintln(more, "0")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	for i := range 3 {
		if !lines.Scan() || lines.Text() != fmt.Sprint(i) {
			t.Fatalf("got %q, %v, want %d", lines.Text(), lines.Err(), i)
		}
		fmt.Fprintln(more, i+1)
	}
	more.Close()
	if !lines.Scan() || lines.Text() != "3" || lines.Scan() || lines.Err() != nil {
		t.Errorf("the end: got %q, %v, want 3 and a proper end", lines.Text(), lines.Err())
	}
}

// A request that is refused at once is told so, however slowly it sends.
func TestProxyRefusesAnUploadThatPauses(t *testing.T) {
	b, s := front(t, limit, 1)
	b.close()
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(limit))
	fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nhello")
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusServiceUnavailable || !res.Close {
		t.Errorf("got %d, the last %v, want 503 and that it is", res.StatusCode, res.Close)
	}
}
