package scaler

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"
)

// server is an http.Server that can be waited for: shutdown returns when its
// listener, its connections and the goroutines that handle them are gone.
type server struct {
	listener net.Listener
	http     http.Server
	abort    context.CancelFunc // ends the contexts of all requests

	serving sync.WaitGroup // the accepting goroutine
	running sync.WaitGroup // connections, and handlers (which outlive a connection that they took over)

	mu    sync.Mutex // guards the fields below
	fresh map[net.Conn]struct{}
}

// listen opens an address. The error names the flag that chose it.
func listen(flag, addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%s: %s is already in use, want a free address (port 0 takes any)", flag, addr)
	case err != nil:
		return nil, fmt.Errorf("%s: got %s, want an address of this machine: %w", flag, addr, err)
	}
	return l, nil
}

// newServer prepares a server; the caller sets the limits of its http field.
func newServer(l net.Listener, h http.Handler) *server {
	s := &server{listener: l, fresh: map[net.Conn]struct{}{}}
	base, abort := context.WithCancel(context.Background())
	s.abort = abort
	s.http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.running.Add(1) // its connection is counted, so this is never the first
		defer s.running.Done()
		h.ServeHTTP(w, r)
	})
	s.http.BaseContext = func(net.Listener) context.Context { return base }
	s.http.ConnState = s.follow
	s.http.ErrorLog = log.New(io.Discard, "", 0) // it would write over a dashboard
	return s
}

// start accepts connections until shutdown. It calls fail when that ends for
// another reason.
func (s *server) start(fail func(error)) {
	s.serving.Go(func() {
		if err := s.http.Serve(s.listener); !errors.Is(err, net.ErrClosed) && !errors.Is(err, http.ErrServerClosed) {
			fail(fmt.Errorf("serve %s: %w", s.listener.Addr(), err))
		}
	})
}

// follow counts the connections. Fresh ones have not sent anything yet.
func (s *server) follow(c net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch state {
	case http.StateNew:
		s.running.Add(1)
		s.fresh[c] = struct{}{}
	case http.StateHijacked, http.StateClosed:
		delete(s.fresh, c)
		s.running.Done()
	default:
		delete(s.fresh, c)
	}
}

// shutdown accepts nothing new, lets requests finish for the grace, and then
// ends them.
func (s *server) shutdown(grace time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	s.listener.Close()
	s.serving.Wait()
	// Shutdown would wait up to 5 s for connections that never sent anything.
	s.mu.Lock()
	fresh := make([]net.Conn, 0, len(s.fresh))
	for c := range s.fresh {
		fresh = append(fresh, c)
	}
	s.mu.Unlock()
	for _, c := range fresh {
		c.Close()
	}
	s.http.Shutdown(ctx) // an error says that the grace is over
	s.abort()
	s.http.Close()
	s.running.Wait()
}
