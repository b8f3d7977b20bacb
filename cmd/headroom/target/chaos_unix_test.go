//go:build unix

package target

import (
	"context"
	"fmt"
	"net"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"headroom/load"
	"headroom/profiles"
)

// runChaos serves chaos until the test ends, or until stop is called, which
// returns when all of it has ended.
func runChaos(t testing.TB) (url string, stop func()) {
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

func swarm(t testing.TB, target string, users, requests int, timeout time.Duration, edit func(*profiles.Plan)) load.Result {
	t.Helper()
	plan := profiles.DefaultPlan()
	plan.Target, plan.Users, plan.SpawnRate, plan.Requests, plan.Timeout = target, users, 1000, requests, timeout
	if edit != nil {
		edit(&plan)
	}
	e, err := load.New(plan, load.Options{Keep: requests})
	if err != nil {
		t.Fatal(err)
	}
	r, err := e.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// What a server does wrong lands in its class of failures. Only of what would
// never end is the timeout short: a busy machine may take long for all else.
func TestWhimsAsALoadSeesThem(t *testing.T) {
	url, stop := runChaos(t)
	defer stop()
	want := map[whim]load.Failure{
		refuse: load.Status, dawdle: load.None, cutOff: load.Reset, reset: load.Reset, truncate: load.Reset,
		stall: load.Timeout, garbage: load.Protocol, bigHead: load.Protocol, endless: load.Timeout,
	}
	for _, how := range whims {
		timeout := 30 * time.Second
		if want[how] == load.Timeout {
			timeout = 100 * time.Millisecond
		}
		r := swarm(t, url+"&chaos="+string(how), 3, 6, timeout, nil)
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
	}
}

// figures are what a leak would show in.
type figures struct {
	goroutines, files int
	heap              int64 // bytes that are reachable
}

func look(t testing.TB) figures {
	t.Helper()
	open, err := os.ReadDir("/dev/fd")
	if err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return figures{runtime.NumGoroutine(), len(open), int64(m.HeapAlloc)}
}

// everyWhim is a scenario of one task for each whim.
func everyWhim(t testing.TB) *profiles.Scenario {
	t.Helper()
	text := "version: headroom/v1\nkind: scenario\ntasks:\n"
	for _, how := range whims {
		text += fmt.Sprintf("  - {name: %s, get: \"/request?x=2&chaos=%s\"}\n", how, how)
	}
	s, err := profiles.ParseScenario([]byte(text), profiles.Surroundings{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// noLeak sends so many requests of which each meets a whim, and compares what
// there is of goroutines, files and memory with what there was.
func noLeak(t testing.TB, requests int) {
	t.Helper()
	const users, timeout = 100, 20 * time.Millisecond
	url, stop := runChaos(t)
	defer stop()
	url = strings.TrimSuffix(url, "/request?x=2")
	load := func(requests int) load.Result {
		return swarm(t, url, users, requests, timeout, func(p *profiles.Plan) { p.Scenario = everyWhim(t) })
	}
	load(1000) // whatever is made once
	before := look(t)
	r := load(requests)
	if r.Total.Count != int64(requests) || len(r.Requests) != len(whims) || len(r.Failures) != 4 {
		t.Errorf("%d requests of %d tasks, failures %+v; want %d of %d in the four classes", r.Total.Count, len(r.Requests), r.Failures, requests, len(whims))
	}
	for _, row := range r.Requests {
		if whim(row.Name) != dawdle && row.Failed != row.Count {
			t.Errorf("%s: %d of %d failed, want all", row.Name, row.Failed, row.Count)
		}
	}
	for _, s := range r.Samples {
		if s.Service() > timeout+5*time.Second {
			t.Errorf("a request took %v, with a timeout of %v", s.Service(), timeout)
		}
	}
	r.Samples = nil
	// The server learns a little later that a connection is gone.
	after := look(t)
	for end := time.Now().Add(10 * time.Second); (after.goroutines > before.goroutines || after.files > before.files) && time.Now().Before(end); after = look(t) {
		<-time.After(10 * time.Millisecond)
	}
	t.Logf("%d requests in %v: goroutines %d -> %d, files %d -> %d, heap %d -> %d kB", requests, r.Elapsed.Round(10*time.Millisecond),
		before.goroutines, after.goroutines, before.files, after.files, before.heap>>10, after.heap>>10)
	if after.goroutines > before.goroutines || after.files > before.files || after.heap > before.heap+int64(1<<20+10*requests) {
		t.Errorf("after %d requests: %+v, before %+v", requests, after, before)
	}
}

func TestNoChaosLeaks(t *testing.T) { noLeak(t, 3000) }

// The same for so many that any leak shows, in some twenty seconds:
//
//	go test -run '^$' -bench Chaos -benchtime 1x ./cmd/headroom/target
func BenchmarkChaos(b *testing.B) {
	for b.Loop() {
		noLeak(b, 100_000)
	}
}
