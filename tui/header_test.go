package tui

import (
	"math"
	"regexp"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"headroom/advisor"
	"headroom/load"
	"headroom/probe"
	"headroom/profiles"
)

func header(st advisor.State) string {
	return ansi.Strip(strings.Join(renderHeader(st, plainStyles(), 120), "\n"))
}

// In the open model users stay when their arrivals have gone: what counts is
// how many have a request.
func TestBusyUsersHaveARequest(t *testing.T) {
	st := steadyState()
	st.Load.Open = true
	for i := range st.Points {
		st.Points[i].Users, st.Points[i].InFlight = 126, 3
	}
	c := usersChart(st, zoomFive, 80)
	for _, v := range c.curves[0].values {
		if !math.IsNaN(v) && v != 3 {
			t.Fatalf("%s: %v, want 3", c.title, v)
		}
	}
}

func TestHeaderSays(t *testing.T) {
	change := func(st advisor.State, how func(*advisor.State)) advisor.State {
		how(&st)
		return st
	}
	for _, test := range []struct {
		name  string
		state advisor.State
		want  []string
	}{
		{"idle", idleState(), []string{"■ idle: press enter to start", "50 users planned, 5 started per second", "SLO p95<100ms,errors<1%", "no load yet"}},
		{"swarming", steadyState(), []string{"▶ swarming 01:42 of 05:00", "users 50/50 +5/s", "412.6 req/s", "fail  0.00%", "p95  82.6", "SLO p95<100ms ✓ 82.6ms  errors<1% ✓ 0%", "✓ sound", "3 of 3 replicas up"}},
		{"without end", change(steadyState(), func(st *advisor.State) { st.Load.Ends = 0 }), []string{"▶ swarming 01:42  http"}},
		{"draining", change(steadyState(), func(st *advisor.State) { st.Load.Phase = load.Draining }), []string{"draining 01:42"}},
		{"done", ended(steadyState()), []string{"■ idle, last run 01:42", "371.3 req/s"}},
		{"measuring", measuringState(), []string{"◆ measuring 00:42 of 01:30", "arrivals 7.03/s │", "1 of 1 replica up, pinned"}},
		{"measuring with users", change(measuringState(), func(st *advisor.State) { st.Load.Open = false }), []string{"users 2/2 │"}},
		{"applying", change(advisedState(), func(st *advisor.State) { st.Phase = advisor.Applying }), []string{"◆ applying"}},
		{"replaying", replayingState(), []string{"◆ replaying 00:12 of 00:30"}},
		{"arrivals", change(steadyState(), func(st *advisor.State) { st.Load.Open, st.Load.Planned, st.Load.InFlight = true, 40, 7 }), []string{"arrivals 40/s │", "busy 7"}},
		{"arrivals that waited", change(steadyState(), func(st *advisor.State) { st.Load.Open, st.Load.Health.Late, st.Load.Health.Unsent = true, 7, 5 }), []string{"waited 12"}},
		{"beats that were missed", change(steadyState(), func(st *advisor.State) { st.Load.Health.Missed = 7 }), []string{"missed 7"}},
		{"arrivals that were dropped", change(steadyState(), func(st *advisor.State) { st.Load.Open, st.Load.Health.Dropped = true, 7 }), []string{"dropped 7"}},
		{"users over time", change(steadyState(), func(st *advisor.State) {
			st.Load.Shaped = true
		}), []string{"▶ swarming 01:42 of 05:00", "users 50/50 as planned"}},
		{"users over time planned", change(idleState(), func(st *advisor.State) { st.Plan.UserShape = profiles.Constant(1) }), []string{"users over time planned"}},
		{"arrivals over time planned", change(idleState(), func(st *advisor.State) { st.Plan.Shape = profiles.Constant(1) }), []string{"arrivals over time planned"}},
		{"arrivals planned", change(idleState(), func(st *advisor.State) { st.Plan.Rate = 12.5 }), []string{"arrivals 12.5/s planned"}},
		{"failing", failingState(), []string{"✗ limited", "fail 15.00%", "p95<100ms ✗ ∞", "errors<1% ✗ 15%", "answers name no replica"}},
		{"strained", change(steadyState(), func(st *advisor.State) { st.Load.Health.Verdict = load.Strained }), []string{"! strained"}},
		{"no SLO", change(steadyState(), func(st *advisor.State) { st.SLO, st.Load.SLO = nil, nil }), []string{"no SLO given"}},
		{"a threshold", judgedBy(steadyState(), "http_req_duration: p(95)<500", 82.6, true), []string{"errors<1% ✓ 0%  thresholds http_req_duration: p(95)<500 ✓ 82.6"}},
		{"a threshold that is missed", judgedBy(steadyState(), "http_req_duration: p(95)<50", 82.6, false), []string{"errors<1% ✓ 0%  thresholds http_req_duration: p(95)<50 ✗ 82.6"}},
		{"scaler away", change(steadyState(), func(st *advisor.State) { st.ScalerError = "refused" }), []string{"✗ the scaler does not answer"}},
		{"no scaler", change(steadyState(), func(st *advisor.State) { st.Managed = false }), []string{"3 replicas answering"}},
		{"nothing answered", change(steadyState(), func(st *advisor.State) { st.Load.Recent = load.Stats{} }), []string{"fail      –", "p95     –"}},
	} {
		got := header(test.state)
		for _, want := range test.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s: the header does not say %q:\n%s", test.name, want, got)
			}
		}
	}
}

