package target

import (
	"bufio"
	"context"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a listener in memory, for servers inside a synctest bubble: such a
// bubble does not end while a goroutine of it lives.
type pipes struct {
	accept chan net.Conn
	once   sync.Once
	closed chan struct{}
}

func newPipes() *pipes { return &pipes{accept: make(chan net.Conn), closed: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.accept:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

func (p *pipes) client() *http.Client {
	return &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			ours, theirs := net.Pipe()
			select {
			case p.accept <- theirs:
				return ours, nil
			case <-p.closed:
				return nil, net.ErrClosed
			}
		},
	}}
}

// start runs s on pipes. stop asks it to end and returns what Run returned;
// it reports an error when something is still being served by then.
func start(t *testing.T, s *Server) (client *http.Client, stop func() error) {
	t.Helper()
	ln := newPipes()
	s.listen = func(context.Context, string, string) (net.Listener, error) { return ln, nil }
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		err := s.Run(ctx)
		if st := s.Stats(); st.Busy+st.Waiting != 0 {
			t.Errorf("Stats() = %+v after Run, want nothing busy or waiting", st)
		}
		ended <- err
	}()
	return ln.client(), func() error { cancel(); return <-ended }
}

func TestRunDrains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, nil)
		client, stop := start(t, s)
		answers := make(chan error, 2)
		for range 2 {
			go func() { answers <- get(client, "http://target/request?x=1") }()
		}
		synctest.Wait()
		if st := s.Stats(); st.Busy != 1 || st.Waiting != 1 {
			t.Errorf("Stats() = %+v, want one busy and one waiting", st)
		}
		if err := stop(); err != nil {
			t.Errorf("Run() = %v, want nil", err)
		}
		for range 2 {
			if err := <-answers; err != nil {
				t.Errorf("a request from before the end: %v, want its answer", err)
			}
		}
		if err := get(client, "http://target/"); err == nil {
			t.Error("a request after the end was answered")
		}
	})
}

func TestRunCutsOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, func(c *Config) { c.ServiceTime = time.Hour })
		client, stop := start(t, s)
		answers := make(chan error, 3)
		for range 3 {
			go func() { answers <- get(client, "http://target/request?x=1") }()
		}
		synctest.Wait()
		begin := time.Now()
		err := stop()
		if want := "stop 127.0.0.1:8080: 3 requests not finished after 5s, cut off"; err == nil || err.Error() != want {
			t.Errorf("Run() = %v, want %s", err, want)
		}
		if took := time.Since(begin); took != drainTime {
			t.Errorf("Run took %v to end, want %v", took, drainTime)
		}
		for range 3 {
			if err := <-answers; err == nil {
				t.Error("a request that was cut off was answered with 200")
			}
		}
	})
}

// net/http does not notice that a connection is closed while a second request
// waits in it.
func TestRunCutsOffPipelinedRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, func(c *Config) { c.ServiceTime = time.Hour })
		client, stop := start(t, s)
		conn, err := client.Transport.(*http.Transport).DialContext(t.Context(), "", "")
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		const request = "GET /request?x=1 HTTP/1.1\r\nHost: target\r\n\r\n"
		if _, err := io.WriteString(conn, request); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		second := make(chan error, 1)
		go func() {
			_, err := io.WriteString(conn, request)
			second <- err
		}()
		synctest.Wait()
		begin := time.Now()
		if err := stop(); err == nil {
			t.Error("Run() = nil, want an error for what was cut off")
		}
		if took := time.Since(begin); took != drainTime {
			t.Errorf("Run took %v to end, want %v", took, drainTime)
		}
		if err := <-second; err == nil {
			t.Error("the second request was read while the first was served")
		}
	})
}

func TestRunWithAnOpenConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, stop := start(t, newServer(t, nil))
		conn, err := client.Transport.(*http.Transport).DialContext(t.Context(), "", "")
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if err := stop(); err != nil {
			t.Errorf("Run() = %v with a connection that asks for nothing, want nil", err)
		}
	})
}

// The client of a stream reads one event and goes: the slot is free at once.
func TestRunNoticesThatAClientLeft(t *testing.T) {
	for _, method := range []string{"GET", "POST"} {
		t.Run(method, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newServer(t, nil)
				client, stop := start(t, s)
				ctx, leave := context.WithCancel(t.Context())
				req, err := http.NewRequestWithContext(ctx, method, "http://target/sse?events=1000&interval=1m", strings.NewReader("body"))
				if err != nil {
					t.Fatal(err)
				}
				res, err := client.Do(req)
				if err != nil {
					t.Fatal(err)
				}
				line, err := bufio.NewReader(res.Body).ReadString('\n')
				if want := `data: {"n":1,"hostname":"r1"}` + "\n"; err != nil || line != want {
					t.Errorf("first line %q, %v, want %q", line, err, want)
				}
				if st := s.Stats(); st.Busy != 1 {
					t.Errorf("Stats() = %+v, want one busy", st)
				}
				begin := time.Now()
				leave()
				res.Body.Close()
				synctest.Wait()
				if st := s.Stats(); st.Busy != 0 || time.Since(begin) != 0 {
					t.Errorf("Stats() = %+v after %v, want none busy at once", st, time.Since(begin))
				}
				if err := stop(); err != nil {
					t.Errorf("Run() = %v, want nil", err)
				}
			})
		})
	}
}

