package probe

import (
	"strings"
	"testing"
	"time"
)

func TestDisagreement(t *testing.T) {
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	ago := func(s int) time.Time { return now.Add(-time.Duration(s) * time.Second) }
	says := func(from Origin, since, ready int) Statement {
		return Statement{Origin: from, Known: new(ready), Ready: new(ready), Since: ago(since)}
	}
	answering := func(n int, of Replica) (out []Replica) {
		for i := range n {
			of.ID, of.State, of.Answered, of.FirstSeen, of.LastSeen = string(rune('a'+i)), Serving, true, ago(90), now
			out = append(out, of)
		}
		return out
	}
	plain, managed, listed := Replica{}, Replica{Managed: true}, Replica{Listed: true}
	apart := says(FromWorkers, 60, 5)
	apart.Apart = true
	stranger := func(last int) Replica {
		return Replica{ID: "x", State: Serving, Answered: true, FirstSeen: ago(90), LastSeen: ago(last)}
	}
	failed := says(FromWorkers, 60, 5).Fails(errTest)
	for _, c := range []struct {
		name  string
		sight Sight
		want  string // part of the text; empty: silence
	}{
		{"nothing is known", Sight{}, ""},
		{"all answer", Sight{Rate: 100, Fleet: Fleet{Managed: true, Replicas: answering(3, managed), Sources: []Statement{says(FromScaler, 60, 3)}}}, ""},
		{"fewer answer than the list has", Sight{Rate: 100, Fleet: Fleet{Replicas: answering(3, plain), Sources: []Statement{apart}}},
			"5 ready by the list of workers, 3 answering, under other names"},
		{"fewer answer than the scaler has", Sight{Rate: 100, Fleet: Fleet{Managed: true, Replicas: answering(3, managed), Sources: []Statement{says(FromScaler, 60, 5)}}},
			"5 ready by the scaler, 3 answering; R opens"},
		{"too few connections to have met all", Sight{Rate: 100, Sticky: true, Conns: 6, Fleet: Fleet{Replicas: answering(3, plain), Sources: []Statement{apart}}}, ""},
		{"connections enough to have met all", Sight{Rate: 100, Sticky: true, Conns: 30, Fleet: Fleet{Replicas: answering(3, plain), Sources: []Statement{apart}}}, "5 ready by the list of workers, 3 answering"},
		{"too few answers to have met all lately", Sight{Rate: 0.8, Fleet: Fleet{Replicas: answering(3, plain), Sources: []Statement{apart}}}, ""},
		{"some have stopped answering", Sight{Rate: 100, Fleet: Fleet{Sources: []Statement{apart}, Replicas: append(answering(3, plain),
			Replica{ID: "x", State: Quiet, Answered: true, LastSeen: ago(30)}, Replica{ID: "y", State: Gone, Answered: true, LastSeen: ago(80)})}}, "5 ready by the list of workers, 3 answering"},
		{"too slow a load", Sight{Rate: 0.1, Fleet: Fleet{Replicas: answering(3, plain), Sources: []Statement{apart}}}, ""},
		{"a load that has just begun", Sight{Rate: 100, Since: ago(3), Fleet: Fleet{Replicas: answering(3, plain), Sources: []Statement{apart}}}, ""},
		{"a list that has just changed", Sight{Rate: 100, Fleet: Fleet{Replicas: answering(3, plain), Sources: []Statement{says(FromWorkers, 9, 5)}}}, ""},
		{"a list that does not answer", Sight{Rate: 100, Fleet: Fleet{Replicas: answering(3, plain), Sources: []Statement{failed}}}, ""},
		{"nobody names itself", Sight{Rate: 100, Fleet: Fleet{Sources: []Statement{apart}}}, ""},
		{"the scaler leaves some idle", Sight{Rate: 100, Balanced: true, Fleet: Fleet{Managed: true, Replicas: answering(3, managed), Sources: []Statement{says(FromScaler, 60, 5)}}}, ""},
		{"scaler and list", Sight{Balanced: true, Fleet: Fleet{Managed: true, Sources: []Statement{says(FromScaler, 60, 5), says(FromWorkers, 60, 4)}}},
			"the scaler has 5 ready, the list of workers 4"},
		{"scaler and list at the same", Sight{Fleet: Fleet{Managed: true, Sources: []Statement{says(FromScaler, 60, 5), says(FromWorkers, 60, 5)}}}, ""},
		{"scaler and list while one changes", Sight{Fleet: Fleet{Managed: true, Sources: []Statement{says(FromScaler, 60, 5), says(FromWorkers, 9, 4)}}}, ""},
		{"a stranger", Sight{Rate: 100, Fleet: Fleet{Listed: true, Replicas: append(answering(3, listed), stranger(0)), Sources: []Statement{says(FromWorkers, 60, 3)}}},
			"1 answer that neither the scaler nor a list of workers has (x)"},
		{"a stranger that answered while the list still had it", Sight{Rate: 100, Fleet: Fleet{Listed: true, Replicas: append(answering(3, listed), stranger(17)), Sources: []Statement{says(FromWorkers, 20, 3)}}}, ""},
		{"all are strangers", Sight{Rate: 100, Fleet: Fleet{Managed: true,
			Replicas: append(answering(3, plain), Replica{ID: "r", State: Ready, Managed: true}), Sources: []Statement{says(FromScaler, 60, 3)}}}, ""},
		{"several addresses are no replicas", Sight{Rate: 100, Fleet: Fleet{Replicas: answering(3, plain), Sources: []Statement{{Origin: FromDNS, Known: new(5), Since: ago(60)}}}}, ""},
	} {
		got, ok := disagreement(now, c.sight, false)
		if ok != (c.want != "") || !strings.Contains(got.Text, c.want) {
			t.Errorf("%s: disagreement = %q, %v; want %q", c.name, got.Text, ok, c.want)
		}
		if _, ok := disagreement(now, c.sight, true); ok && !strings.Contains(c.want, "the list of workers 4") {
			t.Errorf("%s: a disagreement that another notice explains is said too", c.name)
		}
	}
}