// judgedBy is st with a threshold that has come to a value.
func judgedBy(st advisor.State, threshold string, value float64, holds bool) advisor.State {
	t, err := profiles.ParseThreshold(threshold)
	if err != nil {
		panic(err)
	}
	st.Load.Thresholds = []load.Threshold{{Threshold: t, Value: load.Figure(value), Valid: true, Holds: holds}}
	return st
}

func TestObjectivesSayHowItIsNow(t *testing.T) {
	slo := mustSLO("p95<100ms,errors<1%")
	at := func(p95, errors float64) []load.Objective {
		out := []load.Objective{{Value: p95, Valid: true}, {Value: errors, Valid: true}}
		for i := range out {
			out[i].Objective, out[i].Name, out[i].Holds = slo[i], slo[i].String(), slo[i].Holds(out[i].Value)
		}
		return out
	}
	frozen := at(6, 0)
	frozen[0].AtLeast = true
	noData := []load.Objective{{Objective: slo[0], Name: slo[0].String()}, {Objective: slo[1], Name: slo[1].String()}}
	for _, test := range []struct {
		name     string
		run, now []load.Objective
		want     [2]string
	}{
		{"still so", at(0.7, 0.002), at(0.65, 0), [2]string{"p95<100ms ✗ 650ms", "errors<1% ✓ 0%"}},
		{"better now", at(0.7, 0.002), at(0.08, 0), [2]string{"p95<100ms ✓ 80ms (run ✗ 700ms)", "errors<1% ✓ 0%"}},
		{"worse now", at(0.7, 0.002), at(0.65, 0.03), [2]string{"p95<100ms ✗ 650ms", "errors<1% ✗ 3% (run ✓ 0.2%)"}},
		{"too many failed", at(0.7, 0.002), at(math.Inf(1), 0.2), [2]string{"p95<100ms ✗ ∞", "errors<1% ✗ 20% (run ✓ 0.2%)"}},
		{"frozen", at(0.08, 0.002), frozen, [2]string{"p95<100ms ✗ over 6s (run ✓ 80ms)", "errors<1% ✓ 0%"}},
		{"nothing now", at(0.7, 0.002), noData, [2]string{"p95<100ms · –", "errors<1% · –"}},
		{"no data", noData, nil, [2]string{"p95<100ms · –", "errors<1% · –"}},
	} {
		for i, want := range test.want {
			l := load.Snapshot{Phase: load.Running, SLO: test.run, RecentSLO: test.now}
			if got := objective(l, i, plainStyles()); got != want {
				t.Errorf("%s: got %q, want %q", test.name, got, want)
			}
		}
	}
}

