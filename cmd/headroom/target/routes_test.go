package target

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// newServer makes a server named r1. Inside a synctest bubble its waits are
// exact, and cost nothing.
func newServer(t *testing.T, change func(*Config)) *Server {
	t.Helper()
	c := Default()
	c.Hostname = "r1"
	if change != nil {
		change(&c)
	}
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	s.until = func(ctx context.Context, end time.Time) error {
		timer := time.NewTimer(time.Until(end))
		defer timer.Stop()
		select {
		case <-timer.C:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return s
}

func ask(s *Server, method, target string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, httptest.NewRequest(method, target, nil))
	return w
}

func checkAnswer(t *testing.T, w *httptest.ResponseRecorder, status int, body string) {
	t.Helper()
	if w.Code != status || w.Body.String() != body {
		t.Errorf("got %d %s\nwant %d %s", w.Code, w.Body, status, body)
	}
}

func TestAnswers(t *testing.T) {
	const (
		wantX    = `want a number of up to 100 characters whose square is finite`
		wantPath = `want /, /load/{count}, /request, /sse, /v1/chat/completions, /stats or /healthz`
	)
	for _, tt := range []struct {
		method, target string
		status         int
		body           string // without the final line break
	}{
		{"GET", "/", 200, `{"hostname":"r1","service":"headroom target"}`},
		{"HEAD", "/", 200, `{"hostname":"r1","service":"headroom target"}`}, // net/http drops the body, the recorder does not
		{"POST", "/", 200, `{"hostname":"r1","service":"headroom target"}`},
		{"GET", "/stats", 200, `{"hostname":"r1","served":0,"service_time_ms":null,"busy":0,"waiting":0}`},

		{"GET", "/request?x=7", 200, `{"result":49,"hostname":"r1"}`},
		{"POST", "/request?x=7", 200, `{"result":49,"hostname":"r1"}`},
		{"GET", "/request?x=-3", 200, `{"result":9,"hostname":"r1"}`},
		{"GET", "/request?x=1.5", 200, `{"result":2.25,"hostname":"r1"}`},
		{"GET", "/request", 422, `{"detail":"x: got \"\", ` + wantX + `","hostname":"r1"}`},
		{"GET", "/request?x=", 422, `{"detail":"x: got \"\", ` + wantX + `","hostname":"r1"}`},
		{"GET", "/request?x=a%26b", 422, `{"detail":"x: got \"a&b\", ` + wantX + `","hostname":"r1"}`},
		{"DELETE", "/request?x=7", 405, `{"detail":"method: got \"DELETE\", want GET, HEAD, POST","hostname":"r1"}`},

		{"GET", "/load/-1", 422, `{"detail":"count: got \"-1\", want a whole number 0..10000000000","hostname":"r1"}`},
		{"GET", "/load/10000000001", 422, `{"detail":"count: got \"10000000001\", want a whole number 0..10000000000","hostname":"r1"}`},
		{"GET", "/load/1.5", 422, `{"detail":"count: got \"1.5\", want a whole number 0..10000000000","hostname":"r1"}`},
		{"GET", "/load/many", 422, `{"detail":"count: got \"many\", want a whole number 0..10000000000","hostname":"r1"}`},
		{"PUT", "/load/1", 405, `{"detail":"method: got \"PUT\", want GET, HEAD, POST","hostname":"r1"}`},
		{"GET", "/load/", 404, `{"detail":"path: got \"/load/\", ` + wantPath + `","hostname":"r1"}`},
		{"GET", "/load/1/2", 404, `{"detail":"path: got \"/load/1/2\", ` + wantPath + `","hostname":"r1"}`},

		{"GET", "/sse?events=0", 422, `{"detail":"events: got \"0\", want a whole number 1..100000","hostname":"r1"}`},
		{"GET", "/sse?events=100001", 422, `{"detail":"events: got \"100001\", want a whole number 1..100000","hostname":"r1"}`},
		{"GET", "/sse?events=", 422, `{"detail":"events: got \"\", want a whole number 1..100000","hostname":"r1"}`},
		{"GET", "/sse?interval=-1s", 422, `{"detail":"interval: got \"-1s\", want a duration 0s..1h, such as 100ms","hostname":"r1"}`},
		{"GET", "/sse?interval=2h", 422, `{"detail":"interval: got \"2h\", want a duration 0s..1h, such as 100ms","hostname":"r1"}`},
		{"GET", "/sse?interval=soon", 422, `{"detail":"interval: got \"soon\", want a duration 0s..1h, such as 100ms","hostname":"r1"}`},

		{"PATCH", "/", 405, `{"detail":"method: got \"PATCH\", want GET, HEAD, POST","hostname":"r1"}`},
		{"GET", "/nope", 404, `{"detail":"path: got \"/nope\", ` + wantPath + `","hostname":"r1"}`},
		{"DELETE", "/nope", 404, `{"detail":"path: got \"/nope\", ` + wantPath + `","hostname":"r1"}`},
	} {
		t.Run(tt.method+" "+tt.target, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := ask(newServer(t, nil), tt.method, tt.target)
				checkAnswer(t, w, tt.status, tt.body+"\n")
				if got := w.Header().Get("Content-Type"); got != "application/json" {
					t.Errorf("Content-Type: %q, want application/json", got)
				}
				if got, want := w.Header().Get("Allow"), "GET, HEAD, POST"; tt.status == 405 && got != want {
					t.Errorf("Allow: %q, want %q", got, want)
				}
			})
		})
	}
}

