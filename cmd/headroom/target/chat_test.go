package target

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func complete(s *Server, target, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, httptest.NewRequest("POST", target, strings.NewReader(body)))
	return w
}

func TestChat(t *testing.T) {
	created := regexp.MustCompile(`"created":\d+`)
	chunk := func(choice string) string {
		return `data: {"id":"chatcmpl-headroom","object":"chat.completion.chunk","created":0,"model":"m","choices":[` + choice + `],"hostname":"r1"}` + "\n\n"
	}
	const whole = `{"id":"chatcmpl-headroom","object":"chat.completion","created":0,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"word word "},"finish_reason":"stop"}],"hostname":"r1"}` + "\n"
	for _, c := range []struct {
		name, target, body string
		status             int
		want               string
		took               time.Duration
	}{
		{"stream", chatPath + "?interval=50ms", `{"model":"m","stream":true,"max_tokens":2}`, http.StatusOK,
			chunk(`{"index":0,"delta":{"role":"assistant","content":"word "},"finish_reason":null}`) +
				chunk(`{"index":0,"delta":{"content":"word "},"finish_reason":"stop"}`) + "data: [DONE]\n\n", 100 * time.Millisecond},
		{"whole", chatPath + "?interval=50ms&events=2", `{"model":"m","messages":[]}`, http.StatusOK, whole, 100 * time.Millisecond},
		{"no JSON", chatPath, `model=m`, http.StatusBadRequest,
			`{"detail":"body: invalid character 'm' looking for beginning of value, want a request for a chat completion in JSON","hostname":"r1"}` + "\n", 0},
		{"too many tokens", chatPath, `{"max_tokens":100001}`, http.StatusUnprocessableEntity,
			`{"detail":"max_tokens: got 100001, want a whole number 1..100000","hostname":"r1"}` + "\n", 0},
		{"bad interval", chatPath + "?interval=soon", `{}`, http.StatusUnprocessableEntity,
			`{"detail":"interval: got \"soon\", want a duration 0s..1h, such as 100ms","hostname":"r1"}` + "\n", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				w := complete(newServer(t, nil), c.target, c.body)
				got := created.ReplaceAllString(w.Body.String(), `"created":0`)
				if w.Code != c.status || got != c.want {
					t.Errorf("got %d %s\nwant %d %s", w.Code, got, c.status, c.want)
				}
				if took := time.Since(start); took != c.took {
					t.Errorf("took %v, want %v", took, c.took)
				}
			})
		})
	}
	if w := ask(newServer(t, nil), "GET", chatPath); w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "POST" {
		t.Errorf("GET: got %d, Allow %q; want 405, POST", w.Code, w.Header().Get("Allow"))
	}
}
