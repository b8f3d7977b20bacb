package probe

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// service is a target that a watch looks at: a request every half a second,
// from noon on.
type service struct {
	t     *testing.T
	watch Watch
	look  Look
	now   time.Time
	told  []string // the changes with their second
}

func newService(t *testing.T, source string) *service {
	return &service{t: t, look: Look{Source: source}, now: time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)}
}

// send lets so many requests be answered by the replicas in turn; "" is none,
// and a ! before a name that the answer was a failure.
func (s *service) send(n int, names ...string) *service {
	for i := range n {
		s.now = s.now.Add(time.Second / 2)
		name, failed := strings.CutPrefix(names[i%len(names)], "!")
		s.look.Requests++
		if failed {
			s.look.Failed++
			s.look.Last = s.now
			if s.look.First.IsZero() {
				s.look.First = s.now
			}
		}
		if name != "" {
			at := slices.IndexFunc(s.look.Replicas, func(r Replica) bool { return r.ID == name })
			if at < 0 {
				s.look.Replicas = append(s.look.Replicas, Replica{ID: name, FirstSeen: s.now})
				at = len(s.look.Replicas) - 1
			}
			r := &s.look.Replicas[at]
			r.Requests++
			r.LastSeen = s.now
			if failed {
				r.Failed++
			}
		}
		s.observe()
	}
	return s
}

func (s *service) observe() {
	l := s.look
	l.Replicas = slices.Clone(l.Replicas)
	for _, c := range s.watch.Observe(s.now, l) {
		s.told = append(s.told, fmt.Sprintf("%s %s: %s", c.At.Format("04:05"), c.Kind, c.Text))
	}
}

func TestWatchTellsChanges(t *testing.T) {
	for _, tt := range []struct {
		name string
		run  func(s *service)
		want []string
	}{
		{"those that are there are met", func(s *service) { s.send(30, "a", "b", "c") }, []string{
			"00:00 source: replicas are named by json:id", "00:00 met: a answers", "00:01 met: b answers", "00:01 met: c answers",
		}},
		{"one that comes later appears", func(s *service) { s.send(30, "a", "b").send(6, "a", "b", "c") }, []string{
			"00:00 source: replicas are named by json:id", "00:00 met: a answers", "00:01 met: b answers", "00:16 appears: c appears",
		}},
		{"one that stays away is quiet, then gone, and comes back", func(s *service) {
			s.send(60, "a", "b", "c").send(60, "a", "b").send(1, "c").send(2, "a", "b")
		}, []string{
			"00:00 source: replicas are named by json:id", "00:00 met: a answers", "00:01 met: b answers", "00:01 met: c answers",
			"00:44 quiet: c has been quiet since 12:00:30", "00:54 gone: c is gone: nothing since 12:00:30, in 48 answers",
			"01:00 again: c answers again, after 31s",
		}},
		{"one that a scaler leaves idle", func(s *service) {
			s.look.Chosen = true
			s.send(4, "a", "b").send(100, "a")
		}, []string{
			"00:00 source: replicas are named by json:id", "00:00 met: a answers", "00:01 met: b answers",
		}},
		{"replaced one by one", func(s *service) { s.send(30, "a", "b").send(60, "c", "d") }, []string{
			"00:00 source: replicas are named by json:id", "00:00 met: a answers", "00:01 met: b answers", "00:15 appears: c appears", "00:16 appears: d appears",
			"00:31 quiet: a has been quiet since 12:00:14", "00:31 quiet: b has been quiet since 12:00:15",
			"00:39 gone: a is gone: nothing since 12:00:14, in 49 answers", "00:39 gone: b is gone: nothing since 12:00:15, in 48 answers",
		}},
		{"a target that comes up late", func(s *service) { s.send(20, "!").send(2, "a") }, []string{
			"00:00 down: every request fails: refused", "00:10 up: requests succeed, after 10s", "00:10 source: replicas are named by json:id", "00:10 met: a answers",
		}},
		{"a target that goes away and comes back", func(s *service) { s.send(20, "a").send(10, "!").send(2, "a") }, []string{
			"00:00 source: replicas are named by json:id", "00:00 met: a answers", "00:11 failing: 2 of the last 20 requests failed: refused", "00:12 down: every request fails: refused", "00:15 up: requests succeed, after 5s",
			"00:15 again: a answers again, after 6s",
		}},
		{"the cause of an outage changes", func(s *service) {
			s.send(20, "a").send(10, "!")
			s.look.Problem = "422"
			s.send(2, "!")
			s.look.Problem = "refused"
			s.send(2, "!").send(1, "a")
		}, []string{
			"00:00 source: replicas are named by json:id", "00:00 met: a answers", "00:11 failing: 2 of the last 20 requests failed: refused", "00:12 down: every request fails: refused",
			"00:15 failing: every request fails, now: 422", "00:17 up: requests succeed, after 7s", "00:17 again: a answers again, after 8s",
		}},
		{"names that never come back", func(s *service) {
			for i := range 60 {
				s.send(1, fmt.Sprint("id-", i))
			}
			s.look.Source, s.look.Replicas, s.look.Why = "", nil, "json:id is no name: 60 values in 60 answers"
			s.send(5, "")
		}, []string{
			"00:30 source: replicas are no longer told apart: json:id is no name: 60 values in 60 answers",
		}},
		{"a place that no answer has", func(s *service) { s.send(40, "") }, nil},
		{"half of the requests fail, which is no end", func(s *service) { s.send(40, "a", "!").send(20, "a") }, []string{
			"00:00 source: replicas are named by json:id", "00:00 met: a answers", "00:02 failing: 2 of the last 4 requests failed: refused", "00:30 recovered: the last 20 requests succeeded",
		}},
		{"one replica fails", func(s *service) { s.send(20, "a", "b").send(20, "a", "!b").send(40, "a", "b") }, []string{
			"00:00 source: replicas are named by json:id", "00:00 met: a answers", "00:01 met: b answers",
			"00:12 failing: 2 of the last 12 answers of b failed", "00:40 recovered: the last 20 answers of b were good",
		}},
	} {
		s := newService(t, "json:id")
		s.look.Problem = "refused"
		tt.run(s)
		if diff := cmp.Diff(tt.want, s.told); diff != "" {
			t.Errorf("%s: Observe tells (- want, + got):\n%s", tt.name, diff)
		}
	}
}

