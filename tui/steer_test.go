package tui

import (
	"errors"
	"strings"
	"testing"

	"headroom/advisor"
	"headroom/load"
	"headroom/profiles"
)

// drainingState is a swarm that waits for its last answers.
func openState() advisor.State {
	st := steadyState()
	st.Plan.Rate, st.Load.Open, st.Load.Planned = 40, true, 40
	return st
}

// rateState is an open swarm at a rate.
func rateState(perSecond float64) advisor.State {
	st := openState()
	st.Plan.Rate = perSecond
	return st
}

// shapedState is a swarm that follows a shape, which stands at 40/s or at 50
// users.
func shapedState(open bool) advisor.State {
	st := steadyState()
	shape := profiles.Constant(7)
	if open {
		st = openState()
		st.Plan.Rate, st.Plan.Shape = 0, shape
	} else {
		st.Plan.UserShape = shape
	}
	st.Load.Shaped = true
	return st
}

// Whatever a key changes, it can be seen: at once, or in a notice.
func TestKeysOfTheLoadSaySomething(t *testing.T) {
	for _, test := range []struct {
		name        string
		state       advisor.State
		keys        []string
		asked, says string
	}{
		{"idle", ended(steadyState()), []string{"w"}, "users 51", "✓ the next swarm will have 51 users"},
		{"draining", drainingState(), []string{"W"}, "users 60", "✓ the next swarm will have 60 users"},
		{"measuring", measuringState(), []string{"w"}, "", "✗ the measurement has a load of its own"},
		{"replaying", replayingState(), []string{"right"}, "", "✗ the replay has a load of its own"},
		{"edit while measuring", measuringState(), []string{"e"}, "", "✗ the measurement has a load of its own"},
		{"edit while idle", ended(steadyState()), []string{"e", "0", "tab", "0", "enter"}, "spawn rate 50, users 500",
			"✓ the next swarm will start 50 users per second and have 500 users"},
		{"too many", steadyState(), []string{"e", "ctrl+u", "1m", "enter", "w"}, "users 1000000, users 1000000", "✗ 1000000 users are the most"},
		{"draining, advise", drainingState(), []string{"a"}, "", "✗ the swarm is ending"},
		{"draining, verify", drainingState(), []string{"v"}, "", "✗ the swarm is ending"},
		{"draining, pause", drainingState(), []string{"P"}, "", "✗ there is no swarm to pause"},
		{"draining, stop", drainingState(), []string{"esc"}, "stop", "✓ the swarm is ending, and nothing comes after it"},
		{"advise", steadyState(), []string{"a"}, "advise", "✓ the swarm makes room for the measurement and comes back afterwards"},
		{"verify", advisedState(), []string{"v"}, "verify", "✓ the swarm makes room for the replay and comes back afterwards"},
		{"traffic before a measurement", idleState(), []string{"e", "shift+tab", "ctrl+u", "5..9", "enter"}, "traffic 5..9",
			"✓ the advice will be for 5..9 requests/s: press a to measure"},
		{"traffic after it", measuredState(), []string{"e", "shift+tab", "5..9", "enter"}, "traffic 5..9",
			"✓ the advice for 5..9 requests/s is in view 5"},
		{"traffic of an open load", openState(), []string{"e", "tab", "0", "tab", "enter"}, "traffic 50..2000", "✓ the advice will be for 50..2000"},
		{"a rate", openState(), []string{"w", "W", "right", "s", "S", "left"}, "rate 41, rate 51, rate 53.6, rate 52.6, rate 42.6, rate 40.5", "arrivals 40/s"},
		{"a high rate", rateState(12345), []string{"w", "right", "left"}, "rate 12346, rate 12963, rate 12315", "arrivals 40/s"},
		{"a low rate", rateState(0.5), []string{"right", "w", "s", "s", "S"}, "rate 0.525, rate 1.53, rate 0.53", "✗ arrivals must go on: ← takes 5 % off the rate"},
		{"a rate while idle", ended(openState()), []string{"w"}, "rate 41", "✓ the next swarm will bring 41 arrivals per second"},
		{"a rate while measuring", func() advisor.State {
			st := measuringState()
			st.Plan.Rate = 40
			return st
		}(), []string{"w"}, "", "✗ the measurement has a load of its own"},
		{"edit a rate", openState(), []string{"e", "ctrl+u", "600/1m", "enter", "w"}, "rate 10, rate 11", "arrivals 40/s"},
		{"edit a rate while idle", ended(openState()), []string{"e", "0", "enter"}, "rate 400", "✓ the next swarm will bring 400 arrivals per second"},
		{"arrivals of a shape", shapedState(true), []string{"right"}, "rate 42", "✓ the shape of the load is over: from here on 42 arrivals per second"},
		{"users of a shape", shapedState(false), []string{"w", "W"}, "users 51, users 61", "✓ the shape of the load is over: from here on 61 users"},
		{"users of a shape while idle", ended(shapedState(false)), []string{"w"}, "users 8", "✓ the next swarm will have 8 users"},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := drive(t, test.state)
			h.press(test.keys...)
			h.wantAsked(test.asked)
			h.wantShown(test.says)
		})
	}
}

