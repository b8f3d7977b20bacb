package scaler

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"headroom/profiles"
)

const storedPolicy = `# of the web team
version: headroom/v1
replicas: {min: 1, max: 5} # small
metrics: [{kind: rps, target: 10}]
interval: 10s
`

// store is a policyStore with a loop in a bubble, and the files of both.
type store struct {
	*policyStore
	policy, settings string // paths
	events           []string
}

// withStore runs a store on a policy file and a ConfigMap file, without one
// where its text is empty.
func withStore(t *testing.T, policy, settings string, f func(t *testing.T, s *store)) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s := &store{}
		cfg := Config{Policy: rpsPolicy(1, 5), Log: func(e Event) { s.events = append(s.events, e.Kind+": "+strings.ReplaceAll(e.Text, dir+"/", "")) }}
		if policy != "" {
			s.policy = filepath.Join(dir, "policy.yaml")
			write(t, s.policy, policy)
			cfg.PolicyFile = s.policy
			var err error
			if cfg.Policy, err = profiles.ReadPolicy(s.policy); err != nil {
				t.Fatal(err)
			}
		}
		if settings != "" {
			s.settings = filepath.Join(dir, "configmap.yaml")
			write(t, s.settings, settings)
			cfg.ConfigMap = s.settings
		}
		var err error
		if s.policyStore, cfg.Policy, err = newPolicyStore(cfg); err != nil {
			t.Fatal(err)
		}
		g := &gauge{}
		if s.loop, err = newLoop(cfg, cfg.Policy.Initial(), &fakePool{start: time.Now()}, g.sense, nil); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var watching sync.WaitGroup
		watching.Go(func() { s.watch(ctx) })
		synctest.Wait()
		f(t, s)
		cancel()
		watching.Wait()
	})
}

// set changes one value, as a request over the API does.
func (s *store) set(t *testing.T, key, value string) Applied {
	t.Helper()
	applied, err := s.change("", false, func(p profiles.Policy) (profiles.Policy, error) {
		return p.With(profiles.Setting{Key: key, Value: value})
	})
	if err != nil {
		t.Fatal(err)
	}
	return applied
}

func (s *store) expectBounds(t *testing.T, low, high int) {
	t.Helper()
	if r := s.loop.state().policy.Replicas; r.Min != low || r.Max != profiles.Limit(high) {
		t.Errorf("bounds: got %d to %s, want %d to %d", r.Min, r.Max, low, high)
	}
}

func (s *store) expectEvents(t *testing.T, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, s.events); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func expectFile(t *testing.T, path, want string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", filepath.Base(path), diff)
	}
}

func TestPolicyStoreSaves(t *testing.T) {
	withStore(t, storedPolicy, "", func(t *testing.T, s *store) {
		applied := s.set(t, "max_workers", "8")
		if applied.SavedTo != s.policy || applied.NotSaved != "" || applied.Policy.Replicas.Max != 8 {
			t.Errorf("applied: got %+v, want a max of 8, saved to %s", applied, s.policy)
		}
		expectFile(t, s.policy, strings.Replace(storedPolicy, "max: 5", "max: 8", 1))
		if info, err := os.Stat(s.policy); err != nil || info.Mode().Perm() != 0o640 {
			t.Errorf("mode: got %v, %v, want 0640 as before", info, err)
		}
		pass(10 * time.Second) // what it wrote itself is no edit
		s.expectEvents(t, "policy: changed over the API: replicas.max 5 -> 8")
		again, err := profiles.ReadPolicy(s.policy)
		if diff := cmp.Diff(s.loop.state().policy, again); err != nil || diff != "" {
			t.Errorf("after a restart: %v (-want +got):\n%s", err, diff)
		}
	})
}

// Whatever a policy in between has left in the file goes with it, so that a tune
// which restores the former one leaves the file as somebody wrote it.
func TestPolicyStoreRestoresTheFile(t *testing.T) {
	withStore(t, storedPolicy, "", func(t *testing.T, s *store) {
		former := s.loop.state().policy
		s.set(t, "max_workers", "8")
		other := rpsPolicy(2, 9)
		other.Up.Step, other.Tolerance = 3, 50
		for _, p := range []profiles.Policy{other, former} {
			if _, err := s.change("", true, func(profiles.Policy) (profiles.Policy, error) { return p, nil }); err != nil {
				t.Fatal(err)
			}
			pass(5 * time.Second)
		}
		expectFile(t, s.policy, storedPolicy)
	})
}

