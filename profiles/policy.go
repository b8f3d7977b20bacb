package profiles

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"time"
)

// Version marks every file that Headroom writes and reads.
const Version = "headroom/v1"

// Unlimited is the Replicas.Max of a policy without an upper bound.
const Unlimited Limit = -1

// MaxWindow is the longest metric window; the windows of a scaler remember as
// much.
const MaxWindow = 10 * time.Minute

// Bounds that keep the exact arithmetic of a decision within int64.
const (
	maxTarget Milli = 1_000_000_000_000 // 10⁹ per replica
	maxFactor Milli = 1_000_000
)

// Kind is what a metric of a policy measures.
type Kind string

// The kinds the decider acts on. Both are totals over the fleet that the
// target divides.
const (
	RPS      Kind = "rps"       // arrivals per second
	InFlight Kind = "in_flight" // requests accepted and not yet answered, queued ones included
)

// Policy says how many replicas there should be, and why. The zero value is
// not valid; start from DefaultPolicy. A Policy is a value: copy it freely,
// but do not change the slices of one that was handed on.
type Policy struct {
	Version       string         `yaml:"version" json:"version"`
	Kind          string         `yaml:"kind" json:"kind"`
	Replicas      Bounds         `yaml:"replicas" json:"replicas"`
	Metrics       []Metric       `yaml:"metrics,omitempty" json:"metrics,omitempty"`     // the highest demand wins; none: a fixed size
	Interval      Duration       `yaml:"interval" json:"interval"`                       // between decisions
	Tolerance     Ratio          `yaml:"tolerance" json:"tolerance"`                     // no change while the metric is this near its target
	Up            Behavior       `yaml:"up" json:"up"`                                   //
	Down          Behavior       `yaml:"down" json:"down"`                               //
	Schedules     []Schedule     `yaml:"schedules,omitempty" json:"schedules,omitempty"` // other bounds at certain hours; later ones win
	OnMetricError string         `yaml:"onMetricError" json:"onMetricError"`             // "hold": a failing metric never scales down
	Calibration   *Calibration   `yaml:"calibration,omitempty" json:"calibration,omitempty"`
	Platforms     map[string]any `yaml:"platforms,omitempty" json:"platforms,omitempty"` // opaque, per platform
}

// Bounds are the sizes a fleet may have.
type Bounds struct {
	Min     int   `yaml:"min" json:"min"`                             // 1 or more
	Max     Limit `yaml:"max" json:"max"`                             // Min or more, or unlimited
	Initial int   `yaml:"initial,omitempty" json:"initial,omitempty"` // at start; default Min
}

// Limit is an upper bound that files write as a number or "unlimited".
type Limit int

// Metric is one signal and the level of it that one replica should carry.
type Metric struct {
	Kind   Kind     `yaml:"kind" json:"kind"`
	Target Milli    `yaml:"target" json:"target"`                     // per replica, above 0, in the unit of the kind
	Window Duration `yaml:"window,omitempty" json:"window,omitempty"` // averaged over, 1 s to MaxWindow; default the nearest to the interval
}

// Behavior limits how fast and how readily the fleet moves in one direction.
type Behavior struct {
	Step          int      `yaml:"step,omitempty" json:"step,omitempty"`     // replicas per decision; 0: unlimited
	Factor        Milli    `yaml:"factor,omitempty" json:"factor,omitempty"` // size relative to the present one, per decision; 0: unlimited
	Stabilization Duration `yaml:"stabilization" json:"stabilization"`       // the demand must have lasted this long
	Idle          Duration `yaml:"idle" json:"idle"`                         // down only: how long a replica is idle before it may be chosen, where the metric looks at single replicas
	Order         string   `yaml:"order,omitempty" json:"order,omitempty"`   // down only: which goes first, newest or oldest
}

