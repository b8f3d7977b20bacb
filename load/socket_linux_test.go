package load

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"headroom/profiles"
)

// direct is the present socket of a connection to plain TCP.
func direct(t *testing.T, c ownConn) *directSocket {
	t.Helper()
	s, ok := c.socket.(*directSocket)
	if !ok {
		t.Fatalf("the socket is a %T, want the direct one", c.socket)
	}
	return s
}

// The deadline of an earlier request must not end a later one, whether it
// strikes before the send or while the answer comes.
func TestDeadlineOfAnEarlierRequest(t *testing.T) {
	var client atomic.Pointer[net.TCPConn]
	strike := func() { client.Load().SetReadDeadline(time.Unix(1, 0)) }
	var arrived atomic.Int32
	target := listen(t, func(nc net.Conn) {
		b := make([]byte, 4096)
		for {
			if _, err := nc.Read(b); err != nil {
				return
			}
			if arrived.Add(1) == 3 {
				strike()
			}
			io.WriteString(nc, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")
			if arrived.Load() == 4 {
				strike()
			}
			io.WriteString(nc, "ok")
		}
	})
	c := connTo(t, target, nil)
	for i := range 4 {
		s := Sample{}
		if err := c.Do(&s); err != nil || s.Retried {
			t.Fatalf("request %d: %v, retried %v", i+1, err, s.Retried)
		}
		client.Store(direct(t, c).TCPConn)
		if i == 0 {
			strike()
		}
	}
	if c.served != 4 {
		t.Errorf("%d requests on the last connection, want all 4", c.served)
	}
}

// A body that the send buffer has no room for arrives whole.
func TestBodyLargerThanTheSendBuffer(t *testing.T) {
	body := bytes.Repeat([]byte("0123456789abcdef"), 1<<20)
	var got atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		got.Store(n)
	}))
	defer server.Close()
	c := connTo(t, server.URL, func(p *profiles.Plan) { p.Method, p.Body = http.MethodPost, body })
	for range 2 {
		if err := c.Do(new(Sample)); err != nil || got.Load() != int64(len(body)) {
			t.Fatalf("Do = %v, and %d bytes arrived; want %d", err, got.Load(), len(body))
		}
	}
	direct(t, c)
}

// A close that came long ago is seen before anything is sent.
func TestCloseIsSeenBeforeTheSend(t *testing.T) {
	closed := make(chan struct{})
	target := listen(t, func(nc net.Conn) {
		hear(nc)
		io.WriteString(nc, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		nc.(*net.TCPConn).CloseWrite() // no reset will come
		close(closed)
		io.Copy(io.Discard, nc)
	})
	c := connTo(t, target, nil)
	if err := c.Do(new(Sample)); err != nil {
		t.Fatal(err)
	}
	<-closed
	d := direct(t, c)
	d.deadline = 0 // long ago
	if _, err := d.exchange(c.message.encoded, time.Since(c.base)+time.Second); !errors.Is(err, io.EOF) || d.sent {
		t.Errorf("exchange = %v, sent %v; want the end before the send", err, d.sent)
	}
}
