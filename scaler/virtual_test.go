package scaler

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"headroom/scaler/httpapi"
	"headroom/scaler/httpapi/wire"
)

// service is a proxy over replicas, all of it in virtual time.
type service struct {
	*balancer
	proxy    *proxy
	front    *httpapi.Server
	backends []*backend
	wire     *wire.Wire
	client   *http.Client
}

// virtual runs f with the service of a proxy over handlers, replica-1 and so
// on; a nil one refuses connections. Its upstream timeout is 10 s.
func virtual(t *testing.T, cfg Config, replicas []http.HandlerFunc, f func(t *testing.T, s *service)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		cfg.Timeout = 10 * time.Second
		s := &service{balancer: newBalancer(time.Now(), cfg), wire: wire.New(80)}
		proxy := newProxy(s.balancer, cfg.Timeout)
		s.proxy = proxy
		wires := map[string]*wire.Wire{}
		var servers []*http.Server
		var serving sync.WaitGroup
		for i, h := range replicas {
			id := fmt.Sprint("replica-", i+1)
			w := wire.New(80)
			wires[id+":80"] = w
			if h == nil {
				w.Close()
			}
			replica := &http.Server{Handler: h}
			servers = append(servers, replica)
			serving.Go(func() { replica.Serve(w) })
			s.backends = append(s.backends, s.balancer.add(i+1, id, id+":80"))
		}
		proxy.upstream.dial = func(ctx context.Context, _, addr string) (net.Conn, error) { return wires[addr].Dial(ctx) }
		s.front = newFront(s.wire, proxy)
		s.front.Start(func(err error) { t.Error(err) })
		transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return s.wire.Dial(ctx) }}
		s.client = &http.Client{Transport: transport}

		f(t, s)

		transport.CloseIdleConnections()
		s.shutdown(time.Second)
		proxy.close()
		if got := s.traffic().inFlight; got != 0 {
			t.Errorf("at the end: got %d in flight, want 0", got)
		}
		for _, replica := range servers {
			replica.Close()
		}
		serving.Wait()
		pass(time.Second) // net/http lingers on connections with an unread upload
	})
}

// shutdown ends the server of the service.
func (s *service) shutdown(grace time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	s.front.Shutdown(ctx)
}

// get requests a path in a goroutine and returns what comes of it.
func (s *service) get(t *testing.T, path string) <-chan result {
	t.Helper()
	out := make(chan result, 1)
	began := time.Now()
	go func() {
		r, err := s.exchange(request(t, "GET", "http://service"+path, ""))
		r.took, r.err = time.Since(began), err
		out <- r
	}()
	synctest.Wait()
	return out
}

// result is an answer as a client saw it.
type result struct {
	code   int
	header http.Header
	body   string
	err    error // also where it was broken off
	took   time.Duration
}

func (s *service) exchange(req *http.Request) (result, error) {
	res, err := s.client.Do(req)
	if err != nil {
		return result{}, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return result{code: res.StatusCode, header: res.Header, body: string(body)}, err
}

// await lets time pass until a reply is there.
func await(t *testing.T, c <-chan result) result {
	t.Helper()
	select {
	case r := <-c:
		return r
	case <-time.After(time.Hour):
		t.Fatal("no answer within an hour")
		return result{}
	}
}
