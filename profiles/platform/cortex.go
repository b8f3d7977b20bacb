package platform

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"headroom/profiles"
	"headroom/profiles/document"
)

// cortex is the list of APIs of Cortex (cortexlabs/cortex,
// docs/workloads/realtime/autoscaling.md and pkg/types/spec/validations.go):
// requests in flight, with its own windows, tolerances and factors. The first
// API of a file that is scaled is the one that is read and written. Versions
// up to 0.35 called the target target_replica_concurrency and the most that a
// replica accepts max_replica_concurrency; these names stay where they are.
var cortex = Platform{
	Name: cortexName, Title: "Cortex", File: "cortex.yaml",
	begin: beginCortex, write: writeCortex, read: readCortex, recognise: recogniseCortex,
}

const cortexName = "cortex"

// cortexTick is the time between two decisions of Cortex, and between two of
// its samples.
const cortexTick = 10 * time.Second

// cortexMaxRate is the largest target and factor that is understood.
const cortexMaxRate = 1e6

// cortexAPI is what a file says about one API; what it leaves out is nil.
type cortexAPI struct {
	Name string `yaml:"name"`
	Kind string `yaml:"kind"`
	Pod  struct {
		Concurrency *int64 `yaml:"max_concurrency"`
		Queue       *int64 `yaml:"max_queue_length"`
	} `yaml:"pod"`
	Autoscaling cortexScaling `yaml:"autoscaling"`
}

// cortexScaling is how it is scaled.
type cortexScaling struct {
	Min            *int32          `yaml:"min_replicas"`
	Max            *int32          `yaml:"max_replicas"`
	Init           *int32          `yaml:"init_replicas"`
	Target         *float64        `yaml:"target_in_flight"`
	OldTarget      *float64        `yaml:"target_replica_concurrency"`
	OldConcurrency *int64          `yaml:"max_replica_concurrency"`
	Window         *cortexDuration `yaml:"window"`
	Down           *cortexDuration `yaml:"downscale_stabilization_period"`
	Up             *cortexDuration `yaml:"upscale_stabilization_period"`
	DownFactor     *float64        `yaml:"max_downscale_factor"`
	UpFactor       *float64        `yaml:"max_upscale_factor"`
	DownTolerance  *float64        `yaml:"downscale_tolerance"`
	UpTolerance    *float64        `yaml:"upscale_tolerance"`
}

// cortexDuration is a duration as Go writes it, with a unit.
type cortexDuration time.Duration

func (d *cortexDuration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	if err != nil {
		return fmt.Errorf("got %q, want a duration with a unit such as 60s or 5m", b)
	}
	*d = cortexDuration(v)
	return nil
}

// cortexSettings are those of one API, with the defaults.
type cortexSettings struct {
	index    int // of the API in the file
	name     string
	others   []string // APIs that are scaled too
	unknown  []Loss   // keys that mean nothing
	old      bool     // the names of before 0.36
	omitted  bool     // something that had another default then
	explicit bool     // init is in the file

	min, max, init  int
	target          float64 // in flight per replica
	limit           float64 // that a replica accepts, queued ones included; 0: any number
	window          time.Duration
	down, up        time.Duration
	downFactor      float64 // least share of the present size that is left in a decision
	upFactor        float64
	downTol, upTol  float64
	path, targetKey string // of the section, and in it
}

func recogniseCortex(text []byte) bool {
	var apis []struct {
		Kind        string         `yaml:"kind"`
		Predictor   map[string]any `yaml:"predictor"` // before 0.36
		Autoscaling map[string]any `yaml:"autoscaling"`
	}
	if _, err := document.Decode(text, &apis, document.Lax); err != nil {
		return false
	}
	for _, a := range apis {
		switch a.Kind {
		case "RealtimeAPI", "AsyncAPI", "SyncAPI", "BatchAPI", "TaskAPI", "TrafficSplitter":
			return true
		case "":
			if a.Predictor != nil || a.Autoscaling != nil {
				return true
			}
		}
	}
	return false
}

// scaled reports whether Cortex scales that kind of API by its load.
func (a cortexAPI) scaled() bool {
	return a.Kind == "RealtimeAPI" || a.Kind == "AsyncAPI" || a.Kind == "SyncAPI" || a.Kind == ""
}

func readCortex(text []byte) (settings, error) {
	s, err := parseCortex(text)
	return s, err
}

