package scaler

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// echo answers with the body that it got, once it has all of it.
func echo(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	w.Write(body)
}

// events sends two events, and goes on until nobody listens.
func events(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	for i := range 2 {
		fmt.Fprintf(w, "data: %d\n\n", i)
		w.(http.Flusher).Flush()
	}
	<-r.Context().Done()
}

// upgrade sends back what comes on an upgraded connection.
func upgrade(w http.ResponseWriter, r *http.Request) {
	conn, rw, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: %s\r\n\r\n", r.Header.Get("Upgrade"))
	io.Copy(conn, rw)
}

// A request for which no connection could be made goes to another replica,
// with its body.
func TestProxyMovesOnWhatWasNotSent(t *testing.T) {
	for _, method := range []string{"GET", "POST"} {
		virtual(t, Config{}, []http.HandlerFunc{nil, nil, echo}, func(t *testing.T, s *service) {
			body := ""
			if method == "POST" {
				body = strings.Repeat("x", 1<<17)
			}
			r, err := s.exchange(request(t, method, "http://service/", body))
			if err != nil || r.code != 200 || r.body != body || r.header.Get("X-Served-By") != "replica-3" {
				t.Errorf("%s: got %d from %q with %d bytes, %v; want all %d from replica-3", method, r.code, r.header.Get("X-Served-By"), len(r.body), err, len(body))
			}
			for i, be := range s.backends {
				if refuses := i < 2; be.suspended != refuses || len(be.suspect) == 1 != refuses {
					t.Errorf("%s: %s is suspended %v, want %v", method, be.id, be.suspended, refuses)
				}
			}
			if got := s.traffic().backends["replica-3"].served; got != 1 {
				t.Errorf("%s: got %d served, want 1", method, got)
			}
		})
	}
}

// When nobody takes it, it waits like any other, and not for ever, though the
// replica is thought to be alive after each look.
func TestProxyGivesUpWhatNobodyTakes(t *testing.T) {
	virtual(t, Config{MaxWait: 5 * time.Second}, []http.HandlerFunc{nil}, func(t *testing.T, s *service) {
		looks := 0
		reply := s.get(t, "/")
		for len(reply) == 0 {
			looks += len(s.backends[0].suspect)
			select {
			case <-s.backends[0].suspect:
				s.resume(s.backends[0])
			default:
			}
			pass(time.Second)
		}
		r := <-reply
		if r.code != 503 || r.body != "waited 5s for a replica\n" || r.header.Get("Retry-After") != "1" || looks < 5 {
			t.Errorf("got %+v after %d looks, want 503 that says so after 5 s and as many looks", r, looks)
		}
	})
}

// What a replica has seen of a request is never sent again.
func TestProxyNeverMovesOnWhatWasSent(t *testing.T) {
	var seen atomic.Int64
	hangUp := func(http.ResponseWriter, *http.Request) {
		seen.Add(1)
		panic(http.ErrAbortHandler)
	}
	virtual(t, Config{}, []http.HandlerFunc{hangUp, hangUp}, func(t *testing.T, s *service) {
		if r := await(t, s.get(t, "/")); r.code != 502 || seen.Load() != 1 {
			t.Errorf("got %+v, seen %d times; want 502 and once", r, seen.Load())
		}
	})
}

// A client that goes away while its request waits for another replica leaves.
func TestProxyClientGoesAwayWhileMoved(t *testing.T) {
	virtual(t, Config{}, []http.HandlerFunc{nil}, func(t *testing.T, s *service) {
		s.client.Timeout = time.Second
		r := s.get(t, "/")
		if got := len(s.traffic().waiting); got != 1 {
			t.Fatalf("got %d waiting, want 1", got)
		}
		if r := await(t, r); r.err == nil {
			t.Errorf("got %+v, want the client's own error", r)
		}
		synctest.Wait()
		if got := s.traffic(); got.inFlight != 0 || len(got.waiting) != 0 {
			t.Errorf("after it went away: got %+v, want nothing", got)
		}
	})
}

