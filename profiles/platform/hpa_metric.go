package platform

import (
	"fmt"
	"slices"
	"strings"

	"headroom/profiles"
)

// hpaMetric is one entry of spec.metrics (MetricSpec in k8s.io/api
// autoscaling/v2): a type, and the block of the same name.
type hpaMetric struct {
	Type              string     `yaml:"type"`
	Resource          *hpaSource `yaml:"resource"`
	ContainerResource *hpaSource `yaml:"containerResource"`
	Pods              *hpaSource `yaml:"pods"`
	Object            *hpaSource `yaml:"object"`
	External          *hpaSource `yaml:"external"`
}

// hpaSource is the union of the five blocks.
type hpaSource struct {
	Name      string `yaml:"name"` // of a resource
	Container string `yaml:"container"`
	Metric    struct {
		Name string `yaml:"name"`
	} `yaml:"metric"`
	Target hpaTarget `yaml:"target"`
}

// hpaTarget is one of its three values.
type hpaTarget struct {
	Type        string    `yaml:"type"`
	Utilization *int32    `yaml:"averageUtilization"` // percent of the request
	Average     *quantity `yaml:"averageValue"`       // for each pod
	Value       *quantity `yaml:"value"`              // as it is
}

// The types of a target.
const (
	targetUtilization = "Utilization"
	targetAverage     = "AverageValue"
	targetValue       = "Value"
)

// hpaBlocks are the types of metrics, the key of each, and the targets that it
// may have.
var hpaBlocks = []struct {
	name, key string
	targets   []string
	of        func(*hpaMetric) *hpaSource
}{
	{"Resource", "resource", []string{targetUtilization, targetAverage}, func(m *hpaMetric) *hpaSource { return m.Resource }},
	{"ContainerResource", "containerResource", []string{targetUtilization, targetAverage}, func(m *hpaMetric) *hpaSource { return m.ContainerResource }},
	{"Pods", "pods", []string{targetAverage}, func(m *hpaMetric) *hpaSource { return m.Pods }},
	{"Object", "object", []string{targetValue, targetAverage}, func(m *hpaMetric) *hpaSource { return m.Object }},
	{"External", "external", []string{targetValue, targetAverage}, func(m *hpaMetric) *hpaSource { return m.External }},
}

// source is the block that the type names, with its key; nil where it is
// missing.
func (m *hpaMetric) source() (string, *hpaSource) {
	for _, b := range hpaBlocks {
		if b.name == m.Type {
			return b.key, b.of(m)
		}
	}
	return "", nil
}

// external reports whether the metric is there without any pod.
func (m *hpaMetric) external() bool { return m.Type == "Object" || m.Type == "External" }

// check follows validateMetricSpec in pkg/apis/autoscaling/validation of
// Kubernetes.
func (m *hpaMetric) check(key string, bad *problems) {
	var names, blocks []string
	var targets []string
	for _, b := range hpaBlocks {
		names = append(names, b.name)
		if b.of(m) != nil {
			blocks = append(blocks, b.key)
		}
		if b.name == m.Type {
			targets = b.targets
		}
	}
	if targets == nil {
		bad.bad(key+".type", "%v", profiles.OneOf(m.Type, names))
		return
	}
	block, s := m.source()
	if s == nil || len(blocks) != 1 {
		bad.bad(key, "got %q, want only the block %s of the type %s", strings.Join(blocks, ", "), block, m.Type)
		return
	}
	key += "." + block
	switch resource := strings.HasSuffix(m.Type, "Resource"); {
	case resource && s.Name == "":
		bad.bad(key+".name", "got nothing, want cpu or memory")
	case !resource && s.Metric.Name == "":
		bad.bad(key+".metric.name", "got nothing, want the name that the metrics adapter serves")
	}
	s.Target.check(key+".target", targets, bad)
}

func (t hpaTarget) check(key string, allowed []string, bad *problems) {
	given := 0
	got := ""
	for _, v := range []struct {
		key, kind string
		set, zero bool
	}{
		{"averageUtilization", targetUtilization, t.Utilization != nil, t.Utilization != nil && *t.Utilization < 1},
		{"averageValue", targetAverage, t.Average != nil, t.Average != nil && *t.Average <= 0},
		{"value", targetValue, t.Value != nil, t.Value != nil && *t.Value <= 0},
	} {
		if !v.set {
			continue
		}
		given, got = given+1, v.kind
		if v.zero {
			bad.bad(key+"."+v.key, "got 0 or less, want more than 0")
		}
	}
	switch {
	case given != 1:
		bad.bad(key, "got %d values, want one of averageUtilization, averageValue or value", given)
	case !slices.Contains(allowed, got):
		bad.bad(key, "got %s, want %s", got, strings.Join(allowed, " or "))
	case t.Type != got:
		bad.bad(key+".type", "got %q, want %s: that is the value given", t.Type, got)
	}
}

