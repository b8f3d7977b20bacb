package scaler

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"headroom/probe"
)

// waitingClient sends a request that no replica gets, and returns what comes of it.
func waitingClient(t *testing.T, s *Scaler, address string) <-chan string {
	t.Helper()
	answer := make(chan string, 1)
	go func() {
		res, err := http.Get("http://" + address)
		if err != nil {
			answer <- err.Error()
			return
		}
		res.Body.Close()
		answer <- res.Status
	}()
	eventually(t, "the request waits", func() bool { return len(s.balancer.traffic().waiting) == 1 })
	return answer
}

const unavailable = "503 Service Unavailable"

// Nobody waits through the grace for a fleet that cannot serve.
func TestRunEndsWithoutReplicas(t *testing.T) {
	cfg := config(t, "serve", 1)
	cfg.Grace = 10 * limit
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	launch := s.pool.launch
	s.pool.launch = func(ctx context.Context, id string) (*instance, error) {
		if id != "replica-1" {
			return nil, errors.New("no more")
		}
		return launch(ctx, id)
	}
	r := serve(t, s)
	if err := syscall.Kill(r.fleet(t).Replicas[0].PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is failing", func() bool { return r.fleet(t).Count(probe.Failing) == 1 })
	answer := waitingClient(t, s, strings.TrimPrefix(s.URL(), "http://"))
	r.stop() // within the limit
	if got := <-answer; got != unavailable {
		t.Errorf("the one that waits: got %s, want %s", got, unavailable)
	}
}

// Nor for a command that turns out not to work.
func TestRunEndsWithAFailedStart(t *testing.T) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	free.Close()
	cfg := config(t, "deaf", 1)
	cfg.Grace, cfg.Listen = 10*limit, address
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	eventually(t, "it accepts", func() bool {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
	answer := waitingClient(t, s, address)
	eventually(t, "a replica runs", func() bool { return len(s.pool.roots()) == 1 })
	cancel()
	eventually(t, "the end has begun", func() bool {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
		}
		return err != nil
	})
	if err := syscall.Kill(s.pool.fleet(time.Now()).Replicas[0].PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if got := <-answer; got != unavailable {
		t.Errorf("the one that waits: got %s, want %s", got, unavailable)
	}
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("Run: got %v, want nil, as it was told to end", err)
		}
	case <-time.After(limit):
		t.Errorf("Run has not returned within %s", limit)
	}
}
