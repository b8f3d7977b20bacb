package scaler

import (
	"context"
	"fmt"
	"time"
)

// look finds out whether an idle replica still answers, and suspends it when
// it does not. Nothing is said of a busy one: a worker that serves one request
// at a time cannot answer while it works. For the same reason a look during
// which a request came counts for nothing.
func (p *pool) look(stay context.Context, in *instance, be *backend) error {
	since, idle := p.balancer.idleSince(be)
	if !idle {
		return nil
	}
	ctx, cancel := context.WithCancel(stay)
	defer cancel()
	defer context.AfterFunc(in.life, cancel)()
	err := p.live(ctx, in.address)
	if err == nil || ctx.Err() != nil || !p.balancer.suspendIdle(be, since) {
		return nil
	}
	return fmt.Errorf("idle, but %w", err)
}

// idleSince is when a replica in service became idle, if it is.
func (b *balancer) idleSince(be *backend) (since time.Time, idle bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return be.since, be.free
}

// suspendIdle gives a replica nothing more until resume. It does nothing, and
// returns false, when the replica has got a request since it became idle.
func (b *balancer) suspendIdle(be *backend, since time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !be.free || !be.since.Equal(since) {
		return false
	}
	be.suspended = true
	b.update(time.Now(), be)
	return true
}
