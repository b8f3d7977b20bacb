package scaler

import (
	"testing"
	"testing/synctest"
	"time"
)

// A broken answer suspends a replica until it was asked once more.
func TestPoolAsksAfterABrokenAnswer(t *testing.T) {
	withPool(t, 1, func(t *testing.T, p *pool, replicas *fakes) {
		pass(time.Second)
		first, second := arrive(t, p.balancer), arrive(t, p.balancer)
		p.balancer.release(&first.lease, broken)
		synctest.Wait()
		expectServed(t, "while it is asked", []*client{second}, "")
		pass(time.Second)
		expectServed(t, "after it was ready", []*client{second}, "replica-1")

		replica := replicas.find("replica-1")
		replicas.set(func(*fakes) { replica.deaf = true })
		p.balancer.release(&second.lease, broken)
		third := arrive(t, p.balancer)
		pass(20 * time.Second)
		expectStates(t, "when it is ready no more", p, "1 failing")
		pass(1500 * time.Millisecond)
		expectServed(t, "by its successor", []*client{third}, "replica-2")
	})
}

// silence makes a fake answer no look any more, or again.
func (f *fakes) silence(id string, deaf bool) {
	r := f.find(id)
	f.set(func(*fakes) { r.deaf = deaf })
}

func (f *fakes) looked() (n int) {
	f.set(func(f *fakes) { n = f.looks })
	return n
}

func TestPoolLooksAtTheIdle(t *testing.T) {
	withPool(t, 2, func(t *testing.T, p *pool, replicas *fakes) {
		pass(time.Second)
		working := arrive(t, p.balancer)
		pass(time.Minute)
		if got := replicas.looked(); got != 6 {
			t.Errorf("looks in a minute at one that is busy and one that is idle: got %d, want 6", got)
		}
		replicas.silence("replica-1", true)
		replicas.silence("replica-2", true)
		pass(p.liveInterval + lookLimit)
		expectStates(t, "both are silent, one is busy", p, "1 ready", "2 suspect")
		if got, want := p.fleet(time.Now()).Replicas[1].LastError, "idle, but no answer"; got != want {
			t.Errorf("why: got %q, want %q", got, want)
		}
		waiting := arrive(t, p.balancer)
		expectServed(t, "by a suspect", []*client{waiting}, "")
		pass(p.startTimeout)
		expectStates(t, "after the start timeout", p, "1 ready", "2 failing")
		pass(1500 * time.Millisecond)
		expectServed(t, "by its successor", []*client{waiting}, "replica-3")
		working.release(p.balancer)
	})
}

func TestPoolTrustsWhatAnswersAgain(t *testing.T) {
	withPool(t, 1, func(t *testing.T, p *pool, replicas *fakes) {
		pass(time.Second)
		replicas.silence("replica-1", true)
		pass(p.liveInterval + lookLimit - 1)
		replicas.silence("replica-1", false)
		waiting := arrive(t, p.balancer)
		expectServed(t, "while it is looked at", []*client{waiting}, "replica-1")
		pass(time.Minute)
		expectStates(t, "a request came during the look", p, "1 ready")

		waiting.release(p.balancer)
		replicas.silence("replica-1", true)
		pass(2*p.liveInterval + lookLimit)
		expectStates(t, "nothing came during the look", p, "1 suspect")
		startedIn := p.fleet(time.Now()).Replicas[0].StartedIn
		p.scale(0, newestFirst)
		synctest.Wait()
		expectStates(t, "a suspect must go", p, "1 gone")
		if got := p.startups(); len(got) != 1 || got[0] != startedIn {
			t.Errorf("start-up times: got %v, want one of %s", got, startedIn)
		}
	})
}
