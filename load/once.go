package load

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"time"

	"headroom/probe"
	"headroom/profiles"
)

// Exchange is one request and what came of it.
type Exchange struct {
	Class   string // of the user; empty without a scenario
	Name    string
	Request []byte // as HTTP/1.1 writes it
	Head    []byte // of the answer, its status line first
	Body    []byte // its beginning
	Route   Route
	Replica string // empty: the answer names none
	Sample  Sample
	Taken   map[string]string // what the user has captured so far, by its name
	Err     error             // why it failed, where the status does not say it, or why it was not sent
}

// Route is how a request got to its target.
type Route struct {
	Host      string       // name of the target, of the last one after redirects; empty: none was looked up
	Addresses []netip.Addr // all that it resolved to when its connection was made
	Remote    string       // the one that was connected to, with its port; empty: none
	Protocol  string       // that the answer is in, such as "HTTP/1.1"; empty: there is none
	TLS       uint16       // version, as crypto/tls numbers them; 0: without TLS
}

// Once sends each request of a plan once, as one user of each class would, and
// shows what came of it. A request that lacks a capture is shown without
// having been sent. The error is one of the plan.
func Once(ctx context.Context, plan profiles.Plan, identifier *probe.Identifier, show func(Exchange)) error {
	if err := plan.Validate(); err != nil {
		return err
	}
	k, err := newConnector(plan, identifier)
	if err != nil {
		return err
	}
	t, err := newTasks(plan)
	if err != nil {
		return err
	}
	k.base = time.Now()
	r := &routes{dialer: k.dialer}
	k.dialer.seen = r.dialled
	var captures []string
	if plan.Scenario != nil {
		captures = plan.Scenario.Captures
	}
	for n := range t.classes {
		number := slices.Index(t.turns, n)
		o := once{names: captures, conns: k, actor: t.newActor(number, rand.New(rand.NewPCG(plan.Seed, uint64(number)+1))), conn: k.newConn(ctx), routes: r, show: show}
		o.all(ctx)
		o.conn.Close()
	}
	return nil
}

// once is one user that sends everything once.
type once struct {
	names  []string // of the captures
	conns  *connector
	actor  actor
	conn   Conn
	routes *routes
	show   func(Exchange)
}

// all sends what can be sent, again and again through the tasks, since one may
// capture what another needs.
func (o *once) all(ctx context.Context) {
	class := o.actor.class
	left := slices.Concat(class.onStart, class.tasks)
	for sent := true; sent && ctx.Err() == nil; {
		sent = false
		left = slices.DeleteFunc(left, func(t task) bool {
			if !t.ReadyFor(o.actor.message.values.Captured) {
				return false
			}
			o.send(&t)
			sent = true
			return true
		})
	}
	for _, t := range left {
		o.show(Exchange{Class: class.name, Name: t.Name, Err: fmt.Errorf("not sent: what it needs of earlier answers was not captured")})
	}
}

func (o *once) send(t *task) {
	x := Exchange{Class: o.actor.class.name, Name: t.Name}
	if !o.actor.prepare(t) {
		x.Err = fmt.Errorf("not sent: its feed has no row left")
		o.show(x)
		return
	}
	m := &o.actor.message
	x.Request = slices.Clone(m.encoded)
	m.seen = func(head, body []byte) { x.Head, x.Body = bytes.Clone(head), bytes.Clone(body) }
	x.Sample.Intended = time.Since(o.conns.base)
	if err := o.conn.Do(&x.Sample, m); err != nil {
		x.Err = fmt.Errorf("%s: %s", x.Sample.Failure, describe(err, o.conns.timeout))
	}
	x.Taken = map[string]string{}
	for i, value := range m.values.Captured {
		x.Taken[o.names[i]] = value
	}
	x.Route = o.routes.taken(x.Head)
	if n := x.Sample.Replica; n != probe.Unknown {
		x.Replica = o.conns.identifier.Names()[n]
	}
	o.show(x)
}

// routes keeps the route of the latest connection. It is safe for concurrent
// use: net/http dials on goroutines of its own.
type routes struct {
	dialer *dialer

	mu     sync.Mutex // guards the field below
	latest Route
}

// dialled is shown each connection.
func (r *routes) dialled(d dialResult) {
	route := Route{Host: d.host}
	for _, a := range d.addresses {
		route.Addresses = append(route.Addresses, a.Unmap())
	}
	if d.remote > 0 {
		route.Remote = r.dialer.reached()[d.remote-1]
	}
	if secure, ok := d.conn.(*tls.Conn); ok {
		route.TLS = secure.ConnectionState().Version
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.latest = route
}

// taken is the route of a request whose answer has this head.
func (r *routes) taken(head []byte) Route {
	r.mu.Lock()
	defer r.mu.Unlock()
	route := r.latest
	if protocol, _, ok := bytes.Cut(head, []byte(" ")); ok {
		route.Protocol = string(protocol)
	}
	return route
}