func TestPolicyStoreSavesThroughALink(t *testing.T) {
	withStore(t, storedPolicy, "", func(t *testing.T, s *store) {
		real := s.policy + ".real"
		if err := os.Rename(s.policy, real); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(filepath.Base(real), s.policy); err != nil {
			t.Fatal(err)
		}
		s.set(t, "max_workers", "8")
		if info, err := os.Lstat(s.policy); err != nil || info.Mode()&os.ModeSymlink == 0 {
			t.Errorf("the link: got %v, %v, want it there", info, err)
		}
		expectFile(t, real, strings.Replace(storedPolicy, "max: 5", "max: 8", 1))
	})
}

func TestPolicyStoreCannotSave(t *testing.T) {
	tests := []struct {
		name string
		text string // of the policy file by then; empty: it is gone
		want string
	}{
		{"the file is gone", "", "no such file"},
		{"somebody edits it", strings.Replace(storedPolicy, "max: 5", "max: 7", 1), "it was edited at the same time"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			withStore(t, storedPolicy, "", func(t *testing.T, s *store) {
				if err := os.Remove(s.policy); err != nil {
					t.Fatal(err)
				}
				if tt.text != "" {
					write(t, s.policy, tt.text)
				}
				applied := s.set(t, "max_workers", "8")
				s.expectBounds(t, 1, 8)
				if applied.SavedTo != "" || !strings.Contains(applied.NotSaved, tt.want) {
					t.Errorf("applied: got %+v, want that it was not saved, as %s", applied, tt.want)
				}
				if len(s.events) != 2 || !strings.Contains(s.events[1], "policy: not saved to policy.yaml: ") {
					t.Errorf("events: got %q, want that it was not saved", s.events)
				}
				if tt.text != "" {
					expectFile(t, s.policy, tt.text)
				}
			})
		})
	}
}

func TestPolicyStoreFollowsItsFile(t *testing.T) {
	withStore(t, storedPolicy, "", func(t *testing.T, s *store) {
		write(t, s.policy, strings.Replace(storedPolicy, "max: 5", "max: 7", 1))
		pass(3 * time.Second)
		s.expectBounds(t, 1, 7)

		write(t, s.policy, strings.Replace(storedPolicy, "max: 5", "max: 0", 1)+"speed: 3\n")
		pass(10 * time.Second)
		s.expectBounds(t, 1, 7)

		write(t, s.policy, "# only another comment\n"+strings.Replace(storedPolicy, "max: 5", "max: 7", 1))
		pass(3 * time.Second)
		if err := os.Remove(s.policy); err != nil {
			t.Fatal(err)
		}
		pass(10 * time.Second)
		s.expectBounds(t, 1, 7)
		if want := 3; len(s.events) != want {
			t.Fatalf("events: got %q, want %d", s.events, want)
		}
		for i, want := range []string{
			"policy: policy.yaml has changed: replicas.max 5 -> 7",
			`policy: policy.yaml is not followed: line 3: replicas.max: got "0", want a whole number of 1 or more, or unlimited; line 6: speed: unknown key`,
			"policy: policy.yaml is not followed: no such file",
		} {
			if !strings.HasPrefix(s.events[i], want) {
				t.Errorf("event %d: got %q, want %q", i, s.events[i], want)
			}
		}
	})
}

// The settings go on top of the policy file, whichever of the two changes; what
// is applied over the API holds until one of them does.
func TestPolicyStoreFollowsTheConfigMap(t *testing.T) {
	withStore(t, storedPolicy, "name: scaler\ndata:\n  max_workers: \"6\"\n", func(t *testing.T, s *store) {
		s.expectBounds(t, 1, 6)
		write(t, s.settings, "name: scaler\ndata:\n  min_workers: \"2\"\n  max_workers: \"9\"\n")
		pass(3 * time.Second)
		s.expectBounds(t, 2, 9)
		expectFile(t, s.policy, storedPolicy)

		write(t, s.settings, "name: scaler\ndata:\n  min_workers: \"12\"\n  speed: \"2\"\n")
		pass(10 * time.Second)
		s.expectBounds(t, 2, 9)

		applied := s.set(t, "max_workers", "4")
		if want := []string{"replicas.max stays 9: " + s.settings + " holds it"}; !slices.Equal(applied.Held, want) {
			t.Errorf("held: got %q, want %q", applied.Held, want)
		}
		pass(10 * time.Second)
		s.expectBounds(t, 2, 9)

		write(t, s.policy, strings.Replace(storedPolicy, "interval: 10s", "interval: 20s", 1))
		pass(3 * time.Second)
		s.expectBounds(t, 2, 9)
		if got := s.loop.state().policy.Interval; got != profiles.Duration(20*time.Second) {
			t.Errorf("interval: got %s, want that of the edited file", got)
		}
		if len(s.events) != 5 || !strings.Contains(s.events[2], "configmap.yaml is not followed: ") || s.events[4] != s.events[2] {
			t.Errorf("events: got %q, want five, and with each change that the ConfigMap is not followed", s.events)
		}
	})
}

