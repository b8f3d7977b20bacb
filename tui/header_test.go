package tui

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"headroom/advisor"
	"headroom/load"
	"headroom/probe"
	"headroom/profiles"
)

func header(st advisor.State) string {
	return ansi.Strip(strings.Join(renderHeader(st, plainStyles(), 120), "\n"))
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
		{"without end", change(steadyState(), func(st *advisor.State) { st.Plan.RunTime = 0 }), []string{"▶ swarming 01:42  http"}},
		{"draining", change(steadyState(), func(st *advisor.State) { st.Load.Phase = load.Draining }), []string{"draining 01:42"}},
		{"done", change(steadyState(), func(st *advisor.State) { st.Phase, st.Load.Phase = advisor.Idle, load.Done }), []string{"■ idle, last run 01:42", "371.3 req/s"}},
		{"measuring", measuringState(), []string{"◆ measuring 00:39 of 01:30", "1 of 1 replicas up, pinned"}},
		{"applying", change(advisedState(), func(st *advisor.State) { st.Phase = advisor.Applying }), []string{"◆ applying"}},
		{"replaying", change(advisedState(), func(st *advisor.State) { st.Phase = advisor.Replaying }), []string{"◆ replaying 01:42"}},
		{"arrivals", change(steadyState(), func(st *advisor.State) { st.Load.Open, st.Load.Planned = true, 40 }), []string{"arrivals 40/s busy 50"}},
		{"arrivals planned", change(idleState(), func(st *advisor.State) { st.Plan.Rate = 12.5 }), []string{"arrivals 12.5/s planned"}},
		{"failing", failingState(), []string{"✗ limited", "fail 15.00%", "p95<100ms ✗ ∞", "errors<1% ✗ 15%", "replicas not named"}},
		{"strained", change(steadyState(), func(st *advisor.State) { st.Load.Health.Verdict = load.Strained }), []string{"! strained"}},
		{"no SLO", change(steadyState(), func(st *advisor.State) { st.SLO, st.Load.SLO = nil, nil }), []string{"no SLO given"}},
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

func TestObjectivesSayHowItIsNow(t *testing.T) {
	slo := mustSLO("p95<100ms,errors<1%")
	whole := []load.Objective{
		{Objective: slo[0], Name: slo[0].String(), Value: 0.7, Valid: true},
		{Objective: slo[1], Name: slo[1].String(), Value: 0.002, Valid: true, Holds: true},
	}
	recent := func(p95 time.Duration, failed int64) load.Snapshot {
		return load.Snapshot{Phase: load.Running, Recent: load.Stats{Count: 100, Failed: failed, Latency: load.Quantiles{Count: 100 - failed, P95: p95}}}
	}
	for _, test := range []struct {
		name string
		load load.Snapshot
		want [2]string
	}{
		{"still so", recent(650*ms, 0), [2]string{"p95<100ms ✗ 650ms", "errors<1% ✓ 0%"}},
		{"better now", recent(80*ms, 0), [2]string{"p95<100ms ✓ 80ms (run ✗ 700ms)", "errors<1% ✓ 0%"}},
		{"worse now", recent(650*ms, 3), [2]string{"p95<100ms ✗ 650ms", "errors<1% ✗ 3% (run ✓ 0.2%)"}},
		{"too many failed", recent(80*ms, 20), [2]string{"p95<100ms ✗ ∞", "errors<1% ✗ 20% (run ✓ 0.2%)"}},
		{"nothing now", load.Snapshot{Phase: load.Running}, [2]string{"p95<100ms ✗ 700ms", "errors<1% ✓ 0.2%"}},
		{"over", load.Snapshot{Phase: load.Done, Recent: recent(80*ms, 0).Recent}, [2]string{"p95<100ms ✗ 700ms", "errors<1% ✓ 0.2%"}},
	} {
		for i, o := range whole {
			if got := objective(o, test.load, plainStyles()); got != test.want[i] {
				t.Errorf("%s: got %q, want %q", test.name, got, test.want[i])
			}
		}
	}
	if got := objective(load.Objective{Objective: slo[0], Name: "p95<100ms"}, recent(80*ms, 0), plainStyles()); got != "p95<100ms · –" {
		t.Errorf("without data: %q", got)
	}
	if v, ok := measured(profiles.Objective{Measure: profiles.Percentile, Quantile: 0.5}, recent(80*ms, 60).Recent); !ok || !math.IsInf(v, 1) {
		t.Errorf("p50 with 60 %% failed: %v, %v, want infinite", v, ok)
	}
}

func TestReplicaNotes(t *testing.T) {
	for _, test := range []struct {
		name string
		st   func() advisor.State
		want string
	}{
		{"found", steadyState, "identity: json:hostname, found by itself in the answers"},
		{"given", func() advisor.State {
			st := steadyState()
			st.Load.Identity, st.Load.Found = "header:X-Served-By", false
			return st
		}, "identity: header:X-Served-By, as given"},
		{"unnamed", rampingState, "a header X-Served-By or a JSON field hostname"},
		{"partly named", func() advisor.State {
			st := steadyState()
			st.Load.Unnamed = 12
			return st
		}, "! 12 answers carried no name"},
		{"dead", func() advisor.State {
			st := steadyState()
			st.Fleet.Replicas[1].State, st.Fleet.Replicas[1].LastError = probe.Failing, "exit status 137"
			return st
		}, "✗ replica-2 ended by itself: exit status 137"},
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
