package tui

import (
	"math"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/charmbracelet/bubbles/key"
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
	ints    = rapid.OneOf(rapid.IntRange(0, 300), rapid.Int())
	numbers = rapid.OneOf(rapid.SampledFrom([]float64{0, 1e-300, 0.5, 1, 999.95, 1e15, 1e300, math.MaxFloat64}), rapid.Float64Range(0, 1e12))
	values  = rapid.OneOf(numbers, rapid.Just(math.Inf(1)))
	shares  = rapid.Float64Range(0, 1)
	moments = rapid.Map(rapid.Int64Range(-1e18, 1e18), func(n int64) time.Time { return began.Add(time.Duration(n)) })
)

// named is one of the names that a type has, or what a session of another
// version may say.
func named[T ~string](names ...T) *rapid.Generator[any] {
	return rapid.OneOf(rapid.SampledFrom(names), rapid.Map(texts, func(s string) T { return T(s) })).AsAny()
}

// nothing is for what no dashboard shows.
func nothing[T any]() *rapid.Generator[any] { return rapid.Just(*new(T)).AsAny() }

func fields(of *rapid.Generator[float64], names ...string) map[string]*rapid.Generator[any] {
	out := map[string]*rapid.Generator[any]{}
	for _, name := range names {
		out[name] = of.AsAny()
	}
	return out
}

// anything makes values of a type with all of its fields, also those that are
// still to come. It says only what is special.
var anything = rapid.MakeConfig{
	Kinds: map[reflect.Kind]*rapid.Generator[any]{
		reflect.String: texts.AsAny(), reflect.Int64: counts.AsAny(), reflect.Int: ints.AsAny(), reflect.Float64: numbers.AsAny(),
	},
	Types: map[reflect.Type]*rapid.Generator[any]{
		reflect.TypeFor[time.Duration]():  durations.AsAny(),
		reflect.TypeFor[time.Time]():      moments.AsAny(),
		reflect.TypeFor[profiles.Milli](): rapid.Map(rapid.Int64(), func(n int64) profiles.Milli { return profiles.Milli(n) }).AsAny(),

		reflect.TypeFor[advisor.Phase](): named("", advisor.Idle, advisor.Swarming, advisor.Measuring, advisor.Applying, advisor.Replaying),
		reflect.TypeFor[advisor.AnnotationKind](): named(advisor.LoadBegins, advisor.LoadRises, advisor.LoadFalls, advisor.Decided, advisor.Created, advisor.Ready,
			advisor.FirstAnswer, advisor.Leaves, advisor.Stops, advisor.SLOLost, advisor.SLORegained, advisor.EditedByHand),
		reflect.TypeFor[load.Phase]():       named("", load.Running, load.Paused, load.Draining, load.Done),
		reflect.TypeFor[load.Verdict]():     named("", load.Sound, load.Strained, load.Limited),
		reflect.TypeFor[model.Verdict]():    named("", model.Pass, model.Fail, model.Unsure),
		reflect.TypeFor[probe.State]():      named("", probe.Starting, probe.Ready, probe.Suspect, probe.New, probe.Serving, probe.Quiet, probe.Draining, probe.Failing, probe.Gone),
		reflect.TypeFor[probe.Origin]():     named(probe.FromScaler, probe.FromWorkers, probe.FromDNS, probe.FromAnswers),
		reflect.TypeFor[probe.NoticeKind](): named(probe.NoticePinned, probe.NoticeStopped, probe.NoticeOneConn, probe.NoticeDisagree),
		reflect.TypeFor[load.Failure]():     rapid.Map(rapid.IntRange(0, int(load.Aborted)), func(n int) load.Failure { return load.Failure(n) }).AsAny(),

		reflect.TypeFor[profiles.Plan]():      rapid.Custom(anyPlan).AsAny(),
		reflect.TypeFor[profiles.Policy]():    rapid.Custom(anyPolicy).AsAny(),
		reflect.TypeFor[profiles.Objective](): rapid.Custom(anyGoal).AsAny(),
		reflect.TypeFor[profiles.Threshold](): rapid.Custom(anyThreshold).AsAny(),
		reflect.TypeFor[profiles.Trail]():     nothing[profiles.Trail](),
		reflect.TypeFor[[]advisor.Point]():    nothing[[]advisor.Point](), // these have an order
		reflect.TypeFor[[]load.Point]():       nothing[[]load.Point](),
		reflect.TypeFor[load.Histogram]():     nothing[load.Histogram](),
		reflect.TypeFor[[]advisor.Block]():    nothing[[]advisor.Block](),
	},
	Fields: map[reflect.Type]map[string]*rapid.Generator[any]{
		reflect.TypeFor[probe.Replica]():       fields(shares, "Share"),
		reflect.TypeFor[load.Replica]():        fields(shares, "Share"),
		reflect.TypeFor[load.Objective]():      fields(values, "Value"),
		reflect.TypeFor[advisor.Interval]():    fields(values, "Value", "Low", "High"),
		reflect.TypeFor[advisor.Value]():       fields(values, "Value"),
		reflect.TypeFor[advisor.Observation](): fields(values, "Rate", "InFlight"),
		reflect.TypeFor[model.Curve]():         fields(values, "Lambda", "Sigma", "Kappa", "Max"),
	},
}

var (
	wholeStates = rapid.MakeCustom[advisor.State](anything)
	judgements  = rapid.MakeCustom[load.Objective](anything)
	histories   = rapid.SliceOfN(rapid.MakeCustom[advisor.Point](anything), 0, 90)
)