func TestAdviseWhileIdleSaysNothingOfASwarm(t *testing.T) {
	h := drive(t, idleState())
	h.press("a")
	h.wantAsked("advise")
	h.wantHidden("comes back")
}

func TestRefusedCallsDoNotSayTheyWereDone(t *testing.T) {
	h := drive(t, steadyState())
	h.c.err = errors.New("another job is under way: stop it first")
	h.press("a")
	h.wantShown("✗ another job is under way")
	h.wantHidden("comes back")
}

// News of a job that has ended is old; why something went wrong is not.
func TestNoticesEndWithTheJob(t *testing.T) {
	h := drive(t, steadyState())
	h.press("a")
	h.state(measuringState())
	h.wantShown("comes back afterwards")
	h.state(advisedState())
	h.wantHidden("comes back afterwards")

	h = drive(t, measuringState())
	h.press("w")
	h.state(advisedState())
	h.wantShown("✗ the measurement has a load of its own")
}

func TestEditOffersWhatTheLoadHas(t *testing.T) {
	h := drive(t, openState())
	h.wantHidden("w/s users")
	h.wantShown("w/s rate")
	h.press("e")
	h.wantShown("rate       40")
	h.wantHidden("spawn rate  ")
	h.press("tab", "ctrl+u", "x")
	h.wantShown(`✗ traffic: got "x", want LOW..HIGH in requests per second with 0 < LOW <=`)
	h.wantShown("HIGH, such as 50..200")
	h.press("ctrl+u", "enter") // it can be changed, not taken away
	h.wantShown(`✗ traffic: got ""`)
	h.wantAsked("")
}

func TestEditBoundsTheUsers(t *testing.T) {
	h := drive(t, steadyState())
	h.press("e", "ctrl+u", "5000000000", "enter")
	h.wantShown(`✗ users: got "5000000000", want 1000000 at most`)
	h.wantAsked("")
}

// A question ends with what it asks about, and a late yes does nothing.
func TestQuestionsEndWithTheirJob(t *testing.T) {
	for _, test := range []struct {
		name       string
		state      advisor.State
		key        string
		question   string
		next       advisor.State
		afterwards string
	}{
		{"stop, measuring instead", advisedState(), "esc", "Stop the swarm?", measuringState(), "✗ the swarm has ended meanwhile"},
		{"stop, draining instead", steadyState(), "esc", "Stop the swarm?", drainingState(), "✗ the swarm has ended meanwhile"},
		{"stop, nothing instead", measuringState(), "esc", "Stop the measurement?", ended(steadyState()), "✗ the measurement has ended meanwhile"},
		{"quit", replayingState(), "q", "Stop the replay and quit?", advisedState(), "✗ the replay has ended meanwhile"},
		{"reset", steadyState(), "r", "Reset the statistics", measuringState(), "✗ the swarm has ended meanwhile"},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := drive(t, test.state)
			h.press(test.key)
			h.state(test.state)
			h.wantShown(test.question)
			h.state(test.next)
			h.wantHidden(test.question)
			h.wantShown(test.afterwards)
			h.press("y")
			h.wantAsked("")
			if h.quit {
				t.Error("the program ended")
			}
		})
	}
}

// While nothing loads the target, the latest swarm is in view, or nothing.
func TestIdleShowsTheSwarmAndNoStep(t *testing.T) {
	h := drive(t, stoppedState())
	h.wantShown("■ idle, last run 01:42")
	h.wantShown("users 50/50")
	st := stoppedState()
	st.Swarm = nil
	h.state(st)
	h.wantShown("■ idle: press enter to start")
	h.wantHidden("last run")
}

func TestStoppedMeasurementIsNotTheAdvices(t *testing.T) {
	h := drive(t, stoppedState())
	h.m.h = 60
	h.press("5")
	h.wantShown("✓ in force at the scaler")
	h.wantShown("! The latest measurement did not end: this rests on the one before it.")
	h.wantShown("Steps of a measurement that did not end")

	st := stoppedState()
	st.Advice = nil
	h.state(st)
	h.wantShown("No measurement yet")
	h.wantShown("Steps of a measurement that did not end")

	h.state(verifiedState())
	h.wantShown("one replica: ")
	h.wantHidden("did not end")
}

