package scaler

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// counted serves a proxy over one replica that holds what asks for /hold, and
// returns how many requests were answered with a code.
func counted(t *testing.T, timeout time.Duration) (b *balancer, url string, count func(code int) int64) {
	t.Helper()
	replica := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/hold":
			<-r.Context().Done()
		case "/broken":
			http.Error(w, "broken", http.StatusInternalServerError)
		case "/upgrade":
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				return
			}
			fmt.Fprint(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
			conn.Close()
		}
	}))
	t.Cleanup(replica.Close)
	b = newBalancer(time.Now(), Config{MaxQueue: 1})
	b.add(1, "replica-1", replica.Listener.Addr().String())
	p := newProxy(b, timeout)
	s := httptest.NewServer(p)
	t.Cleanup(func() {
		s.Close()
		p.close()
	})
	return b, s.URL, func(code int) int64 { return p.requests.codes[code].Load() }
}

// Each request through the proxy is counted once, under what its client saw.
func TestProxyCountsRequests(t *testing.T) {
	b, url, count := counted(t, limit)
	fetch(t, request(t, "GET", url, ""))
	fetch(t, request(t, "HEAD", url, ""))
	fetch(t, request(t, "GET", url+"/broken", ""))
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(conn, "GET /upgrade HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
	if res, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil || res.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("upgrade: got %+v, %v, want 101", res, err)
	}
	conn.Close()
	eventually(t, "the upgrade is over", func() bool { return b.traffic().inFlight == 0 })

	ctx, leave := context.WithCancel(t.Context())
	for n := range 2 { // one is held, one waits
		go func() {
			req, _ := http.NewRequestWithContext(ctx, "GET", url+"/hold", nil)
			if res, err := http.DefaultClient.Do(req); err == nil {
				res.Body.Close()
			}
		}()
		eventually(t, "it is there", func() bool { return b.traffic().inFlight == n+1 })
	}
	fetch(t, request(t, "GET", url, "")) // the queue is full
	leave()

	late, lateURL, lateCount := counted(t, 50*time.Millisecond)
	fetch(t, request(t, "GET", lateURL+"/hold", ""))
	eventually(t, "the slot is given back", func() bool { return late.traffic().inFlight == 0 })

	for _, tt := range []struct {
		code  int
		count func(int) int64
		want  int64
	}{
		{http.StatusOK, count, 2},
		{http.StatusInternalServerError, count, 1},
		{http.StatusSwitchingProtocols, count, 1},
		{http.StatusServiceUnavailable, count, 1},
		{statusGone, count, 2},
		{http.StatusGatewayTimeout, lateCount, 1},
		{http.StatusGatewayTimeout, count, 0},
	} {
		eventually(t, fmt.Sprintf("%d are counted under %d", tt.want, tt.code), func() bool { return tt.count(tt.code) == tt.want })
	}
}