// Another source has other names: what the old ones were is forgotten.
func TestWatchForgetsWithTheSource(t *testing.T) {
	s := newService(t, "json:id").send(10, "a", "b")
	s.look.Source, s.look.Replicas = "header:X-Pod", nil
	s.send(30, "pod-1")
	if got := s.watch.Replicas(); len(got) != 1 || got[0].ID != "pod-1" || got[0].Share != 1 {
		t.Errorf("Replicas() = %+v, want pod-1 with all answers", got)
	}
	if last := s.told[len(s.told)-1]; last != "00:05 met: pod-1 answers" {
		t.Errorf("the last change is %q, want that pod-1 is met", last)
	}
}

func TestWatchReplicas(t *testing.T) {
	s := newService(t, "json:id").send(40, "a", "b").send(60, "b", "c").send(300, "c", "c", "b")
	var got []string
	for _, r := range s.watch.Replicas(Replica{ID: "d", State: Ready}) {
		got = append(got, fmt.Sprintf("%s %s %.2f", r.ID, r.State, r.Share))
	}
	if diff := cmp.Diff([]string{"b serving 0.34", "c serving 0.67", "d ready 0.00", "a gone 0.00"}, got); diff != "" {
		t.Errorf("Replicas() (- want, + got):\n%s", diff)
	}
	if quiet, gone := s.watch.Patience(); quiet != 14 || gone != 20 {
		t.Errorf("Patience() = %d, %d, want 14, 20", quiet, gone)
	}
	if u := s.watch.Unseen(); u.Seen != 2 || u.High != 2 {
		t.Errorf("Unseen() = %+v, want 2 of 2", u)
	}
}

