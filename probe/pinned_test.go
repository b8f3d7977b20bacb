package probe

import (
	"strings"
	"testing"
	"time"
)

func TestNotices(t *testing.T) {
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	ago := func(s int) time.Time { return now.Add(-time.Duration(s) * time.Second) }
	answered := func(id string, last int) Replica {
		return Replica{ID: id, State: Serving, Managed: true, Created: ago(100), StartedIn: time.Second, Answered: true, FirstSeen: ago(90), LastSeen: ago(last)}
	}
	started := func(id string, state State, ready int) Replica {
		return Replica{ID: id, State: state, Managed: true, Created: ago(ready + 1), StartedIn: time.Second}
	}
	own := func(id string, last int) Replica {
		r := answered(id, last)
		r.Managed = false
		return r
	}
	for _, tt := range []struct {
		name  string
		sight Sight
		want  string // kinds, and a part of the first text after a colon
	}{
		{"all answer", Sight{Rate: 100, Conns: 8, Fleet: Fleet{Managed: true, Replicas: []Replica{answered("a", 0), answered("b", 0)}}}, ""},
		{"a new one gets nothing", Sight{Rate: 100, Conns: 8, Oldest: 94 * time.Second, Fleet: Fleet{Managed: true, Replicas: []Replica{answered("a", 0), started("b", Ready, 20)}}},
			"pinned: 1 of 2 replicas have had nothing for 20s (b): connections are pinned, the oldest for 1m34s; R opens"},
		{"one that answered gets nothing more", Sight{Rate: 100, Fleet: Fleet{Managed: true, Replicas: []Replica{answered("a", 0), answered("b", 9)}}}, "pinned: nothing for 9s (b)"},
		{"many", Sight{Rate: 100, Fleet: Fleet{Managed: true, Replicas: []Replica{answered("a", 0), started("b", Ready, 9), started("c", Ready, 9), started("d", Ready, 9), started("e", Ready, 9)}}},
			"pinned: 4 of 5 replicas have had nothing for 9s (b and 3 more)"},
		{"it has just begun", Sight{Rate: 100, Fleet: Fleet{Managed: true, Replicas: []Replica{answered("a", 0), started("b", Ready, 4)}}}, ""},
		{"it is not ready", Sight{Rate: 100, Fleet: Fleet{Managed: true, Replicas: []Replica{answered("a", 0), started("b", Starting, 30), started("c", Draining, 30), started("d", Gone, 30)}}}, ""},
		{"the scaler chooses", Sight{Rate: 100, Balanced: true, Fleet: Fleet{Managed: true, Replicas: []Replica{answered("a", 0), started("b", Ready, 20)}}}, ""},
		{"too few requests to tell", Sight{Rate: 0.5, Fleet: Fleet{Managed: true, Replicas: []Replica{answered("a", 0), started("b", Ready, 12)}}}, ""},
		{"no load", Sight{Rate: 0, Fleet: Fleet{Managed: true, Replicas: []Replica{answered("a", 40), started("b", Ready, 40)}}}, ""},
		{"nobody names itself", Sight{Rate: 100, Fleet: Fleet{Managed: true, Replicas: []Replica{started("a", Ready, 40), started("b", Ready, 40)}}}, ""},
		{"the load has just begun", Sight{Rate: 100, Since: ago(4), Fleet: Fleet{Managed: true, Replicas: []Replica{answered("a", 0), started("b", Ready, 90)}}}, ""},
		{"nothing since it went on", Sight{Rate: 100, Since: ago(6), Fleet: Fleet{Managed: true, Replicas: []Replica{answered("a", 0), answered("b", 60)}}}, "pinned: nothing for 6s (b)"},
		{"a port-forward", Sight{Rate: 100, Conns: 20, Loopback: true, Addresses: 1, Fleet: Fleet{Replicas: []Replica{own("a", 0)}}}, "forwarded: 20 connections"},
		{"a port-forward that has just begun", Sight{Rate: 100, Since: ago(4), Conns: 20, Loopback: true, Addresses: 1, Fleet: Fleet{Replicas: []Replica{own("a", 0)}}}, ""},
		{"this machine itself", Sight{Rate: 100, Conns: 20, Loopback: true, Here: "a", Addresses: 1, Fleet: Fleet{Replicas: []Replica{own("a", 0)}}}, ""},
		{"two behind this machine", Sight{Rate: 100, Conns: 20, Loopback: true, Addresses: 1, Fleet: Fleet{Replicas: []Replica{own("a", 0), own("b", 0)}}}, ""},
		{"one replica of a scaler here", Sight{Rate: 100, Conns: 20, Loopback: true, Addresses: 1, Fleet: Fleet{Managed: true, Replicas: []Replica{answered("a", 0)}}}, ""},
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
