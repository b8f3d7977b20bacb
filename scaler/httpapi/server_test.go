package httpapi

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// cleartext2 is a client that speaks HTTP/2 without encryption.
func cleartext2(t *testing.T) *http.Client {
	transport := &http.Transport{Protocols: &http.Protocols{}}
	transport.Protocols.SetUnencryptedHTTP2(true)
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// Handlers of HTTP/2 are goroutines of their own: none may begin after the end.
func TestServerEndsUnderLoad(t *testing.T) {
	noGrace, cancel := context.WithCancel(t.Context())
	cancel()
	for range 10 {
		l, err := Listen("--listen", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		var began, late atomic.Int64
		var over atomic.Bool
		busy := make(chan struct{})
		s := NewServer(l, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			if began.Add(1) == 100 {
				close(busy)
			}
			if over.Load() {
				late.Add(1)
			}
		}), errors.New("the end"))
		s.HTTP.Protocols = &http.Protocols{}
		s.HTTP.Protocols.SetUnencryptedHTTP2(true)
		s.Start(func(err error) { t.Error(err) })
		client := cleartext2(t)
		ctx, stop := context.WithCancel(t.Context())
		var clients sync.WaitGroup
		for range 20 {
			clients.Go(func() {
				for {
					req, err := http.NewRequestWithContext(ctx, "GET", "http://"+l.Addr().String(), nil)
					if err != nil {
						t.Error(err)
						return
					}
					res, err := client.Do(req)
					if err != nil {
						return
					}
					res.Body.Close()
				}
			})
		}
		select {
		case <-busy:
		case <-time.After(20 * time.Second):
			t.Fatal("the clients are not served")
		}
		s.Shutdown(noGrace)
		over.Store(true)
		stop()
		clients.Wait()
		if n := late.Load(); n > 0 {
			t.Fatalf("%d handlers began after the end", n)
		}
		func() {
			defer func() {
				if got := recover(); got != http.ErrAbortHandler {
					t.Fatalf("a handler after the end: it panics with %v, want ErrAbortHandler", got)
				}
			}()
			s.HTTP.Handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
		}()
	}
}
