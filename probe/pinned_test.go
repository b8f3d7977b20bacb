package probe

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestNotices(t *testing.T) {
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	ago := func(s int) time.Time { return now.Add(-time.Duration(s) * time.Second) }
	answered := func(id string, last int) Replica {
		return Replica{ID: id, State: Serving, Managed: true, Since: ago(100), Answered: true, FirstSeen: ago(90), LastSeen: ago(last)}
	}
	started := func(id string, state State, ready int) Replica {
		return Replica{ID: id, State: state, Managed: true, Since: ago(ready)}
	}
	own := func(id string, last int) Replica {
		r := answered(id, last)
		r.Managed = false
		return r
	}
	local := []netip.Addr{netip.MustParseAddr("127.0.0.1")}
	listed := func(id string, state State, ready int) Replica {
		return Replica{ID: id, State: state, Listed: true, Created: ago(500), Since: ago(ready)}
	}
	name := func(r Replica) Replica {
		r.Managed, r.Listed = false, true
		return r
	}
	dns := func(since int, addresses ...string) Statement {
		s := Statement{Origin: FromDNS, Known: new(len(addresses)), Since: ago(since)}
		for _, a := range addresses {
			s.Addresses = append(s.Addresses, netip.MustParseAddr(a))
		}
		return s
	}
	addrs := func(all ...string) []netip.Addr { return dns(0, all...).Addresses }
	again := answered("b", 20)
	again.Since = ago(3)
	two := []Replica{answered("a", 0), started("b", Ready, 20)}
	for _, tt := range []struct {
		name  string
		sight Sight
		want  string // kinds, and a part of the first text after a colon
	}{
		{"all answer", Sight{Rate: 100, Conns: 8, Fleet: Fleet{Managed: true, Replicas: []Replica{answered("a", 0), answered("b", 0)}}}, ""},
		{"a new one gets nothing", Sight{Sticky: true, Rate: 100, Conns: 8, Oldest: 94 * time.Second, Fleet: Fleet{Managed: true, Replicas: []Replica{answered("a", 0), started("b", Ready, 20)}}},
			"pinned: 1 of 2 replicas has had nothing for 20s (b): connections are pinned, the oldest for 1m34s; R opens"},
		{"one that answered gets nothing more", Sight{Rate: 100, Fleet: Fleet{Managed: true, Replicas: []Replica{answered("a", 0), answered("b", 9)}}}, "stopped: b has stopped answering (since 08:59:51), the scaler still has it as running: it has ended, or the balancer leaves it out"},
		{"one that connections stayed with", Sight{Rate: 100, Sticky: true, Fleet: Fleet{Managed: true, Replicas: []Replica{answered("a", 0), answered("b", 9)}}}, "stopped: it has ended, or no connection goes there any more; R opens"},
		{"one of two that a list has stops", Sight{Rate: 100, Since: ago(60), Fleet: Fleet{Listed: true, Replicas: []Replica{name(answered("a", 0)), name(answered("b", 8)), name(answered("c", 9))}}},
			"stopped: b, c have stopped answering (since 08:59:51), the list of workers still has them as running: they have ended, or the balancer leaves them out"},
		{"one that answered before it was started again", Sight{Rate: 100, Fleet: Fleet{Managed: true, Replicas: []Replica{answered("a", 0), again}}}, ""},
		{"connections that are opened anew, and too few yet", Sight{Rate: 100, Sticky: true, Conns: 2, Opened: 7, Oldest: 9 * time.Second, Fleet: Fleet{Managed: true, Replicas: two}}, ""},
		{"connections that are opened anew, and enough", Sight{Rate: 100, Sticky: true, Conns: 4, Opened: 8, Oldest: 9 * time.Second, Fleet: Fleet{Managed: true, Replicas: two}},
			"left_out: 1 of 2 replicas has had nothing for 20s (b), while 8 connections went to others: the balancer leaves it out"},
		{"connections that were opened before it came", Sight{Rate: 100, Sticky: true, Conns: 4, Opened: 50, Waits: map[string]Wait{"b": {Opened: 43}}, Oldest: time.Second, Fleet: Fleet{Managed: true, Replicas: two}}, ""},
		{"connections that have just been opened anew", Sight{Rate: 100, Sticky: true, Fleet: Fleet{Managed: true, Replicas: two}}, ""},
		{"as many connections, half as old as it waits", Sight{Rate: 100, Sticky: true, Conns: 4, Oldest: 10 * time.Second, Fleet: Fleet{Managed: true, Replicas: two}}, "pinned: connections are pinned, the oldest for 10s"},
		{"each answer over a connection of its own", Sight{Rate: 2, Conns: 1, Fleet: Fleet{Listed: true, Replicas: []Replica{name(answered("a", 0)), listed("b", Ready, 6)}}},
			"left_out: 1 of 2 replicas has had nothing for 6s (b), while 12 answers went to others: the balancer leaves it out"},
		{"a few answers that any may give", Sight{Rate: 1, Fleet: Fleet{Managed: true, Replicas: []Replica{answered("a", 0), answered("c", 0), started("b", Ready, 15)}}},
			"left_out: 1 of 3 replicas has had nothing for 15s (b), while 15 answers"},
		{"fewer answers, as chance has it", Sight{Rate: 0.97, Fleet: Fleet{Managed: true, Replicas: []Replica{answered("a", 0), answered("c", 0), started("b", Ready, 15), started("d", Starting, 9)}}}, ""},
		{"many that a balancer leaves out", Sight{Rate: 100, Fleet: Fleet{Managed: true, Replicas: []Replica{answered("a", 0), started("b", Ready, 9), started("c", Ready, 9)}}},
			"left_out: 2 of 3 replicas have had nothing for 9s (b, c), while 900 answers went to others: the balancer leaves them out"},
		{"many", Sight{Sticky: true, Oldest: time.Minute, Rate: 100, Fleet: Fleet{Managed: true, Replicas: []Replica{answered("a", 0), started("b", Ready, 9), started("c", Ready, 9), started("d", Ready, 9), started("e", Ready, 9)}}},
			"pinned: 4 of 5 replicas have had nothing for 9s (b and 3 more)"},
		{"it has just begun", Sight{Rate: 100, Fleet: Fleet{Managed: true, Replicas: []Replica{answered("a", 0), started("b", Ready, 4)}}}, ""},
		{"it is not ready", Sight{Rate: 100, Fleet: Fleet{Managed: true, Replicas: []Replica{answered("a", 0), started("b", Starting, 30), started("c", Draining, 30), started("d", Gone, 30)}}}, ""},
		{"the scaler chooses", Sight{Rate: 100, Balanced: true, Fleet: Fleet{Managed: true, Replicas: []Replica{answered("a", 0), started("b", Ready, 20)}}}, ""},
		{"too few requests to tell", Sight{Rate: 0.5, Fleet: Fleet{Managed: true, Replicas: []Replica{answered("a", 0), started("b", Ready, 12)}}}, ""},
		{"no load", Sight{Rate: 0, Fleet: Fleet{Managed: true, Replicas: []Replica{answered("a", 40), started("b", Ready, 40)}}}, ""},
		{"nobody names itself", Sight{Rate: 100, Fleet: Fleet{Managed: true, Replicas: []Replica{started("a", Ready, 40), started("b", Ready, 40)}}}, ""},
		{"the load has just begun", Sight{Rate: 100, Since: ago(4), Fleet: Fleet{Managed: true, Replicas: []Replica{answered("a", 0), started("b", Ready, 90)}}}, ""},
		{"nothing since it went on", Sight{Rate: 100, Since: ago(6), Fleet: Fleet{Managed: true, Replicas: []Replica{answered("a", 0), answered("b", 60)}}}, "stopped: b has stopped"},
		{"a port-forward", Sight{Rate: 100, Conns: 20, Reached: local, Fleet: Fleet{Replicas: []Replica{own("a", 0)}}}, "forwarded: 20 connections"},
		{"a port-forward that has just begun", Sight{Rate: 100, Since: ago(4), Conns: 20, Reached: local, Fleet: Fleet{Replicas: []Replica{own("a", 0)}}}, ""},
		{"this machine itself", Sight{Rate: 100, Conns: 20, Reached: local, Here: "a", Fleet: Fleet{Replicas: []Replica{own("a", 0)}}}, ""},
		{"two behind this machine", Sight{Rate: 100, Conns: 20, Reached: local, Fleet: Fleet{Replicas: []Replica{own("a", 0), own("b", 0)}}}, ""},
		{"one listed replica here", Sight{Rate: 100, Conns: 20, Reached: local, Fleet: Fleet{Listed: true, Replicas: []Replica{name(answered("a", 0))}}}, ""},
		{"a list has one that gets nothing", Sight{Sticky: true, Oldest: time.Minute, Rate: 100, Conns: 8, Fleet: Fleet{Listed: true, Replicas: []Replica{name(answered("a", 0)), listed("b", Ready, 20)}}},
			"pinned: 1 of 2 replicas has had nothing for 20s (b): connections are pinned, the oldest for 1m0s; R opens"},
		{"a list has had one only now", Sight{Rate: 100, Conns: 8, Fleet: Fleet{Listed: true, Replicas: []Replica{name(answered("a", 0)), listed("b", Ready, 0)}}}, ""},
		{"a list has one that gets no requests", Sight{Rate: 100, Conns: 8, Fleet: Fleet{Listed: true, Replicas: []Replica{name(answered("a", 0)), listed("b", Suspect, 60)}}}, ""},
		{"a scaler that does not answer", Sight{Rate: 100, Conns: 8, Fleet: Fleet{Managed: true, Sources: []Statement{{Origin: FromScaler, Error: "no"}}, Replicas: two}}, ""},
		{"a list that does not answer", Sight{Rate: 100, Conns: 8, Fleet: Fleet{Listed: true, Sources: []Statement{{Origin: FromWorkers, Error: "no"}},
			Replicas: []Replica{name(answered("a", 0)), listed("b", Ready, 20)}}}, ""},
		{"those that answer have other names", Sight{Rate: 100, Conns: 8, Fleet: Fleet{Managed: true, Replicas: []Replica{started("a", Ready, 20), started("b", Ready, 20), own("x", 0)}}}, ""},
		{"one connection", Sight{Sticky: true, Oldest: time.Minute, Rate: 100, Conns: 1, Fleet: Fleet{Managed: true, Replicas: two}}, "one_conn: all requests go over one connection, the oldest for 1m0s; more users"},
		{"one connection of HTTP/2", Sight{Sticky: true, Rate: 100, Conns: 1, HTTP2: true, Oldest: time.Minute, Fleet: Fleet{Managed: true, Replicas: two}},
			"one_conn: one HTTP/2 connection, which carries any number at once, the oldest for 1m0s"},
		{"a name of one address", Sight{Sticky: true, Oldest: time.Minute, Rate: 100, Conns: 9, Host: "web", Fleet: Fleet{Managed: true, Replicas: two, Sources: []Statement{dns(20, "10.0.0.1")}}},
			"one_addr: (b): web resolves to one address, and all 9 connections to it end at a:"},
		{"a name of one address, behind which two answer", Sight{Sticky: true, Oldest: time.Minute, Rate: 100, Conns: 9, Opened: 9, Host: "web",
			Fleet: Fleet{Managed: true, Replicas: append([]Replica{answered("c", 0)}, two...), Sources: []Statement{dns(20, "10.0.0.1")}}}, "pinned: 1 of 3"},
		{"a name of two addresses", Sight{Sticky: true, Oldest: time.Minute, Rate: 100, Conns: 9, Opened: 9, Host: "web", Reached: addrs("10.0.0.1", "10.0.0.2"),
			Fleet: Fleet{Managed: true, Replicas: two, Sources: []Statement{dns(20, "10.0.0.1", "10.0.0.2")}}}, "pinned: 1 of 2"},
		{"an address that is new", Sight{Oldest: 10 * time.Second, Rate: 100, Conns: 9, Opened: 9, Host: "web", Reached: addrs("10.0.0.1"), Fleet: Fleet{Sources: []Statement{dns(20, "10.0.0.1", "10.0.0.2")}}},
			"unreached: no connection goes to 1 of the 2 addresses of web (10.0.0.2): connections are pinned to the others"},
		{"an address to which no fresh connection gets", Sight{Rate: 100, Conns: 9, Opened: 9, Oldest: 9 * time.Second, Host: "web", Reached: addrs("10.0.0.1"), Fleet: Fleet{Sources: []Statement{dns(20, "10.0.0.1", "10.0.0.2")}}},
			"unreached: no connection goes to 1 of the 2 addresses of web (10.0.0.2): nothing answers there"},
		{"an address that was not there long enough", Sight{Rate: 100, Conns: 9, Opened: 9, Reached: addrs("10.0.0.1"), Fleet: Fleet{Sources: []Statement{dns(4, "10.0.0.1", "10.0.0.2")}}}, ""},
		{"fewer connections than addresses", Sight{Rate: 100, Conns: 1, Opened: 1, Reached: addrs("10.0.0.1"), Fleet: Fleet{Sources: []Statement{dns(20, "10.0.0.1", "10.0.0.2")}}}, ""},
		{"a connection for each request", Sight{Rate: 10, Opened: 200, Host: "web", Reached: addrs("10.0.0.1"), Fleet: Fleet{Sources: []Statement{dns(20, "10.0.0.1", "10.0.0.2")}}},
			"unreached: no connection goes to 1 of the 2 addresses of web (10.0.0.2): nothing answers there"},
		{"no load for the new address", Sight{Rate: 0, Conns: 9, Opened: 9, Reached: addrs("10.0.0.1"), Fleet: Fleet{Sources: []Statement{dns(20, "10.0.0.1", "10.0.0.2")}}}, ""},
		{"a family that does not get through", Sight{Rate: 100, Conns: 9, Opened: 9, Reached: addrs("10.0.0.1"), Fleet: Fleet{Sources: []Statement{dns(20, "10.0.0.1", "2001:db8::1")}}}, ""},
		{"one replica of a scaler here", Sight{Rate: 100, Conns: 20, Reached: local, Fleet: Fleet{Managed: true, Replicas: []Replica{answered("a", 0)}}}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := Notices(now, tt.sight)
			if tt.want == "" {
				if len(got) > 0 {
					t.Errorf("got %v, want silence", got)
				}
				return
			}
			kind, text, _ := strings.Cut(tt.want, ": ")
			if len(got) != 1 || string(got[0].Kind) != kind || !strings.Contains(got[0].Text, text) {
				t.Errorf("got %v, want one %s that says %q", got, kind, text)
			}
		})
	}
}

// Who waits as before was left by the connections of then on; who got something,
// or a load that went on after a pause, begins anew.
func TestWaiting(t *testing.T) {
	at := func(s int) time.Time { return time.Date(2026, 1, 2, 3, 4, s, 0, time.UTC) }
	waits, served, starts := Replica{ID: "a", State: Ready, Since: at(3)}, Replica{ID: "b", State: Serving, LastSeen: at(9)}, Replica{ID: "c", State: Starting}
	before := map[string]Wait{"a": {at(3), 5}, "b": {at(8), 6}, "gone": {at(1), 1}}
	s := Sight{Since: at(1), Opened: 20, Fleet: Fleet{Replicas: []Replica{waits, served, starts}}}
	for _, c := range []struct {
		since time.Time
		want  map[string]Wait
	}{
		{at(1), map[string]Wait{"a": {at(3), 5}, "b": {at(9), 20}}},
		{at(10), map[string]Wait{"a": {at(10), 20}, "b": {at(10), 20}}},
	} {
		s.Since = c.since
		if diff := cmp.Diff(c.want, s.Waiting(before)); diff != "" {
			t.Errorf("Waiting of a load since %v (-want +got):\n%s", c.since, diff)
		}
	}
}
