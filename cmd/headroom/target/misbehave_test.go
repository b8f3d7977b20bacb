package target

import (
	"context"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestParseFreeze(t *testing.T) {
	for in, want := range map[string]Freeze{"2s@5s": {2 * time.Second, 5 * time.Second}, "100ms@1": {100 * time.Millisecond, time.Second}} {
		if got, err := ParseFreeze(in); err != nil || got != want {
			t.Errorf("ParseFreeze(%q) = %v, %v, want %v", in, got, err, want)
		}
	}
	for _, in := range []string{"", "2s", "2s@", "@5s", "5s@5s", "6s@5s", "0s@5s", "-1s@5s", "a@b"} {
		if got, err := ParseFreeze(in); err == nil {
			t.Errorf("ParseFreeze(%q) = %v, want an error", in, got)
		}
	}
}

func TestThaw(t *testing.T) {
	ready := time.Unix(1000, 0)
	f := Freeze{2 * time.Second, 5 * time.Second}
	for at, want := range map[float64]float64{-1: -1, 0: 0, 2.999: 2.999, 3: 5, 4.5: 5, 5: 5, 7: 7, 8: 10, 9.9: 10, 10: 10} {
		from := func(seconds float64) time.Time {
			return ready.Add(time.Duration(seconds * float64(time.Second)).Round(time.Millisecond))
		}
		if got := f.thaw(ready, from(at)); !got.Equal(from(want)) {
			t.Errorf("thaw(%v) = %v, want %v", at, got.Sub(ready).Seconds(), want)
		}
	}
	if got := (Freeze{}).thaw(ready, ready); !got.Equal(ready) {
		t.Errorf("thaw of no freeze = %v", got)
	}
}

// times asks n times, one after the other, and returns how long each took.
func times(s *Server, n int) []time.Duration {
	var out []time.Duration
	for range n {
		start := time.Now()
		ask(s, "GET", "/request?x=1")
		out = append(out, time.Since(start))
	}
	return out
}

func TestMisbehaviour(t *testing.T) {
	for _, c := range []struct {
		name string
		m    Misbehaviour
		n    int
		want func([]time.Duration) bool
	}{
		{"none", Misbehaviour{}, 8, func(d []time.Duration) bool { return d[0] == time.Second && d[7] == time.Second }},
		{"drift of 100 % a minute", Misbehaviour{Drift: 1}, 60, func(d []time.Duration) bool {
			return d[0] == time.Second && d[59] > 2*time.Second && d[59] < 3*time.Second
		}},
		{"freeze", Misbehaviour{Freeze: Freeze{2500 * time.Millisecond, 5 * time.Second}}, 4, func(d []time.Duration) bool {
			// 0..1, 1..2, 2..3 falls into 2.5..5, and so on
			return d[0] == time.Second && d[1] == time.Second && d[2] == 3*time.Second && d[3] == time.Second
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newServer(t, func(conf *Config) { conf.ServiceTime, conf.Misbehaviour = time.Second, c.m })
				if got := times(s, c.n); !c.want(got) {
					t.Errorf("took %v", got)
				}
			})
		})
	}
}

func TestLeak(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, func(c *Config) { c.Misbehaviour.Leak = 10_000 })
		times(s, 3)
		if len(s.leaked) != 3 || len(s.leaked[2]) != 10_000 {
			t.Errorf("%d pieces are kept, want 3 of 10000 bytes", len(s.leaked))
		}
	})
}

// Of five requests at once in batches of two the first is served alone,
// because it came alone, then two, then two.
func TestBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, func(c *Config) { c.ServiceTime, c.Misbehaviour.Batch = time.Second, 2 })
		begin := time.Now()
		var mu sync.Mutex
		took := map[time.Duration]int{}
		var requests sync.WaitGroup
		for i := range 5 {
			requests.Go(func() {
				ask(s, "GET", "/request?x=1")
				mu.Lock()
				defer mu.Unlock()
				took[time.Since(begin)]++
			})
			if i == 0 {
				synctest.Wait()
			}
		}
		requests.Wait()
		if took[time.Second] != 1 || took[2*time.Second] != 2 || took[3*time.Second] != 2 || s.Stats().Served != 5 {
			t.Errorf("ended after %v, served %d; want 1, 2 and 2 after 1, 2 and 3 s", took, s.Stats().Served)
		}
	})
}

// Whoever waits for a batch and goes away takes nobody with them; a batch
// whose first request goes away before its slot comes ends for all.
func TestBatchCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, func(c *Config) { c.ServiceTime, c.Misbehaviour.Batch = time.Second, 3 })
		client, stop := start(t, s)
		answers := make(chan error, 3)
		for range 3 {
			go func() { answers <- get(client, "http://target/request?x=1") }()
		}
		for range 3 {
			if err := <-answers; err != nil {
				t.Error(err)
			}
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

// A shared limit holds over servers that know nothing of each other.
func TestSharedLimit(t *testing.T) {
	const limit = 2
	t.Setenv("TMPDIR", t.TempDir())
	release, err := acquireShared(t.Context(), limit)
	if err != nil {
		t.Fatal(err)
	}
	second, err := acquireShared(t.Context(), limit)
	if err != nil {
		t.Fatal(err)
	}
	full, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := acquireShared(full, limit); err == nil {
		t.Error("a third place of two was given")
	}
	release()
	third, err := acquireShared(t.Context(), limit)
	if err != nil {
		t.Errorf("a place that was given back was not given again: %v", err)
	} else {
		third()
	}
	second()
}

func TestChaos(t *testing.T) {
	s := newServer(t, func(c *Config) { c.Misbehaviour.Chaos = true })
	seen := map[whim]int{}
	for range 10_000 {
		seen[s.draws.drawWhim()]++
	}
	if seen[calm] < 8_500 || seen[calm] > 9_500 || len(seen) != 1+len(whims) {
		t.Errorf("drew %v, want nine of ten calm and some of each other", seen)
	}
}

// HTTP/2 without TLS, next to HTTP/1.1 on the same port.
func TestHTTP2(t *testing.T) {
	s := newServer(t, func(c *Config) { c.ServiceTime, c.HTTP2 = 0, true })
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.listen = func(context.Context, string, string) (net.Listener, error) { return ln, nil }
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	for proto, set := range map[string]func(*http.Protocols, bool){"HTTP/1.1": (*http.Protocols).SetHTTP1, "HTTP/2.0": (*http.Protocols).SetUnencryptedHTTP2} {
		transport := &http.Transport{Protocols: new(http.Protocols)}
		set(transport.Protocols, true)
		res, err := (&http.Client{Transport: transport}).Get("http://" + ln.Addr().String() + "/request?x=3")
		if err != nil {
			t.Errorf("%s: %v", proto, err)
			continue
		}
		res.Body.Close()
		if res.Proto != proto || res.StatusCode != http.StatusOK {
			t.Errorf("got %s %d, want %s 200", res.Proto, res.StatusCode, proto)
		}
		transport.CloseIdleConnections()
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestMisbehaviourValidate(t *testing.T) {
	c := Default()
	c.Misbehaviour = Misbehaviour{Leak: -1, Drift: -1, Batch: -1, SharedLimit: -1}
	want := "--leak: got -1, want 0..1073741824 bytes\n--drift: got -1, want 0..100\n--batch: got -1, want 0..10000\n--shared-limit: got -1, want 0..10000"
	if err := c.Validate(); err == nil || err.Error() != want {
		t.Errorf("Validate() = %v, want\n%s", err, want)
	}
}
