package load

import (
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"
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

// makeIdle makes a socket look as if nothing had been sent on it for long.
func makeIdle(s socket) { s.(*directSocket).deadline = 0 }

// A look costs no memory either.
func TestLookingAllocatesNothing(t *testing.T) {
	c := connTo(t, listen(t, echo), nil)
	request := func() {
		if c.socket != nil {
			makeIdle(c.socket)
		}
		if err := c.Do(new(Sample)); err != nil {
			t.Fatal(err)
		}
	}
	learn(request)
	if n := testing.AllocsPerRun(100, request); n != 0 {
		t.Errorf("%v allocations per request, want 0", n)
	}
}
