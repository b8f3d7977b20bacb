package load

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"headroom/probe"
	"headroom/profiles"
)

// Connections that are open are counted once, and what their answers say is
// taken over, whoever sends.
func TestConnectionsAreHeld(t *testing.T) {
	for name, of := range map[string]func(target string) (do func(*Sample) error, k *connector, closing func()){
		"own": func(target string) (func(*Sample) error, *connector, func()) {
			c := connTo(t, target, nil)
			return c.Do, c.connector, c.Close
		},
		"net/http": func(target string) (func(*Sample) error, *connector, func()) {
			c := clientTo(t, target, func(p *profiles.Plan) { p.Cookies = true })
			return c.Do, c.connector, c.Close
		},
	} {
		t.Run(name, func(t *testing.T) {
			var replica atomic.Value
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("X-Served-By", replica.Load().(string))
				w.Header().Set("Server-Timing", "queue;dur=2, app;dur=5")
			}))
			server.Start()
			defer server.Close()
			do, k, closing := of(server.URL)
			for i, step := range []struct {
				replica  string
				recycle  bool
				switched bool
			}{{"pod-1", false, false}, {"pod-1", false, false}, {"pod-2", false, true}, {"pod-1", true, false}} {
				if replica.Store(step.replica); step.recycle {
					k.generation.Add(1)
				}
				var s Sample
				if err := do(&s); err != nil {
					t.Fatal(err)
				}
				want := probe.Split{Queue: 2 * time.Millisecond, Compute: 5 * time.Millisecond}
				if s.Switched != step.switched || s.Split != want {
					t.Errorf("request %d: switched %v, %v; want %v, %v", i+1, s.Switched, s.Split, step.switched, want)
				}
				h := k.held.look(time.Since(k.base))
				if h.open != 1 || h.oldest <= 0 || h.of(0)+h.of(1) != 1 || h.of(int(s.Replica)) != 1 {
					t.Errorf("after request %d, which %s answered: %+v; want one connection, and that it holds it", i+1, step.replica, h)
				}
			}
			closing()
			if h := k.held.look(0); h.open != 0 || h.of(0)+h.of(1) != 0 {
				t.Errorf("after the end %+v, want no connection", h)
			}
		})
	}
}

// A request that is cut off failed at the replica of its connection; one that
// never got there did at none.
func TestFailuresOfAConnection(t *testing.T) {
	for name, of := range map[string]func(target string) (do func(*Sample) error, closing func()){
		"own": func(target string) (func(*Sample) error, func()) {
			c := connTo(t, target, func(p *profiles.Plan) { p.Method = "POST" })
			return c.Do, c.Close
		},
		"net/http": func(target string) (func(*Sample) error, func()) {
			c := clientTo(t, target, func(p *profiles.Plan) { p.Method, p.Cookies = "POST", true })
			return c.Do, c.Close
		},
	} {
		t.Run(name, func(t *testing.T) {
			var cut atomic.Bool
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if cut.Load() {
					panic(http.ErrAbortHandler)
				}
				w.Header().Set("X-Served-By", "pod-1")
			}))
			defer server.Close()
			do, closing := of(server.URL)
			defer closing()
			var first, second, third Sample
			if err := do(&first); err != nil || first.Replica == probe.Unknown {
				t.Fatalf("Do = %v, replica %d; want a known one", err, first.Replica)
			}
			cut.Store(true)
			if err := do(&second); err == nil || second.Replica != first.Replica || second.Status != 0 {
				t.Errorf("cut off: %v, replica %d, status %d; want an error of replica %d without an answer", err, second.Replica, second.Status, first.Replica)
			}
			if err := do(&third); err == nil || third.Replica != probe.Unknown {
				t.Errorf("over a fresh connection: %v, replica %d; want an error of none", err, third.Replica)
			}
		})
	}
}

// One that could not be made is none.
func TestNoConnectionIsHeld(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	c := connTo(t, fmt.Sprint("http://", l.Addr()), nil)
	var s Sample
	err = c.Do(&s)
	if open := c.held.look(0).open; err == nil || open != 0 || s.Split != probe.Unsplit {
		t.Errorf("Do = %v, %d connections are open, %v; want an error, none, and nothing said", err, open, s.Split)
	}
}
