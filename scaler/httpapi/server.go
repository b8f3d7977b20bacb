package httpapi

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

// Server is an http.Server that can be waited for: Shutdown returns when its
// listener, its connections and the goroutines that handle them are gone. Its
// methods are called one after the other.
type Server struct {
	HTTP    http.Server // its limits may be set before Start
	OnAbort func()      // called before what is under way is ended; nil: nothing

	listener net.Listener
	abort    context.CancelCauseFunc // ends the contexts of all requests
	cause    error                   // which they end with

	serving sync.WaitGroup // the accepting goroutine
	running sync.WaitGroup // connections, and handlers (which outlive a connection that they took over)

	mu    sync.Mutex // guards the fields below
	fresh map[net.Conn]struct{}
	ended bool // no handler begins any more
}

// Listen opens an address. The error names the flag that chose it.
func Listen(flag, addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%s: %s is already in use, want a free address (port 0 takes any)", flag, addr)
	case err != nil:
		return nil, fmt.Errorf("%s: got %s, want an address of this machine: %w", flag, addr, err)
	}
	return l, nil
}

// NewServer prepares a server, which takes the listener over. The contexts of
// requests that must not go on end with the cause.
func NewServer(l net.Listener, h http.Handler, cause error) *Server {
	s := &Server{listener: l, cause: cause, fresh: map[net.Conn]struct{}{}}
	base, abort := context.WithCancelCause(context.Background())
	s.abort = abort
	s.HTTP.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.begin() {
			panic(http.ErrAbortHandler)
		}
		defer s.running.Done()
		h.ServeHTTP(w, r)
	})
	s.HTTP.BaseContext = func(net.Listener) context.Context { return base }
	s.HTTP.ConnState = s.follow
	s.HTTP.ErrorLog = log.New(io.Discard, "", 0) // it would write over a dashboard
	return s
}

// LimitClients sets limits against clients that are slow or send too much, for
// a server whose answers are short. A Stream has limits of its own.
func (s *Server) LimitClients() {
	s.HTTP.ReadHeaderTimeout = 5 * time.Second
	s.HTTP.ReadTimeout = 10 * time.Second
	s.HTTP.WriteTimeout = 30 * time.Second
	s.HTTP.IdleTimeout = time.Minute
	s.HTTP.MaxHeaderBytes = 16 << 10
}

// Start accepts connections until Shutdown. It calls fail when that ends for
// another reason.
func (s *Server) Start(fail func(error)) {
	s.serving.Go(func() {
		if err := s.HTTP.Serve(s.listener); !errors.Is(err, net.ErrClosed) && !errors.Is(err, http.ErrServerClosed) {
			fail(fmt.Errorf("serve %s: %w", s.listener.Addr(), err))
		}
	})
}

// follow counts the connections. Fresh ones have not sent anything yet.
func (s *Server) follow(c net.Conn, state http.ConnState) {
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
func (s *Server) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended {
		s.running.Add(1)
	}
	return !s.ended
}

// LastWords is how long answers may take that come of the end itself.
const LastWords = time.Second

// Shutdown accepts nothing new and lets requests finish, also those that took
// their connection over, until the grace is done. Then it ends them, and lets
// those that can still answer do so.
func (s *Server) Shutdown(grace context.Context) {
	s.listener.Close()
	s.serving.Wait()
	s.closeFresh()
	s.HTTP.Shutdown(grace) // an error says that the grace is over
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		s.wait()
	}()
	select {
	case <-gone:
	case <-grace.Done():
	}
	if s.OnAbort != nil {
		s.OnAbort()
	}
	s.abort(s.cause) // which tells them from those whose client went away
	last, cancel := context.WithTimeout(context.Background(), LastWords)
	defer cancel()
	s.HTTP.Shutdown(last)
	s.HTTP.Close()
	<-gone
}

// closeFresh ends the connections that never sent anything, for which Shutdown
// would wait up to 5 s.
func (s *Server) closeFresh() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.fresh {
		c.Close()
	}
}

// wait returns when all connections and handlers are gone. From now on no
// handler begins, as one might be the first after the last.
func (s *Server) wait() {
	s.mu.Lock()
	s.ended = true
	s.mu.Unlock()
	s.running.Wait()
}