func TestHealthz(t *testing.T) {
	checkAnswer(t, ask(newServer(t, nil), "GET", "/healthz"), 200, "ok")
}

func TestLoad(t *testing.T) {
	s := newServer(t, nil)
	w := ask(s, "GET", "/load/1000000")
	want := regexp.MustCompile(`^\{"cpu_time":[0-9.e-]+,"result":499999500000,"hostname":"r1"\}\n$`)
	if w.Code != 200 || !want.MatchString(w.Body.String()) {
		t.Errorf("/load/1000000: %d %s, want 200 and %s", w.Code, w.Body, want)
	}
	if st := s.Stats(); st.Served != 1 || st.Mean <= 0 {
		t.Errorf("Stats() = %+v, want one served, in more than no time", st)
	}
	if got := w.Header().Get("Server-Timing"); !strings.HasPrefix(got, "app;dur=") {
		t.Errorf("Server-Timing: %q, want app;dur=...", got)
	}
}

func TestBurn(t *testing.T) {
	for _, tt := range []struct{ from, to int64 }{
		{0, 0}, {0, 1}, {0, 2}, {0, 10},
		{0, burnChunk - 1}, {0, burnChunk}, {0, burnChunk + 1}, {0, 2*burnChunk + burnChunk/2},
		{maxCount - 1000*burnChunk, maxCount}, // more than 63 bits hold
	} {
		got, err := burn(t.Context(), tt.from, tt.to)
		// The mean of first and last, times how many there are.
		want := new(big.Int).Mul(big.NewInt(tt.from+tt.to-1), big.NewInt(tt.to-tt.from))
		want.Rsh(want, 1)
		if err != nil || got.Cmp(want) != 0 {
			t.Errorf("burn(%d, %d) = %v, %v, want %v", tt.from, tt.to, got, err, want)
		}
	}
	ctx, leave := context.WithCancel(t.Context())
	leave()
	if _, err := burn(ctx, 0, maxCount); !errors.Is(err, context.Canceled) {
		t.Errorf("burn for a client that has gone = %v, want %v", err, context.Canceled)
	}
}

