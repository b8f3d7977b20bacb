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
	since, idle := p.balancer.idleSince(be)
	if !idle {
		return nil
	}
	ctx, cancel := context.WithCancel(stay)
	defer cancel()
	defer context.AfterFunc(in.life, cancel)()
	err := p.live(ctx, in.address)
	if err == nil || ctx.Err() != nil || exhausted(err) || !p.balancer.suspendIdle(be, since) {
		return nil
	}
	return fmt.Errorf("idle, but %w", err)
}
