package scaler

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httputil"
	"slices"
	"strings"
	"sync"
	"time"
)

// upstream sends requests to replicas, over connections that it keeps for a
// while. A request of which nothing was sent goes over another connection, and
// if none can be made, to another replica; no other is sent twice. That is why
// it is not an [http.Transport], which repeats what looks safe to repeat
// (Request.isReplayable) also when a replica may have it. It also works on the
// goroutine of its caller, where a Transport has two more for each connection.
//
// It is safe for concurrent use.
type upstream struct {
	balancer *balancer
	dial     func(ctx context.Context, network, addr string) (net.Conn, error)
	longest  time.Duration // to connect
	keep     int           // connections to a replica that wait for a request
	buffers  *buffers

	uploads sync.WaitGroup // goroutines that send one

	mu     sync.Mutex         // guards the fields below
	idle   map[string][]*link // by address; the last was used last
	closed bool               // none is kept any more
}

// unsentError says that no connection could be made.
type unsentError struct{ error }

func (e *unsentError) Unwrap() error { return e.error }

const (
	// maxDial is the longest that a connection may take. It is also below the
	// upstream timeout, so that this never ends while nothing was sent.
	maxDial = 5 * time.Second

	// maxIdle is for how long a connection is kept. Servers close one that has
	// been idle for some time (gunicorn after 2 s, uvicorn and Node after 5 s),
	// and a request that meets the close is lost, as it must not be sent again.
	maxIdle = time.Second
)

func newUpstream(b *balancer, timeout time.Duration) *upstream {
	return &upstream{
		balancer: b,
		dial:     new(net.Dialer).DialContext,
		longest:  min(maxDial, timeout/2),
		keep:     max(16, b.concurrency),
		buffers:  &buffers{},
		idle:     map[string][]*link{},
	}
}

// RoundTrip sends a request to the replica of its exchange. How often it may be
// moved on is limited by the time that a request may wait. A replica is to
// blame for an error.
func (u *upstream) RoundTrip(req *http.Request) (*http.Response, error) {
	x := exchangeOf(req)
	for {
		res, err := u.send(req, x.address)
		var unsent *unsentError
		if !errors.As(err, &unsent) || x.Err() != nil || exhausted(err) {
			if err != nil {
				x.failed()
			}
			return res, err
		}
		if err := x.requeue(u.balancer); err != nil {
			return nil, err
		}
	}
}

// send sends a request to an address. The error is an unsentError when nothing
// could be sent there.
func (u *upstream) send(req *http.Request, address string) (*http.Response, error) {
	for {
		l, err := u.link(req.Context(), address)
		if err != nil {
			return nil, &unsentError{err}
		}
		reused := l.reused
		res, err := l.roundTrip(req)
		switch {
		case err == nil || l.sent > 0 || req.Context().Err() != nil:
			return res, err
		case !reused:
			return nil, &unsentError{err}
		}
		// The replica had ended the connection while it was idle.
	}
}

// link returns a connection to an address, one that is kept or a new one.
func (u *upstream) link(ctx context.Context, address string) (*link, error) {
	for {
		l := u.take(address)
		if l == nil {
			break
		}
		if l.usable() {
			return l, nil
		}
		l.Close()
	}
	ctx, cancel := context.WithTimeout(ctx, u.longest)
	defer cancel()
	conn, err := u.dial(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	return newLink(u, address, conn), nil
}

// take returns the connection that was used last, nil where none is kept.
func (u *upstream) take(address string) *link {
	u.mu.Lock()
	defer u.mu.Unlock()
	kept := u.idle[address]
	if len(kept) == 0 {
		return nil
	}
	last := len(kept) - 1
	l := kept[last]
	l.expiry.Stop()
	if last == 0 {
		delete(u.idle, address) // replicas come and go, with ever new addresses
		return l
	}
	kept[last] = nil
	u.idle[address] = kept[:last]
	return l
}

// put keeps a connection for another request, or closes it.
func (u *upstream) put(l *link) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.closed || len(u.idle[l.address]) >= u.keep {
		l.Close()
		return
	}
	l.reused = true
	u.idle[l.address] = append(u.idle[l.address], l)
	if l.expiry == nil {
		l.expiry = time.AfterFunc(maxIdle, func() { u.expire(l) })
	} else {
		l.expiry.Reset(maxIdle)
	}
}

// expire closes a connection that nothing was sent over for too long.
func (u *upstream) expire(l *link) {
	u.mu.Lock()
	defer u.mu.Unlock()
	i := slices.Index(u.idle[l.address], l)
	if i < 0 {
		return // it was taken in this moment
	}
	l.Close()
	if len(u.idle[l.address]) == 1 {
		delete(u.idle, l.address)
		return
	}
	u.idle[l.address] = slices.Delete(u.idle[l.address], i, i+1)
}

// close closes the connections that are kept, and waits for uploads that go
// on. It is called when no request is sent any more.
func (u *upstream) close() {
	u.uploads.Wait()
	u.mu.Lock()
	defer u.mu.Unlock()
	u.closed = true
	for _, kept := range u.idle {
		for _, l := range kept {
			l.expiry.Stop()
			l.Close()
		}
	}
}

// rewrite directs a request to its replica.
func rewrite(pr *httputil.ProxyRequest) {
	x := exchangeOf(pr.Out)
	pr.Out.URL.RawQuery = pr.In.URL.RawQuery // as it came, also where Go would not parse it
	pr.SetXForwarded()
	if strings.EqualFold(pr.Out.Header.Get("Upgrade"), "h2c") {
		// An offer to us, which may be passed over (RFC 9113, section 3.1).
		// Replicas that do not know it refuse the request.
		for _, name := range []string{"Upgrade", "Connection", "Http2-Settings"} {
			pr.Out.Header.Del(name)
		}
	}
	if !pr.In.ProtoAtLeast(1, 1) {
		pr.Out.Header.Del("Expect") // which it cannot (RFC 9110, section 10.1.1)
	}
	if pr.Out.Body != nil {
		x.upload.Store(uploadOpen)
		pr.Out.Body = &uploadBody{pr.Out.Body, x}
	}
}