func parseCortex(text []byte) (cortexSettings, error) {
	var apis []cortexAPI
	lines, err := document.Decode(text, &apis, document.Lax)
	if lines == nil {
		return cortexSettings{}, err
	}
	i := slices.IndexFunc(apis, cortexAPI.scaled)
	var problems problems
	if i < 0 {
		problems.bad("", "got no RealtimeAPI and no AsyncAPI, want one: Cortex scales no other by its load")
		return cortexSettings{}, lines.Check(err, problems)
	}
	s := newCortexSettings(apis[i])
	s.index, s.path = i, fmt.Sprintf("%d/autoscaling/", i)
	for _, a := range apis[i+1:] {
		if a.scaled() {
			s.others = append(s.others, a.Name)
		}
	}
	key := fmt.Sprintf("[%d].autoscaling.", i)
	s.unknown = unknown(lines, fmt.Sprintf("[%d].", i), "autoscaling.", keysOf(cortexScaling{}))
	if apis[i].Autoscaling.Target != nil && apis[i].Autoscaling.OldTarget != nil {
		problems.bad(key+"target_replica_concurrency", "got it besides target_in_flight, which is its new name: want one of them")
	}
	s.check(key, &problems)
	return s, lines.Check(err, problems)
}

func newCortexSettings(api cortexAPI) cortexSettings {
	a := api.Autoscaling
	s := cortexSettings{
		name: api.Name, old: a.OldTarget != nil || a.OldConcurrency != nil, explicit: a.Init != nil,
		min: int(or(a.Min, 1)), max: int(or(a.Max, 100)),
		window:     time.Duration(or(a.Window, cortexDuration(60*time.Second))),
		down:       time.Duration(or(a.Down, cortexDuration(5*time.Minute))),
		up:         time.Duration(or(a.Up, cortexDuration(time.Minute))),
		downFactor: or(a.DownFactor, 0.75), upFactor: or(a.UpFactor, 1.5),
		downTol: or(a.DownTolerance, 0.05), upTol: or(a.UpTolerance, 0.05),
	}
	s.init = int(or(a.Init, int32(s.min)))
	s.omitted = a.Up == nil || a.DownFactor == nil || a.UpFactor == nil || a.DownTolerance == nil || a.UpTolerance == nil
	concurrency := float64(or(api.Pod.Concurrency, 1))
	s.target, s.targetKey = or(a.Target, concurrency), "target_in_flight"
	if s.old {
		s.target, s.targetKey = or(a.Target, or(a.OldTarget, 1)), "target_replica_concurrency"
		s.limit = float64(or(a.OldConcurrency, 1024))
	} else if api.Kind != "AsyncAPI" {
		s.limit = concurrency + float64(or(api.Pod.Queue, 100))
	}
	if a.Target != nil {
		s.targetKey = "target_in_flight"
	}
	return s
}

// or is what a file says, or the default.
func or[T any](value *T, missing T) T {
	if value == nil {
		return missing
	}
	return *value
}

// check finds what Cortex would refuse. Its conditions are written so that a
// number that is none fails them.
func (s cortexSettings) check(key string, problems *problems) {
	if s.max < 1 {
		problems.bad(key+"max_replicas", "got %d, want 1 or more", s.max)
	}
	if s.min < 0 || s.min > max(1, s.max) {
		problems.bad(key+"min_replicas", "got %d, want 0 to max_replicas (%d)", s.min, s.max)
	}
	if s.explicit && (s.init < s.min || s.init > s.max) {
		problems.bad(key+"init_replicas", "got %d, want min_replicas (%d) to max_replicas (%d)", s.init, s.min, s.max)
	}
	switch {
	case !(s.target > 0 && s.target <= cortexMaxRate):
		problems.bad(key+s.targetKey, "got %v, want more than 0 and at most %.0f", s.target, cortexMaxRate)
	case s.limit > 0 && s.target > s.limit:
		problems.bad(key+s.targetKey, "got %v, want at most %v, %s", s.target, s.limit, s.limitName())
	}
	if s.window < cortexTick || s.window%cortexTick != 0 {
		problems.bad(key+"window", "got %s, want a multiple of 10s", profiles.Duration(s.window))
	}
	if s.down < 0 {
		problems.bad(key+"downscale_stabilization_period", "got %s, want 0s or more", profiles.Duration(s.down))
	}
	if s.up < 0 {
		problems.bad(key+"upscale_stabilization_period", "got %s, want 0s or more", profiles.Duration(s.up))
	}
	if !(s.downFactor >= 0 && s.downFactor < 1) {
		problems.bad(key+"max_downscale_factor", "got %v, want at least 0 and below 1: it is the share that is left", s.downFactor)
	}
	if !(s.upFactor > 1) {
		problems.bad(key+"max_upscale_factor", "got %v, want more than 1", s.upFactor)
	}
	if !(s.downTol >= 0 && s.downTol < 1) {
		problems.bad(key+"downscale_tolerance", "got %v, want at least 0 and below 1", s.downTol)
	}
	if !(s.upTol >= 0) {
		problems.bad(key+"upscale_tolerance", "got %v, want 0 or more", s.upTol)
	}
}

