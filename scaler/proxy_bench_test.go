package scaler

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// A request on its way through the proxy: client, proxy and replica in one
// process, connected by sockets; beside it the same without a proxy.
func BenchmarkProxy(b *testing.B) {
	replica := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "hello world\n") }))
	defer replica.Close()
	bal := newBalancer(time.Now(), Config{})
	bal.add(1, "replica-1", replica.Listener.Addr().String())
	service := httptest.NewServer(newProxy(bal, limit))
	defer service.Close()
	for name, url := range map[string]string{"direct": replica.URL, "proxied": service.URL} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				res, err := http.Get(url)
				if err != nil {
					b.Fatal(err)
				}
				io.Copy(io.Discard, res.Body)
				res.Body.Close()
			}
		})
	}
}