func TestSquare(t *testing.T) {
	for _, tt := range []struct{ x, want string }{ // want "" where it is refused
		{"0", "0"},
		{"-0", "0"},
		{"12", "144"},
		{" 5 ", "25"}, // "+5" in a query is " 5"
		{"+5", "25"},
		{"99999999999999999999", "9999999999999999999800000000000000000001"},
		{"1.5", "2.25"},
		{"-1.5", "2.25"},
		{"2.0", "4.0"},
		{"2.", "4.0"},
		{"0.0", "0.0"},
		{"-0.0", "0.0"},
		{"1e1", "100.0"},
		{"1.1", "1.2100000000000002"},
		{"9e7", "8100000000000000.0"},
		{"1e8", "1e+16"},
		{"1.5e10", "2.25e+20"},
		{"0.01", "0.0001"},
		{"0.001", "1e-06"},
		{"1e-200", "0.0"},
		{"1e200", ""},
		{"1e400", ""},
		{"inf", ""},
		{"nan", ""},
		{"0x10", ""},
		{"0x1p4", ""},
		{"1_000", ""},
		{"1 2", ""},
		{"ten", ""},
		{"", ""},
		{strings.Repeat("9", 101), ""},
	} {
		got, ok := square(tt.x)
		if string(got) != tt.want || ok != (tt.want != "") {
			t.Errorf("square(%q) = %q, %v, want %q", tt.x, got, ok, tt.want)
		}
	}
}

func TestRequestTakesItsServiceTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, nil)
		start := time.Now()
		w := ask(s, "GET", "/request?x=3")
		if took := time.Since(start); took != 250*time.Millisecond {
			t.Errorf("took %v, want 250ms", took)
		}
		if got, want := w.Header().Get("Server-Timing"), "app;dur=250.000"; got != want {
			t.Errorf("Server-Timing: %q, want %q", got, want)
		}
		checkAnswer(t, ask(s, "GET", "/stats"), 200,
			`{"hostname":"r1","served":1,"service_time_ms":{"mean":250,"min":250,"max":250},"busy":0,"waiting":0}`+"\n")
	})
}

func TestFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, func(c *Config) { c.FailRate = 1 })
		start := time.Now()
		w := ask(s, "GET", "/request?x=3")
		checkAnswer(t, w, 500, `{"detail":"failed on purpose, as --fail-rate 1 asks","hostname":"r1"}`+"\n")
		if took := time.Since(start); took != 250*time.Millisecond {
			t.Errorf("a failure took %v, want its service time of 250ms", took)
		}
		checkAnswer(t, ask(s, "GET", "/"), 200, `{"hostname":"r1","service":"headroom target"}`+"\n")
	})
}

func TestStarting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, func(c *Config) { c.Startup = 2500 * time.Millisecond })
		for _, target := range []string{"/", "/healthz", "/request?x=1", "/nope"} {
			w := ask(s, "GET", target)
			checkAnswer(t, w, 503, `{"detail":"starting, 2.5s left","hostname":"r1"}`+"\n")
			if got := w.Header().Get("Retry-After"); got != "3" {
				t.Errorf("Retry-After: %q, want 3", got)
			}
		}
		<-time.After(2500 * time.Millisecond)
		checkAnswer(t, ask(s, "GET", "/healthz"), 200, "ok")
	})
}

// Seed 003: ten at once on a model of 250 ms.
func TestWaves(t *testing.T) {
	for _, tt := range []struct {
		concurrency int
		want        time.Duration
	}{
		{1, 2500 * time.Millisecond},
		{4, 750 * time.Millisecond},
		{10, 250 * time.Millisecond},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newServer(t, func(c *Config) { c.Concurrency = tt.concurrency })
			start := time.Now()
			finished := make([]time.Duration, 10)
			var requests sync.WaitGroup
			for i := range finished {
				requests.Go(func() {
					w := ask(s, "GET", fmt.Sprintf("/request?x=%d", i))
					checkAnswer(t, w, 200, fmt.Sprintf(`{"result":%d,"hostname":"r1"}`+"\n", i*i))
					finished[i] = time.Since(start)
				})
				synctest.Wait() // in this order
			}
			if st := s.Stats(); st.Busy != tt.concurrency || st.Waiting != 10-tt.concurrency {
				t.Errorf("Stats() = %+v, want %d busy and the rest waiting", st, tt.concurrency)
			}
			checkAnswer(t, ask(s, "GET", "/healthz"), 200, "ok") // not held up
			requests.Wait()
			for i, got := range finished {
				if want := time.Duration(i/tt.concurrency+1) * 250 * time.Millisecond; got != want {
					t.Errorf("concurrency %d: request %d took %v, want %v", tt.concurrency, i, got, want)
				}
			}
			if st := s.Stats(); st != (Stats{Served: 10, Mean: st.Min, Min: st.Max, Max: 250 * time.Millisecond}) {
				t.Errorf("Stats() = %+v, want 10 served in 250ms each", st)
			}
		})
	}
}

