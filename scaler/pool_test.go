package scaler

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"headroom/probe"
	"headroom/profiles"
)

// The two orders in which replicas go.
var newestFirst, oldestFirst = profiles.Behavior{Order: profiles.Newest}, profiles.Behavior{Order: profiles.Oldest}

// withPool runs a pool of n fakes in a bubble.
func withPool(t *testing.T, n int, f func(t *testing.T, p *pool, replicas *fakes)) {
	t.Helper()
	withFakes(t, n, &fakes{slow: time.Second}, f)
}

func withFakes(t *testing.T, n int, replicas *fakes, f func(t *testing.T, p *pool, replicas *fakes)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		cfg := Config{
			Command: []string{"serve", "{port}"}, StartTimeout: 20 * time.Second, Timeout: 30 * time.Second,
			Policy: profiles.FixedPolicy(n),
		}.withDefaults()
		p := newPool(cfg, newBalancer(time.Now(), cfg), n)
		p.launch, p.ready, p.live, p.log = replicas.launch, replicas.ready, replicas.live, replicas.note
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() {
			if err := p.run(ctx); err != nil {
				t.Errorf("run: got %v", err)
			}
		})
		synctest.Wait()
		f(t, p, replicas)
		cancel()
		running.Wait()
		if f := p.fleet(time.Now()); f.Count(probe.Gone) != len(f.Replicas) {
			t.Errorf("after the end: got %v, want all gone", states(p))
		}
	})
}

// states lists the fleet, such as "1 ready".
func states(p *pool) []string {
	out := []string{}
	for _, r := range p.fleet(time.Now()).Replicas {
		out = append(out, strings.TrimPrefix(r.ID, "replica-")+" "+string(r.State))
	}
	return out
}

