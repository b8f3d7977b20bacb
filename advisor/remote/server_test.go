package remote

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"headroom/advisor"
	"headroom/scaler/httpapi"
)

// handler is that of a server whose session does not run.
func handler(t *testing.T, host string, control bool) http.Handler {
	t.Helper()
	s := newSession(t, func(c *advisor.Config) {
		c.Plan.Header = http.Header{"Authorization": {"Bearer of-the-target"}}
		c.Plan.Body = []byte("of-the-target")
	})
	server := &Server{Config: Config{Session: s, Token: token, Control: control}, board: newBoard(), readers: httpapi.NewPlaces(1)}
	return httpapi.NewGuard(token, host).Handler(server.routes())
}

func TestServerAnswers(t *testing.T) {
	const good = "Bearer " + token
	for _, tt := range []struct {
		name, method, path, auth, host, body string
		code                                 int
		want                                 string
	}{
		{"state", "GET", "/v1/state", good, "", "", 200, `"target":"http://service/"`},
		{"metrics", "GET", "/metrics", good, "", "", 200, "locust_up 1"},
		{"health without a token", "GET", "/healthz", "", "", "", 200, "ok"},
		{"no token", "GET", "/v1/state", "", "", "", 401, "bearer token"},
		{"another token", "GET", "/v1/states", "Bearer guess", "", "", 401, "bearer token"},
		{"metrics without a token", "GET", "/metrics", "", "", "", 401, "bearer token"},
		{"an order without a token", "POST", "/v1/control/stop", "", "", "", 401, "bearer token"},
		{"a name that was made to resolve here", "GET", "/v1/state", good, "evil.example:9000", "", 421, `host: got \"evil.example:9000\"`},
		{"the same without a token", "GET", "/healthz", "", "evil.example", "", 421, "host"},
		{"no such order", "POST", "/v1/control/explode", good, "", "", 404, `path: got \"/v1/control/explode\", want one of /healthz, `},
		{"an order as a question", "GET", "/v1/control/stop", good, "", "", 405, `method: got GET, want one of POST`},
		{"no users", "POST", "/v1/control/users", good, "", `{"users":0}`, 422, `{"problems":["users: got 0, want 1 to 1000000"]}`},
		{"users left out", "POST", "/v1/control/users", good, "", `{}`, 422, "users: got 0"},
		{"users in words", "POST", "/v1/control/users", good, "", `{"users":"many"}`, 422, `users: got \"many\", want a whole number`},
		{"an unknown key", "POST", "/v1/control/users", good, "", `{"user":5}`, 422, `user: unknown key, want users`},
		{"no JSON", "POST", "/v1/control/users", good, "", `users=5`, 422, "want one JSON object"},
		{"a spawn rate of none", "POST", "/v1/control/spawn-rate", good, "", `{"perSecond":0}`, 422, "spawn rate: got 0, want more than 0"},
		{"a rate for users", "POST", "/v1/control/rate", good, "", `{"perSecond":5}`, 422, "rate: the load is a number of users"},
		{"traffic the wrong way round", "POST", "/v1/control/traffic", good, "", `{"low":50,"high":20}`, 422, "traffic: got 50..20, want LOW..HIGH"},
		{"traffic without bounds", "POST", "/v1/control/traffic", good, "", `{"low":1,"high":1e300}`, 422, "traffic: got 1..1e+300, want 1e+09"},
		{"pause of nothing", "POST", "/v1/control/pause", good, "", "", 409, "there is no swarm under way"},
		{"too much", "POST", "/v1/control/users", good, "", `"` + strings.Repeat("x", httpapi.MaxBody) + `"`, 413, "more than 1048576 bytes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			req := httptest.NewRequest(tt.method, "http://127.0.0.1:9000"+tt.path, strings.NewReader(tt.body))
			if tt.host != "" {
				req.Host = tt.host
			}
			if tt.auth != "" {
				req.Header.Set("Authorization", tt.auth)
			}
			w := httptest.NewRecorder()
			handler(t, "127.0.0.1", true).ServeHTTP(w, req)
			if w.Code != tt.code || !strings.Contains(w.Body.String(), tt.want) {
				t.Errorf("%s %s: got %d %s, want %d with %s", tt.method, tt.path, w.Code, w.Body, tt.code, tt.want)
			}
			if strings.Contains(w.Body.String(), token) || strings.Contains(w.Body.String(), "of-the-target") {
				t.Errorf("%s %s: the answer contains a secret: %s", tt.method, tt.path, w.Body)
			}
		})
	}
}

