package scaler

import (
	"context"
	"fmt"
)

// look finds out whether an idle replica still answers, and suspends it when
// it does not. Nothing is said of a busy one: a worker that serves one request
// at a time cannot answer while it works. For the same reason a look during
// which a request came counts for nothing.
func (p *pool) look(stay context.Context, in *instance, be *backend) error {
	taken, idle := p.balancer.handed(be)
	if !idle {
		return nil
	}
	ctx, cancel := context.WithCancel(stay)
	defer cancel()
	defer context.AfterFunc(in.life, cancel)()
	err := p.live(ctx, in.address)
	if err == nil || ctx.Err() != nil || !p.balancer.suspend(be, taken) {
		return nil
	}
	return fmt.Errorf("idle, but %w", err)
}

// handed is the number of requests that a replica has got so far, and whether
// it has none of them in flight.
func (b *balancer) handed(be *backend) (taken int64, idle bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return be.taken, be.inFlight == 0
}

// suspend gives a replica nothing more until resume. It does nothing, and
// returns false, when the replica has got a request since handed returned taken.
func (b *balancer) suspend(be *backend, taken int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if be.taken != taken {
		return false
	}
	be.suspended = true
	b.update(be)
	return true
}
