package scaler

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// sleepy answers after the seconds in the path, unless its client goes away.
func sleepy(w http.ResponseWriter, r *http.Request) {
	var seconds int
	fmt.Sscanf(r.URL.Path, "/%d", &seconds)
	if wait(r.Context(), time.Duration(seconds)*time.Second) {
		io.WriteString(w, "good morning")
	}
}

func expectTimeout(t *testing.T, r result) {
	t.Helper()
	const want = "upstream timed out after 10s: replica-1 did not answer\n"
	if r.err != nil || r.code != http.StatusGatewayTimeout || r.body != want || r.header.Get("X-Served-By") != "replica-1" {
		t.Errorf("got %+v, want 504 from replica-1 with %q", r, want)
	}
	if r.took != 10*time.Second {
		t.Errorf("answered after %s, want 10s", r.took)
	}
}

func (s *service) expectWork(t *testing.T, what string, inFlight, stuck int, served int64) {
	t.Helper()
	synctest.Wait()
	if w := s.traffic().backends["replica-1"]; w.inFlight != inFlight || w.stuck != stuck || w.served != served {
		t.Errorf("%s: got %+v, want %d in flight, %d stuck, %d served", what, w, inFlight, stuck, served)
	}
}

// The client gets its 504 in time, the replica keeps what it works on.
func TestProxyStuckReplicaAnswers(t *testing.T) {
	virtual(t, Config{}, []http.HandlerFunc{sleepy}, func(t *testing.T, s *service) {
		late, next := s.get(t, "/15"), s.get(t, "/1")
		expectTimeout(t, await(t, late))
		s.expectWork(t, "after the 504", 1, 1, 0)
		r := await(t, next)
		if r.code != 200 || r.took != 16*time.Second {
			t.Errorf("the next: got %+v, want 200 after the 15 s of the first and 1 s", r)
		}
		s.expectWork(t, "after both", 0, 0, 1)
		if s.backends[0].suspended {
			t.Error("a replica that answered late is suspended")
		}
	})
}

// A replica that does not answer at all is given up after as long again.
func TestProxyStuckReplicaNeverAnswers(t *testing.T) {
	var told time.Duration
	began := make(chan time.Time, 1)
	replica := func(w http.ResponseWriter, r *http.Request) {
		since := time.Now()
		began <- since
		<-r.Context().Done()
		told = time.Since(since)
	}
	virtual(t, Config{}, []http.HandlerFunc{replica}, func(t *testing.T, s *service) {
		expectTimeout(t, await(t, s.get(t, "/")))
		pass(10*time.Second - 1)
		s.expectWork(t, "before the end of the grace", 1, 1, 0)
		pass(1)
		s.expectWork(t, "after the grace", 0, 0, 0)
		if told != 20*time.Second || !s.backends[0].suspended || len(s.backends[0].suspect) != 1 {
			t.Errorf("the replica was told after %s and is suspended %v, want after 20s, and that it is looked at", told, s.backends[0].suspended)
		}
	})
}

func TestProxyStuckReplicaHangsUp(t *testing.T) {
	replica := func(w http.ResponseWriter, r *http.Request) {
		wait(r.Context(), 12*time.Second)
		panic(http.ErrAbortHandler)
	}
	virtual(t, Config{}, []http.HandlerFunc{replica}, func(t *testing.T, s *service) {
		expectTimeout(t, await(t, s.get(t, "/")))
		pass(2 * time.Second)
		s.expectWork(t, "after it hung up", 0, 0, 0)
		if !s.backends[0].suspended {
			t.Error("a replica that hung up is not suspended")
		}
	})
}

// An answer that stands still is broken off, and the replica keeps its slot
// until the end of it, if that can be told, else for as long again.
func TestProxyStuckInTheMiddle(t *testing.T) {
	for length, rest := range map[string]time.Duration{"": 10 * time.Second, "12": 7 * time.Second} {
		replica := func(w http.ResponseWriter, r *http.Request) {
			if length != "" {
				w.Header().Set("Content-Length", length)
			}
			io.WriteString(w, "half")
			w.(http.Flusher).Flush()
			wait(r.Context(), 17*time.Second)
			io.WriteString(w, "the rest")
		}
		virtual(t, Config{}, []http.HandlerFunc{replica}, func(t *testing.T, s *service) {
			r := await(t, s.get(t, "/"))
			if r.code != 200 || r.err == nil || r.body != "half" || r.took != 10*time.Second {
				t.Errorf("length %q: got %+v, want half of an answer, broken off after 10s", length, r)
			}
			s.expectWork(t, "after it was broken off", 1, 1, 0)
			pass(rest - time.Millisecond)
			s.expectWork(t, "before its end", 1, 1, 0)
			pass(time.Millisecond)
			s.expectWork(t, "after its end", 0, 0, 0)
			if ended := length != ""; s.backends[0].suspended == ended {
				t.Errorf("length %q: the replica is suspended %v, want %v", length, ended, !ended)
			}
		})
	}
}

