package profiles

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
)

// Change is one value of a policy under two policies, the same or not.
type Change struct {
	Field    string // as the policy file writes it
	From, To string
}

// Changed reports whether the two differ.
func (c Change) Changed() bool { return c.From != c.To }

// Same reports whether two policies say the same, also in what only platforms
// and people read.
func Same(a, b Policy) bool {
	one, err := json.Marshal(a)
	if err != nil {
		return false
	}
	other, err := json.Marshal(b)
	return err == nil && bytes.Equal(one, other)
}

// Compare lists the values of two policies in the order of the file, but for
// what only platforms and people read: calibration and opaque sections.
func Compare(from, to Policy) []Change {
	var out []Change
	add := func(field string, of func(Policy) string) {
		out = append(out, Change{field, of(from), of(to)})
	}
	// Of what most policies do not set, only what one of the two sets.
	optional := func(field string, of func(Policy) string) {
		if !unset(of(from)) || !unset(of(to)) {
			add(field, of)
		}
	}

	add("replicas.min", func(p Policy) string { return fmt.Sprint(p.Replicas.Min) })
	add("replicas.max", func(p Policy) string { return p.Replicas.Max.String() })
	if from.Initial() != from.Replicas.Min || to.Initial() != to.Replicas.Min {
		add("replicas.initial", func(p Policy) string { return fmt.Sprint(p.Initial()) })
	}
	optional("replicas.idle", func(p Policy) string {
		if p.Replicas.Idle == nil {
			return "none"
		}
		return fmt.Sprint(*p.Replicas.Idle)
	})
	optional("toZero.after", func(p Policy) string {
		if p.ToZero == nil {
			return "none"
		}
		return p.ToZero.After.String()
	})
	for i := range max(len(from.Metrics), len(to.Metrics)) {
		compareMetric(i, add, optional)
	}
	add("interval", func(p Policy) string { return p.Interval.String() })
	add("tolerance", func(p Policy) string { return p.Tolerance.String() })
	compareBehavior("up", add, optional, func(p Policy) Behavior { return p.Up })
	compareBehavior("down", add, optional, func(p Policy) Behavior { return p.Down })
	add("down.idle", func(p Policy) string { return p.Down.Idle.String() })
	add("down.order", func(p Policy) string { return p.Down.Order })
	for i := range max(len(from.Schedules), len(to.Schedules)) {
		add(fmt.Sprintf("schedules[%d]", i), func(p Policy) string { return scheduleText(p, i) })
	}
	optional("onMetricError", func(p Policy) string { return p.OnMetricError.String() })
	return out
}

// Summary is a policy in one line: its sizes, and what they follow.
func (p Policy) Summary() string {
	text := fmt.Sprintf("%d to %s replicas", p.Replicas.Min, p.Replicas.Max)
	if p.Replicas.Max == Limit(p.Replicas.Min) {
		text = Plural(p.Replicas.Min, "replica", "replicas")
	}
	joint := " at "
	for _, m := range p.Metrics {
		text += joint + cmp.Or(m.Name, string(m.Kind)) + " " + m.targetText()
		joint = ", "
	}
	for i := range p.Schedules {
		text += "; " + scheduleText(p, i)
	}
	return text
}

// Changes is Compare without what is the same.
func Changes(from, to Policy) []Change {
	var out []Change
	for _, c := range Compare(from, to) {
		if c.Changed() {
			out = append(out, c)
		}
	}
	return out
}

// unset reports whether a text stands for nothing having been set.
func unset(text string) bool { return text == "none" || text == "unlimited" || text == Hold.String() }

type adder func(field string, of func(Policy) string)

func compareMetric(i int, add, optional adder) {
	field := func(add adder, name string, of func(Metric) string) {
		add(fmt.Sprintf("metrics[%d].%s", i, name), func(p Policy) string {
			if i >= len(p.Metrics) {
				return "none"
			}
			if text := of(p.Metrics[i]); text != "" {
				return text
			}
			return "none"
		})
	}
	field(add, "kind", func(m Metric) string { return string(m.Kind) })
	field(optional, "name", func(m Metric) string { return m.Name })
	field(optional, "query", func(m Metric) string { return m.Query })
	field(add, "target", Metric.targetText)
	field(add, "window", func(m Metric) string { return m.Window.String() })
	field(optional, "aggregation", func(m Metric) string { return m.Aggregation })
	field(optional, "trend", func(m Metric) string {
		if m.Trend == nil {
			return ""
		}
		return m.Trend.text()
	})
	field(optional, "panic", func(m Metric) string {
		if m.Panic == nil {
			return ""
		}
		return fmt.Sprintf("%s times the target within %s", m.Panic.Threshold, m.Panic.Window)
	})
}

func (t Trend) text() string {
	var parts []string
	if t.Within > 0 {
		parts = append(parts, fmt.Sprintf("waits where %s will do", t.Within))
	}
	if t.MaxWait > 0 {
		parts = append(parts, fmt.Sprintf("unless a request waits for %s", t.MaxWait))
	}
	if t.Ahead {
		parts = append(parts, "adds ahead")
	}
	return strings.Join(parts, ", ")
}

// targetText is the target with its unit and what it is for.
func (m Metric) targetText() string {
	text, unit := m.Target.String(), m.Unit
	if units := kinds[m.Kind].units; unit == "" && len(units) > 0 {
		unit = units[0]
	}
	switch unit {
	case "":
	case "/s", "%":
		text += unit
	default:
		text += " " + unit
	}
	if m.PerReplica() {
		return text + " per replica"
	}
	return text
}

func compareBehavior(key string, add, optional adder, of func(Policy) Behavior) {
	add(key+".stabilization", func(p Policy) string { return of(p).Stabilization.String() })
	optional(key+".step", func(p Policy) string {
		if of(p).Step == 0 {
			return "unlimited"
		}
		return fmt.Sprint(of(p).Step)
	})
	optional(key+".factor", func(p Policy) string {
		if of(p).Factor == 0 {
			return "unlimited"
		}
		return of(p).Factor.String()
	})
}

func scheduleText(p Policy, i int) string {
	if i >= len(p.Schedules) {
		return "none"
	}
	s := p.Schedules[i]
	zone := s.Timezone
	if zone == "" {
		zone = "UTC"
	}
	text := fmt.Sprintf("%s to %s %s", s.Start, s.End, zone)
	if s.Match != "" {
		text = fmt.Sprintf("during %s %s", s.Match, zone)
	}
	if s.Min > 0 {
		text += fmt.Sprintf(", min %d", s.Min)
	}
	if s.Max > 0 {
		text += fmt.Sprintf(", max %d", s.Max)
	}
	for _, one := range s.Set {
		text += fmt.Sprintf(", %s %s", one.Key, one.Value)
	}
	return text
}