// anyState is one whose objectives are those that its load is judged by, and
// whose points are in the order of time.
func anyState(t *rapid.T) advisor.State {
	st := wholeStates.Draw(t, "state")
	st.SLO = nil
	for _, o := range st.Load.SLO {
		st.SLO = append(st.SLO, o.Objective)
	}
	st.Points = histories.Draw(t, "points")
	at := durations.Draw(t, "first point")
	for i := range st.Points {
		st.Points[i].At = at
		if step := time.Duration(rapid.Int64Range(1, 3e9).Draw(t, "step")); at < math.MaxInt64-step {
			at += step
		}
	}
	return st
}

func anyPlan(t *rapid.T) profiles.Plan {
	p := testPlan()
	p.Target, p.Users, p.SpawnRate = texts.Draw(t, "target"), rapid.Int().Draw(t, "users"), numbers.Draw(t, "spawn rate")
	p.Rate, p.RunTime = numbers.Draw(t, "rate"), durations.Draw(t, "run time")
	shapes := rapid.SampledFrom([]profiles.Shape{nil, nil, profiles.Constant(0), profiles.Constant(40), profiles.Ramp{From: 3, Stages: []profiles.Stage{{For: time.Minute, To: 1e300}}}})
	p.Shape, p.UserShape = shapes.Draw(t, "shape"), shapes.Draw(t, "users over time")
	return p
}

func anyPolicy(t *rapid.T) profiles.Policy {
	d := func() profiles.Duration { return profiles.Duration(durations.Draw(t, "duration")) }
	p := profiles.Policy{Version: rapid.SampledFrom([]string{"", profiles.Version}).Draw(t, "version"), Interval: d(),
		Replicas: profiles.Bounds{Min: rapid.Int().Draw(t, "min"), Max: profiles.Limit(rapid.IntRange(0, math.MaxInt).Draw(t, "max"))},
		Up:       profiles.Behavior{Step: rapid.Int().Draw(t, "step"), Stabilization: d()}, Down: profiles.Behavior{Stabilization: d()}}
	for range rapid.IntRange(0, 6).Draw(t, "metrics") {
		p.Metrics = append(p.Metrics, profiles.Metric{Kind: profiles.Kind(texts.Draw(t, "kind")), Target: profiles.Milli(rapid.Int64().Draw(t, "target")), Window: d()})
	}
	return p
}

func anyGoal(t *rapid.T) profiles.Objective {
	return profiles.Objective{
		Task:     texts.Draw(t, "task"),
		Measure:  rapid.SampledFrom([]profiles.Measure{profiles.Percentile, profiles.Mean, profiles.Errors, profiles.Throughput}).Draw(t, "measure"),
		Quantile: shares.Draw(t, "quantile"), Op: profiles.Less, Limit: numbers.Draw(t, "limit"),
	}
}

func anyThreshold(t *rapid.T) profiles.Threshold {
	text := rapid.SampledFrom([]string{"http_req_duration: p(95)<200", "http_req_failed{name:a task of a long name}: rate<0.01 abortOnFail delay=10s every=30s", "http_reqs: rate>50"}).Draw(t, "threshold")
	threshold, err := profiles.ParseThreshold(text)
	if err != nil {
		t.Fatal(err)
	}
	return threshold
}

// anyOptions are those of a dashboard of whatever it can be of.
func anyOptions(t *rapid.T) func(*Options) {
	return func(o *Options) {
		o.Attached, o.FleetOnly, o.Another = rapid.Bool().Draw(t, "attached"), rapid.Bool().Draw(t, "fleet only"), rapid.Bool().Draw(t, "another")
		o.ReadOnly = rapid.SampledFrom([]string{"", "this run is read-only"}).Draw(t, "read-only")
		o.Copy = func() (string, error) { return "", nil }
		o.Save = func(string, bool) (string, error) { return "", nil }
	}
}

// everyKey are the names of all keys that mean something in some mode.
func everyKey() (names []string) {
	all := reflect.ValueOf(keys)
	for i := range all.NumField() {
		names = append(names, all.Field(i).Interface().(key.Binding).Keys()...)
	}
	return names
}

// typing is a key, or letters that come at once, as they are typed or pasted.
var typing = rapid.OneOf(
	rapid.Map(rapid.SampledFrom(everyKey()), keyMsg),
	rapid.Custom(func(t *rapid.T) tea.KeyMsg {
		text := rapid.OneOf(rapid.SampledFrom([]string{"50..200", "75%", "users 9", "export keda a/b.yaml", "p95<100ms", "1e9"}), texts).Draw(t, "typed")
		return tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(text), Paste: rapid.Bool().Draw(t, "pasted")}
	}),
)

var sgr = regexp.MustCompile("\x1b\\[[0-9;]*m")

// Whatever the State, the size, the view and the keys: nothing panics, every
// line fits, and nothing but colours gets through to the terminal.
func TestAnyStateFitsAnyScreen(t *testing.T) {
	looks := []*styles{plainStyles(), newStyles(nil, true), colourStyles(termenv.ANSI256, true, false), colourStyles(termenv.ANSI, false, true)}
	rapid.Check(t, func(t *rapid.T) {
		s := looks[rapid.IntRange(0, len(looks)-1).Draw(t, "looks")]
		w, h := rapid.IntRange(20, 400).Draw(t, "width"), rapid.IntRange(5, 120).Draw(t, "height")
		m := showing(anyState(t), s, rapid.IntRange(0, len(views)-1).Draw(t, "view"), w, h, anyOptions(t))
		for range rapid.IntRange(0, 6).Draw(t, "keys") {
			m.Update(typing.Draw(t, "key"))
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
