package probe

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var errTest = errors.New("workers list: got 500 Internal Server Error, want 200")

func TestStatement(t *testing.T) {
	at := func(s int) time.Time { return time.Date(2026, 11, 22, 9, 0, s, 0, time.UTC) }
	report := func(known, ready int) Report { return Report{Known: known, Ready: &ready} }
	s := Statement{Origin: FromWorkers}
	for _, c := range []struct {
		name  string
		next  func(Statement) Statement
		text  string
		since time.Time
	}{
		{"before it was asked", func(s Statement) Statement { return s }, "workers list: not asked yet", time.Time{}},
		{"an answer", func(s Statement) Statement { return s.Says(at(1), report(5, 5)) }, "workers list: 5 running", at(1)},
		{"the same again", func(s Statement) Statement { return s.Says(at(2), report(5, 5)) }, "workers list: 5 running", at(1)},
		{"another", func(s Statement) Statement { return s.Says(at(3), report(5, 3)) }, "workers list: 3 running of 5", at(3)},
		{"none", func(s Statement) Statement { return s.Fails(errTest) }, "workers list: no answer", time.Time{}},
		{"nobody", func(s Statement) Statement { return s.Says(at(5), report(0, 0)) }, "workers list: 0 running", at(5)},
	} {
		s = c.next(s)
		if s.String() != c.text || !s.Since.Equal(c.since) {
			t.Errorf("%s: %q since %v, want %q since %v", c.name, s, s.Since, c.text, c.since)
		}
		if (s.Known == nil) != (s.Error != "" || s.At.IsZero()) {
			t.Errorf("%s: known %v with error %q", c.name, s.Known, s.Error)
		}
	}
}

func TestSourceLine(t *testing.T) {
	said := func(from Origin, known, ready int) Statement {
		return Statement{Origin: from, Known: &known, Ready: &ready}
	}
	dns := func(n int) Statement { return Statement{Origin: FromDNS, Known: &n} }
	apart := said(FromWorkers, 5, 5)
	apart.Apart = true
	for _, c := range []struct {
		name string
		said []Statement
		want string
	}{
		{"nothing", nil, ""},
		{"the answers alone", []Statement{said(FromAnswers, 3, 3)}, ""},
		{"a scaler", []Statement{said(FromScaler, 5, 5), said(FromAnswers, 3, 3)}, "scaler: 5 ready · answers: 3"},
		{"all", []Statement{said(FromScaler, 5, 5), said(FromWorkers, 6, 5), dns(1), said(FromAnswers, 3, 3)},
			"scaler: 5 ready · workers list: 5 running of 6 · DNS: 1 address · answers: 3"},
		{"other names", []Statement{apart, said(FromAnswers, 4, 3)}, "workers list: 5 running (by other names) · answers: 3 of 4 seen"},
		{"a failure", []Statement{dns(3).Fails(errTest), said(FromAnswers, 3, 3)}, "DNS: no answer · answers: 3"},
		{"addresses", []Statement{dns(3)}, "DNS: 3 addresses"},
	} {
		if got := (Fleet{Sources: c.said}).SourceLine(); got != c.want {
			t.Errorf("%s: SourceLine = %q, want %q", c.name, got, c.want)
		}
	}
}

