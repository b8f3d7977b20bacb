//go:build unix

package main

import (
	"bufio"
	"net/http"
	"net/http/httptest"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
)

// holding is a target that tells when the first request has come, and answers
// none before that is allowed.
func holding(t *testing.T) (url string, came <-chan struct{}, answer chan<- struct{}) {
	t.Helper()
	coming, allowed := make(chan struct{}, 1), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/held" {
			return // a look at what answers there
		}
		select {
		case coming <- struct{}{}:
		default: // not the first
		}
		select {
		case <-allowed:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(server.Close)
	return server.URL + "/held", coming, allowed
}

// The first signal of any kind waits for the answers under way, the second one
// cuts them off; both print the summary and end with 130.
func TestSignalsEndAHeadlessRun(t *testing.T) {
	ours := make(chan os.Signal, 8) // so that a late one does not end the test
	signal.Notify(ours, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(ours)
	for _, c := range []struct {
		name   string
		signal syscall.Signal
		twice  bool
		says   string // of the summary
	}{
		{"SIGINT", syscall.SIGINT, false, "1 user: "},
		{"SIGTERM", syscall.SIGTERM, false, "1 user: "},
		{"SIGHUP", syscall.SIGHUP, false, "1 user: "},
		{"SIGINT twice", syscall.SIGINT, true, "still in flight at the end, and in no latency above: 1 request"},
		{"SIGTERM twice", syscall.SIGTERM, true, "still in flight at the end, and in no latency above: 1 request"},
	} {
		url, came, answer := holding(t)
		a := newApp(t)
		said, stderr, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		a.err = stderr
		code := make(chan int, 1)
		go func() {
			code <- run([]string{"run", url, "-u", "1", "-t", "10m", "--headless"}, a.streams)
			stderr.Close()
		}()
		send := func() {
			if err := syscall.Kill(os.Getpid(), c.signal); err != nil {
				t.Fatal(err)
			}
		}
		<-came
		send()
		lines := bufio.NewScanner(said)
		for lines.Scan() && !strings.HasPrefix(lines.Text(), "stopping: answers may still come for 30s") {
		}
		if c.twice {
			send()
		} else {
			close(answer)
		}
		last := ""
		for lines.Scan() {
			last = lines.Text()
		}
		if got := <-code; got != exitInterrupted || last != "headroom: interrupted" {
			t.Errorf("%s: exit code %d, says %q at last, want %d and headroom: interrupted", c.name, got, last, exitInterrupted)
		}
		if out := read(t, a.out.Name()); !strings.Contains(out, c.says) || strings.Contains(out, "in flight") != c.twice {
			t.Errorf("%s: prints\n%s\nwant %q", c.name, out, c.says)
		}
	}
}
