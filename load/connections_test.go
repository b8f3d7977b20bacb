package load

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"headroom/probe"
	"headroom/profiles"
)

// counter is a server that counts its connections and the requests on each.
type counter struct {
	*httptest.Server
	mu    sync.Mutex
	dials int
	on    map[string]int // requests by remote address
}

func newCounter(t *testing.T) *counter {
	c := &counter{on: map[string]int{}}
	c.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.on[r.RemoteAddr]++
		io.WriteString(w, "ok")
	}))
	c.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.dials++
		}
	}
	c.Start()
	t.Cleanup(c.Close)
	return c
}

// served returns how many requests came from each address, and how many
// connections were opened.
func (c *counter) served() (on map[string]int, dials int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.on), c.dials
}

// runTo runs a plan of users against a target to the end of its requests.
func runTo(t *testing.T, target string, users, requests int, edit func(*profiles.Plan)) Result {
	t.Helper()
	plan := closedPlan(users, 1000, 0)
	plan.Target, plan.Requests = target, requests
	if edit != nil {
		edit(&plan)
	}
	r := runPlan(t, plan)
	if r.Total.Count != int64(requests) || r.Total.Failed > 0 {
		t.Fatalf("Run = %d requests, failures %+v; want %d good ones", r.Total.Count, r.Failures, requests)
	}
	return r
}

// takingTurns lets no user do all of the work before the others have begun.
func takingTurns(p *profiles.Plan) {
	p.Wait = profiles.Wait{Min: time.Millisecond, Max: time.Millisecond}
}

func TestDisableKeepAlive(t *testing.T) {
	c := newCounter(t)
	r := runTo(t, c.URL, 2, 30, func(p *profiles.Plan) { p.DisableKeepAlive = true })
	if _, dials := c.served(); dials != 30 || r.Conns.Opened != 30 || r.Conns.Dial.Count != 30 {
		t.Errorf("%d connections, %d of them counted; want 30", dials, r.Conns.Opened)
	}
}

func TestConnMaxRequests(t *testing.T) {
	c := newCounter(t)
	r := runTo(t, c.URL, 1, 200, func(p *profiles.Plan) { p.ConnMaxRequests = 10 })
	on, _ := c.served()
	for remote, n := range on {
		if n > 10 {
			t.Errorf("%d requests from %s, want 10 at most", n, remote)
		}
	}
	if n := len(on); n < 20 || n > 26 || r.Conns.Opened != int64(n) {
		t.Errorf("%d connections, %d of them counted; want 20..26 of 8 to 10 requests each", n, r.Conns.Opened)
	}
}

func TestConnMaxAge(t *testing.T) {
	c := newCounter(t)
	r := runTo(t, c.URL, 1, 3, func(p *profiles.Plan) { p.ConnMaxAge = time.Nanosecond })
	if r.Conns.Opened != 3 {
		t.Errorf("%d connections for 3 requests, want 3: each is older than a nanosecond", r.Conns.Opened)
	}
	if r = runTo(t, c.URL, 1, 3, func(p *profiles.Plan) { p.ConnMaxAge = time.Hour }); r.Conns.Opened != 1 {
		t.Errorf("%d connections, want 1 within the hour", r.Conns.Opened)
	}
}

func TestFirstByteAndRemotesAreKept(t *testing.T) {
	c := newCounter(t)
	r := runTo(t, c.URL, 3, 60, takingTurns)
	if r.Conns.FirstByte.Count != 60 || r.Conns.Dial.Count != 3 || r.Conns.TLS.Count != 0 {
		t.Errorf("%d first bytes, %d dials, %d handshakes; want 60, 3, 0", r.Conns.FirstByte.Count, r.Conns.Dial.Count, r.Conns.TLS.Count)
	}
	want := Remote{Address: c.Listener.Addr().String(), Opened: 3, Count: 60}
	if len(r.Conns.Remotes) != 1 || r.Conns.Remotes[0] != want {
		t.Errorf("remotes %+v, want %+v", r.Conns.Remotes, want)
	}
}

func TestSourceAddressOfAnotherFamily(t *testing.T) {
	s := Sample{}
	err := connTo(t, listen(t, echo), func(p *profiles.Plan) { p.SourceIPs = []netip.Addr{netip.MustParseAddr("::1")} }).Do(&s)
	if err == nil || s.Failure != Dial {
		t.Errorf("Do from ::1 to 127.0.0.1 = %v, class %v; want %v", err, s.Failure, Dial)
	}
}

// encode writes a certificate and its key as PEM.
func encode(t *testing.T, c tls.Certificate) (cert, key []byte) {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func TestOwnAuthorityAndClientCertificate(t *testing.T) {
	var saw atomic.Value
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		saw.Store([]any{len(r.TLS.PeerCertificates), r.TLS.ServerName})
	}))
	server.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	cert, key := encode(t, server.TLS.Certificates[0])
	s := Sample{}
	err := connTo(t, server.URL, func(p *profiles.Plan) {
		p.CACert, p.Cert, p.Key, p.TLSServerName = cert, cert, key, "example.com" // a name in httptest's certificate
	}).Do(&s)
	if err != nil || s.Status != 200 || s.TLS <= 0 || s.Dial <= 0 || s.Replica != probe.Unknown {
		t.Fatalf("Do = %v, %+v", err, s)
	}
	if got := saw.Load().([]any); got[0] != 1 || got[1] != "example.com" {
		t.Errorf("the server saw %v, want a certificate and example.com", got)
	}
	for name, edit := range map[string]func(*profiles.Plan){
		"another name":  func(p *profiles.Plan) { p.CACert, p.Cert, p.Key, p.TLSServerName = cert, cert, key, "other.test" },
		"no authority":  func(p *profiles.Plan) { p.Cert, p.Key = cert, key },
		"no client key": func(p *profiles.Plan) { p.CACert = cert },
	} {
		s := Sample{}
		if err := connTo(t, server.URL, edit).Do(&s); err == nil || s.Failure != TLS {
			t.Errorf("%s: %v, class %v; want %v", name, err, s.Failure, TLS)
		}
	}
}
