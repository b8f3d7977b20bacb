package scaler

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

func TestReadiness(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/":
			w.WriteHeader(http.StatusNotFound)
		case "/redirect":
			http.Redirect(w, r, "/broken", http.StatusFound)
		case "/broken":
			w.WriteHeader(http.StatusServiceUnavailable)
		case "/silent":
			<-r.Context().Done()
		case "/hangup":
			panic(http.ErrAbortHandler)
		}
	}))
	t.Cleanup(s.Close) // after the parallel parts
	address := s.Listener.Addr().String()
	tests := []struct {
		path, address, want string
	}{
		{"", address, ""},
		{"/", address, "GET / is answered 404"},
		{"/ok", address, ""},
		{"/redirect", address, ""},
		{"/broken", address, "GET /broken is answered 503"},
		{"/silent", address, "no answer to GET /silent"},
		{"/hangup", address, "no answer to GET /hangup: EOF"},
		{"", "127.0.0.1:1", "nothing listens on 127.0.0.1:1"},
		{"tcp", address, ""},
		{"tcp", "127.0.0.1:1", "nothing listens on 127.0.0.1:1"},
	}
	for _, tt := range tests {
		t.Run(tt.path+" on "+tt.address, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			got := ""
			if err := newReadiness(tt.path).await(ctx, tt.address); err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("await: got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestReadinessWaits(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var asked atomic.Int64
	s := &httptest.Server{Listener: listener, Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) < 5 {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})}}
	s.Start()
	defer s.Close()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	if err := newReadiness("").await(ctx, listener.Addr().String()); err != nil || asked.Load() != 5 {
		t.Errorf("ready at the fifth question: got %v after %d", err, asked.Load())
	}
	cancelled, stop := context.WithCancel(t.Context())
	stop()
	if err := newReadiness("").await(cancelled, "127.0.0.1:1"); err == nil {
		t.Error("cancelled: got no error")
	}
}

// A replica that is stopped keeps its port; only an answer tells.
func TestReadinessLooksAtTheLiving(t *testing.T) {
	asked := make(chan string, 10)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.URL.Path
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	address := s.Listener.Addr().String()
	tests := []struct{ path, want string }{
		{"", ""},
		{"tcp", ""},
		{"/ok", "GET /ok is answered 503"},
	}
	check := func(path, want string) {
		t.Helper()
		got := ""
		if err := newReadiness(path).live(t.Context(), address); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("live with path %q: got %q, want %q", path, got, want)
		}
	}
	for _, tt := range tests {
		check(tt.path, tt.want)
	}
	s.Close()
	close(asked)
	var paths []string
	for path := range asked {
		paths = append(paths, path)
	}
	if !slices.Equal(paths, []string{"/ok"}) {
		t.Errorf("requests: got %q, want only /ok", paths)
	}
	for _, tt := range tests {
		check(tt.path, "nothing listens on "+address)
	}
}
