package tui

import (
	"math"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/muesli/termenv"
	"pgregory.net/rapid"

	"headroom/advisor"
	"headroom/advisor/model"
	"headroom/load"
	"headroom/probe"
	"headroom/profiles"
)

// Names and texts as a hostile target would choose them.
var texts = rapid.OneOf(
	rapid.SampledFrom([]string{"", "replica-1", strings.Repeat("long-", 80), "two\nlines\tand a tab", "\x1b[2J\x1b[31mred", "\x9b31m",
		"日本語のなまえ", "e\u0301\u0301\u0301", "👩\u200d👩\u200d👧", "\u202eright to left", "\xff\xfe", "▶️", "a\u200bb"}),
	rapid.String(),
)

var (
	durations = rapid.OneOf(
		rapid.SampledFrom([]time.Duration{0, 1, time.Microsecond, time.Millisecond, time.Second, time.Hour, 1000 * time.Hour, math.MaxInt64}),
		rapid.Map(rapid.Int64Range(0, math.MaxInt64), func(n int64) time.Duration { return time.Duration(n) }),
	)
	counts  = rapid.OneOf(rapid.SampledFrom([]int64{0, 1, 999, 10_000_000, math.MaxInt64}), rapid.Int64Range(0, math.MaxInt64))
	numbers = rapid.OneOf(rapid.SampledFrom([]float64{0, 1e-300, 0.5, 1, 999.95, 1e15, 1e300, math.MaxFloat64}), rapid.Float64Range(0, 1e12))
	values  = rapid.OneOf(numbers, rapid.Just(math.Inf(1)))
	shares  = rapid.Float64Range(0, 1)
	sizesOf = rapid.IntRange(0, 6)
	phases  = rapid.SampledFrom([]advisor.Phase{"", advisor.Idle, advisor.Swarming, advisor.Measuring, advisor.Applying, advisor.Replaying})
)

func listOf[T any](t *rapid.T, one func() T) []T {
	var out []T
	for range sizesOf.Draw(t, "length") {
		out = append(out, one())
	}
	return out
}

func anyTime(t *rapid.T) time.Time {
	return began.Add(time.Duration(rapid.Int64Range(-1e18, 1e18).Draw(t, "time")))
}

func anyQuantiles(t *rapid.T) load.Quantiles {
	d := func() time.Duration { return durations.Draw(t, "quantile") }
	return load.Quantiles{Count: counts.Draw(t, "count"), Min: d(), Mean: d(), P50: d(), P90: d(), P95: d(), P99: d(), P999: d(), Max: d()}
}

func anyStats(t *rapid.T) load.Stats {
	return load.Stats{
		Name: texts.Draw(t, "name"), Over: durations.Draw(t, "over"), Count: counts.Draw(t, "n"), Failed: counts.Draw(t, "failed"),
		Aborted: counts.Draw(t, "aborted"), AbortedAge: durations.Draw(t, "age"), Bytes: counts.Draw(t, "bytes"), Latency: anyQuantiles(t), Service: anyQuantiles(t),
	}
}

func anyHealth(t *rapid.T) load.Health {
	return load.Health{Verdict: rapid.SampledFrom([]load.Verdict{"", load.Sound, load.Strained, load.Limited}).Draw(t, "health"), Reason: texts.Draw(t, "reason")}
}

func anyObjective(t *rapid.T) load.Objective {
	o := profiles.Objective{
		Measure:  rapid.SampledFrom([]profiles.Measure{profiles.Percentile, profiles.Mean, profiles.Errors, profiles.Throughput}).Draw(t, "measure"),
		Quantile: shares.Draw(t, "quantile"), Op: profiles.Less, Limit: numbers.Draw(t, "limit"),
	}
	return load.Objective{Objective: o, Name: texts.Draw(t, "objective"), Value: values.Draw(t, "value"),
		Valid: rapid.Bool().Draw(t, "valid"), Holds: rapid.Bool().Draw(t, "holds"), AtLeast: rapid.Bool().Draw(t, "at least")}
}

