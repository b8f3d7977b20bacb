package load

import (
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"headroom/probe"
)

// Each exchange says how it got there, also over a connection that is kept.
func TestOnceShowsTheRoute(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Served-By", "pod-1")
		io.WriteString(w, r.Proto)
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	remote := server.Listener.Addr().String()
	for protocol, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2.0": true} {
		plan := closedPlan(1, 1, 0)
		plan.Target, plan.HTTP2 = strings.Replace(server.URL, "127.0.0.1", "localhost", 1), http2
		plan.Insecure = true
		plan.Scenario = scenario(t, "tasks: [{get: /a}, {get: /b}]\n")
		shown := 0
		err := Once(t.Context(), plan, probe.NewIdentifier(nil), func(x Exchange) {
			shown++
			r := x.Route
			if r.Host != "localhost" || !slices.Contains(r.Addresses, netip.MustParseAddr("127.0.0.1")) || r.Remote != remote || r.Protocol != protocol || r.TLS != tls.VersionTLS13 {
				t.Errorf("%s: route %+v, want localhost at %s over TLS 1.3", protocol, r, remote)
			}
			if !strings.HasPrefix(string(x.Head), protocol+" 200 OK\r\n") || string(x.Body) != protocol || x.Replica != "pod-1" || x.Err != nil {
				t.Errorf("%s: got %q %q of %q, %v", protocol, x.Head, x.Body, x.Replica, x.Err)
			}
		})
		if err != nil || shown != 2 {
			t.Errorf("%s: Once = %v with %d exchanges, want 2", protocol, err, shown)
		}
	}
}
