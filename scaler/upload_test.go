package scaler

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
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
				p.upstream.DialContext = func(context.Context, string, string) (net.Conn, error) {
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