func (s cortexSettings) limitName() string {
	if s.old {
		return "max_replica_concurrency"
	}
	return "pod.max_concurrency and pod.max_queue_length together"
}

// stuck reports whether a replica refuses requests before the fleet could ever
// seem too small (cortex issue 933).
func (s cortexSettings) stuck() bool {
	return s.limit > 0 && (s.limit <= s.target || s.limit < s.target*(1+s.upTol))
}

func (s cortexSettings) stuckText() string {
	return fmt.Sprintf("got %v, but a replica accepts no more than %v requests (%s), which never exceeds it by enough to add one", s.target, s.limit, s.limitName())
}

// unlimitedFactor is the least factor that stands for no limit: it leads from
// one replica to all that there may be, or is the largest that a policy knows.
func unlimitedFactor(max int) float64 { return math.Min(math.Max(2, float64(max)), 1000) }

func (s cortexSettings) policy() (profiles.Policy, []Loss) {
	p := profiles.DefaultPolicy()
	p.Interval = profiles.Duration(cortexTick)
	p.Replicas = profiles.Bounds{Min: s.min, Max: profiles.Limit(s.max)}
	if s.init > 0 && s.init != max(1, s.min) {
		p.Replicas.Initial = s.init
	}
	if s.min == 0 {
		p.ToZero = &profiles.ToZero{After: profiles.Duration(min(s.window+s.down, 24*time.Hour))}
	}
	p.Metrics = []profiles.Metric{{
		Kind:   profiles.InFlight,
		Target: max(1, profiles.MilliOf(s.target)),
		Window: profiles.Duration(min(s.window, profiles.MaxWindow)),
	}}
	p.Tolerance = profiles.Ratio(min(1000, profiles.MilliOf(math.Min(s.upTol, 1))))
	p.Up.Stabilization = profiles.Duration(min(s.up, time.Hour))
	if s.upFactor < unlimitedFactor(s.max) {
		p.Up.Factor = max(1001, profiles.MilliOf(s.upFactor))
	}
	p.Down.Stabilization = profiles.Duration(min(s.down, time.Hour))
	p.Down.Factor = min(999, profiles.MilliOf(s.downFactor))
	return p, slices.Concat(s.unknown, s.losses(p))
}

// losses are what the policy p does not say of the settings.
func (s cortexSettings) losses(p profiles.Policy) (out []Loss) {
	lose := func(field string, severe bool, format string, args ...any) {
		out = append(out, Loss{Field: field, Reason: fmt.Sprintf(format, args...), Severe: severe})
	}
	if s.init == 0 {
		lose("replicas.initial", true, "Cortex starts with none; a policy starts with 1 or more")
	}
	if s.stuck() {
		lose("metrics[0].target", true, "%s", s.stuckText())
	}
	if s.upTol != s.downTol {
		lose("tolerance", false, "Cortex has %v up and %v down; a policy has one, and takes the first", s.upTol, s.downTol)
	}
	for _, c := range []struct {
		field string
		is    time.Duration
		said  profiles.Duration
	}{
		{"metrics[0].window", s.window, p.Metrics[0].Window},
		{"up.stabilization", s.up, p.Up.Stabilization},
		{"down.stabilization", s.down, p.Down.Stabilization},
	} {
		if c.is != c.said.Std() {
			lose(c.field, false, "Cortex has %s; a policy knows no more than %s", profiles.Duration(c.is), c.said)
		}
	}
	if s.old && s.omitted {
		lose("platforms.cortex", false, "the file has the names of Cortex before 0.36; what it leaves out is read with today's defaults, and v0.14 had others: "+
			"upscale_stabilization_period 0m, max_downscale_factor 0.5, max_upscale_factor 10, tolerances 0.1")
	}
	if len(s.others) > 0 {
		lose("platforms.cortex", true, "only the first API, %s, is read; not %s", s.name, strings.Join(s.others, ", "))
	}
	return out
}

func (s cortexSettings) decider() (profiles.Decider, error) { return newCortexDecider(s), nil }
