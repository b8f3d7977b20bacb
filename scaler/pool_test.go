package scaler

import (
	"context"
	"errors"
	"fmt"
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

// fakes starts replicas that exist in virtual time only.
type fakes struct {
	mu      sync.Mutex // guards the fields below
	started []*fake
	refuse  error         // of launch
	slow    time.Duration // until a replica is ready
	deaf    bool          // a new replica is never ready
	looks   int           // of liveness
	events  []string
}

// fake is one such replica; its address is its ID.
type fake struct {
	id   string
	at   time.Time
	end  context.CancelCauseFunc
	life context.Context
	slow time.Duration
	deaf bool
}

func (f *fakes) launch(id string) (*instance, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.refuse != nil {
		return nil, f.refuse
	}
	life, end := context.WithCancelCause(context.Background())
	r := &fake{id: id, at: time.Now(), life: life, end: end, slow: f.slow, deaf: f.deaf}
	f.started = append(f.started, r)
	return &instance{
		address: id, pid: len(f.started), root: len(f.started), output: &output{}, life: life,
		stop: func(time.Duration) { end(errors.New("stopped")) },
	}, nil
}

func (f *fakes) ready(ctx context.Context, address string) error {
	r := f.find(address)
	f.mu.Lock()
	slow, deaf := r.slow, r.deaf
	f.mu.Unlock()
	if !deaf && wait(ctx, slow) {
		return nil
	}
	<-ctx.Done()
	return errors.New("no answer")
}

func (f *fakes) live(ctx context.Context, address string) error {
	r := f.find(address)
	f.mu.Lock()
	f.looks++
	deaf := r.deaf
	f.mu.Unlock()
	if !deaf {
		return nil
	}
	wait(ctx, lookLimit)
	return errors.New("no answer")
}

func (f *fakes) find(id string) *fake {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range f.started {
		if r.id == id {
			return r
		}
	}
	panic("no replica " + id)
}

// ids lists what was started, with the seconds, sorted.
func (f *fakes) ids(since time.Time) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []string
	for _, r := range f.started {
		out = append(out, fmt.Sprintf("%s@%g", strings.TrimPrefix(r.id, "replica-"), r.at.Sub(since).Seconds()))
	}
	slices.Sort(out)
	return out
}

func (f *fakes) note(e Event) { f.set(func(f *fakes) { f.events = append(f.events, e.Text) }) }

// eventsOf are the events whose text begins so.
func (f *fakes) eventsOf(prefix string) (out []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, text := range f.events {
		if strings.HasPrefix(text, prefix) {
			out = append(out, text)
		}
	}
	return out
}

func (f *fakes) crash(id string) {
	f.find(id).end(errors.New("exited with status 1"))
	synctest.Wait()
}

func (f *fakes) set(edit func(*fakes)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	edit(f)
}

// withPool runs a pool of n fakes in a bubble.
func withPool(t *testing.T, n int, f func(t *testing.T, p *pool, replicas *fakes)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		cfg := Config{
			Command: []string{"serve", "{port}"}, StartTimeout: 20 * time.Second, Timeout: 30 * time.Second,
			Policy: profiles.FixedPolicy(n),
		}.withDefaults()
		p := newPool(cfg, newBalancer(time.Now(), cfg), n)
		replicas := &fakes{slow: time.Second}
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
		want     int
	}{
		{"failing", probe.Failing, 1, 0, 0},
		{"starting in a crash loop", probe.Starting, probe.CrashLoop, 0, 0},
		{"starting", probe.Starting, probe.CrashLoop - 1, 0, 1},
		{"suspect", probe.Suspect, 0, 1, 2},
		{"idle for long enough", probe.Ready, probe.CrashLoop, 0, 3},
		{"busy", probe.Ready, 0, 2, 5},
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
