package main

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"headroom/advisor"
	"headroom/load"
	"headroom/probe"
	"headroom/profiles"
)

// second is a connection whose answers take one.
type second struct{ start time.Time }

func (c second) Do(s *load.Sample, _ *load.Message) error {
	s.Sent = time.Since(c.start)
	time.Sleep(time.Second)
	s.Status, s.Replica, s.Done = 200, probe.Unknown, time.Since(c.start)
	return nil
}

func (c second) Close() {}

// sessionOfSeconds is a session over such connections.
func sessionOfSeconds(t *testing.T, plan profiles.Plan) *advisor.Session {
	t.Helper()
	s, err := advisor.NewSession(advisor.Config{
		Plan: plan, NewConn: func(_ context.Context, start time.Time) load.Conn { return second{start} },
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A State from before the job says idle too, and must not be taken for its
// end.
func TestFollowWaitsForTheJob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		plan := profiles.DefaultPlan()
		plan.Target, plan.Requests = "http://service/", 5
		s := sessionOfSeconds(t, plan)
		defer start(t.Context(), s)()
		a := newApp(t)
		err := a.follow(s, newProgress(a.err, 0, notices), func() error {
			synctest.Wait() // until a State that was asked for has been sent
			return s.Start()
		})
		if state := s.State(); err != nil || state.Phase != advisor.Idle || state.Load.Total.Count != 5 {
			t.Errorf("follow: got %v while %s after %d requests, want the end after 5", err, state.Phase, state.Load.Total.Count)
		}
	})
}

// The first interrupt says what it does, and what a second one would do.
func TestFollowSaysThatItStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		plan := profiles.DefaultPlan()
		plan.Target = "http://service/"
		s := sessionOfSeconds(t, plan)
		defer start(t.Context(), s)()
		a := newApp(t)
		time.AfterFunc(3500*time.Millisecond, a.signals.interrupt)
		err := a.follow(s, newProgress(a.err, 0, notices), s.Start)
		if got, want := read(t, a.err.Name()), "stopping: answers may still come for 30s; Ctrl-C again ends at once\n"; err != nil || got != want {
			t.Errorf("follow: got %v and %q, want %q", err, got, want)
		}
	})
}

func TestMeasuringConfig(t *testing.T) {
	for _, c := range []struct {
		name string
		edit func(*loadFlags, *adviceFlags)
		want string
	}{
		{"no objective of latency", func(l *loadFlags, _ *adviceFlags) { l.slo = nil },
			`--slo: got nothing, want at least one latency percentile such as p95<300ms, or ttft.p95<500ms of streams`},
		{"a short budget", func(_ *loadFlags, v *adviceFlags) { v.budget = time.Second }, "--budget: got 1s, want 10s or more"},
		{"a short replay", func(_ *loadFlags, v *adviceFlags) { v.verify = time.Second }, "--verify: got 1s, want 5s or more"},
		{"no room left", func(_ *loadFlags, v *adviceFlags) { v.wanted.Headroom = 1000 }, "--headroom: got 100%, want 0% or more and less than 100%"},
		{"no time for an answer", func(l *loadFlags, _ *adviceFlags) { l.plan.Timeout = 0 }, "--timeout: got 0s, want more than 0"},
		{"good", func(*loadFlags, *adviceFlags) {}, ""},
	} {
		l, v := newLoadFlags(), newAdviceFlags()
		l.slo = profiles.SLO{{Measure: profiles.Percentile, Quantile: 0.95, Op: profiles.Less, Limit: 0.3}}
		c.edit(l, v)
		got := ""
		if _, err := measuringConfig("http://127.0.0.1/", l, v); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: measuringConfig = %q, want %q", c.name, got, c.want)
		}
	}
}

// The summary is that of the swarm, whatever ran after it.
func TestConclude(t *testing.T) {
	good := load.Snapshot{Total: load.Stats{Count: 7}, Requests: []load.Stats{{Name: "the swarm", Count: 7}}}
	bad := load.Snapshot{Total: load.Stats{Count: 9, Failed: 9}, Requests: []load.Stats{{Name: "a step", Count: 9, Failed: 9}}}
	for _, c := range []struct {
		name  string
		state advisor.State
		json  bool
		code  int
		says  string // of the result; empty: nothing
	}{
		{"nothing ran", advisor.State{}, false, 0, ""},
		{"only steps", advisor.State{Loaded: true, Load: bad}, false, 0, ""},
		{"steps after a swarm", advisor.State{Loaded: true, Load: bad, Swarm: &good}, false, 0, "the swarm"},
		{"steps after a swarm, as JSON", advisor.State{Loaded: true, Load: bad, Swarm: &good}, true, 0, `"name": "the swarm"`},
		{"a swarm with failures after good steps", advisor.State{Loaded: true, Load: good, Swarm: &bad}, false, 1, "a step"},
	} {
		a, saved := newApp(t), filepath.Join(t.TempDir(), "run.json")
		code := 0
		var known *exit
		if err := a.conclude(c.state, runOptions{json: c.json, files: runFiles{paths: []string{saved}}, failureCode: exitFailures}); errors.As(err, &known) {
			code = known.code
		} else if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		out := read(t, a.out.Name())
		if code != c.code || (out == "") != (c.says == "") || !strings.Contains(out, c.says) {
			t.Errorf("%s: exit code %d, prints\n%s\nwant %d and %q", c.name, code, out, c.code, c.says)
		}
		if c.says == "" {
			continue
		}
		if got := read(t, saved); !strings.Contains(got, strings.TrimPrefix(c.says, `"name": `)) {
			t.Errorf("%s: saved\n%s\nwant %q", c.name, got, c.says)
		}
	}
}

// A dashboard that breaks down takes nothing of what was measured with it.
func TestConcludeAfterABrokenDashboard(t *testing.T) {
	broken := errors.New("program experienced a panic")
	swarm := load.Snapshot{Total: load.Stats{Count: 9, Failed: 9}, Requests: []load.Stats{{Name: "the swarm", Count: 9}}}
	a, saved := newApp(t), filepath.Join(t.TempDir(), "run.json")
	err := a.concludeShown(broken, advisor.State{Swarm: &swarm}, runOptions{files: runFiles{paths: []string{saved}}, failureCode: exitFailures})
	var known *exit
	if !errors.Is(err, broken) || !errors.As(err, &known) || known.code != exitUsage {
		t.Errorf("concludeShown = %v, want %v with exit code %d", err, broken, exitUsage)
	}
	if got := read(t, saved); !strings.Contains(got, "the swarm") {
		t.Errorf("saved\n%s\nwant the swarm", got)
	}
	if err := a.concludeShown(broken, advisor.State{}, runOptions{}); !errors.Is(err, broken) {
		t.Errorf("concludeShown without a swarm = %v, want %v", err, broken)
	}
}
