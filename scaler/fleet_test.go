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
			p.scale(2, newestFirst)
			pass(2 * time.Second)
			p.scale(1, newestFirst)
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
		for i := range profiles.KeptStartUps {
			replicas.set(func(f *fakes) { f.slow = time.Duration(i+1) * time.Millisecond })
			p.scale(2, newestFirst)
			pass(time.Second)
			p.scale(1, newestFirst)
			synctest.Wait()
		}
		got := p.startups()
		if len(got) != profiles.KeptStartUps || got[0] != time.Millisecond || got[profiles.KeptStartUps-1] != profiles.KeptStartUps*time.Millisecond {
			t.Errorf("got %d from %s to %s, want the latest %d", len(got), got[0], got[len(got)-1], profiles.KeptStartUps)
		}
	})
}

func TestFleetKnowsWhatIsInFlight(t *testing.T) {
	withPool(t, 1, func(t *testing.T, p *pool, replicas *fakes) {
		pass(time.Second)
		began := time.Now()
		c := arrive(t, p.balancer)
		pass(3 * time.Second)
		r := p.fleet(time.Now()).Replicas[0]
		if r.InFlight != 1 || r.Served != 0 || !r.Oldest.Equal(began) {
			t.Errorf("with a request: got %d in flight since %s, %d served, want one since %s", r.InFlight, r.Oldest, r.Served, began)
		}
		c.release(p.balancer)
		r = p.fleet(time.Now()).Replicas[0]
		if r.InFlight != 0 || r.Served != 1 || !r.Oldest.IsZero() {
			t.Errorf("after its answer: got %d in flight since %s, %d served, want one that was served", r.InFlight, r.Oldest, r.Served)
		}
	})
}