func anyReplica(t *rapid.T) probe.Replica {
	b := func() bool { return rapid.Bool().Draw(t, "known") }
	r := probe.Replica{
		Conns: new(rapid.IntRange(0, 1e6).Draw(t, "conns")),
		ID:    texts.Draw(t, "id"), State: rapid.SampledFrom([]probe.State{"", probe.Starting, probe.Ready, probe.Suspect, probe.New, probe.Serving, probe.Quiet, probe.Draining, probe.Failing, probe.Gone}).Draw(t, "state"),
		Managed: b(), Answered: b(), StartedIn: durations.Draw(t, "started"), InFlight: rapid.Int().Draw(t, "in flight"), CPU: durations.Draw(t, "cpu"),
		Memory: counts.Draw(t, "memory"), LastError: texts.Draw(t, "error"), FirstSeen: anyTime(t), Failed: counts.Draw(t, "failed"),
		Share: shares.Draw(t, "share"), Rate: numbers.Draw(t, "rate"), P50: durations.Draw(t, "p50"), P95: durations.Draw(t, "p95"), P99: durations.Draw(t, "p99"),
	}
	if b() {
		r.InFlightEstimate = new(numbers.Draw(t, "estimate"))
	}
	if b() {
		r.ColdStart = &probe.ColdStart{First: durations.Draw(t, "first"), Later: durations.Draw(t, "later")}
	}
	return r
}

func anyObservation(t *rapid.T) advisor.Observation {
	return advisor.Observation{
		Trial: advisor.Trial{Name: texts.Draw(t, "trial"), Users: rapid.IntRange(0, 1e6).Draw(t, "step users")}, Took: durations.Draw(t, "took"), Requests: rapid.IntRange(0, 1e9).Draw(t, "requests"),
		Failed: rapid.IntRange(0, 1e9).Draw(t, "failed"), Rate: values.Draw(t, "rate"), InFlight: values.Draw(t, "in flight"), P50: durations.Draw(t, "p50"),
		P95: durations.Draw(t, "p95"), Health: anyHealth(t), Verdict: rapid.SampledFrom([]model.Verdict{"", model.Pass, model.Fail, model.Unsure}).Draw(t, "verdict"), Why: texts.Draw(t, "why"),
	}
}

func anyPolicy(t *rapid.T) profiles.Policy {
	d := func() profiles.Duration { return profiles.Duration(durations.Draw(t, "duration")) }
	p := profiles.Policy{Version: rapid.SampledFrom([]string{"", profiles.Version}).Draw(t, "version"), Interval: d(),
		Replicas: profiles.Bounds{Min: rapid.Int().Draw(t, "min"), Max: profiles.Limit(rapid.IntRange(0, math.MaxInt).Draw(t, "max"))},
		Up:       profiles.Behavior{Step: rapid.Int().Draw(t, "step"), Stabilization: d()}, Down: profiles.Behavior{Stabilization: d()}}
	p.Metrics = listOf(t, func() profiles.Metric {
		return profiles.Metric{Kind: profiles.Kind(texts.Draw(t, "kind")), Target: profiles.Milli(rapid.Int64().Draw(t, "target")), Window: d()}
	})
	return p
}

func anyOutcome(t *rapid.T) *advisor.Outcome {
	return &advisor.Outcome{Stats: anyStats(t), SLO: listOf(t, func() load.Objective { return anyObjective(t) }),
		Least: rapid.Int().Draw(t, "least"), Most: rapid.Int().Draw(t, "most"), Health: anyHealth(t)}
}

func anyAdvice(t *rapid.T) *advisor.Recommendation {
	return &advisor.Recommendation{
		Policy: anyPolicy(t), Applied: anyPolicy(t), Capped: texts.Draw(t, "capped"), Assessment: advisor.Assessment{Grade: advisor.Grade(texts.Draw(t, "grade")), GradeWhy: texts.Draw(t, "why")},
		Values: listOf(t, func() advisor.Value {
			return advisor.Value{Name: texts.Draw(t, "name"), Value: values.Draw(t, "value"), Unit: texts.Draw(t, "unit"), Formula: texts.Draw(t, "formula"), Why: texts.Draw(t, "why")}
		}),
		Notes: listOf(t, func() string { return texts.Draw(t, "note") }),
	}
}

func anyPoints(t *rapid.T) []advisor.Point {
	at := durations.Draw(t, "first point")
	var out []advisor.Point
	for range rapid.IntRange(0, 90).Draw(t, "points") {
		out = append(out, advisor.Point{
			At: at, Phase: phases.Draw(t, "phase"), Users: rapid.IntRange(0, 1e6).Draw(t, "users"), Rate: numbers.Draw(t, "rate"), Failed: numbers.Draw(t, "failed"),
			P50: durations.Draw(t, "p50"), P95: durations.Draw(t, "p95"), P99: durations.Draw(t, "p99"),
			Wanted: rapid.IntRange(0, 300).Draw(t, "wanted"), Up: rapid.IntRange(0, 300).Draw(t, "up"), Answering: rapid.IntRange(0, 300).Draw(t, "answering"),
		})
		if step := time.Duration(rapid.Int64Range(1, 3e9).Draw(t, "step")); at < math.MaxInt64-step {
			at += step
		}
	}
	return out
}