// When the scaler has run out of something, no replica is to blame.
func TestProxyBlamesNobodyForItsOwnWant(t *testing.T) {
	virtual(t, Config{}, []http.HandlerFunc{echo}, func(t *testing.T, s *service) {
		dial := s.proxy.upstream.dial
		s.proxy.upstream.dial = func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("socket", syscall.EMFILE)}
		}
		r := await(t, s.get(t, "/"))
		if want := "the scaler cannot connect to a replica: dial tcp: socket: too many open files\n"; r.code != 503 || r.body != want || r.header.Get("Retry-After") != "1" {
			t.Errorf("got %+v, want 503 that says %q", r, want)
		}
		if be := s.backends[0]; be.suspended || len(be.suspect) > 0 {
			t.Error("the replica is suspended")
		}
		s.proxy.upstream.dial = dial
		if r := await(t, s.get(t, "/")); r.code != 200 {
			t.Errorf("the next: got %+v, want 200", r)
		}
	})
}

// A connection that is not made in time is not made, whoever is silent.
func TestProxyMovesOnWhenNobodyAccepts(t *testing.T) {
	virtual(t, Config{}, []http.HandlerFunc{echo, echo}, func(t *testing.T, s *service) {
		dial := s.proxy.upstream.dial
		s.proxy.upstream.dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			if addr == s.backends[0].address {
				<-ctx.Done()
				return nil, ctx.Err()
			}
			return dial(ctx, network, addr)
		}
		r := await(t, s.get(t, "/"))
		if r.code != 200 || r.header.Get("X-Served-By") != "replica-2" || r.took != maxDial {
			t.Errorf("got %+v, want 200 from replica-2 after %s", r, maxDial)
		}
		if !s.backends[0].suspended {
			t.Error("the replica that does not accept is not suspended")
		}
	})
}

// What net/http refuses to pass on is told, and nothing else ends.
func TestProxyReportsWhatItCannotPassOn(t *testing.T) {
	replica := func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			panic(err)
		}
		defer conn.Close()
		io.WriteString(conn, "HTTP/1.1 042 What\r\nContent-Length: 0\r\n\r\n")
	}
	virtual(t, Config{}, []http.HandlerFunc{replica}, func(t *testing.T, s *service) {
		var told []string
		s.proxy.log = func(e Event) { told = append(told, e.Text) }
		if r := await(t, s.get(t, "/")); r.err == nil {
			t.Errorf("got %+v, want an end without an answer", r)
		}
		if want := []string{"an answer of replica-1 could not be passed on: invalid WriteHeader code 42"}; !slices.Equal(told, want) {
			t.Errorf("events: got %q, want %q", told, want)
		}
	})
}

// What a replica adds to an answer besides its body arrives too.
func TestProxyPassesTrailersAndHints(t *testing.T) {
	replica := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", "</style.css>")
		w.WriteHeader(http.StatusEarlyHints)
		w.Header().Del("Link")
		w.Header().Set("Trailer", "Checksum, Server-Timing")
		io.WriteString(w, "body")
		w.(http.Flusher).Flush()
		w.Header().Set("Checksum", "42")
		w.Header().Set("Server-Timing", "app;dur=5") // a name that the header has too
		w.Header().Set(http.TrailerPrefix+"Unannounced", "43")
	}
	virtual(t, Config{}, []http.HandlerFunc{replica}, func(t *testing.T, s *service) {
		conn, err := s.wire.Dial(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: x\r\nTE: trailers\r\nConnection: close\r\n\r\n")
		all, err := io.ReadAll(conn)
		if err != nil {
			t.Fatal(err)
		}
		hints, answer, _ := strings.Cut(string(all), "\r\n\r\n")
		if !strings.Contains(hints, "103 Early Hints") || !strings.Contains(hints, "Link: </style.css>") {
			t.Errorf("got %q first, want the hint", hints)
		}
		if strings.Contains(answer, "Link:") || !strings.HasSuffix(answer, "4\r\nbody\r\n0\r\nChecksum: 42\r\nServer-Timing: app;dur=5\r\nUnannounced: 43\r\n\r\n") {
			t.Errorf("got %q, want the body with all trailers and no link", answer)
		}
	})
}