func TestRunListensAfterTheStartup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, func(c *Config) { c.Startup = 3 * time.Second })
		begin := time.Now()
		ctx, cancel := context.WithCancel(t.Context())
		s.listen = func(context.Context, string, string) (net.Listener, error) {
			if waited := time.Since(begin); waited != 3*time.Second {
				t.Errorf("listens after %v, want 3s", waited)
			}
			cancel()
			return newPipes(), nil
		}
		if err := s.Run(ctx); err != nil {
			t.Errorf("Run() = %v, want nil", err)
		}
		if ctx.Err() == nil {
			t.Error("Run did not listen")
		}
	})
}

func TestRunEndsWhileStarting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, func(c *Config) { c.Startup = time.Hour })
		s.listen = func(context.Context, string, string) (net.Listener, error) {
			t.Error("it listens although it was asked to end")
			return nil, net.ErrClosed
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := s.Run(ctx); err != nil {
			t.Errorf("Run() = %v, want nil", err)
		}
	})
}

// broken is a listener that fails.
type broken struct{ *pipes }

func (broken) Accept() (net.Conn, error) { return nil, errors.New("out of order") }

func TestRunReportsAFailingListener(t *testing.T) {
	s := newServer(t, nil)
	s.listen = func(context.Context, string, string) (net.Listener, error) { return broken{newPipes()}, nil }
	err := s.Run(t.Context())
	if want := "serve on 127.0.0.1:8080: out of order"; err == nil || err.Error() != want {
		t.Errorf("Run() = %v, want %s", err, want)
	}
}

func TestRunOnATakenPort(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	addr := ln.Addr().String()
	s := newServer(t, func(c *Config) { c.Addr = addr })
	err = s.Run(t.Context())
	if want := "listen on " + addr + ": "; err == nil || !strings.HasPrefix(err.Error(), want) || strings.Count(err.Error(), addr) != 1 {
		t.Errorf("Run() = %v, want %s and why", err, want)
	}
}

func TestRunOnLoopback(t *testing.T) {
	s := newServer(t, func(c *Config) { c.Addr, c.ServiceTime = "127.0.0.1:0", 5*time.Millisecond })
	s.until = until
	listening := make(chan string, 1)
	listen := s.listen
	s.listen = func(ctx context.Context, network, address string) (net.Listener, error) {
		ln, err := listen(ctx, network, address)
		if err == nil {
			listening <- ln.Addr().String()
		}
		return ln, err
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	select {
	case err := <-ended:
		t.Fatalf("Run() = %v, want it to listen", err)
	case addr := <-listening:
		client := &http.Client{Transport: &http.Transport{}}
		if err := get(client, "http://"+addr+"/request?x=4"); err != nil {
			t.Error(err)
		}
		client.CloseIdleConnections()
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Run() = %v, want nil", err)
	}
	if st := s.Stats(); st.Served != 1 {
		t.Errorf("Stats() = %+v, want one served", st)
	}
}

func draw(change func(*Config), n int) (times []time.Duration, failures int) {
	c := Default()
	change(&c)
	p := newSampler(c)
	for range n {
		d, fail := p.next()
		times = append(times, d)
		if fail {
			failures++
		}
	}
	return times, failures
}

func TestSampler(t *testing.T) {
	const n, rate = 100_000, 0.3
	times, failures := draw(func(c *Config) { c.Distribution, c.FailRate = Exponential, rate }, n)
	sum, above := 0.0, 0.0
	mean := Default().ServiceTime.Seconds()
	for _, d := range times {
		sum += d.Seconds()
		if d.Seconds() > mean {
			above++
		}
	}
	within := func(what string, got, want, deviation float64) {
		t.Helper()
		// Four standard deviations of a mean over n draws.
		if bound := 4 * deviation / math.Sqrt(n); math.Abs(got-want) > bound {
			t.Errorf("%s: %.5f, want %.5f within %.5f", what, got, want, bound)
		}
	}
	within("mean service time in seconds", sum/n, mean, mean) // an exponential's deviation is its mean
	p := math.Exp(-1)
	within("share above the mean", above/n, p, math.Sqrt(p*(1-p)))
	within("share of failures", float64(failures)/n, rate, math.Sqrt(rate*(1-rate)))
}

func TestSamplerIsReproducible(t *testing.T) {
	const n = 100
	base := func(c *Config) { c.Distribution, c.Seed, c.Hostname = Exponential, 7, "r1" }
	want, failures := draw(base, n)
	if failures != 0 {
		t.Errorf("%d failures at a rate of 0", failures)
	}
	for _, tt := range []struct {
		name   string
		change func(*Config)
		same   bool
	}{
		{"same", func(*Config) {}, true},
		{"other fail rate", func(c *Config) { c.FailRate = 0.5 }, true},
		{"other seed", func(c *Config) { c.Seed = 8 }, false},
		{"other replica", func(c *Config) { c.Hostname = "r2" }, false},
	} {
		got, _ := draw(func(c *Config) { base(c); tt.change(c) }, n)
		same := 0
		for i := range got {
			if got[i] == want[i] {
				same++
			}
		}
		if (same == n) != tt.same || (same > 0) != tt.same {
			t.Errorf("%s: %d of %d service times are the same, want all: %v", tt.name, same, n, tt.same)
		}
	}
	constant, failures := draw(func(c *Config) { c.FailRate = 1 }, n)
	for _, d := range constant {
		if d != 250*time.Millisecond {
			t.Errorf("constant: drew %v, want 250ms", d)
		}
	}
	if failures != n {
		t.Errorf("%d of %d failures at a rate of 1", failures, n)
	}
}
