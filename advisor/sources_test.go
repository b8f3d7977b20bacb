package advisor

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"headroom/probe"
	"headroom/profiles"
)

// fakeList is a list of workers in virtual time.
type fakeList struct {
	mu    sync.Mutex // guards the fields below
	ids   []string
	err   error
	mute  bool // there is no answer
	asked []time.Time
}

func (f *fakeList) List(ctx context.Context) (probe.Report, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, time.Now())
	if f.mute {
		f.mu.Unlock()
		<-ctx.Done()
		f.mu.Lock()
		return probe.Report{}, ctx.Err()
	}
	var replicas []probe.Replica
	for _, id := range f.ids {
		replicas = append(replicas, probe.Replica{ID: id, State: probe.Ready})
	}
	return probe.ReportOf(replicas), f.err
}

func (f *fakeList) change(how func(*fakeList)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	how(f)
}

// workersSay awaits what the list of workers is shown to say.
func workersSay(t *testing.T, s *Session, want string) State {
	t.Helper()
	return await(t, s, want, func(st State) bool { return st.Fleet.Statement(probe.FromWorkers).String() == want })
}

func TestAListIsAskedAgainAndAgain(t *testing.T) {
	list := &fakeList{ids: []string{"a", "b"}}
	inSession(t, nil, func(c *Config) { c.Workers = list }, func(t *testing.T, s *Session) {
		st := workersSay(t, s, "workers list: 2 running")
		if len(st.Fleet.Replicas) != 2 || !st.Fleet.Listed {
			t.Errorf("the fleet is %+v, want both workers", st.Fleet)
		}
		list.change(func(l *fakeList) { l.err = errors.New("workers list: got 500") })
		st = workersSay(t, s, "workers list: no answer")
		if said := st.Fleet.Statement(probe.FromWorkers); len(st.Fleet.Replicas) != 2 || said.Known != nil || !said.Since.IsZero() {
			t.Errorf("while the list fails the fleet is %+v, want the rows of before, and that nothing is said of their number", st.Fleet)
		}
		list.change(func(l *fakeList) { l.err = errors.New("workers list: read 127.0.0.1:1->[::1]:80: reset") })
		time.Sleep(10 * time.Second)
		list.change(func(l *fakeList) { l.err = errors.New("workers list: read 127.0.0.1:2->[::1]:80: reset") })
		time.Sleep(10 * time.Second)
		list.change(func(l *fakeList) { l.err = nil })
		if again := workersSay(t, s, "workers list: 2 running").Fleet.Statement(probe.FromWorkers); again.Since.After(again.At.Add(-20 * time.Second)) {
			t.Errorf("after a failure the list says the same since %v, want since before it", again.Since)
		}
		list.change(func(l *fakeList) { l.ids = []string{"a"} })
		st = workersSay(t, s, "workers list: 1 running")
		var log []string
		for _, e := range st.Events {
			if e.Kind == NoticeEvent {
				log = append(log, e.Text)
			}
		}
		if want := []string{"workers list: got 500", "workers list: read 127.0.0.1:1->[::1]:80: reset", "workers list: it answers again"}; !slices.Equal(log, want) {
			t.Errorf("the log has %q, want %q", log, want)
		}
		list.change(func(l *fakeList) { l.mute = true })
		began := time.Now()
		workersSay(t, s, "workers list: no answer")
		if took := time.Since(began); took > listEvery+listPatience+tick {
			t.Errorf("a list that does not answer is given up after %v, want %v at the latest", took, listEvery+listPatience)
		}
		list.mu.Lock()
		defer list.mu.Unlock()
		for i, at := range list.asked[1:] {
			if gap := at.Sub(list.asked[i]); gap < listEvery {
				t.Errorf("asked again after %v, want %v or more", gap, listEvery)
			}
		}
	})
}

// A replica that only a list of workers knows gets nothing; the run says so to
// the end.
func TestListedReplicasThatGetNothingAreNoticed(t *testing.T) {
	f, list := newFakeFleet(10*time.Millisecond, profiles.FixedPolicy(2)), &fakeList{ids: []string{"a", "b"}}
	f.named = 1
	without := func(c *Config) { c.Scaler, c.Workers, c.Plan.RunTime = nil, list, 40*time.Second }
	inSession(t, f, without, func(t *testing.T, s *Session) {
		nameTwo(s)
		if err := s.Start(); err != nil {
			t.Fatal(err)
		}
		await(t, s, "a notice", func(st State) bool { return len(st.Notices) > 0 })
		st := await(t, s, "the end", idle)
		if len(st.Notices) != 0 || len(st.Noticed) != 1 {
			t.Fatalf("after the end: notices %v, noticed %v; want none any more, and one", st.Notices, st.Noticed)
		}
		n := st.Noticed[0]
		if n.Kind != probe.NoticeLeftOut || !strings.Contains(n.Text, "(b)") || !n.AtEnd || !n.Lasting() || n.Held < 30*time.Second || n.Held > 36*time.Second {
			t.Errorf("noticed %+v, want that b got nothing, for 30 to 36 s, to the end", n)
		}
		if got, want := st.Fleet.SourceLine(), "workers list: 2 running · answers: 1"; got != want {
			t.Errorf("the sources are %q, want %q", got, want)
		}
	})
}