// Where other machines ask, they do so under names that are not known here.
func TestServerOnEveryInterface(t *testing.T) {
	for auth, code := range map[string]int{"Bearer " + token: 200, "": 401} {
		req := httptest.NewRequest("GET", "http://load.internal:9000/v1/state", nil)
		req.Header.Set("Authorization", auth)
		w := httptest.NewRecorder()
		if handler(t, "0.0.0.0", false).ServeHTTP(w, req); w.Code != code {
			t.Errorf("Authorization %q: got %d, want %d", auth, w.Code, code)
		}
	}
}

// A client that is slow, or sends too much, is not waited for.
func TestServerLimits(t *testing.T) {
	const host = "Host: 127.0.0.1\r\nAuthorization: Bearer " + token + "\r\n"
	for _, tt := range []struct {
		name, sends, want string
		after             time.Duration // until the connection is closed
	}{
		{"silence", "", "", 5 * time.Second},
		{"half a header", "GET /v1/state HTTP/1.1\r\nHost: 127", "", 5 * time.Second},
		{"half a body", "POST /v1/control/users HTTP/1.1\r\n" + host + "Content-Length: 100\r\n\r\n{", "HTTP/1.1 408 ", 10 * time.Second},
		{"a large header", "GET /v1/state HTTP/1.1\r\n" + host + "X-Large: " + strings.Repeat("x", 64<<10) + "\r\n\r\n", "HTTP/1.1 431 ", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			serve(t, true, func(t *testing.T, b *bench) {
				conn, err := b.net.w.Dial(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				began := time.Now()
				go io.WriteString(conn, tt.sends) // fails when the server has had enough
				got, err := io.ReadAll(conn)
				took := time.Since(began).Truncate(time.Second)
				if err != nil || !strings.HasPrefix(string(got), tt.want) || (tt.want == "") != (len(got) == 0) || took != tt.after {
					t.Errorf("got %.200q, %v, closed after %s; want %q after %s", got, err, took, tt.want, tt.after)
				}
			})
		})
	}
}

// A reader that takes nothing is dropped; the session goes on meanwhile, and
// ends without waiting for it for long.
func TestSlowReader(t *testing.T) {
	const asks = "GET /v1/states HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer " + token + "\r\n\r\n"
	serve(t, true, func(t *testing.T, b *bench) {
		conn, err := b.net.w.Dial(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprint(conn, asks)
		before := b.session.State().Seq
		time.Sleep(httpapi.SendLimit)
		if got := b.session.State().Seq - before; got < 39 {
			t.Errorf("beside a reader that takes nothing: %d States in %s, want four a second", got, httpapi.SendLimit)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if _, err := io.ReadAll(conn); err != nil {
			t.Errorf("after the limit: got %v, want the connection closed", err)
		}

		late, err := b.net.w.Dial(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer late.Close()
		fmt.Fprint(late, asks)
		synctest.Wait()
		began := time.Now()
		b.end()
		if took, most := time.Since(began), 3*time.Second; took > most {
			t.Errorf("the end took %s, want %s at most", took, most)
		}
	})
}

func TestTooManyReaders(t *testing.T) {
	serve(t, true, func(t *testing.T, b *bench) {
		for range httpapi.MaxReaders {
			_, detach := b.attached(t)
			defer detach()
		}
		if _, err := attach(t.Context(), b.net.client()); err == nil || !strings.Contains(err.Error(), "readers: 16 are under way, want at most 16") {
			t.Errorf("one more: got %v, want a refusal", err)
		}
	})
}
