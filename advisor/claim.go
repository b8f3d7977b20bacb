package advisor

import (
	"context"
	"fmt"
	"os"
	"time"
)

// claimTTL is how long others wait for a scaler whose holder died.
const claimTTL = time.Minute

// claim keeps the scaler, where there is one, for this session until release is
// called: two who measure at once would each measure the load of the other.
func (s *Session) claim(ctx context.Context) (release func(), err error) {
	if s.config.Scaler == nil {
		return func() {}, nil
	}
	if err := s.checkPin(ctx); err != nil {
		return nil, err
	}
	holder := fmt.Sprintf("process %d", os.Getpid())
	if s.here != "" {
		holder += " on " + s.here
	}
	take := func(ctx context.Context, ttl time.Duration) error {
		ctx, cancel := context.WithTimeout(ctx, scalerPatience)
		defer cancel()
		return s.config.Scaler.Claim(ctx, holder, ttl)
	}
	if err := take(ctx, claimTTL); err != nil {
		return nil, err
	}
	renewing, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	s.jobs.Go(func() {
		defer close(ended)
		ticker := time.NewTicker(claimTTL / 3)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				if err := take(renewing, claimTTL); err != nil && renewing.Err() == nil { // there is time for two more
					s.note("error", "the scaler is no longer kept for this measurement: %v", err)
				}
			case <-renewing.Done():
				return
			}
		}
	})
	return func() {
		stop()
		<-ended
		take(context.WithoutCancel(ctx), 0) // else it ends by itself
	}, nil
}

// checkPin refuses to work with a scaler that somebody else has pinned.
func (s *Session) checkPin(ctx context.Context) error {
	fleet, err := s.askScaler(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil || !fleet.Pinned || s.holding { // one that does not answer says so when it is told something
		return nil
	}
	return fmt.Errorf("the scaler is pinned to %d by somebody else: wait for that measurement or tune to end, or let the policy decide again with headroom apply", fleet.Wanted)
}
