package load

import (
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"headroom/profiles"
)

// A redirect to another host takes along nothing that may be a secret of the
// first, and one on the same host everything.
func TestRedirectsKeepSecrets(t *testing.T) {
	saw := make(chan http.Header, 1)
	end := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { saw <- r.Header })
	other := httptest.NewServer(end)
	defer other.Close()
	mux := http.NewServeMux()
	mux.Handle("/end", end)
	mux.Handle("/same", http.RedirectHandler("/end", http.StatusTemporaryRedirect))
	mux.Handle("/other", http.RedirectHandler(other.URL, http.StatusTemporaryRedirect))
	plain, secure := httptest.NewServer(mux), httptest.NewTLSServer(mux)
	defer plain.Close()
	defer secure.Close()
	for _, c := range []struct {
		target string
		keeps  bool
	}{
		{plain.URL + "/same", true},
		{secure.URL + "/same", true},
		{plain.URL + "/other", false},
		{secure.URL + "/other", false},
	} {
		s := Sample{}
		err := clientTo(t, c.target, func(p *profiles.Plan) {
			p.Redirects, p.Insecure, p.Method, p.Body = 1, true, http.MethodPost, []byte("{}")
			p.Header = http.Header{"X-Api-Key": {"secret"}, "Authorization": {"Bearer secret"}, "Cookie": {"id=secret"}, "Content-Type": {"application/json"}}
		}).Do(&s)
		if err != nil || s.Status != 200 {
			t.Fatalf("%s: %v, status %d", c.target, err, s.Status)
		}
		got := <-saw
		for _, name := range []string{"X-Api-Key", "Authorization", "Cookie"} {
			if (got.Get(name) != "") != c.keeps {
				t.Errorf("%s: the last host got %s %q; want it to get one: %v", c.target, name, got.Get(name), c.keeps)
			}
		}
		if got.Get("Content-Type") != "application/json" || got.Get("Accept") != "*/*" || got.Get("User-Agent") != "headroom" {
			t.Errorf("%s: the last host got %v, want what describes the request", c.target, got)
		}
	}
	c := clientTo(t, secure.URL, func(p *profiles.Plan) { p.Redirects = 1 })
	first, _ := http.NewRequest(http.MethodGet, secure.URL, nil)
	next, _ := http.NewRequest(http.MethodGet, "http://"+secure.Listener.Addr().String(), nil)
	next.Header.Set("X-Api-Key", "secret")
	if err := c.follow(next, []*http.Request{first}); err != nil || len(next.Header) > 0 {
		t.Errorf("from https to http of one host: %v, headers %v; want none", err, next.Header)
	}
}

// A dial that failed belongs to its request alone.
func TestAFailedDialIsOfItsRequest(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refused := l.Addr().String()
	l.Close()
	moved := true
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if moved {
			http.Redirect(w, r, "http://"+refused, http.StatusFound)
		}
		moved = false
	}))
	defer server.Close()
	c := clientTo(t, server.URL, func(p *profiles.Plan) { p.Redirects = 1 })
	s := Sample{}
	if err := c.Do(&s); err == nil || s.Failure != Dial || s.Remote != 0 || s.Dial == 0 {
		t.Errorf("a redirect to a closed port: %v, %+v; want a dial that failed", err, s)
	}
	s = Sample{}
	if err := c.Do(&s); err != nil || s.Remote != 1 || s.Dial != 0 {
		t.Errorf("the next request: %v, %+v; want no dial, and its address", err, s)
	}
}