// With the target all its replicas are quiet.
func TestWatchOfATargetThatIsDown(t *testing.T) {
	s := newService(t, "json:id").send(40, "a", "b").send(20, "!")
	for _, r := range s.watch.Replicas() {
		if r.State != Quiet {
			t.Errorf("%s is %s while every request fails, want quiet", r.ID, r.State)
		}
	}
}

// A failure begins when the first request failed, not when somebody looked.
func TestWatchKnowsSinceWhen(t *testing.T) {
	noon := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	at := func(ms int) time.Time { return noon.Add(time.Duration(ms) * time.Millisecond) }
	for _, tt := range []struct {
		name        string
		first, last time.Time
		want        time.Time
	}{
		{"the first of its kind", at(1100), at(1200), at(1100)},
		{"there was one before", at(100), at(1200), at(1200)},
	} {
		var w Watch
		w.Observe(at(1000), Look{Source: "json:id", Requests: 40, Replicas: []Replica{{ID: "a", Requests: 40}}})
		w.Observe(at(1250), Look{Source: "json:id", Requests: 60, Failed: 20, First: tt.first, Last: tt.last, Replicas: []Replica{{ID: "a", Requests: 40}}})
		if got := w.Down(); !got.Equal(tt.want) {
			t.Errorf("%s: Down() = %s, want %s", tt.name, got.Format("05.000"), tt.want.Format("05.000"))
		}
	}
}

// What is not met again since replicas came or went does not count as drawn.
func TestWatchUnseenAfterAMove(t *testing.T) {
	s := newService(t, "json:id").send(60, "a", "b", "c", "d").send(2, "e", "a")
	want := EstimateUnseen(2, 2)
	want.Seen, want.Total, want.Low = 5, 5, 5
	if got := s.watch.Unseen(); got != want {
		t.Errorf("Unseen() two answers after one of five appeared = %+v, want %+v", got, want)
	}
	s.send(58, "e", "a", "b", "c", "d")
	if got := s.watch.Unseen(); got.High != 5 {
		t.Errorf("Unseen() = %+v, want 5 of 5", got)
	}
}

// Of many outcomes at once no failure is lost, nor that some succeeded.
func TestOutcomesTakeMany(t *testing.T) {
	for _, tt := range []struct {
		requests, failed int64
		want             int
	}{{26, 1, 1}, {26, 0, 0}, {5000, 2, 1}, {5000, 2500, 10}, {5000, 4999, 19}, {5000, 5000, 20}} {
		var o outcomes
		if o.add(tt.requests, tt.failed); o.failed() != tt.want {
			t.Errorf("%d of %d failed: %d of the latest, want %d", tt.failed, tt.requests, o.failed(), tt.want)
		}
	}
}

// A random balancer over replicas that all stay is hardly ever told to lose one.
func TestWatchIsCalm(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	s := newService(t, "json:id")
	for range 7200 { // an hour
		s.send(1, string(rune('a'+random.IntN(5))))
	}
	gone, quiet := 0, 0
	for _, told := range s.told {
		if strings.Contains(told, " gone: ") {
			gone++
		}
		if strings.Contains(told, " quiet: ") {
			quiet++
		}
	}
	if gone > 0 || quiet > 3 {
		t.Errorf("in an hour %d replicas were called gone and %d quiet, want 0 and 3 at most:\n%s", gone, quiet, strings.Join(s.told, "\n"))
	}
}

// Answers may come by the dozen between two Looks.
func TestWatchTakesManyAtOnce(t *testing.T) {
	s := newService(t, "json:id")
	s.look.Requests, s.look.Failed = 5000, 2
	s.look.Replicas = []Replica{{ID: "a", Requests: 2600, Failed: 2}, {ID: "b", Requests: 2400}}
	s.observe()
	want := []string{"00:00 source: replicas are named by json:id", "00:00 met: a answers", "00:00 met: b answers"}
	s.look.Requests += 10_000
	s.look.Replicas[0].Requests += 10_000
	s.observe()
	want = append(want, "00:00 gone: b is gone: nothing since 00:00:00, in 10000 answers")
	if diff := cmp.Diff(want, s.told); diff != "" {
		t.Errorf("Observe tells (- want, + got):\n%s", diff)
	}
}
