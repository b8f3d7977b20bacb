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

// fakes starts replicas that exist in virtual time only.
type fakes struct {
	mu      sync.Mutex // guards the fields below
	started []*fake
	refuse  error         // of launch
	slow    time.Duration // until a replica is ready
	deaf    bool          // a new replica is never ready
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
		p.launch, p.ready = replicas.launch, replicas.ready
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
		p.scale(3, profiles.Newest)
		pass(time.Second)
		expectStates(t, "grown", p, "1 ready", "2 ready", "3 ready")
		p.scale(4, profiles.Newest)
		synctest.Wait()
		p.scale(3, profiles.Newest)
		synctest.Wait()
		expectStates(t, "one less, newest first", p, "1 ready", "2 ready", "3 ready", "4 gone")
		p.scale(2, profiles.Oldest)
		synctest.Wait()
		expectStates(t, "one less, oldest first", p, "2 ready", "3 ready", "1 gone", "4 gone")
		p.scale(3, profiles.Oldest)
		synctest.Wait()
		p.scale(2, profiles.Oldest)
		synctest.Wait()
		expectStates(t, "oldest first, but one serves nobody yet", p, "2 ready", "3 ready", "5 gone", "1 gone", "4 gone")
	})
}

func TestPoolDrainsBeforeItEnds(t *testing.T) {
	withPool(t, 2, func(t *testing.T, p *pool, replicas *fakes) {
		pass(time.Second)
		first, second := arrive(t, p.balancer), arrive(t, p.balancer)
		p.scale(1, profiles.Newest)
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

		p.scale(2, profiles.Newest)
		pass(time.Second)
		arrive(t, p.balancer)
		stuck := arrive(t, p.balancer)
		expectServed(t, "two replicas", []*client{stuck}, "replica-3")
		p.scale(1, profiles.Newest)
		pass(31 * time.Second)
		expectStates(t, "a request that takes too long", p, "1 ready", "3 gone", "2 gone")
	})
}

func TestPoolReplacesWhatEnds(t *testing.T) {
	withPool(t, 2, func(t *testing.T, p *pool, replicas *fakes) {
		start := time.Now()
		pass(time.Second)
		replicas.crash("replica-2")
		expectStates(t, "one ended", p, "1 ready", "2 failing")
		if got, want := p.fleet(time.Now()).Replicas[1].LastError, "exited with status 1; again in 500ms"; got != want {
			t.Errorf("last error: got %q, want %q", got, want)
		}
		pass(500 * time.Millisecond)
		expectStates(t, "after the pause", p, "1 ready", "3 starting", "2 gone")
		if got := p.fleet(time.Now()).Replicas[1].Restarts; got != 1 {
			t.Errorf("restarts: got %d, want 1", got)
		}
		pass(time.Second)
		// Not stable for long enough: the pause doubles.
		replicas.crash("replica-3")
		pass(time.Second)
		pass(11 * time.Second)
		replicas.crash("replica-4")
		pass(500 * time.Millisecond)
		want := []string{"1@0", "2@0", "3@1.5", "4@3.5", "5@15"}
		if got := replicas.ids(start); !slices.Equal(got, want) {
			t.Errorf("started: got %q, want %q", got, want)
		}
	})
}

func TestPause(t *testing.T) {
	var got []time.Duration
	for failures := range 9 {
		got = append(got, pause(failures+1))
	}
	want := []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second,
		16 * time.Second, 30 * time.Second, 30 * time.Second, 30 * time.Second}
	if !slices.Equal(got, want) {
		t.Errorf("pauses: got %v, want %v", got, want)
	}
}

func TestPoolGivesUpTheFailingFirst(t *testing.T) {
	withPool(t, 3, func(t *testing.T, p *pool, replicas *fakes) {
		pass(time.Second)
		replicas.crash("replica-1")
		p.scale(2, profiles.Newest)
		synctest.Wait()
		expectStates(t, "one less", p, "2 ready", "3 ready", "1 gone")
		pass(time.Minute)
		expectStates(t, "later", p, "2 ready", "3 ready", "1 gone")
	})
}

func TestPoolEndsWhatIsNeverReady(t *testing.T) {
	withPool(t, 1, func(t *testing.T, p *pool, replicas *fakes) {
		pass(time.Second)
		replicas.set(func(f *fakes) { f.deaf = true })
		p.scale(2, profiles.Newest)
		pass(19 * time.Second)
		expectStates(t, "before the limit", p, "1 ready", "2 starting")
		pass(time.Second)
		expectStates(t, "at the limit", p, "1 ready", "2 failing")
		r := p.fleet(time.Now()).Replicas[1]
		if want := "not ready within 20s: no answer; again in 500ms"; r.LastError != want {
			t.Errorf("last error: got %q, want %q", r.LastError, want)
		}
		if replicas.find("replica-2").life.Err() == nil {
			t.Error("at the limit: it still runs")
		}
	})
}

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

// Before anything was ever ready, a failure ends the start.
func TestPoolStartFails(t *testing.T) {
	tests := []struct {
		name string
		set  func(*fakes)
		want string
		at   time.Duration
	}{
		{"cannot be started", func(f *fakes) { f.refuse = errors.New(`exec: "serve": executable file not found in $PATH`) },
			`serve {port}: exec: "serve": executable file not found in $PATH`, 0},
		{"never ready", func(f *fakes) { f.deaf = true }, "serve {port}: not ready within 20s: no answer", 20 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := Config{Command: []string{"serve", "{port}"}, StartTimeout: 20 * time.Second, Policy: profiles.FixedPolicy(2)}.withDefaults()
				p := newPool(cfg, newBalancer(time.Now(), cfg), 2)
				replicas := &fakes{}
				tt.set(replicas)
				p.launch, p.ready = replicas.launch, replicas.ready
				start := time.Now()
				err := p.run(t.Context())
				var failed *StartError
				if !errors.As(err, &failed) || err.Error() != tt.want {
					t.Errorf("run: got %T %v, want a StartError %q", err, err, tt.want)
				}
				if took := time.Since(start); took != tt.at {
					t.Errorf("run: took %s, want %s", took, tt.at)
				}
				for _, r := range replicas.started {
					if r.life.Err() == nil {
						t.Errorf("%s still runs", r.id)
					}
				}
			})
		})
	}
}

func TestReplicaLife(t *testing.T) {
	all := []probe.State{probe.Starting, probe.Ready, probe.Failing, probe.Draining, probe.Gone}
	want := map[probe.State]string{ // after answered, ended, dismissed, retried
		probe.Starting: "ready failing draining starting",
		probe.Ready:    "ready failing draining ready",
		probe.Failing:  "failing failing gone gone",
		probe.Draining: "draining gone draining draining",
		probe.Gone:     "gone gone gone gone",
	}
	for _, s := range all {
		var got []string
		for _, e := range []event{answered, ended, dismissed, retried} {
			got = append(got, string(next(s, e)))
		}
		if strings.Join(got, " ") != want[s] {
			t.Errorf("from %s: got %q, want %q", s, got, want[s])
		}
	}
}