// Calibration is what was measured about one replica when the policy was
// derived; conversions between metrics rest on it.
type Calibration struct {
	Latency       Duration `yaml:"latency,omitempty" json:"latency,omitempty"`             // mean service time
	CPUPerRequest Duration `yaml:"cpuPerRequest,omitempty" json:"cpuPerRequest,omitempty"` // CPU time
	Measured      string   `yaml:"measured,omitempty" json:"measured,omitempty"`           // date, 2006-01-02
}

// The orders in which replicas are taken away.
const (
	Newest = "newest"
	Oldest = "oldest"
)

// DefaultPolicy holds the values of everything that a policy file may leave
// out.
func DefaultPolicy() Policy {
	return Policy{
		Version:       Version,
		Kind:          "policy",
		Interval:      Duration(30 * time.Second),
		Tolerance:     100,
		Down:          Behavior{Stabilization: Duration(300 * time.Second), Idle: Duration(60 * time.Second), Order: Newest},
		OnMetricError: "hold",
	}
}

// FixedPolicy keeps n replicas.
func FixedPolicy(n int) Policy {
	p := DefaultPolicy()
	p.Replicas = Bounds{Min: n, Max: Limit(n)}
	return p
}

// ReadPolicy reads and validates the policy file at path.
func ReadPolicy(path string) (Policy, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return Policy{}, fmt.Errorf("read policy: %w", err)
	}
	p, err := ParsePolicy(data)
	if err != nil {
		return Policy{}, fmt.Errorf("%s: %w", path, err)
	}
	return p, nil
}

// ParsePolicy decodes a policy strictly: an unknown key, a wrong type or a
// value out of range is an error that names its line or key.
func ParsePolicy(data []byte) (Policy, error) {
	p := DefaultPolicy()
	p.Version = ""
	if err := decodeYAML(data, &p, "min", "max", "initial", "step"); err != nil {
		return Policy{}, err
	}
	for i := range p.Metrics {
		if p.Metrics[i].Window == 0 {
			p.Metrics[i].Window = min(max(p.Interval, Duration(time.Second)), Duration(MaxWindow))
		}
	}
	return p, p.Validate()
}

// YAML writes the policy as a file that ParsePolicy reads back to the same
// value.
func (p Policy) YAML() ([]byte, error) { return encodeYAML(p) }

// Initial is the number of replicas to start with.
func (p Policy) Initial() int {
	if p.Replicas.Initial > 0 {
		return p.Replicas.Initial
	}
	return p.Replicas.Min
}

// Fixed reports whether the size never changes.
func (p Policy) Fixed() bool {
	return len(p.Schedules) == 0 && (len(p.Metrics) == 0 || p.Replicas.Max == Limit(p.Replicas.Min))
}