// A replica that does not even read its request is as stuck as one that does
// not answer it; the client is not to blame.
func TestProxyStuckReplicaDoesNotRead(t *testing.T) {
	replica := func(w http.ResponseWriter, r *http.Request) { wait(r.Context(), 25*time.Second) }
	virtual(t, Config{}, []http.HandlerFunc{replica}, func(t *testing.T, s *service) {
		began := time.Now()
		r, err := s.exchange(request(t, "POST", "http://service/", strings.Repeat("x", 1<<20)))
		r.took, r.err = time.Since(began), err
		expectTimeout(t, r)
		s.expectWork(t, "after the 504", 1, 1, 0)
		pass(10 * time.Second)
		s.expectWork(t, "after the grace", 0, 0, 0)
		if !s.backends[0].suspended {
			t.Error("a replica that does not read is not suspended")
		}
		pass(5 * time.Second)
	})
}

// At the end of the scaler nobody waits for what is stuck.
func TestProxyStuckAtTheEnd(t *testing.T) {
	virtual(t, Config{}, []http.HandlerFunc{sleepy}, func(t *testing.T, s *service) {
		expectTimeout(t, await(t, s.get(t, "/1000")))
		began := time.Now()
		s.client.CloseIdleConnections()
		t.Cleanup(func() {
			if took := time.Since(began); took > 2*time.Second {
				t.Errorf("the end took %s", took)
			}
		})
	})
}

// A client that goes away frees its replica at once, as before.
func TestProxyClientGoesAwayInTime(t *testing.T) {
	virtual(t, Config{}, []http.HandlerFunc{sleepy}, func(t *testing.T, s *service) {
		s.client.Timeout = 3 * time.Second
		gone, waiting := s.get(t, "/8"), s.get(t, "/8")
		if r := await(t, gone); r.err == nil {
			t.Errorf("got %+v, want an error of the client", r)
		}
		await(t, waiting)
		s.expectWork(t, "after both went away", 0, 0, 0)
		if s.backends[0].suspended {
			t.Error("the replica is blamed for its clients")
		}
		s.client.Timeout = 0
		if r := await(t, s.get(t, "/8")); r.code != 200 || r.took != 8*time.Second {
			t.Errorf("the next: got %+v, want 200 after 8s", r)
		}
	})
}

func TestProxyLimitsTheWait(t *testing.T) {
	virtual(t, Config{MaxWait: 4 * time.Second}, []http.HandlerFunc{sleepy}, func(t *testing.T, s *service) {
		first := s.get(t, "/9")
		r := await(t, s.get(t, "/1"))
		if r.code != 503 || r.body != "waited 4s for a replica\n" || r.header.Get("Retry-After") != "1" || r.took != 4*time.Second {
			t.Errorf("got %+v, want 503 after 4s that says so", r)
		}
		if r := await(t, first); r.code != 200 {
			t.Errorf("the one that is worked on: got %+v, want 200", r)
		}
	})
}

// An answer that its client does not read does not hold the replica.
func TestProxyGivesUpAClientThatDoesNotRead(t *testing.T) {
	replica := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "1000000000") // else it is flushed under a lock, for which virtual time does not wait
		for r.Context().Err() == nil {
			if _, err := io.WriteString(w, strings.Repeat("x", 1<<16)); err != nil {
				return
			}
		}
	}
	virtual(t, Config{}, []http.HandlerFunc{replica}, func(t *testing.T, s *service) {
		conn, err := s.wire.Dial(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		for range 5 { // as long as it reads something, it may take longer
			pass(9 * time.Second)
			io.ReadFull(conn, make([]byte, 1<<16))
		}
		s.expectWork(t, "while it reads slowly", 1, 0, 0)
		pass(20 * time.Second)
		s.expectWork(t, "when it reads no more", 0, 0, 0)
		if s.backends[0].suspended {
			t.Error("the replica is blamed for its client")
		}
	})
}