// hpaNames are the names under which a metric of ours is written, first, and
// others that are read as it. What a metric means is up to the adapter that
// serves it; any other name is a custom metric.
var hpaNames = []struct {
	kind  profiles.Kind
	names []string
}{
	{profiles.RPS, []string{"http_requests_per_second", "requests_per_second", "requests-per-second", "rps"}},
	{profiles.InFlight, []string{"http_requests_in_flight", "requests_in_flight", "concurrent_requests", "concurrency"}},
	{profiles.Queue, []string{"http_requests_queued", "requests_queued", "queued_requests", "queue_length"}},
	{profiles.Latency, []string{"http_request_latency_milliseconds"}},
}

func hpaName(kind profiles.Kind) string {
	for _, n := range hpaNames {
		if n.kind == kind {
			return n.names[0]
		}
	}
	return ""
}

func hpaKind(name string) profiles.Kind {
	for _, n := range hpaNames {
		for _, known := range n.names {
			if name == known {
				return n.kind
			}
		}
	}
	return profiles.Custom
}

// mebibyte is what a memory target of ours counts in.
const mebibyte = 1 << 20

// metric is the metric in our words; ok is false where they do not say it.
func (m *hpaMetric) metric() (out profiles.Metric, losses []Loss, ok bool) {
	_, s := m.source()
	if s == nil {
		return out, nil, false
	}
	out.Window = hpaSync
	lose := func(format string, args ...any) {
		losses = append(losses, Loss{Field: "metrics", Reason: fmt.Sprintf(format, args...), Severe: true})
	}
	switch t := s.Target; {
	case strings.HasSuffix(m.Type, "Resource"):
		out.Kind = profiles.Kind(s.Name)
		if out.Kind != profiles.CPU && out.Kind != profiles.Memory {
			lose("a policy has no resource %s; the document keeps it", s.Name)
			return out, losses, false
		}
		if s.Container != "" {
			lose("%s is that of the container %s only", s.Name, s.Container)
		}
		resourceTarget(&out, t.Utilization, t.Average)
	case t.Average != nil:
		out.Kind, out.Target = hpaKind(s.Metric.Name), profiles.Milli(*t.Average)
		setScope(&out, profiles.PerReplica)
	case t.Value != nil:
		out.Kind, out.Target = hpaKind(s.Metric.Name), profiles.Milli(*t.Value)
		losses = append(losses, totalAsLevel(&out, s.Metric.Name)...)
	}
	if out.Kind == profiles.Custom {
		out.Name = s.Metric.Name
	}
	return out, losses, out.Target > 0
}

// resourceTarget is that of cpu or memory: percent of the request, or cores
// and bytes.
func resourceTarget(m *profiles.Metric, percent *int32, average *quantity) {
	switch {
	case percent != nil:
		m.Target = profiles.Milli(*percent) * 1000
		if m.Kind == profiles.Memory {
			m.Unit = "%"
		}
	case average != nil && m.Kind == profiles.CPU:
		m.Target, m.Unit = profiles.Milli(*average), "cores"
	case average != nil:
		m.Target = profiles.Milli((int64(*average) + mebibyte/2) / mebibyte)
	}
}

// setScope sets a scope, or leaves it out where it is the usual one.
func setScope(m *profiles.Metric, scope profiles.Scope) {
	m.Scope = ""
	if m.PerReplica() != (scope == profiles.PerReplica) {
		m.Scope = scope
	}
}

// totalAsLevel makes a metric one whose level is compared with the target as
// it is. The size is multiplied by level/target, which settles for what falls
// as replicas are added, such as a latency, and never for a total.
func totalAsLevel(m *profiles.Metric, name string) []Loss {
	kind := m.Kind
	if kind == profiles.Queue { // ours grows by steps, which no controller here does
		m.Kind, m.Name = profiles.Custom, name
	}
	setScope(m, profiles.WholeFleet)
	if kind == profiles.Latency || kind == profiles.Custom {
		return nil
	}
	return []Loss{{
		Field: "metrics", Severe: true,
		Reason: fmt.Sprintf("%s is compared as a whole (Value), and the size multiplied by the quotient: a total does not fall as replicas are added, so that this runs to max; AverageValue divides it", kind),
	}}
}

// fleetTarget refuses what no Kubernetes controller does with a level of the
// whole fleet.
func (w *writer) fleetTarget(key string, m profiles.Metric) (ok bool) {
	switch {
	case m.Kind == profiles.FreeWorkers:
		w.refuse(key+".kind", "got %s, want rps, in_flight, cpu, memory or custom: a controller here divides a total by its target, and knows no replica by itself", m.Kind)
	case !m.PerReplica() && m.Kind == profiles.Queue:
		w.refuse(key+".scope", "got fleet, want replica: a controller here divides a total by its target instead of taking steps, so the target must be how many may wait for each replica")
	case !m.PerReplica() && (m.Kind == profiles.CPU || m.Kind == profiles.Memory):
		w.refuse(key+".scope", "got fleet, want replica: %s is that of each", m.Kind)
	default:
		return true
	}
	return false
}
