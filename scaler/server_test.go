package scaler

import (
	"bufio"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"headroom/scaler/httpapi"
)

// cleartext2 is a client that speaks HTTP/2 without encryption.
func cleartext2(t *testing.T) *http.Client {
	transport := &http.Transport{Protocols: &http.Protocols{}}
	transport.Protocols.SetUnencryptedHTTP2(true)
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// What waits when the grace is over is told so.
func TestServerAnswersWhatWaitsAtTheEnd(t *testing.T) {
	for range 20 { // the answer may lose a race
		virtual(t, Config{}, []http.HandlerFunc{sleepy}, func(t *testing.T, s *service) {
			working, waiting := s.get(t, "/9"), s.get(t, "/1")
			began := time.Now()
			s.shutdown(5 * time.Second)
			if took := time.Since(began); took > 5*time.Second+httpapi.LastWords {
				t.Errorf("the end took %s", took)
			}
			r := await(t, waiting)
			if want := errClosed.Error() + "\n"; r.code != 503 || r.body != want || r.header.Get("Retry-After") != "1" {
				t.Errorf("the one that waits: got %+v, want 503 that says %q", r, want)
			}
			if r := await(t, working); r.code == 200 {
				t.Errorf("the one that is worked on: got %+v, want no answer of its replica", r)
			}
		})
	}
}

// A connection that was taken over has the grace like any other.
func TestServerLetsUpgradesFinish(t *testing.T) {
	virtual(t, Config{}, []http.HandlerFunc{upgrade}, func(t *testing.T, s *service) {
		conn, err := s.wire.Dial(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		lines := bufio.NewReader(conn)
		if res, err := http.ReadResponse(lines, nil); err != nil || res.StatusCode != http.StatusSwitchingProtocols {
			t.Fatalf("got %+v, %v, want 101", res, err)
		}
		began := time.Now()
		var ending sync.WaitGroup
		ending.Go(func() { s.shutdown(5 * time.Second) })
		pass(4 * time.Second)
		fmt.Fprintln(conn, "hello")
		if line, err := lines.ReadString('\n'); line != "hello\n" {
			t.Errorf("within the grace: got %q, %v, want an echo", line, err)
		}
		synctest.Wait()
		if line, err := lines.ReadString('\n'); err == nil {
			t.Errorf("after the grace: got %q, want the end", line)
		}
		ending.Wait()
		if took := time.Since(began); took != 5*time.Second {
			t.Errorf("the end took %s, want the grace", took)
		}
	})
}