// Where a line is short, what is missed is what it shows.
func TestMissedObjectivesComeFirst(t *testing.T) {
	slo := mustSLO("p95<300ms,errors<1%,ttft.p95<800ms")
	for _, test := range []struct {
		name  string
		holds [3]bool
		width int
		want  string
	}{
		{"all met", [3]bool{true, true, true}, 80, "SLO p95<300ms ✓ 200ms  errors<1% ✓ 0%  ttft.p95<800ms ✓ 200ms"},
		{"no room", [3]bool{true, true, true}, 45, "SLO p95<300ms ✓ 200ms  errors<1% ✓ 0%  +1 ✓"},
		{"the last missed", [3]bool{true, true, false}, 80, "SLO ttft.p95<800ms ✗ 2s  p95<300ms ✓ 200ms  errors<1% ✓ 0%"},
		{"room for it", [3]bool{true, true, false}, 35, "SLO ttft.p95<800ms ✗ 2s  +2 ✓"},
		{"two missed", [3]bool{false, true, false}, 30, "SLO p95<300ms ✗ 2s  +2 ✗"},
		{"room for half", [3]bool{true, true, false}, 20, "SLO ttft.p95<…  +2 ✓"},
	} {
		st := steadyState()
		st.SLO, st.Load.SLO, st.Load.RecentSLO = slo, nil, nil
		for i, holds := range test.holds {
			o := load.Objective{Objective: slo[i], Name: slo[i].String(), Value: 0.2, Valid: true, Holds: holds}
			if slo[i].Measure == profiles.Errors {
				o.Value = 0
			} else if !holds {
				o.Value = 2
			}
			st.Load.SLO = append(st.Load.SLO, o)
		}
		st.Load.RecentSLO = st.Load.SLO
		if got := objectives(st, plainStyles(), test.width); got != test.want || width(got) > test.width {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

// The figures and the objectives below them are always of the same time.
func TestHeaderSpeaksOfOneTime(t *testing.T) {
	with := func(phase load.Phase) advisor.State {
		st := steadyState()
		st.Load.Phase = phase
		st.Load.Recent.Latency.P95, st.Load.RecentSLO[0].Value = 70*ms, 0.07
		return st
	}
	for phase, want := range map[load.Phase]string{load.Running: "70", load.Draining: "82.6", load.Done: "82.6"} {
		got := header(with(phase))
		if !strings.Contains(got, "p95  "+want) || !strings.Contains(got, "p95<100ms ✓ "+want+"ms") {
			t.Errorf("%s: want a p95 of %s in both lines:\n%s", phase, want, got)
		}
	}
	st := with(load.Running)
	st.Load.Recent, st.Load.RecentSLO[0].Valid = load.Stats{}, false
	if got := header(st); !strings.Contains(got, "p95     –") || !strings.Contains(got, "p95<100ms · –") {
		t.Errorf("before the first second: want no p95 in either line:\n%s", got)
	}
	st = with(load.Paused)
	st.Load.RecentSLO = nil
	if got := header(st); !strings.Contains(got, "❚❚ paused") || !strings.Contains(got, "– req/s") || !strings.Contains(got, "p95     –") || !strings.Contains(got, "p95<100ms · –") {
		t.Errorf("in a pause: want no rate and no p95 in either line:\n%s", got)
	}
	if got := ansi.Strip(strings.Join(renderHeader(with(load.Running), plainStyles(), 200), "\n")); !strings.Contains(got, "received 11.8 MB │ requests   37876") {
		t.Errorf("want what was received by all requests:\n%s", got)
	}
}

func TestReplicaNotes(t *testing.T) {
	for _, test := range []struct {
		name string
		st   func() advisor.State
		want string
	}{
		{"found", steadyState, "identity: json:hostname, found by itself; sure: 3 values in 256 answers"},
		{"given", func() advisor.State {
			st := steadyState()
			st.Load.Identity, st.Load.Found = "header:X-Served-By", false
			return st
		}, "identity: header:X-Served-By, as given"},
		{"unnamed", rampingState, "looks like the name of a replica. Let answers carry a header X-Served-By"},
		{"partly named", func() advisor.State {
			st := steadyState()
			st.Load.Unnamed = 12
			return st
		}, "! 12 answers carried no name"},
		{"pinned", func() advisor.State {
			st := steadyState()
			st.Notices = []probe.Notice{{Kind: probe.NoticePinned, Text: "1 of 3 replicas has had nothing for 9s (replica-3)"}}
			return st
		}, "! 1 of 3 replicas has had nothing for 9s (replica-3)"},
		{"spread", func() advisor.State {
			st := steadyState()
			st.Load.Imbalance, st.Load.Unseen = new(0.5), probe.Unseen{Seen: 3, Total: 4, Low: 3, High: 7}
			return st
		}, "3 replicas seen, between 3 and 7 in all"},
		{"dead", func() advisor.State {
			st := steadyState()
			st.Fleet.Replicas[1].State, st.Fleet.Replicas[1].LastError = probe.Failing, "exit status 137"
			return st
		}, "✗ replica-2 ended by itself: exit status 137"},
		{"suspect", func() advisor.State {
			st := steadyState()
			st.Fleet.Replicas[1].State, st.Fleet.Replicas[1].LastError = probe.Suspect, "idle, but no answer to GET /"
			return st
		}, "! replica-2 gets no requests until it answers again: idle, but no answer to GET /"},
		{"scaler away", func() advisor.State {
			st := steadyState()
			st.ScalerError = "connection refused"
			return st
		}, "✗ the scaler does not answer: connection refused"},
		{"fixed", func() advisor.State {
			st := steadyState()
			st.Policy = profiles.FixedPolicy(3)
			return st
		}, "policy in force: always 3 replicas"},
	} {
		frame := ansi.Strip(showing(test.st(), plainStyles(), viewReplicas, 120, 40).View())
		if !strings.Contains(frame, test.want) {
			t.Errorf("%s: the view does not say %q:\n%s", test.name, test.want, frame)
		}
	}
}

// Where answers say what their time is made of, a wide table shows it.
func TestReplicaParts(t *testing.T) {
	st := steadyState()
	st.Fleet.Replicas[1].Parts = &probe.Means{Network: new(3 * ms), Compute: new(47 * ms)}
	for _, test := range []struct {
		w    int
		want bool
	}{{200, true}, {80, false}} {
		frame := ansi.Strip(showing(st, plainStyles(), viewReplicas, test.w, 50).View())
		if got := regexp.MustCompile(`network ms +queue ms +compute ms`).MatchString(frame) && regexp.MustCompile(`replica-2 .* 3\.0 +– +47\.0`).MatchString(frame); got != test.want {
			t.Errorf("%d columns wide: shown %v, want %v:\n%s", test.w, got, test.want, frame)
		}
	}
}

func TestDashboardOfEveryShape(t *testing.T) {
	for _, size := range []struct{ w, h int }{{80, 60}, {200, 24}, {110, 36}, {160, 35}, {400, 120}, {81, 25}} {
		frame := showing(steadyState(), plainStyles(), viewDashboard, size.w, size.h).View()
		checkFrame(t, frame, size.w, size.h)
		for _, want := range []string{"throughput/s", "latency ms", "users", "replicas", "replica-3 answers"} {
			if !strings.Contains(frame, want) {
				t.Errorf("%dx%d does not show %q:\n%s", size.w, size.h, want, frame)
			}
		}
		if n := strings.Count(frame, "\n") + 1; n != size.h {
			t.Errorf("%d lines on a screen of %d", n, size.h)
		}
	}
}

// What is planned stands beside what comes of it, in the chart of its unit.
func TestChartsShowThePlannedLoad(t *testing.T) {
	names := func(c chart) (out string) {
		for _, curve := range c.curves {
			out += curve.name + " "
		}
		return out
	}
	for name, c := range map[string]struct {
		st                advisor.State
		throughput, users string
	}{
		"users":        {steadyState(), "all failed ", "users "},
		"users' shape": {shapedState(false), "all failed ", "users planned "},
		"arrivals":     {openState(), "all failed planned ", "users "},
		"their shape":  {shapedState(true), "all failed planned ", "users "},
	} {
		throughput, users := names(throughputChart(c.st, zoomFive, 80)), names(usersChart(c.st, zoomFive, 80))
		if throughput != c.throughput || users != c.users {
			t.Errorf("%s: charts of %q and %q, want %q and %q", name, throughput, users, c.throughput, c.users)
		}
	}
}

// A freeze is said on every screen, in the place of what was measured before
// it where there is no room for both.
func TestHeaderSaysThatAnswersStopped(t *testing.T) {
	for name, st := range map[string]advisor.State{"closed": steadyState(), "open": openState()} {
		st.Load.InFlight, st.Load.Oldest, st.Load.Health.Unsent = 50, 3200*ms, 112
		for _, w := range []int{80, 200} {
			got := ansi.Strip(strings.Join(renderHeader(st, plainStyles(), w), "\n"))
			if !strings.Contains(got, "waiting 162, oldest 3.2s") || strings.Contains(got, "p95  82.6") != (w == 200) {
				t.Errorf("%s, %d columns: want what waits, and p95 in the wide one:\n%s", name, w, got)
			}
		}
		st.Load.Total.Streams = &load.Streams{Count: 9, Open: 5, Events: 1234}
		st.Load.Oldest, st.Load.Health.Unsent = 182*ms, 0
		if got := ansi.Strip(strings.Join(renderHeader(st, plainStyles(), 80), "\n")); !strings.Contains(got, "streams 5 events 1234") {
			t.Errorf("%s: want the streams that go on:\n%s", name, got)
		}
		if got := header(st); strings.Contains(got, "oldest") {
			t.Errorf("%s: what is as old as others were shows:\n%s", name, got)
		}
	}
}

// What the header calls the load that was not sent in time, the help explains.
func TestHelpExplainsUnserved(t *testing.T) {
	h := drive(t, steadyState())
	h.press("?")
	for word, health := range map[string]load.Health{
		"dropped": {Dropped: 7}, "waited": {Late: 3, Unsent: 4}, "missed": {Missed: 7},
	} {
		if got := unserved(health, plainStyles()); len(got) != 1 || got[0].text != word+" 7" {
			t.Errorf("unserved(%+v) = %v, want %s 7", health, got, word)
		}
		if !strings.Contains(unservedWords, word) {
			t.Errorf("the help explains %q, want %s as well", unservedWords, word)
		}
	}
	h.wantShown("missed: beats")
}
