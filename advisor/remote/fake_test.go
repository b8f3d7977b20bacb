package remote

import (
	"context"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"headroom/advisor"
	"headroom/load"
	"headroom/probe"
	"headroom/profiles"
	"headroom/scaler/httpapi"
	"headroom/scaler/httpapi/wire"
)

const token = "0123456789abcdef0123456789abcdef"

// second is a connection whose answers take one.
type second struct{ start time.Time }

func (c second) Do(s *load.Sample, _ *load.Message) error {
	s.Sent = time.Since(c.start)
	time.Sleep(time.Second)
	s.Status, s.Replica, s.Done = 200, probe.Unknown, time.Since(c.start)
	return nil
}

func (c second) Close() {}

func newSession(t *testing.T, edit func(*advisor.Config)) *advisor.Session {
	t.Helper()
	plan := profiles.DefaultPlan()
	plan.Target, plan.Users, plan.SpawnRate = "http://service/", 3, 100
	c := advisor.Config{Plan: plan, NewConn: func(_ context.Context, start time.Time) load.Conn { return second{start} }}
	if edit != nil {
		edit(&c)
	}
	s, err := advisor.NewSession(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// network leads to whichever wire is plugged in.
type network struct {
	mu    sync.Mutex // guards the fields below
	w     *wire.Wire
	dials int
}

func (n *network) plug(w *wire.Wire) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.w = w
}

// client is an API's, over the network.
func (n *network) client() *httpapi.Client {
	c := httpapi.NewClient("run", "http://127.0.0.1:9000", token)
	c.HTTP.Transport = &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		n.mu.Lock()
		w := n.w
		n.dials++
		n.mu.Unlock()
		return w.Dial(ctx)
	}}
	return c
}

// bench is a session that is served, in virtual time.
type bench struct {
	session *advisor.Session
	net     *network
	served  error
	end     func() // ends the session, and waits for its server
}

// serve runs a session and its server, and f beside them.
func serve(t *testing.T, control bool, f func(t *testing.T, b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := &bench{session: newSession(t, nil), net: &network{}}
		b.run(t, control)
		f(t, b)
		b.end()
		if b.served != nil {
			t.Errorf("the server: %v", b.served)
		}
	})
}

// run runs the session of b and a server of it.
func (b *bench) run(t *testing.T, control bool) {
	w := wire.New(9000)
	b.net.plug(w)
	server := NewServer(w, Config{Session: b.session, Token: token, Control: control})
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { b.served = server.Run() })
	running.Go(func() { _ = b.session.Run(ctx) })
	b.end = sync.OnceFunc(func() {
		cancel()
		running.Wait()
	})
	t.Cleanup(b.end)
}

// attached follows the session of b.
func (b *bench) attached(t *testing.T) (c *Client, detach func()) {
	t.Helper()
	c, err := attach(t.Context(), b.net.client())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var following sync.WaitGroup
	following.Go(func() { c.Run(ctx) })
	return c, func() {
		cancel()
		following.Wait()
	}
}