func anyLoad(t *rapid.T) load.Snapshot {
	return load.Snapshot{
		Phase:   rapid.SampledFrom([]load.Phase{"", load.Running, load.Paused, load.Draining, load.Done}).Draw(t, "load phase"),
		Started: anyTime(t), Elapsed: durations.Draw(t, "elapsed"), Open: rapid.Bool().Draw(t, "open"), Users: rapid.Int().Draw(t, "users"),
		Wanted: rapid.Int().Draw(t, "wanted"), SpawnRate: numbers.Draw(t, "spawn"), Planned: numbers.Draw(t, "planned"), InFlight: rapid.Int().Draw(t, "in flight"),
		Total: anyStats(t), Recent: anyStats(t), Requests: listOf(t, func() load.Stats { return anyStats(t) }),
		SLO: listOf(t, func() load.Objective { return anyObjective(t) }), RecentSLO: listOf(t, func() load.Objective { return anyObjective(t) }),
		Replicas: listOf(t, func() load.Replica { return load.Replica{Name: texts.Draw(t, "name")} }),
		Unnamed:  counts.Draw(t, "unnamed"), Identity: texts.Draw(t, "identity"), Found: rapid.Bool().Draw(t, "found"),
		Failures: listOf(t, func() load.FailureCount {
			return load.FailureCount{Failure: load.Failure(rapid.IntRange(0, 9).Draw(t, "class")), Status: rapid.Int16().Draw(t, "status"),
				Count: counts.Draw(t, "count"), First: durations.Draw(t, "first"), Last: durations.Draw(t, "last"), Example: texts.Draw(t, "example")}
		}),
		Retried: counts.Draw(t, "retried"), Health: anyHealth(t),
	}
}

func anyState(t *rapid.T) advisor.State {
	st := advisor.State{
		Seq: 1, At: anyTime(t), Phase: phases.Draw(t, "phase"), Problem: texts.Draw(t, "problem"), Loaded: rapid.Bool().Draw(t, "loaded"),
		Managed: rapid.Bool().Draw(t, "managed"), ScalerError: texts.Draw(t, "scaler error"), Applied: rapid.Bool().Draw(t, "applied"),
		Policy: anyPolicy(t), Load: anyLoad(t), Points: anyPoints(t),
		Decision: profiles.Decision{Current: rapid.Int().Draw(t, "current"), Desired: rapid.Int().Draw(t, "desired"), Reason: profiles.Reason(texts.Draw(t, "reason"))},
		Fleet: probe.Fleet{Wanted: rapid.Int().Draw(t, "wanted"), Pinned: rapid.Bool().Draw(t, "pinned"), InFlight: rapid.Int().Draw(t, "in flight"),
			Queue: rapid.Int().Draw(t, "queue"), Replicas: listOf(t, func() probe.Replica { return anyReplica(t) })},
		Events: listOf(t, func() advisor.Event {
			return advisor.Event{N: rapid.Int().Draw(t, "n"), At: anyTime(t), Kind: texts.Draw(t, "kind"), Text: texts.Draw(t, "text")}
		}),
	}
	st.Notices = listOf(t, func() probe.Notice { return probe.Notice{Kind: probe.NoticePinned, Text: texts.Draw(t, "pinned")} })
	kinds := rapid.SampledFrom([]advisor.AnnotationKind{advisor.LoadRises, advisor.LoadFalls, advisor.FirstAnswer, advisor.SLOLost, advisor.SLORegained})
	st.Timeline.Annotations = listOf(t, func() advisor.Annotation {
		return advisor.Annotation{At: durations.Draw(t, "moment"), Kind: kinds.Draw(t, "annotation"), Text: texts.Draw(t, "text")}
	})
	st.Plan = testPlan()
	st.Plan.Target, st.Plan.Users, st.Plan.SpawnRate = texts.Draw(t, "target"), rapid.Int().Draw(t, "users"), numbers.Draw(t, "spawn rate")
	st.Plan.Rate, st.Plan.RunTime = numbers.Draw(t, "rate"), durations.Draw(t, "run time")
	for _, o := range st.Load.SLO {
		st.SLO = append(st.SLO, o.Objective)
	}
	st.Replay, st.Traffic.High = durations.Draw(t, "replay"), profiles.Milli(rapid.Int64().Draw(t, "traffic"))
	if rapid.Bool().Draw(t, "swarmed") {
		swarm := anyLoad(t)
		st.Swarm = &swarm
	}
	if rapid.Bool().Draw(t, "search") {
		st.Search = &advisor.SearchState{Steps: listOf(t, func() advisor.Observation { return anyObservation(t) }), Now: advisor.Trial{Name: texts.Draw(t, "trial")},
			Budget: durations.Draw(t, "budget"), Left: durations.Draw(t, "left")}
		if rapid.Bool().Draw(t, "capacity") {
			st.Search.Capacity = &advisor.Capacity{SLO: advisor.Interval{Value: values.Draw(t, "slo"), Unit: texts.Draw(t, "unit")}, Replicas: rapid.Int().Draw(t, "replicas"),
				Curves: listOf(t, func() model.Curve {
					return model.Curve{Model: texts.Draw(t, "model"), Lambda: values.Draw(t, "lambda"), Sigma: values.Draw(t, "sigma"), Kappa: values.Draw(t, "kappa"), Max: values.Draw(t, "most")}
				})}
		}
	}
	if rapid.Bool().Draw(t, "refused") {
		st.Refusal = &advisor.Refusal{Code: texts.Draw(t, "code"), Why: texts.Draw(t, "why"), Do: texts.Draw(t, "do")}
	}
	if rapid.Bool().Draw(t, "advised") {
		st.Advice = anyAdvice(t)
	}
	if rapid.Bool().Draw(t, "before") {
		st.Before = anyOutcome(t)
	}
	if rapid.Bool().Draw(t, "after") {
		st.After = anyOutcome(t)
	}
	return st
}