func TestJoin(t *testing.T) {
	worker := func(id string, s State) Replica { return Replica{ID: id, State: s} }
	answer := func(id string) Replica { return Replica{ID: id, State: Serving, Answered: true} }
	// rows are name, state, and m, l, a for managed, listed and answered.
	rows := func(f Fleet) (out []string) {
		for _, r := range f.Replicas {
			row := r.ID + " " + string(r.State) + " "
			if r.Managed {
				row += "m"
			}
			if r.Listed {
				row += "l"
			}
			if r.Answered {
				row += "a"
			}
			out = append(out, row)
		}
		return out
	}
	scaler := func(ids ...string) Fleet {
		f := Fleet{Managed: true}
		for _, id := range ids {
			f.Replicas = append(f.Replicas, Replica{ID: id, State: Ready, Managed: true})
		}
		return f
	}
	list := func(ids ...string) (out []Replica) {
		for _, id := range ids {
			out = append(out, worker(id, Ready))
		}
		return out
	}
	for _, c := range []struct {
		name    string
		scaler  Fleet
		workers []Replica
		answers []Replica
		want    []string
		apart   bool // the list
	}{
		{"answers alone", Fleet{}, nil, []Replica{answer("a")}, []string{"a serving a"}, false},
		{"a list before any answer", Fleet{}, list("a", "b"), nil, []string{"a ready l", "b ready l"}, false},
		{"a list that names them as the answers do", Fleet{}, list("a", "b"), []Replica{answer("b"), answer("x")},
			[]string{"a ready l", "b serving la", "x serving a"}, false},
		{"a list that names them otherwise", Fleet{}, list("1", "2"), []Replica{answer("a")}, []string{"a serving a"}, true},
		{"one that has forgotten who is quiet", Fleet{}, list("a"), []Replica{answer("a"), {ID: "b", State: Quiet, Answered: true}},
			[]string{"a serving la", "b gone a"}, false},
		{"a list beside a scaler", scaler("a"), list("a", "b"), []Replica{answer("a")}, []string{"a serving mla", "b ready l"}, false},
		{"a list of other names beside a scaler", scaler("a"), list("1"), []Replica{answer("a")}, []string{"a serving ma"}, true},
		{"who drains", Fleet{}, []Replica{worker("a", Draining)}, []Replica{answer("a")}, []string{"a draining la"}, false},
	} {
		got := Join(c.scaler, c.workers, c.answers, []Statement{{Origin: FromWorkers}})
		if diff := cmp.Diff(c.want, rows(got)); diff != "" {
			t.Errorf("%s: Join (-want +got):\n%s", c.name, diff)
		}
		if got.Sources[0].Apart != c.apart {
			t.Errorf("%s: the list is apart %v, want %v", c.name, got.Sources[0].Apart, c.apart)
		}
	}
	if f := Join(scaler("a"), nil, []Replica{answer("x")}, []Statement{{Origin: FromScaler}}); !f.Sources[0].Apart {
		t.Error("a scaler whose replicas answer by other names is not apart, want it to be")
	}
}

func TestName(t *testing.T) {
	for target, want := range map[string]bool{
		"http://web.example.com/": true, "http://web:8000/x": true, "http://127.0.0.1:8000/": false, "http://[::1]:8000/": false,
		"http://localhost:8000/": false, "http://10.0.3.4/": false, "://": false,
	} {
		if _, ok := NewName(target); ok != want {
			t.Errorf("NewName(%q): %v, want %v", target, ok, want)
		}
	}
	addr := netip.MustParseAddr
	for _, c := range []struct {
		name  string
		found []netip.Addr
		err   error
		want  Report
	}{
		{"one of either family", []netip.Addr{addr("2001:db8::1"), addr("10.0.0.1")}, nil, Report{Known: 1, Addresses: []netip.Addr{addr("10.0.0.1"), addr("2001:db8::1")}}},
		{"three, one of them twice", []netip.Addr{addr("10.0.0.3"), addr("::ffff:10.0.0.1"), addr("10.0.0.3"), addr("10.0.0.2")}, nil,
			Report{Known: 3, Addresses: []netip.Addr{addr("10.0.0.1"), addr("10.0.0.2"), addr("10.0.0.3")}}},
		{"a failure", nil, errTest, Report{}},
	} {
		n, _ := NewName("http://web/")
		n.lookup = lookupOf(c.found, c.err)
		got, err := n.List(t.Context())
		if diff := cmp.Diff(c.want, got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" || !errors.Is(err, c.err) {
			t.Errorf("%s: List: %v (-want +got):\n%s", c.name, err, diff)
		}
	}
}

// Those of a list that gave no answer are told only where the answers name
// replicas as it does.
func TestUnanswered(t *testing.T) {
	answered := Replica{ID: "a", Listed: true, Answered: true, State: Serving}
	for _, c := range []struct {
		name     string
		replicas []Replica
		want     int
	}{
		{"a list before any answer", []Replica{{ID: "a", Listed: true, State: Ready}, {ID: "b", Listed: true, State: Starting}}, 2},
		{"one that went", []Replica{answered, {ID: "b", Listed: true, State: Gone}}, 0},
		{"one of two", []Replica{answered, {ID: "b", Listed: true, State: Ready}, {ID: "c", Answered: true, State: Serving}}, 1},
		{"other names", []Replica{{ID: "1", Listed: true, State: Ready}, {ID: "a", Answered: true, State: Serving}}, 0},
	} {
		if got := (Fleet{Replicas: c.replicas}).Unanswered(); len(got) != c.want {
			t.Errorf("%s: Unanswered() = %+v, want %d", c.name, got, c.want)
		}
	}
}
