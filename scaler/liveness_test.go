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
		pass(atOnce + p.startTimeout)
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

// withSlots has the balancer of a pool give each replica so many requests at once.
func withSlots(p *pool, n int) {
	p.balancer.mu.Lock()
	defer p.balancer.mu.Unlock()
	p.balancer.concurrency = n
}

// A request that breaks while its replica is asked because of another one is
// news: the replica is asked again before it gets anything.
func TestPoolAsksAfterEachBrokenAnswer(t *testing.T) {
	withPool(t, 1, func(t *testing.T, p *pool, replicas *fakes) {
		withSlots(p, 2)
		pass(time.Second)
		replica := replicas.find("replica-1")
		replicas.set(func(*fakes) { replica.slow = 600 * time.Millisecond })
		first, second := arrive(t, p.balancer), arrive(t, p.balancer)
		expectServed(t, "two slots", []*client{first, second}, "replica-1", "replica-1")
		p.balancer.release(&first.lease, broken)
		pass(300 * time.Millisecond)
		p.balancer.release(&second.lease, broken)
		third := arrive(t, p.balancer)
		pass(300 * time.Millisecond)
		expectServed(t, "after the answer to the first question", []*client{third}, "")
		pass(600 * time.Millisecond)
		expectServed(t, "after the answer to the second one", []*client{third}, "replica-1")
		replicas.set(func(*fakes) { replica.deaf = true }) // a worker that does one thing at a time
		pass(time.Minute)
		expectStates(t, "while it works", p, "1 ready")
		third.release(p.balancer)
	})
}

// A replica that answers when it is asked, but no request, does not fill the log.
func TestPoolReportsWhatStaysAway(t *testing.T) {
	withPool(t, 1, func(t *testing.T, p *pool, replicas *fakes) {
		pass(time.Second)
		replica := replicas.find("replica-1")
		replicas.set(func(*fakes) { replica.slow = time.Millisecond })
		before := len(replicas.eventsOf(""))
		for range 100 {
			c := arrive(t, p.balancer)
			expectServed(t, "one that breaks each request", []*client{c}, "replica-1")
			p.balancer.release(&c.lease, broken)
			pass(2 * time.Millisecond)
		}
		if got := replicas.eventsOf("")[before:]; len(got) != 0 {
			t.Errorf("events: got %d, such as %q, want none", len(got), got[0])
		}
		replicas.set(func(*fakes) { replica.slow = 2 * atOnce })
		c := arrive(t, p.balancer)
		p.balancer.release(&c.lease, broken)
		pass(atOnce)
		expectStates(t, "when it answers late", p, "1 suspect")
		pass(2 * atOnce)
		expectStates(t, "when it has answered", p, "1 ready")
	})
}

// The time in which this process could not ask is not the replica's.
func TestPoolBlamesNobodyForItsOwnWant(t *testing.T) {
	withPool(t, 1, func(t *testing.T, p *pool, replicas *fakes) {
		pass(time.Second)
		replicas.set(func(f *fakes) { f.poor = true })
		pass(time.Minute)
		expectStates(t, "it cannot be looked at", p, "1 ready")
		c := arrive(t, p.balancer)
		p.balancer.release(&c.lease, broken)
		pass(3 * p.startTimeout)
		expectStates(t, "it cannot be asked", p, "1 suspect")
		replicas.set(func(f *fakes) { f.poor = false })
		pass(p.startTimeout + 2*time.Second)
		expectStates(t, "it was asked", p, "1 ready")
	})
}
