package profiles

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"

	"headroom/profiles/document"
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
	maxStep         = 1_000_000
)

// Policy says how many replicas there should be, and why. The zero value is
// not valid; start from DefaultPolicy. A Policy is a value: copy it freely,
// but do not change the slices of one that was handed on.
type Policy struct {
	Version       string         `yaml:"version" json:"version"`
	Kind          string         `yaml:"kind" json:"kind"`
	Replicas      Bounds         `yaml:"replicas" json:"replicas"`
	ToZero        *ToZero        `yaml:"toZero,omitempty" json:"toZero,omitempty"`
	Metrics       []Metric       `yaml:"metrics,omitempty" json:"metrics,omitempty"`     // none: a fixed size
	Combine       string         `yaml:"combine" json:"combine"`                         // of several metrics "highest" wins, as on every platform
	Interval      Duration       `yaml:"interval" json:"interval"`                       // between decisions
	Tolerance     Ratio          `yaml:"tolerance" json:"tolerance"`                     // no change while the metric is this near its target
	Up            Behavior       `yaml:"up" json:"up"`                                   //
	Down          Behavior       `yaml:"down" json:"down"`                               //
	Schedules     []Schedule     `yaml:"schedules,omitempty" json:"schedules,omitempty"` // other bounds at certain hours; later ones win
	OnMetricError Fallback       `yaml:"onMetricError" json:"onMetricError"`             // what to do while no metric can be read
	Calibration   *Calibration   `yaml:"calibration,omitempty" json:"calibration,omitempty"`
	Platforms     map[string]any `yaml:"platforms,omitempty" json:"platforms,omitempty"` // by platform: what only it understands
}

// Bounds are the sizes a fleet may have.
type Bounds struct {
	Min     int   `yaml:"min" json:"min"`                             // 1 or more; 0 only together with ToZero
	Max     Limit `yaml:"max" json:"max"`                             // Min or more, or unlimited
	Initial int   `yaml:"initial,omitempty" json:"initial,omitempty"` // at start; default Min, at least 1
	Idle    *int  `yaml:"idle,omitempty" json:"idle,omitempty"`       // below Min, while nothing arrives; only together with ToZero
}

// ToZero lets the fleet go below its usual minimum while nothing arrives: to
// Bounds.Idle, or to none where Bounds.Min is 0.
type ToZero struct {
	After Duration `yaml:"after" json:"after"` // without any load, 1 s to 24 h
}

// DefaultToZero is how long nothing must have arrived where a platform does
// not say: KEDA's cooldown.
const DefaultToZero = Duration(5 * time.Minute)

// Limit is an upper bound that files write as a number or "unlimited".
type Limit int

// Fallback is the least size while no metric can be read, which files write as
// a number; Hold keeps the present one. What is not known takes nothing away.
type Fallback int

// Hold is the Fallback that changes nothing.
const Hold Fallback = 0

// Behavior limits how fast and how readily the fleet moves in one direction.
type Behavior struct {
	Step          int      `yaml:"step,omitempty" json:"step,omitempty"`     // replicas per decision; 0: unlimited
	Factor        Milli    `yaml:"factor,omitempty" json:"factor,omitempty"` // size relative to the present one, per decision; 0: unlimited
	Stabilization Duration `yaml:"stabilization" json:"stabilization"`       // the demand must have lasted this long
	Idle          Duration `yaml:"idle" json:"idle"`                         // down only: how long a replica is idle before it may be chosen, where the metric looks at single replicas
	Order         string   `yaml:"order,omitempty" json:"order,omitempty"`   // down only: which goes first, newest or oldest
}

// MarshalYAML leaves out an idle time under up, where there is none. Only down
// has an order, by which the two are told apart.
func (b Behavior) MarshalYAML() (any, error) {
	type plain Behavior
	if b.Order != "" {
		return plain(b), nil
	}
	return struct {
		Step          int      `yaml:"step,omitempty"`
		Factor        Milli    `yaml:"factor,omitempty"`
		Stabilization Duration `yaml:"stabilization"`
	}{b.Step, b.Factor, b.Stabilization}, nil
}

// Calibration is what was measured about one replica when the policy was
// derived; conversions between metrics rest on it.
type Calibration struct {
	Latency          Duration `yaml:"latency,omitempty" json:"latency,omitempty"`                   // mean service time
	CPUPerRequest    Duration `yaml:"cpuPerRequest,omitempty" json:"cpuPerRequest,omitempty"`       // CPU time
	MemoryPerReplica Milli    `yaml:"memoryPerReplica,omitempty" json:"memoryPerReplica,omitempty"` // MiB at the target
	Measured         string   `yaml:"measured,omitempty" json:"measured,omitempty"`                 // date, 2006-01-02
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
		Combine:       "highest",
		Interval:      Duration(30 * time.Second),
		Tolerance:     100,
		Down:          Behavior{Stabilization: Duration(300 * time.Second), Idle: Duration(60 * time.Second), Order: Newest},
		OnMetricError: Hold,
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

// ParsePolicy decodes a policy strictly. The error lists all problems, each
// with its line and key, what was found and what is allowed.
func ParsePolicy(data []byte) (Policy, error) {
	p := DefaultPolicy()
	p.Version = ""
	lines, err := document.Decode(data, &p, document.Strict)
	if lines == nil {
		return Policy{}, err
	}
	p.normalize()
	return p, p.check(lines, err)
}

// normalize fills in what a policy that was read leaves out, and writes what
// schedules set as the policy itself does.
func (p *Policy) normalize() {
	for i := range p.Metrics {
		p.Metrics[i] = p.Metrics[i].normal(p.Interval)
	}
	for _, s := range p.Schedules {
		p.rewrite(s.Set)
	}
}

// Initial is the number of replicas to start with.
func (p Policy) Initial() int {
	if p.Replicas.Initial > 0 {
		return p.Replicas.Initial
	}
	return max(1, p.Replicas.Min)
}

// Fixed reports whether the size never changes.
func (p Policy) Fixed() bool {
	return len(p.Schedules) == 0 && p.ToZero == nil && (len(p.Metrics) == 0 || p.Replicas.Max == Limit(p.Replicas.Min))
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
	n, err := strconv.ParseUint(string(b), 10, 31)
	if err != nil || n == 0 {
		return badValue(string(b), "a whole number of 1 or more, or unlimited")
	}
	*l = Limit(n)
	return nil
}

// String writes the number, or "hold".
func (f Fallback) String() string {
	if f == Hold {
		return "hold"
	}
	return fmt.Sprint(int(f))
}

// MarshalText writes String.
func (f Fallback) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// MarshalJSON writes a number, or "hold".
func (f Fallback) MarshalJSON() ([]byte, error) {
	if f == Hold {
		return []byte(`"hold"`), nil
	}
	return []byte(f.String()), nil
}

// UnmarshalJSON reads what MarshalJSON writes.
func (f *Fallback) UnmarshalJSON(b []byte) error { return f.UnmarshalText(bytes.Trim(b, `"`)) }

// MarshalYAML writes a number or a word, both unquoted.
func (f Fallback) MarshalYAML() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText reads a whole number of 1 or more, or "hold".
func (f *Fallback) UnmarshalText(b []byte) error {
	if string(b) == "hold" {
		*f = Hold
		return nil
	}
	n, err := strconv.ParseUint(string(b), 10, 31)
	if err != nil || n == 0 {
		return badValue(string(b), "hold, or a whole number of replicas")
	}
	*f = Fallback(n)
	return nil
}
