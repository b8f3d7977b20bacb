package scaler

import (
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

// A client that is slow, or sends too much, is not waited for.
func TestAPILimits(t *testing.T) {
	const host = "Host: 127.0.0.1\r\nAuthorization: Bearer secret\r\n"
	for _, tt := range []struct {
		name, sends, want string
		after             time.Duration // until the connection is closed
	}{
		{"silence", "", "", 5 * time.Second},
		{"half a header", "GET /v1/status HTTP/1.1\r\nHost: 127", "", 5 * time.Second},
		{"half a body", "PUT /v1/replicas HTTP/1.1\r\n" + host + "Content-Length: 100\r\n\r\n{", "HTTP/1.1 408 ", 10 * time.Second},
		{"a large header", "GET /v1/status HTTP/1.1\r\n" + host + "X-Large: " + strings.Repeat("x", 64<<10) + "\r\n\r\n", "HTTP/1.1 431 ", 0},
		{"a good request, and nothing more", "GET /v1/status HTTP/1.1\r\n" + host + "\r\n", "HTTP/1.1 200 ", time.Minute},
	} {
		t.Run(tt.name, func(t *testing.T) {
			withAPI(t, func(t *testing.T, _ *api, dial func() net.Conn) {
				conn := dial()
				began := time.Now()
				go io.WriteString(conn, tt.sends) // fails when the server has had enough
				got, err := io.ReadAll(conn)
				took := time.Since(began).Truncate(time.Second) // net/http waits half a second for a client to read what it is told
				if err != nil || !strings.HasPrefix(string(got), tt.want) || (tt.want == "") != (len(got) == 0) || took != tt.after {
					t.Errorf("got %.200q, %v, closed after %s; want %q after %s", got, err, took, tt.want, tt.after)
				}
			})
		})
	}
}

// A client that does not read its answer is not waited for either.
func TestAPIGivesUpSlowReaders(t *testing.T) {
	withAPI(t, func(t *testing.T, _ *api, dial func() net.Conn) {
		conn := dial()
		fmt.Fprint(conn, "GET /openapi.json HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer secret\r\n\r\n")
		time.Sleep(31 * time.Second)
		synctest.Wait()
		if got, err := io.ReadAll(conn); err != nil || len(got) != 0 {
			t.Errorf("after 31 s: got %d bytes, %v; want the connection closed", len(got), err)
		}
	})
}

// No answer and no event contains what opens the API.
func TestTokenIsNeverTold(t *testing.T) {
	a := newAPI(t)
	h := a.handler()
	for pattern := range a.routes() {
		method, path, _ := strings.Cut(pattern, " ")
		for _, token := range []string{"secret", "guess"} {
			req := request(t, method, "http://127.0.0.1:8001"+strings.Replace(path, "{id}", "replica-1", 1), "{}")
			req.Header.Set("Authorization", "Bearer "+token)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, req)
			if strings.Contains(w.Body.String()+fmt.Sprint(w.Header()), "secret") {
				t.Errorf("%s with token %q: got %s with the token in it", pattern, token, w.Body)
			}
			if w.Code == http.StatusUnauthorized && path == "/healthz" || w.Code != http.StatusUnauthorized && path != "/healthz" && token == "guess" {
				t.Errorf("%s with token %q: got %d", pattern, token, w.Code)
			}
		}
	}
	for _, e := range a.events.kept {
		if strings.Contains(e.Text, "secret") {
			t.Errorf("event %q contains the token", e.Text)
		}
	}
}
