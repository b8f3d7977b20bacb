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
	abort    context.CancelCauseFunc // ends the contexts of all requests

	serving sync.WaitGroup // the accepting goroutine
	running sync.WaitGroup // connections, and handlers (which outlive a connection that they took over)

	mu    sync.Mutex // guards the fields below
	fresh map[net.Conn]struct{}
	ended bool // no handler begins any more
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
	base, abort := context.WithCancelCause(context.Background())
	s.abort = abort
	s.http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.begin() {
			panic(http.ErrAbortHandler)
		}
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

// begin counts a handler, unless the server has ended. Those of HTTP/2 are
// goroutines of their own, which may begin when their connection is gone.
func (s *server) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended {
		s.running.Add(1)
	}
	return !s.ended
}

// lastWords is how long answers may take that come of the end itself.
const lastWords = time.Second

// shutdown accepts nothing new and lets requests finish, also those that took
// their connection over, until the grace is done. Then it ends them, and lets
// those that can still answer do so.
func (s *server) shutdown(grace context.Context) {
	s.listener.Close()
	s.serving.Wait()
	s.closeFresh()
	s.http.Shutdown(grace) // an error says that the grace is over
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		s.wait()
	}()
	select {
	case <-gone:
	case <-grace.Done():
	}
	s.abort(errClosed) // which tells them from those whose client went away
	last, cancel := context.WithTimeout(context.Background(), lastWords)
	defer cancel()
	s.http.Shutdown(last)
	s.http.Close()
	<-gone
}

// closeFresh ends the connections that never sent anything, for which Shutdown
// would wait up to 5 s.
func (s *server) closeFresh() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.fresh {
		c.Close()
	}
}

// wait returns when all connections and handlers are gone. From now on no
// handler begins, as one might be the first after the last.
func (s *server) wait() {
	s.mu.Lock()
	s.ended = true
	s.mu.Unlock()
	s.running.Wait()
}
