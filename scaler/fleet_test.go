package scaler

import (
	"testing"
	"testing/synctest"
	"time"

	"headroom/probe"
	"headroom/profiles"
)

func TestPoolForgetsTheGone(t *testing.T) {
	withPool(t, 1, func(t *testing.T, p *pool, replicas *fakes) {
		pass(time.Second)
		for range 25 {
			p.scale(2, profiles.Newest)
			pass(2 * time.Second)
			p.scale(1, profiles.Newest)
			synctest.Wait()
		}
		f := p.fleet(time.Now())
		if got := f.Count(probe.Gone); got != keepGone || f.Replicas[1].ID != "replica-26" {
			t.Errorf("listed: got %d that are gone, first %s, want the latest %d", got, f.Replicas[1].ID, keepGone)
		}
		pass(goneFor + time.Second)
		expectStates(t, "much later", p, "1 ready")
	})
}

func TestPoolKeepsStartups(t *testing.T) {
	withPool(t, 1, func(t *testing.T, p *pool, replicas *fakes) {
		if got := p.startups(); len(got) != 0 {
			t.Errorf("at first: got %v, want none", got)
		}
		pass(time.Second)
		for i := range keepStartups {
			replicas.set(func(f *fakes) { f.slow = time.Duration(i+1) * time.Millisecond })
			p.scale(2, profiles.Newest)
			pass(time.Second)
			p.scale(1, profiles.Newest)
			synctest.Wait()
		}
		got := p.startups()
		if len(got) != keepStartups || got[0] != time.Millisecond || got[keepStartups-1] != keepStartups*time.Millisecond {
			t.Errorf("got %d from %s to %s, want the latest %d", len(got), got[0], got[len(got)-1], keepStartups)
		}
	})
}
