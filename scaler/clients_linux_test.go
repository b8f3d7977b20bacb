package scaler

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// h2c is a client that speaks HTTP/2 without TLS.
func h2c(t *testing.T) *http.Client {
	t.Helper()
	transport := &http.Transport{Protocols: &http.Protocols{}}
	transport.Protocols.SetUnencryptedHTTP2(true)
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: limit}
}

// The whole scaler, with clients of each kind that it has to serve.
func TestRunServesEveryClient(t *testing.T) {
	s := start(t, config(t, "serve", 1))
	t.Run("h2c", func(t *testing.T) {
		client := h2c(t)
		for _, body := range []string{"", strings.Repeat("x", 1<<20)} {
			method := map[bool]string{true: "GET", false: "POST"}[body == ""]
			res, err := client.Do(request(t, method, s.URL()+"/echo", body))
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(res.Body)
			res.Body.Close()
			if res.ProtoMajor != 2 || res.StatusCode != 200 || string(got) != body || err != nil {
				t.Errorf("%s: got HTTP/%d %d with %d bytes, %v; want HTTP/2 200 with %d", method, res.ProtoMajor, res.StatusCode, len(got), err, len(body))
			}
			if res.Header.Get("X-Served-By") != "replica-1" || !strings.HasPrefix(res.Header.Get("Server-Timing"), "queue;dur=") {
				t.Errorf("%s: got header %v, want the replica and the queue time", method, res.Header)
			}
		}
	})
	for name, client := range map[string]*http.Client{"events": http.DefaultClient, "events over h2c": h2c(t)} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			defer cancel()
			res, err := client.Do(request(t, "GET", s.URL()+"/events", "").WithContext(ctx))
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			lines := bufio.NewScanner(res.Body)
			for _, want := range []string{"data: 0", "", "data: 1", ""} {
				if !lines.Scan() || lines.Text() != want {
					t.Fatalf("got %q, %v, want %q", lines.Text(), lines.Err(), want)
				}
			}
			cancel()
			eventually(t, "its replica is free", func() bool { return s.balancer.traffic().inFlight == 0 })
		})
	}
	t.Run("WebSocket", func(t *testing.T) {
		conn, err := net.DialTimeout("tcp", strings.TrimPrefix(s.URL(), "http://"), limit)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(limit))
		fmt.Fprintf(conn, "GET /upgrade HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		r := bufio.NewReader(conn)
		res, err := http.ReadResponse(r, nil)
		if err != nil || res.StatusCode != http.StatusSwitchingProtocols || res.Header.Get("X-Served-By") != "replica-1" {
			t.Fatalf("got %+v, %v, want 101 from replica-1", res, err)
		}
		for _, line := range []string{"one\n", "two\n"} {
			io.WriteString(conn, line)
			if got, err := r.ReadString('\n'); got != line {
				t.Errorf("got %q, %v, want %q", got, err, line)
			}
		}
		conn.Close()
		eventually(t, "its replica is free", func() bool { return s.balancer.traffic().inFlight == 0 })
	})
}

// An HTTP/2 request finishes within the grace at the end of the scaler.
func TestRunEndsWithHTTP2(t *testing.T) {
	h := hold(t)
	cfg := config(t, "serve", 1)
	cfg.Env = append(cfg.Env, h.url)
	cfg.Grace = limit
	s := start(t, cfg)
	done := make(chan error, 1)
	go func() {
		res, err := h2c(t).Get(s.URL() + "/hold")
		if err == nil {
			_, err = io.Copy(io.Discard, res.Body)
			res.Body.Close()
		}
		done <- err
	}()
	h.next(t)
	stopped := make(chan struct{})
	go func() { s.stop(); close(stopped) }()
	eventually(t, "it accepts nothing new", func() bool {
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL(), "http://"))
		if err == nil {
			conn.Close()
		}
		return err != nil
	})
	h.release <- struct{}{}
	if err := <-done; err != nil {
		t.Errorf("the request that was under way: %v", err)
	}
	<-stopped
}
