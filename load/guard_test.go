package load

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"headroom/profiles"
)

func TestPublicAddresses(t *testing.T) {
	for address, want := range map[string]bool{
		"127.0.0.1": false, "::1": false, "0.0.0.0": false, "10.1.2.3": false, "172.31.0.1": false, "192.168.1.1": false,
		"169.254.169.254": false, "100.64.0.1": false, "fd00::1": false, "fe80::1": false, "::ffff:10.0.0.1": false,
		"8.8.8.8": true, "172.32.0.1": true, "100.128.0.1": true, "2001:4860:4860::8888": true, "::ffff:8.8.8.8": true,
	} {
		if got := public(netip.MustParseAddr(address)); got != want {
			t.Errorf("public(%s) = %v, want %v", address, got, want)
		}
	}
}

func TestGuard(t *testing.T) {
	open := func(rate float64) profiles.Plan {
		p := profiles.DefaultPlan()
		p.Rate = rate
		return p
	}
	allowed := open(500)
	allowed.YesRemote = true
	for _, c := range []struct {
		name         string
		plan         profiles.Plan
		address      string
		planned      float64
		sent         int  // in each of four seconds
		admit, check bool // an error is wanted
	}{
		{"at home", open(5000), "127.0.0.1", 5000, 5000, false, false},
		{"a little", open(100), "8.8.8.8", 100, 130, false, false},
		{"planned", open(101), "8.8.8.8", 101, 0, true, true},
		{"planned for later", open(50), "8.8.8.8", 120, 90, false, true},
		{"users", profiles.DefaultPlan(), "8.8.8.8", 500, 100, false, false},
		{"busy users", profiles.DefaultPlan(), "8.8.8.8", 10, 150, false, true},
		{"allowed", allowed, "8.8.8.8", 500, 500, false, false},
	} {
		g := newGuard(c.plan)
		admit := g.admit(netip.MustParseAddr(c.address))
		synctest.Test(t, func(*testing.T) {
			for range 4 {
				g.check(c.planned)
				for range c.sent {
					_ = g.spend() // the run learns of it
				}
				time.Sleep(time.Second)
			}
		})
		var check error
		select {
		case check = <-g.refused:
		default:
		}
		if (admit != nil) != c.admit || (check != nil) != c.check {
			t.Errorf("%s: admit = %v, check = %v; want errors %v, %v", c.name, admit, check, c.admit, c.check)
		}
		if check != nil && !strings.Contains(check.Error(), "8.8.8.8") {
			t.Errorf("%s: %q does not name the address", c.name, check)
		}
	}
}

// A run that is to send too much to a stranger ends before it sends anything.
func TestARunAgainstAStrangerEnds(t *testing.T) {
	plan := profiles.DefaultPlan()
	plan.Target, plan.Rate, plan.Requests = "http://192.0.2.1:9/", 1000, 100_000 // TEST-NET-1 (RFC 5737)
	e, err := New(plan, Options{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := e.Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "--yes-remote") || r.Conns.Opened > 0 {
		t.Errorf("Run = %d connections, %v; want none and an error that names --yes-remote", r.Conns.Opened, err)
	}
}

// Users count what they send to a stranger, over the connections that they have
// as well: no tick has to come first.
func TestUsersAgainstAStrangerEndAtOnce(t *testing.T) {
	for _, client := range []bool{false, true} {
		var served atomic.Int64
		server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { served.Add(1) }))
		defer server.Close()
		plan := closedPlan(20, 10_000, 0)
		plan.Target, plan.Cookies, plan.Requests = server.URL, client, 100_000
		e, err := New(plan, Options{})
		if err != nil {
			t.Fatal(err)
		}
		stranger := netip.MustParseAddr("192.0.2.1")
		e.conns.dialer.guard.stranger.Store(&stranger)
		_, err = e.Run(t.Context())
		if err == nil || !strings.Contains(err.Error(), "--yes-remote") || strings.Contains(err.Error(), "aborted") {
			t.Errorf("client %v: Run = %v, want an error that names --yes-remote", client, err)
		}
		// Each second is worth as many once more, should it take that long.
		if n := served.Load(); n == 0 || n > 3*profiles.MostRemote {
			t.Errorf("client %v: %d requests, want about %d", client, n, profiles.MostRemote)
		}
	}
}