var sgr = regexp.MustCompile("\x1b\\[[0-9;]*m")

// Whatever the State, the size, the view and the keys: nothing panics, every
// line fits, and nothing but colours gets through to the terminal.
func TestAnyStateFitsAnyScreen(t *testing.T) {
	looks := []*styles{plainStyles(), newStyles(nil, true), colourStyles(termenv.ANSI256, true, false), colourStyles(termenv.ANSI, false, true)}
	rapid.Check(t, func(t *rapid.T) {
		s := looks[rapid.IntRange(0, len(looks)-1).Draw(t, "looks")]
		w, h := rapid.IntRange(20, 400).Draw(t, "width"), rapid.IntRange(5, 120).Draw(t, "height")
		m := showing(anyState(t), s, rapid.IntRange(0, len(views)-1).Draw(t, "view"), w, h)
		for range rapid.IntRange(0, 4).Draw(t, "keys") {
			m.Update(keyMsg(rapid.SampledFrom([]string{"e", "A", "x", "?", "q", "esc", "tab", "j", "G", "g", "k", " ", "r", "v", "w", "y", "n", ":", "enter", "ctrl+s", "ctrl+c", "z", "o", "/", "E"}).Draw(t, "key")))
		}
		frame := m.View()
		checkFrame(t, frame, w, h)
		for _, r := range sgr.ReplaceAllString(frame, "") {
			if r != '\n' && unicode.IsControl(r) {
				t.Errorf("control character %U on the screen", r)
			}
			if s.ascii && r > unicode.MaxASCII {
				t.Errorf("%q on an ASCII screen", r)
			}
		}
	})
}

// Whatever takes lines from a low dashboard at the same time leaves it whole.
func TestDashboardOfAnySizeWithEverything(t *testing.T) {
	st := scaledState()
	st.Notices = disagreeingState().Notices
	st.Events = []advisor.Event{{N: 1, At: began, Kind: "run", Text: "one"}, {N: 2, At: began, Kind: "run", Text: "two"}}
	for _, problem := range []string{"", strings.Repeat("it failed for many reasons ", 8)} {
		for _, verdict := range []load.Verdict{load.Sound, load.Limited} {
			st.Problem, st.Load.Health.Verdict = problem, verdict
			for w := leastWidth; w < 170; w += 23 {
				for h := leastHeight; h < 50; h++ {
					checkFrame(t, showing(st, plainStyles(), viewDashboard, w, h).View(), w, h)
				}
			}
		}
	}
}

func TestAnySizeOfAScreen(t *testing.T) {
	for w := range 90 {
		for h := range 30 {
			m := showing(advisedState(), plainStyles(), (w+h)%len(views), 1, 1)
			m.Update(tea.WindowSizeMsg{Width: w, Height: h})
			checkFrame(t, m.View(), w, max(h, 1))
		}
	}
}
