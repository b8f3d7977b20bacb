package scaler

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// The slot is free when the replica has sent its answer, whenever the client
// takes it.
func TestProxyFreesTheSlotBeforeTheClientHasItsAnswer(t *testing.T) {
	for _, body := range []string{"", "text"} {
		virtual(t, Config{}, []http.HandlerFunc{func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, body) }}, func(t *testing.T, s *service) {
			slow := &slowReader{httptest.NewRecorder(), make(chan struct{}), body == ""}
			done := make(chan struct{})
			go func() {
				defer close(done)
				s.proxy.ServeHTTP(slow, httptest.NewRequest("GET", "http://service/", nil))
			}()
			pass(time.Second)
			if got := s.traffic(); got.inFlight != 0 || got.backends["replica-1"].served != 1 {
				t.Errorf("%q, not read: got %+v, want it served and the slot free", body, got)
			}
			if r := await(t, s.get(t, "/")); r.code != 200 || r.took != 0 {
				t.Errorf("the next: got %+v, want 200 at once", r)
			}
			close(slow.reads)
			<-done
			if slow.Code != 200 || slow.Body.String() != body {
				t.Errorf("read later: got %d %q, want %q", slow.Code, slow.Body, body)
			}
		})
	}
}

// slowReader is a client that takes nothing before it reads.
type slowReader struct {
	*httptest.ResponseRecorder
	reads chan struct{}
	all   bool // not even the header
}

func (w *slowReader) WriteHeader(code int) {
	if w.all {
		<-w.reads
	}
	w.ResponseRecorder.WriteHeader(code)
}

func (w *slowReader) Write(p []byte) (int, error) {
	<-w.reads
	return w.ResponseRecorder.Write(p)
}

// raw serves every connection to a replica of a real proxy by f.
func raw(t *testing.T, f func(conn *net.TCPConn)) (url string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				defer conn.Close()
				f(conn.(*net.TCPConn))
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		running.Wait()
	})
	b, s := front(t, limit, 10)
	b.add(1, "replica-1", l.Addr().String())
	return s.URL
}

// An answer that comes before all of a header was sent is the answer.
func TestLinkReadsWhatCameBeforeTheEnd(t *testing.T) {
	url := raw(t, func(conn *net.TCPConn) {
		io.ReadFull(conn, make([]byte, 100))
		io.WriteString(conn, "HTTP/1.1 431 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
	})
	req := request(t, "GET", url, "")
	req.Header.Set("X-Long", strings.Repeat("x", 900_000))
	if res, _ := fetch(t, req); res.StatusCode != 431 {
		t.Errorf("got %d, want 431", res.StatusCode)
	}
}

func TestLinkTellsOfAReset(t *testing.T) {
	url := raw(t, func(conn *net.TCPConn) {
		header(bufio.NewReader(conn))
		conn.SetLinger(0)
	})
	res, body := fetch(t, request(t, "GET", url, ""))
	if res.StatusCode != 502 || !strings.Contains(body, "connection reset by peer") {
		t.Errorf("got %d %q, want 502 that tells of the reset", res.StatusCode, body)
	}
}

// An upgraded connection may be over in one direction only.
func TestTunnelHalfClosed(t *testing.T) {
	url := raw(t, func(conn *net.TCPConn) {
		lines := bufio.NewReader(conn)
		header(lines)
		io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
		all, _ := io.ReadAll(lines)
		fmt.Fprintf(conn, "%d bytes", len(all))
	})
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(limit))
	io.WriteString(conn, "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
	lines := bufio.NewReader(conn)
	header(lines)
	io.WriteString(conn, "hello")
	conn.(*net.TCPConn).CloseWrite()
	if all, err := io.ReadAll(lines); err != nil || string(all) != "5 bytes" {
		t.Errorf("got %q, %v, want what came after our end", all, err)
	}
}