func TestClientLeaves(t *testing.T) {
	for _, tt := range []struct {
		name   string
		leaves int // the request whose client leaves: 0 holds the slot, 1 and 2 wait
		want   []time.Duration
	}{
		{"while it is served", 0, []time.Duration{100 * time.Millisecond, 350 * time.Millisecond, 600 * time.Millisecond}},
		{"while it waits", 1, []time.Duration{250 * time.Millisecond, 100 * time.Millisecond, 500 * time.Millisecond}},
		{"last in the queue", 2, []time.Duration{250 * time.Millisecond, 500 * time.Millisecond, 100 * time.Millisecond}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newServer(t, nil)
				start := time.Now()
				finished := make([]time.Duration, len(tt.want))
				var requests sync.WaitGroup
				for i := range finished {
					ctx := t.Context()
					if i == tt.leaves {
						gone, leave := context.WithTimeout(ctx, 100*time.Millisecond)
						defer leave()
						ctx = gone
					}
					requests.Go(func() {
						w := httptest.NewRecorder()
						s.Handler().ServeHTTP(w, httptest.NewRequestWithContext(ctx, "GET", "/request?x=1", nil))
						finished[i] = time.Since(start)
						if i == tt.leaves {
							checkAnswer(t, w, 503, `{"detail":"stopped before the answer was ready","hostname":"r1"}`+"\n")
						}
					})
					synctest.Wait()
				}
				requests.Wait()
				for i, got := range finished {
					if got != tt.want[i] {
						t.Errorf("request %d ended after %v, want %v", i, got, tt.want[i])
					}
				}
				if st := s.Stats(); st.Served != 2 || st.Busy != 0 || st.Waiting != 0 {
					t.Errorf("Stats() = %+v, want 2 served and nothing left", st)
				}
			})
		})
	}
}

// In real time only the least a request takes is certain.
func TestWavesInRealTime(t *testing.T) {
	const service = 20 * time.Millisecond
	for _, tt := range []struct {
		concurrency int
		least       time.Duration
	}{
		{1, 10 * service},
		{4, 3 * service},
	} {
		s := newServer(t, func(c *Config) { c.Concurrency, c.ServiceTime = tt.concurrency, service })
		s.until = until
		srv := httptest.NewServer(s.Handler())
		start := time.Now()
		ended := make(chan error)
		for range 10 {
			go func() { ended <- get(srv.Client(), srv.URL+"/request?x=2") }()
		}
		for range 10 {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
		if took := time.Since(start); took < tt.least {
			t.Errorf("concurrency %d: 10 requests took %v, want %v or more", tt.concurrency, took, tt.least)
		}
		srv.Close()
		if st := s.Stats(); st.Served != 10 || st.Min < service || st.Mean < st.Min || st.Max < st.Mean || st.Busy+st.Waiting != 0 {
			t.Errorf("Stats() = %+v, want 10 served of %v or more each", st, service)
		}
	}
}

func get(client *http.Client, url string) error {
	res, err := client.Get(url)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != 200 {
		return fmt.Errorf("GET %s: %s", url, res.Status)
	}
	return nil
}
