package load

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"headroom/probe"
	"headroom/profiles"
)

// Exchange is one request and what came of it.
type Exchange struct {
	Class   string // of the user; empty without a scenario
	Name    string
	Request []byte // as HTTP/1.1 writes it
	Head    []byte // of the answer; without a status line where net/http read it
	Body    []byte // its beginning
	Remote  string // address that was connected to; empty: none
	Replica string // empty: the answer names none
	Sample  Sample
	Err     error // why it failed, where the status does not say it, or why it was not sent
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
	for n := range t.classes {
		number := slices.Index(t.turns, n)
		o := once{conns: k, actor: t.newActor(number, rand.New(rand.NewPCG(plan.Seed, uint64(number)+1))), conn: k.newConn(ctx), show: show}
		o.all(ctx)
		o.conn.Close()
	}
	return nil
}

// once is one user that sends everything once.
type once struct {
	conns *connector
	actor actor
	conn  Conn
	show  func(Exchange)
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
	if n := x.Sample.Remote; n > 0 {
		x.Remote = o.conns.dialer.reached()[n-1]
	}
	if n := x.Sample.Replica; n != probe.Unknown {
		x.Replica = o.conns.identifier.Names()[n]
	}
	o.show(x)
}
