package advisor

import (
	"slices"
	"testing"
	"time"

	"headroom/probe"
	"headroom/profiles"
)

// testLog is a session that began at a moment, and what it has logged since.
func testLog(t *testing.T) (s *Session, logged func() []string) {
	t.Helper()
	plan := profiles.DefaultPlan()
	plan.Target = "http://service/"
	s, err := NewSession(Config{Plan: plan})
	if err != nil {
		t.Fatal(err)
	}
	s.began = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	return s, func() []string {
		var out []string
		for _, e := range s.state.Events {
			out = append(out, e.At.Format("05 ")+e.Kind+": "+e.Text)
		}
		return out
	}
}

// Each moment that a chart marks is a line, once.
func TestTheLogHasWhatChartsMark(t *testing.T) {
	sess, logged := testLog(t)
	facts := facts{Loads: []stretch{{}}, Points: judged(planned(joined(holding(10, 10), holding(30, 50))...), "++++++++++++-------++++++++++"),
		Edits: []edit{{At: 35 * s, Text: "by hand", Steer: true}}}
	for now := s; now <= 40*s; now += s {
		facts.Now = now
		so := facts
		so.Points = facts.Points[:now/s]
		sess.noticeLoad(sess.began.Add(now), newTimeline(so))
	}
	want := []string{"10 load: 10 -> 50 users", "13 slo: the SLO is lost", "20 slo: the SLO is regained"}
	if got := logged(); !slices.Equal(got, want) {
		t.Errorf("logged %q, want %q", got, want)
	}
}

// What was on its way before anybody looked is no news, what comes after is.
func TestTheLogTellsWhatStartsSince(t *testing.T) {
	sess, logged := testLog(t)
	look := func(at time.Duration, replicas ...probe.Replica) {
		sess.noteReport(sess.began.Add(at), probe.FromWorkers, probe.ReportOf(replicas), nil)
		_, fleet, _ := sess.look(sess.began.Add(at))
		sess.noticeReplicas(sess.began.Add(at), fleet)
	}
	look(s, probe.Replica{ID: "a", State: probe.Starting})
	look(2*s, probe.Replica{ID: "a", State: probe.Starting}, probe.Replica{ID: "b", State: probe.Starting})
	look(3*s, probe.Replica{ID: "a", State: probe.Ready}, probe.Replica{ID: "b", State: probe.Starting})
	want := []string{"02 replica: b starts", "03 replica: a is ready"}
	if got := logged(); !slices.Equal(got, want) {
		t.Errorf("logged %q, want %q", got, want)
	}
}