func expectStates(t *testing.T, what string, p *pool, want ...string) {
	t.Helper()
	if got := states(p); !slices.Equal(got, want) {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

func TestPoolStarts(t *testing.T) {
	withPool(t, 2, func(t *testing.T, p *pool, replicas *fakes) {
		expectStates(t, "at first", p, "1 starting", "2 starting")
		if isClosed(p.serving) || isClosed(p.full) {
			t.Error("at first: it says that replicas are ready")
		}
		pass(time.Second)
		expectStates(t, "after a second", p, "1 ready", "2 ready")
		if !isClosed(p.serving) || !isClosed(p.full) {
			t.Error("after a second: it does not say that all are ready")
		}
		r := p.fleet(time.Now()).Replicas[0]
		if r.StartedIn != time.Second || !r.Managed || r.Address != "replica-1" {
			t.Errorf("first replica: got %+v, want started in 1s on its address", r)
		}
	})
}

func TestPoolGrowsAndShrinks(t *testing.T) {
	withPool(t, 1, func(t *testing.T, p *pool, replicas *fakes) {
		pass(time.Second)
		p.scale(3, newestFirst)
		pass(time.Second)
		expectStates(t, "grown", p, "1 ready", "2 ready", "3 ready")
		p.scale(4, newestFirst)
		synctest.Wait()
		p.scale(3, newestFirst)
		synctest.Wait()
		expectStates(t, "one less, newest first", p, "1 ready", "2 ready", "3 ready", "4 gone")
		p.scale(2, oldestFirst)
		synctest.Wait()
		expectStates(t, "one less, oldest first", p, "2 ready", "3 ready", "1 gone", "4 gone")
		p.scale(3, oldestFirst)
		synctest.Wait()
		p.scale(2, oldestFirst)
		synctest.Wait()
		expectStates(t, "oldest first, but one serves nobody yet", p, "2 ready", "3 ready", "5 gone", "1 gone", "4 gone")
	})
}

func TestPoolDrainsBeforeItEnds(t *testing.T) {
	withPool(t, 2, func(t *testing.T, p *pool, replicas *fakes) {
		pass(time.Second)
		first, second := arrive(t, p.balancer), arrive(t, p.balancer)
		p.scale(1, newestFirst)
		synctest.Wait()
		expectStates(t, "a busy replica must go", p, "1 ready", "2 draining")
		pass(10 * time.Second)
		if err := replicas.find("replica-2").life.Err(); err != nil {
			t.Errorf("draining: it was ended with a request in flight: %v", err)
		}
		second.release(p.balancer)
		expectStates(t, "after its last answer", p, "1 ready", "2 gone")
		if got := p.fleet(time.Now()).Replicas[1].Served; got != 1 {
			t.Errorf("served by the one that is gone: got %d, want 1", got)
		}
		first.release(p.balancer)

		p.scale(2, newestFirst)
		pass(time.Second)
		arrive(t, p.balancer)
		stuck := arrive(t, p.balancer)
		expectServed(t, "two replicas", []*client{stuck}, "replica-3")
		p.scale(1, newestFirst)
		pass(31 * time.Second)
		expectStates(t, "a request that takes too long", p, "1 ready", "3 gone", "2 gone")
	})
}

func TestPoolGivesUpTheFailingFirst(t *testing.T) {
	withPool(t, 3, func(t *testing.T, p *pool, replicas *fakes) {
		pass(time.Second)
		replicas.crash("replica-1")
		p.scale(2, newestFirst)
		synctest.Wait()
		expectStates(t, "one less", p, "2 ready", "3 ready", "1 gone")
		pass(time.Minute)
		expectStates(t, "later", p, "2 ready", "3 ready", "1 gone")
	})
}

func TestPoolGivesUpTheIdleFirst(t *testing.T) {
	withPool(t, 4, func(t *testing.T, p *pool, replicas *fakes) {
		pass(time.Second)
		var clients []*client
		for range 4 {
			clients = append(clients, arrive(t, p.balancer))
		}
		clients[0].release(p.balancer)
		clients[1].release(p.balancer)
		p.scale(3, newestFirst)
		synctest.Wait()
		expectStates(t, "the newest of the idle ones", p, "1 ready", "3 ready", "4 ready", "2 gone")
		p.scale(2, newestFirst)
		synctest.Wait()
		expectStates(t, "the last idle one", p, "3 ready", "4 ready", "1 gone", "2 gone")
		p.scale(1, oldestFirst)
		synctest.Wait()
		expectStates(t, "none is idle, the oldest", p, "3 draining", "4 ready", "1 gone", "2 gone")
		clients[2].release(p.balancer)
		clients[3].release(p.balancer)
	})
}

// Which replicas may go is a question of how long each was idle; the order is
// for those among them.
func TestPoolGivesUpWhatIsIdleForLongEnough(t *testing.T) {
	withPool(t, 4, func(t *testing.T, p *pool, replicas *fakes) {
		pass(time.Second)
		var clients []*client
		for range 4 {
			clients = append(clients, arrive(t, p.balancer))
		}
		down := newestFirst
		down.Idle = profiles.Duration(time.Minute)
		clients[0].release(p.balancer)
		clients[1].release(p.balancer)
		pass(time.Minute)
		clients[2].release(p.balancer)
		p.scale(3, down)
		synctest.Wait()
		expectStates(t, "the newest of those idle for long", p, "1 ready", "3 ready", "4 ready", "2 gone")
		clients[3].release(p.balancer)
		p.scale(2, down)
		synctest.Wait()
		expectStates(t, "the other one", p, "3 ready", "4 ready", "1 gone", "2 gone")
		p.scale(1, down)
		synctest.Wait()
		expectStates(t, "idle, but none for long", p, "3 ready", "4 gone", "1 gone", "2 gone")
	})
}

func TestReplicaUse(t *testing.T) {
	tests := []struct {
		name     string
		state    probe.State
		failures int
		inFlight int
		want     profiles.Use
	}{
		{"failing", probe.Failing, 1, 0, profiles.Broken},
		{"starting in a crash loop", probe.Starting, probe.CrashLoop, 0, profiles.Broken},
		{"starting", probe.Starting, probe.CrashLoop - 1, 0, profiles.Launching},
		{"suspect", probe.Suspect, 0, 1, profiles.Doubted},
		{"idle for long enough", probe.Ready, probe.CrashLoop, 0, profiles.Rested},
		{"busy", probe.Ready, 0, 2, profiles.Working},
	}
	for _, tt := range tests {
		r := &replica{info: probe.Replica{ID: "a", State: tt.state, Failures: tt.failures}}
		now := time.Now()
		got := r.use(traffic{backends: map[string]work{"a": {inFlight: tt.inFlight, idle: now}}}, now)
		if got != tt.want {
			t.Errorf("%s: use() = %d, want %d", tt.name, got, tt.want)
		}
	}
}

// A fleet of none is complete at once, and its first replica may fail without
// ending the scaler.
func TestPoolOfNone(t *testing.T) {
	withPool(t, 0, func(t *testing.T, p *pool, replicas *fakes) {
		expectStates(t, "at first", p)
		if !isClosed(p.serving) || !isClosed(p.full) {
			t.Error("at first: it waits for replicas that nobody wants")
		}
		waiting := arrive(t, p.balancer)
		p.scale(1, newestFirst)
		synctest.Wait()
		replicas.crash("replica-1")
		expectStates(t, "its first one ends before it is ready", p, "1 failing")
		pass(1500 * time.Millisecond)
		expectServed(t, "after another start", []*client{waiting}, "replica-2")
		p.scale(0, newestFirst)
		synctest.Wait()
		expectStates(t, "none is wanted, but one is busy", p, "2 draining", "1 gone")
		waiting.release(p.balancer)
		expectStates(t, "after its last answer", p, "2 gone", "1 gone")
	})
}

// A place that never works does not hide those that do.
func TestPoolIsFull(t *testing.T) {
	of := func(s probe.State, failures int) *replica {
		return &replica{info: probe.Replica{State: s, Failures: failures}}
	}
	ready, starting := of(probe.Ready, 0), of(probe.Starting, 0)
	for _, tt := range []struct {
		name          string
		living        []*replica
		serving, full bool
	}{
		{"starting", []*replica{starting, starting}, false, false},
		{"one of two", []*replica{ready, starting}, true, false},
		{"both", []*replica{ready, ready}, true, true},
		{"one failed", []*replica{ready, of(probe.Failing, probe.CrashLoop-1)}, true, false},
		{"one in a crash loop", []*replica{ready, of(probe.Failing, probe.CrashLoop)}, true, true},
		{"one in a crash loop, tried again", []*replica{ready, of(probe.Starting, probe.CrashLoop)}, true, true},
		{"one went in a crash loop", []*replica{ready, starting, of(probe.Draining, probe.CrashLoop)}, true, false},
	} {
		p := newPool(Config{Policy: profiles.FixedPolicy(2)}, newBalancer(time.Now(), Config{}), 2)
		p.living = tt.living
		p.checkFull()
		if serving, full := isClosed(p.serving), isClosed(p.full); serving != tt.serving || full != tt.full {
			t.Errorf("%s: checkFull() closes serving %v and full %v, want %v and %v", tt.name, serving, full, tt.serving, tt.full)
		}
	}
}

// The third failure of a place ends the wait for it.
func TestPoolIsFullWithACrashLoop(t *testing.T) {
	withFakes(t, 2, &fakes{slow: time.Second, slower: time.Second}, func(t *testing.T, p *pool, replicas *fakes) {
		pass(time.Second)
		if !isClosed(p.serving) || isClosed(p.full) {
			t.Error("one of two is ready: want that it serves, and is not full")
		}
		for failures := 1; failures <= probe.CrashLoop; failures++ {
			if isClosed(p.full) {
				t.Errorf("after %d failures: it is full", failures-1)
			}
			for _, r := range p.fleet(time.Now()).Replicas {
				if r.State == probe.Starting {
					replicas.crash(r.ID)
				}
			}
			if failures < probe.CrashLoop {
				pass(pause(failures))
			}
		}
		if !isClosed(p.full) {
			t.Errorf("in a crash loop: got %v, want that it is full", states(p))
		}
	})
}

// At the end nobody waits for a fleet that cannot serve any more.
func TestPoolPromises(t *testing.T) {
	withPool(t, 1, func(t *testing.T, p *pool, replicas *fakes) {
		expect := func(what string, want bool) {
			t.Helper()
			if got := p.promising(); got != want {
				t.Errorf("%s: promising() = %v, want %v", what, got, want)
			}
		}
		expect("starting", true)
		pass(time.Second)
		expect("ready", true)
		replicas.crash("replica-1")
		expect("failing", false)
		pass(pause(1))
		expect("starting again", true)
		pass(time.Second)
		busy := arrive(t, p.balancer)
		p.scale(0, newestFirst)
		synctest.Wait()
		expectStates(t, "none is wanted", p, "2 draining", "1 gone")
		expect("draining", false)
		busy.release(p.balancer)
	})
}