// What the ConfigMap says is not for the policy file, in which the next start
// finds what was applied.
func TestPolicyStoreSavesWithoutTheConfigMap(t *testing.T) {
	withStore(t, storedPolicy, "data: {max_workers: 6, max_queue_size: 3}\n", func(t *testing.T, s *store) {
		s.set(t, "min_workers", "2")
		saved := strings.Replace(storedPolicy, "min: 1", "min: 2", 1)
		expectFile(t, s.policy, saved)
		s.set(t, "max_workers", "4")
		saved = strings.Replace(saved, "max: 5", "max: 4", 1)
		expectFile(t, s.policy, saved)
		s.set(t, "metrics[0].target", "20")
		saved = strings.Replace(saved, "target: 10", "target: 20", 1)
		expectFile(t, s.policy, saved)

		again, err := profiles.ReadPolicy(s.policy)
		if err != nil {
			t.Fatal(err)
		}
		_, restarted, err := newPolicyStore(Config{Policy: again, ConfigMap: s.settings})
		if diff := cmp.Diff(s.loop.state().policy, restarted); err != nil || diff != "" {
			t.Errorf("after a restart: %v (-want +got):\n%s", err, diff)
		}
		s.expectBounds(t, 2, 6)

		// A change that the rest of the policy file has no place for.
		if _, err := s.change("", false, func(p profiles.Policy) (profiles.Policy, error) {
			return p.With(profiles.Setting{Key: "metrics[1].scope", Value: "replica"})
		}); err == nil {
			t.Error("a change within what only the ConfigMap says: got no error")
		}
	})
}

// A deployment changes both files, in any order, and each alone would not do.
func TestPolicyStoreFollowsBothFilesTogether(t *testing.T) {
	policy := strings.Replace(storedPolicy, "max: 5", "max: 20", 1)
	const settings = "data: {min_workers: 15}\n"
	for _, pause := range []time.Duration{0, 5 * time.Second} {
		withStore(t, storedPolicy, "data: {min_workers: 2}\n", func(t *testing.T, s *store) {
			write(t, s.settings, settings)
			pass(pause)
			write(t, s.policy, policy)
			pass(3 * time.Second)
			s.expectBounds(t, 15, 20)
			expectFile(t, s.policy, policy)
		})
	}
	withStore(t, storedPolicy, "data: {min_workers: 2}\n", func(t *testing.T, s *store) {
		write(t, s.settings, settings)
		write(t, s.policy, strings.Replace(storedPolicy, "max: 5", "max: 8", 1))
		pass(3 * time.Second)
		s.expectBounds(t, 2, 8)
		s.expectEvents(t,
			"policy: policy.yaml and configmap.yaml have changed: replicas.max 5 -> 8",
			"policy: configmap.yaml is not followed: replicas.max: got 8, want replicas.min (15) or more, or unlimited")
	})
}

func TestPolicyStoreForgetsWhatLeavesTheConfigMap(t *testing.T) {
	withStore(t, storedPolicy, "data: {min_workers: 3, max_workers: 9}\n", func(t *testing.T, s *store) {
		s.expectBounds(t, 3, 9)
		write(t, s.settings, "data: {max_workers: 9}\n")
		pass(3 * time.Second)
		s.expectBounds(t, 1, 9)
	})
}

func TestPolicyStoreRefusesAtTheStart(t *testing.T) {
	dir := t.TempDir()
	file := func(text string) string {
		path := filepath.Join(dir, "settings.yaml")
		write(t, path, text)
		return path
	}
	tests := []struct {
		name string
		cfg  Config
		want []string
	}{
		{"no ConfigMap there", Config{ConfigMap: filepath.Join(dir, "missing")}, []string{"--configmap: stat " + dir + "/missing: no such file or directory"}},
		{"no policy there", Config{PolicyFile: filepath.Join(dir, "missing")}, []string{"--policy: stat " + dir + "/missing: no such file or directory"}},
		{"a custom metric", Config{ConfigMap: file("metrics[0].kind: custom\n")}, []string{"--configmap: " + dir + "/settings.yaml: metrics[0].kind: got custom"}},
	}
	for _, tt := range tests {
		tt.cfg.Policy = rpsPolicy(1, 5)
		_, _, err := newPolicyStore(tt.cfg)
		if err == nil {
			t.Errorf("%s: got no error", tt.name)
			continue
		}
		got := strings.Split(err.Error(), "\n")
		if len(got) != len(tt.want) {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
			continue
		}
		for i := range got {
			if !strings.HasPrefix(got[i], tt.want[i]) {
				t.Errorf("%s: got %q, want %q", tt.name, got[i], tt.want[i])
			}
		}
	}
}
