package probe

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestMerge(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	answer := func(id string, s State) Replica {
		return Replica{ID: id, State: s, Answered: true, FirstSeen: at, LastSeen: at, Requests: 7, Share: 0.5, Rate: 2, P50: 1, P95: 2, P99: 3,
			Conns: new(4), InFlightEstimate: new(2.5), ColdStart: &ColdStart{Answers: 10, First: 3, Later: 1}}
	}
	managed := func(id string, s State) Replica {
		return Replica{ID: id, State: s, Managed: true, PID: 9, StartedIn: time.Second, InFlight: 1}
	}
	both := func(id string, s State) Replica {
		r := answer(id, s)
		r.Managed, r.PID, r.StartedIn, r.InFlight = true, 9, time.Second, 1
		return r
	}
	for _, c := range []struct {
		name    string
		fleet   Fleet
		answers []Replica
		want    []Replica
	}{
		{"no scaler", Fleet{}, []Replica{answer("a", Serving), answer("b", Quiet)}, []Replica{answer("a", Serving), answer("b", Quiet)}},
		{"no answers", Fleet{Managed: true, Replicas: []Replica{managed("a", Ready)}}, nil, []Replica{managed("a", Ready)}},
		{"a ready one is what its answers say", Fleet{Managed: true, Replicas: []Replica{managed("a", Ready), managed("b", Ready)}},
			[]Replica{answer("a", Serving), answer("b", Quiet)}, []Replica{both("a", Serving), both("b", Quiet)}},
		{"a new one is new", Fleet{Managed: true, Replicas: []Replica{managed("a", Ready)}}, []Replica{answer("a", New)}, []Replica{both("a", New)}},
		{"the scaler knows better who is there", Fleet{Managed: true, Replicas: []Replica{managed("a", Ready)}}, []Replica{answer("a", Gone)}, []Replica{both("a", Quiet)}},
		{"the scaler knows better who drains", Fleet{Managed: true, Replicas: []Replica{managed("a", Draining)}},
			[]Replica{answer("a", Serving)}, []Replica{both("a", Draining)}},
		{"an unknown one is added", Fleet{Managed: true, Replicas: []Replica{managed("a", Ready)}},
			[]Replica{answer("x", Serving)}, []Replica{managed("a", Ready), answer("x", Serving)}},
		{"one that the scaler has forgotten is gone", Fleet{Managed: true}, []Replica{answer("x", Quiet)}, []Replica{answer("x", Gone)}},
		{"names of another kind are not forgotten", Fleet{Managed: true, Replicas: []Replica{managed("a", Ready)}},
			[]Replica{answer("x", Serving), answer("y", Quiet)}, []Replica{managed("a", Ready), answer("x", Serving), answer("y", Quiet)}},
		{"a scaler that does not answer forgets nobody", Fleet{Managed: true, Sources: []Statement{{Origin: FromScaler, Error: "no"}}},
			[]Replica{answer("x", Quiet)}, []Replica{answer("x", Quiet)}},
		{"those that are gone stand last", Fleet{Managed: true, Replicas: []Replica{managed("a", Gone), managed("b", Ready), managed("c", Gone)}}, []Replica{answer("x", New)},
			[]Replica{managed("b", Ready), answer("x", New), managed("a", Gone), managed("c", Gone)}},
	} {
		got := merge(c.fleet, c.answers)
		if diff := cmp.Diff(c.want, got.Replicas); diff != "" {
			t.Errorf("%s: merge (-want +got):\n%s", c.name, diff)
		}
	}
}

func TestSince(t *testing.T) {
	at := func(s int) time.Time { return time.Date(2026, 1, 2, 3, 4, s, 0, time.UTC) }
	was := []Replica{{ID: "a", State: Ready, Since: at(5)}, {ID: "b", State: Starting, Since: at(6)}}
	for _, c := range []struct {
		name   string
		before []Replica
		said   Replica
		want   time.Time
	}{
		{"ready at the first look", nil, Replica{ID: "a", State: Ready, Created: at(1)}, at(30)},
		{"starting at the first look", nil, Replica{ID: "a", State: Starting, Created: at(1)}, at(1)},
		{"starting at the first look, nobody knows when", nil, Replica{ID: "a", State: Starting}, time.Time{}},
		{"gone at the first look", nil, Replica{ID: "a", State: Gone, Deleted: at(2)}, at(2)},
		{"as before", was, Replica{ID: "a", State: Ready}, at(5)},
		{"now ready", was, Replica{ID: "b", State: Ready, Created: at(1)}, at(30)},
		{"a new one that starts", was, Replica{ID: "c", State: Starting, Created: at(1)}, at(30)},
		{"a new one that is ready", was, Replica{ID: "c", State: Ready, Created: at(1)}, at(30)},
		{"one that came and went unseen", was, Replica{ID: "c", State: Gone, Deleted: at(29)}, at(29)},
	} {
		if got := Since(at(30), c.before, []Replica{c.said})[0].Since; !got.Equal(c.want) {
			t.Errorf("%s: Since = %v, want %v", c.name, got, c.want)
		}
	}
}

func TestFleetCounts(t *testing.T) {
	var f Fleet
	for _, s := range []State{Starting, Ready, Suspect, New, Serving, Quiet, Draining, Failing, Gone} {
		f.Replicas = append(f.Replicas, Replica{State: s, Answered: true})
	}
	f.Replicas = append(f.Replicas, Replica{State: Ready})
	for name, c := range map[string]struct{ got, want int }{
		"Up":                       {f.Up(), 5},
		"Answering":                {f.Answering(), 2},
		"Count(Starting, Failing)": {f.Count(Starting, Failing), 2},
	} {
		if c.got != c.want {
			t.Errorf("%s = %d, want %d", name, c.got, c.want)
		}
	}
}
