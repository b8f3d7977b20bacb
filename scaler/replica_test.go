package scaler

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"headroom/probe"
	"headroom/profiles"
)

func TestReplicaLife(t *testing.T) {
	all := []probe.State{probe.Starting, probe.Ready, probe.Suspect, probe.Failing, probe.Draining, probe.Gone}
	want := map[probe.State]string{ // after answered, doubted, ended, dismissed, retried
		probe.Starting: "ready starting failing draining starting",
		probe.Ready:    "ready suspect failing draining ready",
		probe.Suspect:  "ready suspect failing draining suspect",
		probe.Failing:  "failing failing failing gone gone",
		probe.Draining: "draining draining gone draining draining",
		probe.Gone:     "gone gone gone gone gone",
	}
	for _, s := range all {
		var got []string
		for _, e := range []event{answered, doubted, ended, dismissed, retried} {
			got = append(got, string(next(s, e)))
		}
		if strings.Join(got, " ") != want[s] {
			t.Errorf("from %s: got %q, want %q", s, got, want[s])
		}
	}
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

func TestPoolReplacesWhatEnds(t *testing.T) {
	withPool(t, 2, func(t *testing.T, p *pool, replicas *fakes) {
		start := time.Now()
		pass(time.Second)
		replicas.crash("replica-2")
		expectStates(t, "one ended", p, "1 ready", "2 failing")
		if got, want := p.fleet(time.Now()).Replicas[1].LastError, "exited with status 1"; got != want {
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

func TestPoolEndsWhatIsNeverReady(t *testing.T) {
	withPool(t, 1, func(t *testing.T, p *pool, replicas *fakes) {
		pass(time.Second)
		replicas.set(func(f *fakes) { f.deaf = true })
		p.scale(2, newestFirst)
		pass(19 * time.Second)
		expectStates(t, "before the limit", p, "1 ready", "2 starting")
		pass(time.Second)
		expectStates(t, "at the limit", p, "1 ready", "2 failing")
		r := p.fleet(time.Now()).Replicas[1]
		if want := "not ready within 20s: no answer"; r.LastError != want {
			t.Errorf("last error: got %q, want %q", r.LastError, want)
		}
		if replicas.find("replica-2").life.Err() == nil {
			t.Error("at the limit: it still runs")
		}
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
				p.launch, p.ready, p.live = replicas.launch, replicas.ready, replicas.live
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

// The third failure in a row is a crash loop, which is said once. One that
// serves for long enough ends it.
func TestPoolSeesACrashLoop(t *testing.T) {
	withPool(t, 2, func(t *testing.T, p *pool, replicas *fakes) {
		pass(time.Second)
		replicas.set(func(f *fakes) { f.refuse = errors.New("no such file") })
		replicas.crash("replica-2")
		for i, d := range []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second} {
			r := p.fleet(time.Now()).Replicas[1]
			if r.State != probe.Failing || r.Failures != i+1 || !r.Retry.Equal(time.Now().Add(d)) || r.InCrashLoop() != (i >= 2) {
				t.Errorf("failure %d: got %s after %d, again at %s, crash loop %v, want again in %s", i+1, r.State, r.Failures, r.Retry, r.InCrashLoop(), d)
			}
			if i == 3 {
				replicas.set(func(f *fakes) { f.refuse = nil })
			}
			pass(d)
		}
		want := []string{"the place of replica-4 is in a crash loop: 3 failures in a row; it is tried again after pauses of up to 30s"}
		if got := replicas.eventsOf("the place"); !slices.Equal(got, want) {
			t.Errorf("events: got %q, want %q", got, want)
		}
		if got, want := replicas.eventsOf("replica-4 is failing"), "replica-4 is failing: no such file; again in 2s"; len(got) != 1 || got[0] != want {
			t.Errorf("events: got %q, want %q", got, want)
		}
		failures := func() int { return p.fleet(time.Now()).Replicas[1].Failures }
		if got := failures(); got != 4 {
			t.Errorf("failures while the next starts: got %d, want 4", got)
		}
		pass(time.Second + stableAfter - 1)
		if got := failures(); got != 4 {
			t.Errorf("failures of one that is ready for less than %s: got %d, want 4", stableAfter, got)
		}
		pass(1)
		if got := failures(); got != 0 {
			t.Errorf("failures of one that is ready for %s: got %d, want 0", stableAfter, got)
		}
	})
}