func TestOtherNamesOnlyCount(t *testing.T) {
	f, list := newFakeFleet(10*time.Millisecond, profiles.FixedPolicy(2)), &fakeList{ids: []string{"w1", "w2", "w3"}}
	f.named = 2
	inSession(t, f, func(c *Config) { c.Scaler, c.Workers = nil, list }, func(t *testing.T, s *Session) {
		nameTwo(s)
		if err := s.Start(); err != nil {
			t.Fatal(err)
		}
		st := await(t, s, "two that answer", func(st State) bool { return st.Fleet.Answering() == 2 })
		if got, want := st.Fleet.SourceLine(), "workers list: 3 running (by other names) · answers: 2"; got != want {
			t.Errorf("the sources are %q, want %q", got, want)
		}
		if len(st.Fleet.Replicas) != 2 || !st.Fleet.Statement(probe.FromWorkers).Apart {
			t.Errorf("the fleet is %+v, want the two that answer, and the list apart", st.Fleet)
		}
		later := await(t, s, "20 s", func(later State) bool { return later.At.Sub(st.At) > 20*time.Second })
		if of := later.Fleet.Statement(probe.FromAnswers); of.At.Sub(of.Since) < 20*time.Second {
			t.Errorf("two have answered since %v at %v, want since they first did", of.Since, of.At)
		}
		if n := later.Points[len(later.Points)-1].Answering; n != later.Fleet.Answering() {
			t.Errorf("%d answer in the chart, and %d in the fleet", n, later.Fleet.Answering())
		}
	})
}

func TestKeepNoticed(t *testing.T) {
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	pinned, other := probe.Notice{Kind: probe.NoticePinned, Text: "1"}, probe.Notice{Kind: probe.NoticeDisagree, Text: "2"}
	var got []Noticed
	for i, now := range [][]probe.Notice{{}, {pinned}, {pinned, other}, {other}, {other}, {pinned, other}} {
		got = keepNoticed(at(i), got, now)
	}
	want := []Noticed{
		{Notice: pinned, First: at(1), Last: at(5), Held: time.Second, AtEnd: true},
		{Notice: other, First: at(2), Last: at(5), Held: 3 * time.Second, AtEnd: true},
	}
	if !slices.Equal(got, want) {
		t.Errorf("keepNoticed = %+v, want %+v", got, want)
	}
	if got = keepNoticed(at(6), got, nil); got[1].AtEnd || got[1].Lasting() {
		t.Errorf("after the last one: %+v, want that it does not hold any more, and did not for long", got[1])
	}
}

// What had gone before a load is no part of it.
func TestReplicasOfEarlierLoads(t *testing.T) {
	began := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	row := func(id string, state probe.State, since int, answered bool) probe.Replica {
		return probe.Replica{ID: id, State: state, Since: began.Add(time.Duration(since) * time.Second), Answered: answered}
	}
	f := during(probe.Fleet{Replicas: []probe.Replica{
		row("a", probe.Serving, -60, true), row("b", probe.Ready, -60, false), row("c", probe.Gone, -60, false),
		row("d", probe.Gone, 5, false), row("e", probe.Gone, -1, true), {ID: "f", State: probe.Gone},
	}}, began)
	var got []string
	for _, r := range f.Replicas {
		got = append(got, r.ID)
	}
	if want := []string{"a", "b", "d", "e"}; !slices.Equal(got, want) {
		t.Errorf("during the load there are %v, want %v", got, want)
	}
}

// What had been starting for long when it was first seen does not start now.
func TestWhatStartsIsLoggedOnce(t *testing.T) {
	began := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	s := &Session{began: began, seen: map[string]probe.State{}, answered: map[string]bool{}}
	starting := func(id string, since time.Time) probe.Replica {
		return probe.Replica{ID: id, State: probe.Starting, Since: since}
	}
	for i := range 3 {
		now := began.Add(time.Duration(i+1) * time.Second)
		s.noticeReplicas(now, probe.Fleet{Replicas: []probe.Replica{starting("a", time.Time{}), starting("b", began.Add(-time.Minute)), starting("c", began.Add(time.Second))}})
	}
	if e := s.state.Events; len(e) != 1 || e[0].Text != "c starts" {
		t.Errorf("the log has %v, want that c starts", e)
	}
}

// A scaler knows better than a list since when a replica has been ready; of one
// that starts, or that is only named, nobody knows.
func TestReadySince(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	list := []probe.Replica{{ID: "a", Created: at, StartedIn: time.Second}, {ID: "b", Created: at, StartedIn: 2 * time.Second}, {ID: "c", State: probe.Ready}}
	managed := []probe.Replica{{ID: "a", Created: at, StartedIn: 3 * time.Second}, {ID: "d", Created: at, State: probe.Starting}}
	want := map[string]time.Time{"a": at.Add(3 * time.Second), "b": at.Add(2 * time.Second)}
	if got := readySince(list, managed); !maps.Equal(got, want) {
		t.Errorf("readySince = %v, want %v", got, want)
	}
}
