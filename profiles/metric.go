package profiles

import (
	"slices"
	"time"
)

// Kind is what a metric of a policy measures.
type Kind string

// The kinds of metrics.
const (
	RPS         Kind = "rps"          // arrivals per second
	InFlight    Kind = "in_flight"    // requests accepted and not yet answered, queued ones included
	Queue       Kind = "queue"        // requests that wait for a replica
	FreeWorkers Kind = "free_workers" // ready replicas without a request
	CPU         Kind = "cpu"          // CPU in use, of what a replica may use
	Memory      Kind = "memory"       // memory in use
	Latency     Kind = "latency"      // of requests; says when something is wrong, not how much is missing
	Custom      Kind = "custom"       // any number that a Name or Query stands for
)

// kind is what there is to know about a Kind.
type kind struct {
	units []string // that a target may have, the usual one first; none: any
	scope Scope    // the usual one
}

var kinds = map[Kind]kind{
	RPS:         {[]string{"/s"}, PerReplica},
	InFlight:    {[]string{"requests"}, PerReplica},
	Queue:       {[]string{"requests"}, WholeFleet},
	FreeWorkers: {[]string{"replicas"}, WholeFleet},
	CPU:         {[]string{"%", "cores"}, PerReplica},
	Memory:      {[]string{"MiB", "%"}, PerReplica},
	Latency:     {[]string{"ms"}, WholeFleet},
	Custom:      {nil, PerReplica},
}

func kindNames() []string {
	return []string{string(RPS), string(InFlight), string(Queue), string(FreeWorkers), string(CPU), string(Memory), string(Latency), string(Custom)}
}

func (k kind) allowsUnit(unit string) bool { return k.units == nil || slices.Contains(k.units, unit) }

// arrives reports whether a level above 0 means that there is work.
func (k Kind) arrives() bool { return k == RPS || k == InFlight || k == Queue || k == Custom }

// Scope says what a target is compared with.
type Scope string

// The scopes of a target.
const (
	PerReplica Scope = "replica" // each replica should carry as much: the fleet's total is divided by it
	WholeFleet Scope = "fleet"   // the level of the fleet as one
)

// The ways in which the samples of a window become one level.
const (
	Average  = "average"
	Weighted = "weighted" // newer ones count more
	Highest  = "highest"
	Latest   = "latest"
)

// Metric is one signal and the level of it to be kept.
type Metric struct {
	Kind        Kind     `yaml:"kind" json:"kind"`
	Name        string   `yaml:"name,omitempty" json:"name,omitempty"`               // of a custom metric
	Query       string   `yaml:"query,omitempty" json:"query,omitempty"`             // that yields a custom metric
	Target      Milli    `yaml:"target" json:"target"`                               // above 0, in the Unit
	Unit        string   `yaml:"unit,omitempty" json:"unit,omitempty"`               // of the target; default that of the kind
	Scope       Scope    `yaml:"scope,omitempty" json:"scope,omitempty"`             // default that of the kind
	Window      Duration `yaml:"window,omitempty" json:"window,omitempty"`           // 1 s to MaxWindow; default the nearest to the interval
	Aggregation string   `yaml:"aggregation,omitempty" json:"aggregation,omitempty"` // over the window; default average
	Panic       *Panic   `yaml:"panic,omitempty" json:"panic,omitempty"`
	Trend       *Trend   `yaml:"trend,omitempty" json:"trend,omitempty"` // of in_flight per replica only
}

// Panic looks at a second, shorter window too: while it shows several times
// of what the fleet is meant to carry, that decides, and nothing is taken
// away for as long as the metric's window.
type Panic struct {
	Window    Duration `yaml:"window" json:"window"`       // 1 s to the metric's window
	Threshold Milli    `yaml:"threshold" json:"threshold"` // times the fleet's target, above 1
}

func (m Metric) scope() Scope {
	if m.Scope != "" {
		return m.Scope
	}
	return kinds[m.Kind].scope
}

// In reports whether the target is given in that unit.
func (m Metric) In(unit string) bool { return unit != "" && m.unit() == unit }

// unit is that of the target; empty where it may be any.
func (m Metric) unit() string {
	if units := kinds[m.Kind].units; m.Unit == "" && len(units) > 0 {
		return units[0]
	}
	return m.Unit
}

// PerReplica reports whether the target is what one replica should carry.
func (m Metric) PerReplica() bool { return m.scope() == PerReplica }

// normal fills in the window and leaves out what is usual anyway, so that
// metrics that mean the same are equal.
func (m Metric) normal(interval Duration) Metric {
	if m.Window == 0 {
		m.Window = min(max(interval, Duration(time.Second)), Duration(MaxWindow))
	}
	if k := kinds[m.Kind]; m.Unit != "" && len(k.units) > 0 && m.Unit == k.units[0] {
		m.Unit = ""
	}
	if m.Scope == kinds[m.Kind].scope {
		m.Scope = ""
	}
	if m.Aggregation == Average {
		m.Aggregation = ""
	}
	return m
}