// Validate returns all problems at once, each as "key: got X, want Y".
func (p Policy) Validate() error {
	var errs []error
	bad := func(key, format string, args ...any) {
		errs = append(errs, fmt.Errorf(key+": "+format, args...))
	}
	if p.Version != Version {
		bad("version", "got %q, want %q", p.Version, Version)
	}
	if p.Kind != "policy" {
		bad("kind", "got %q, want %q", p.Kind, "policy")
	}
	r := p.Replicas
	if r.Min < 1 {
		bad("replicas.min", "got %d, want 1 or more", r.Min)
	}
	switch {
	case r.Max == 0:
		bad("replicas.max", "got nothing, want replicas.min (%d) or more, or unlimited", r.Min)
	case r.Max != Unlimited && int(r.Max) < r.Min:
		bad("replicas.max", "got %d, want replicas.min (%d) or more, or unlimited", int(r.Max), r.Min)
	}
	if r.Initial != 0 && (r.Initial < r.Min || r.Max != Unlimited && r.Initial > int(r.Max)) {
		bad("replicas.initial", "got %d, want between replicas.min (%d) and replicas.max (%s)", r.Initial, r.Min, r.Max)
	}
	if len(p.Metrics) == 0 && r.Max != 0 && r.Max != Limit(r.Min) {
		bad("metrics", "got none, want at least one unless replicas.min equals replicas.max")
	}
	for i, m := range p.Metrics {
		key := fmt.Sprintf("metrics[%d].", i)
		if m.Kind != RPS && m.Kind != InFlight {
			bad(key+"kind", "got %q, want %s or %s", m.Kind, RPS, InFlight)
		}
		if m.Target <= 0 || m.Target > maxTarget {
			bad(key+"target", "got %s, want more than 0 and at most %s", m.Target, maxTarget)
		}
		if w := m.Window.Std(); w < time.Second || w > MaxWindow {
			bad(key+"window", "got %s, want 1s to %s", m.Window, Duration(MaxWindow))
		}
	}
	if p.Interval.Std() < time.Second || p.Interval.Std() > time.Hour {
		bad("interval", "got %s, want 1s to 1h", p.Interval)
	}
	if p.Tolerance < 0 || p.Tolerance > 1000 {
		bad("tolerance", "got %s, want 0%% to 100%%", p.Tolerance)
	}
	validateBehavior(bad, "up", p.Up)
	validateBehavior(bad, "down", p.Down)
	if f := p.Up.Factor; f != 0 && (f <= 1000 || f > maxFactor) {
		bad("up.factor", "got %s, want more than 1 and at most %s", f, maxFactor)
	}
	if f := p.Down.Factor; f < 0 || f >= 1000 {
		bad("down.factor", "got %s, want at least 0 and below 1", f)
	}
	if p.Up.Idle != 0 || p.Up.Order != "" {
		bad("up", "got idle or order, want them under down only")
	}
	if p.Down.Idle < 0 {
		bad("down.idle", "got %s, want 0s or more", p.Down.Idle)
	}
	if o := p.Down.Order; o != Newest && o != Oldest {
		bad("down.order", "got %q, want %s or %s", o, Newest, Oldest)
	}
	for i, s := range p.Schedules {
		errs = append(errs, s.validate(fmt.Sprintf("schedules[%d]", i))...)
	}
	if p.OnMetricError != "hold" {
		bad("onMetricError", "got %q, want hold", p.OnMetricError)
	}
	if c := p.Calibration; c != nil && c.Measured != "" {
		if _, err := time.Parse(time.DateOnly, c.Measured); err != nil {
			bad("calibration.measured", "got %q, want a date such as 2026-01-31", c.Measured)
		}
	}
	return errors.Join(errs...)
}

func validateBehavior(bad func(key, format string, args ...any), key string, b Behavior) {
	if b.Step < 0 {
		bad(key+".step", "got %d, want 1 or more", b.Step)
	}
	if s := b.Stabilization.Std(); s < 0 || s > time.Hour {
		bad(key+".stabilization", "got %s, want 0s to 1h", b.Stabilization)
	}
}

// String writes the number, or "unlimited".
func (l Limit) String() string {
	if l == Unlimited {
		return "unlimited"
	}
	return fmt.Sprint(int(l))
}

// MarshalText writes String.
func (l Limit) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// MarshalJSON writes a number, or "unlimited".
func (l Limit) MarshalJSON() ([]byte, error) {
	if l == Unlimited {
		return []byte(`"unlimited"`), nil
	}
	return []byte(l.String()), nil
}

// UnmarshalJSON reads what MarshalJSON writes.
func (l *Limit) UnmarshalJSON(b []byte) error { return l.UnmarshalText(bytes.Trim(b, `"`)) }

// MarshalYAML writes a number or a word, both unquoted.
func (l Limit) MarshalYAML() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText reads a whole number of 1 or more, or "unlimited".
func (l *Limit) UnmarshalText(b []byte) error {
	if string(b) == "unlimited" {
		*l = Unlimited
		return nil
	}
	var n int
	if _, err := fmt.Sscanf(string(b), "%d", &n); err != nil || n < 1 || fmt.Sprint(n) != string(b) {
		return badValue(string(b), "a whole number of 1 or more, or unlimited")
	}
	*l = Limit(n)
	return nil
}

// UnmarshalYAML reads what UnmarshalText reads.
func (l *Limit) UnmarshalYAML(decode func(any) error) error { return decodeText(decode, l) }
