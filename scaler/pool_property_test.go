package scaler

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"headroom/probe"
)

// trouble is something that happens to a pool.
type trouble struct {
	kind string
	n    int
}

var troubles = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) trouble {
	return trouble{
		kind: rapid.SampledFrom([]string{"scale", "crash", "silence", "refuse", "accept", "request", "answer", "break", "pass"}).Draw(t, "kind"),
		n:    rapid.IntRange(0, 99).Draw(t, "n"),
	}
}), 1, 60)

// Whatever happened to its replicas, a pool that is left alone has as many as
// are wanted, all of them ready, and no request waits.
func TestPoolRecovers(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		all, slots := troubles.Draw(rt, "troubles"), rapid.IntRange(1, 4).Draw(rt, "slots")
		var failure error
		withPool(t, 1, func(t *testing.T, p *pool, replicas *fakes) {
			withSlots(p, slots)
			pass(time.Second)
			s := &sufferer{T: t, pool: p, replicas: replicas}
			for i, what := range all {
				s.apply(what)
				synctest.Wait()
				if failure = s.excess(); failure != nil {
					failure = fmt.Errorf("after %d, %v: %w", i, what, failure)
					break
				}
			}
			if err := s.recovery(); failure == nil {
				failure = err
			}
		})
		if failure != nil {
			rt.Fatal(failure)
		}
	})
}

// sufferer is a pool with its replicas and its clients.
type sufferer struct {
	*testing.T
	pool     *pool
	replicas *fakes
	clients  []*client // that were not answered yet
}

func (s *sufferer) apply(what trouble) {
	down := newestFirst
	if what.n%2 == 0 {
		down = oldestFirst
	}
	switch what.kind {
	case "scale":
		s.pool.scale(what.n%6, down)
	case "crash":
		if r := s.pick(what.n); r != nil {
			r.end(fmt.Errorf("exited with status %d", what.n))
		}
	case "silence":
		if r := s.pick(what.n); r != nil {
			s.replicas.silence(r.id, true)
		}
	case "refuse":
		s.replicas.set(func(f *fakes) { f.refuse = fmt.Errorf("no memory") })
	case "accept":
		s.replicas.set(func(f *fakes) { f.refuse = nil })
	case "request":
		s.clients = append(s.clients, arrive(s.T, s.pool.balancer))
	case "answer":
		s.answer(what.n, completed)
	case "break":
		s.answer(what.n, broken)
	case "pass":
		pass(time.Duration(what.n) * 300 * time.Millisecond)
	}
}

// left reports whether a request waited for too long.
func (c *client) left() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.done && c.err != nil
}

// pick is one of the processes that run.
func (s *sufferer) pick(n int) (r *fake) {
	s.replicas.set(func(f *fakes) {
		living := slices.DeleteFunc(slices.Clone(f.started), func(r *fake) bool { return r.life.Err() != nil })
		if len(living) > 0 {
			r = living[n%len(living)]
		}
	})
	return r
}

// answer ends one of the requests that have a replica.
func (s *sufferer) answer(n int, how outcome) bool {
	for i := range s.clients {
		i = (i + n) % len(s.clients)
		if c := s.clients[i]; c.served() != "" {
			s.clients = slices.Delete(s.clients, i, i+1)
			s.pool.balancer.release(&c.lease, how)
			return true
		}
	}
	return false
}

// excess says when there are more replicas than places, or more processes
// than replicas.
func (s *sufferer) excess() error {
	f := s.pool.fleet(time.Now())
	if kept := f.Count(probe.Starting, probe.Ready, probe.Suspect, probe.Failing); kept != f.Wanted {
		return fmt.Errorf("%d are wanted, got %v", f.Wanted, states(s.pool))
	}
	return s.orphan(f)
}

func (s *sufferer) orphan(f probe.Fleet) (err error) {
	s.replicas.set(func(replicas *fakes) {
		for _, r := range replicas.started {
			listed := slices.ContainsFunc(f.Replicas, func(known probe.Replica) bool {
				return known.ID == r.id && known.State != probe.Gone && known.State != probe.Failing
			})
			if !listed && r.life.Err() == nil {
				err = fmt.Errorf("%s still runs, got %v", r.id, states(s.pool))
			}
		}
	})
	return err
}

// recovery ends all trouble, and says what is not as it should be then.
func (s *sufferer) recovery() error {
	s.replicas.set(func(f *fakes) {
		f.refuse = nil
		for _, r := range f.started {
			r.deaf = false
		}
	})
	s.pool.scale(3, newestFirst)
	for range 90 { // seconds: longer than the longest pause and the start timeout
		pass(time.Second)
		for s.answer(0, completed) {
			synctest.Wait()
		}
	}
	for _, c := range s.clients {
		if !c.left() {
			return fmt.Errorf("in the end: a request still waits, got %v", states(s.pool))
		}
	}
	if n := s.pool.balancer.sense(time.Now()).ready; n != 3 {
		return fmt.Errorf("in the end: the balancer has %d in service, want the three of %v", n, states(s.pool))
	}
	f := s.pool.fleet(time.Now())
	if f.Count(probe.Ready) != 3 || f.InFlight != 0 {
		return fmt.Errorf("in the end: want 3 that are ready and nothing in flight, got %v and %d", states(s.pool), f.InFlight)
	}
	return s.orphan(f)
}
