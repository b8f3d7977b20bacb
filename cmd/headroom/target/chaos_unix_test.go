//go:build unix

package target

import (
	"context"
	"net"
	"os"
	"runtime"
	"testing"
	"time"

	"headroom/load"
	"headroom/profiles"
)

// runChaos serves chaos until the test ends, or until stop is called, which
// returns when all of it has ended.
func runChaos(t *testing.T) (url string, stop func()) {
	t.Helper()
	c := Default()
	c.Addr, c.ServiceTime, c.Concurrency, c.Misbehaviour.Chaos = "127.0.0.1:0", 0, 100, true
	addresses := make(chan net.Addr, 1)
	c.Listening = func(a net.Addr) { addresses <- a }
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	return "http://" + (<-addresses).String() + "/request?x=2", func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

func swarm(t *testing.T, target string, users, requests int, timeout time.Duration) load.Result {
	t.Helper()
	plan := profiles.DefaultPlan()
	plan.Target, plan.Users, plan.SpawnRate, plan.Requests, plan.Timeout = target, users, 1000, requests, timeout
	e, err := load.New(plan, load.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := e.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// What a server does wrong lands in its class of failures, and nothing waits
// longer than its timeout.
func TestWhimsAsALoadSeesThem(t *testing.T) {
	url, stop := runChaos(t)
	defer stop()
	want := map[whim]load.Failure{
		refuse: load.Status, dawdle: load.None, cutOff: load.Reset, reset: load.Reset, truncate: load.Reset,
		stall: load.Timeout, garbage: load.Protocol, bigHead: load.Protocol, endless: load.Timeout,
	}
	for _, how := range whims {
		const timeout = 100 * time.Millisecond
		r := swarm(t, url+"&chaos="+string(how), 3, 6, timeout)
		got := load.None
		if len(r.Failures) > 0 {
			got = r.Failures[0].Failure
		}
		failed := int64(6)
		if want[how] == load.None {
			failed = 0
		}
		if got != want[how] || len(r.Failures) > 1 || r.Total.Count != 6 || r.Total.Failed != failed {
			t.Errorf("%s: failures %+v of %d requests, want all of class %q", how, r.Failures, r.Total.Count, want[how])
		}
		if len(r.Failures) > 0 && r.Failures[0].Example == "" {
			t.Errorf("%s: no example", how)
		}
		if r.Elapsed > 2*timeout+5*time.Second {
			t.Errorf("%s: 2 requests one after the other took %v, with a timeout of %v", how, r.Elapsed, timeout)
		}
	}
}

func TestNoChaosLeaks(t *testing.T) {
	files := func() int {
		t.Helper()
		open, err := os.ReadDir("/dev/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(open)
	}
	url, stop := runChaos(t)
	swarm(t, url, 20, 100, 20*time.Millisecond) // whatever is made once
	goroutines, before := runtime.NumGoroutine(), files()
	r := swarm(t, url, 20, 4000, 20*time.Millisecond)
	if r.Total.Count != 4000 || len(r.Failures) < 4 {
		t.Errorf("%d requests, failures %+v; want 4000 and several classes", r.Total.Count, r.Failures)
	}
	stop()
	if n := runtime.NumGoroutine(); n > goroutines {
		t.Errorf("%d goroutines, %d before", n, goroutines)
	}
	if n := files(); n > before {
		t.Errorf("%d files, %d before", n, before)
	}
}
