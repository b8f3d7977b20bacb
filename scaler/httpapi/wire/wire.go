// Package wire is a listener of connections in memory, for tests in virtual
// time: real ones would leave the bubble.
package wire

import (
	"context"
	"net"
	"sync"
)

// Wire is a net.Listener that only Dial reaches. It is safe for concurrent use.
type Wire struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
	addr   net.TCPAddr
}

// New is a listener that says it listens on a port of 127.0.0.1.
func New(port int) *Wire {
	return &Wire{conns: make(chan net.Conn), closed: make(chan struct{}), addr: net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}}
}

// Accept is net.Listener's.
func (w *Wire) Accept() (net.Conn, error) {
	select {
	case c := <-w.conns:
		return c, nil
	case <-w.closed:
		return nil, net.ErrClosed
	}
}

// Close is net.Listener's; it may be called twice.
func (w *Wire) Close() error {
	w.once.Do(func() { close(w.closed) })
	return nil
}

// Addr is net.Listener's.
func (w *Wire) Addr() net.Addr { return &w.addr }

// Dial connects to it once it accepts. The error is net.ErrClosed, or why ctx
// has ended.
func (w *Wire) Dial(ctx context.Context) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case w.conns <- theirs:
		return ours, nil
	case <-w.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}