func TestReplayShowsHowFarItIs(t *testing.T) {
	h := drive(t, replayingState())
	h.press("5")
	h.wantShown("Replaying the load for the comparison under the advice")
	h.wantShown("████████████░░░░░░░░░░░░░░░░░░  00:12 of 00:30")
	h.wantShown("50 of 50 users · so far p95 82.6 ms, 0.00% failed of 37876 requests")
	h.wantShown("not measured") // after
	h.wantHidden("No measurement yet")

	st := replayingState()
	st.Load.Phase = load.Done // the load before it
	h.state(st)
	h.wantShown("00:00 of 00:30")
	h.wantShown("about to begin")
	st = replayingState()
	st.Load.Open, st.Load.Planned, st.Applied = true, 12.5, false
	h.state(st)
	h.wantShown("under the policy that was there before")
	h.wantShown("arrivals 12.5/s · so far")
}

// What the Advisor's view shows next is shown from its top.
func TestAdvisorScrollsAnewForAnotherTopic(t *testing.T) {
	h := drive(t, advisedState())
	h.press("5", "j", "j", "j")
	h.wantHidden("rows 1 to")
	h.state(advisedState())
	h.wantHidden("rows 1 to")
	h.state(measuringState())
	h.state(advisedState())
	h.wantShown("rows 1 to")
}

// The footer of a frozen screen says what keys do now.
func TestFrozenAdvisorKeepsItsPlace(t *testing.T) {
	h := drive(t, advisedState())
	h.press("5", "j", "j", "j", " ")
	view := func() string { return h.frame()[:strings.LastIndex(h.frame(), "\n")] }
	frozen := view()
	h.wantHidden("\n esc stop  y copy")
	h.state(measuringState())
	if view() != frozen {
		t.Errorf("the frozen view moved:\n%s", h.frame())
	}
	h.wantShown("\n esc stop  y copy")
	h.press(" ")
	h.wantShown("Measuring what one replica holds")
}

// The problem has lines of its own: it hides neither the end of the view nor
// what is said.
func TestProblemLeavesTheRestLegible(t *testing.T) {
	st := idleState()
	st.Problem = "swarm http://127.0.0.1:1/: dial tcp 127.0.0.1:1: connect: connection refused, and that is a long text which needs more than one line"
	h := drive(t, st)
	h.press("5")
	h.wantShown("next  a measure")
	h.press("w")
	h.wantShown("✓ the next swarm will have 51 users")
	h.wantShown("✗ the last job failed: swarm http://127.0.0.1:1/")
	h.wantShown("needs more than one line")
	checkFrame(t, h.frame(), leastWidth, leastHeight)
	if n := strings.Count(h.frame(), "\n") + 1; n != leastHeight {
		t.Errorf("%d lines on a screen of %d", n, leastHeight)
	}
}

func TestAdvisorSaysWhichKeyTakesTheTraffic(t *testing.T) {
	st := idleState()
	st.Traffic = profiles.Traffic{}
	h := drive(t, st)
	h.press("5")
	h.wantShown("e takes it, LOW..HIGH in")
	h.state(measuredState())
	h.wantShown("! Say the traffic with e, LOW..HIGH in requests/s")
	h.wantShown("next  e say the traffic · a measure again")
}

// Both clocks are on every screen with the same percentiles, and names that
// differ still do.
func TestRequestsShowBothClocks(t *testing.T) {
	st := steadyState()
	for _, id := range []string{"4711", "4712"} {
		st.Load.Requests = append(st.Load.Requests, stats("GET /v1/customers/"+id+"/invoices/latest/and/all/of/their/positions", 60_000*ms, 20, 0, 12*ms))
	}
	for w, names := range map[int][]string{80: {"ositions~1 ", "ositions~2 "}, 200: {"/4711/invoices/latest/", "/4712/invoices/latest/"}} {
		frame := showing(st, plainStyles(), viewRequests, w, 30).View()
		for _, want := range append(names, "p50     p90     p95     p99", "   12.0    36.0    84.0   132.0", "   10.8    32.4    75.6   118.8", "service time from") {
			if !strings.Contains(frame, want) {
				t.Errorf("%d columns: want %q:\n%s", w, want, frame)
			}
		}
	}
}

func TestFailuresShowHowLongTheyTook(t *testing.T) {
	frame := showing(failingState(), plainStyles(), viewFailures, 80, 30).View()
	for _, want := range []string{"ms until it failed", "status 503           440.0   100.0   400.0    1200    2800", "  service time"} {
		if !strings.Contains(frame, want) {
			t.Errorf("want %q:\n%s", want, frame)
		}
	}
}

func TestSharesAreComparedWithTheLargest(t *testing.T) {
	st := steadyState()
	for i, share := range []float64{0.5, 0.25, 0} {
		st.Fleet.Replicas[i].Share = share
	}
	frame := showing(st, plainStyles(), viewReplicas, 200, 50).View()
	for _, want := range []string{"of the largest share\n", "  " + strings.Repeat("█", 20) + "\n", "  " + strings.Repeat("█", 10) + "\n", "  –\n"} {
		if !strings.Contains(frame, want) {
			t.Errorf("the view does not show %q:\n%s", want, frame)
		}
	}
}
