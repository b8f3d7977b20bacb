package advisor

import (
	"fmt"

	"headroom/profiles"
)

// Change is one value of a policy under two policies, the same or not.
type Change struct {
	Field    string // as the policy file writes it
	From, To string
}

// Changed reports whether the two differ.
func (c Change) Changed() bool { return c.From != c.To }

// Compare lists the values of two policies in the order of the file.
func Compare(from, to profiles.Policy) []Change {
	var out []Change
	add := func(field string, of func(profiles.Policy) string) {
		out = append(out, Change{field, of(from), of(to)})
	}

	add("replicas.min", func(p profiles.Policy) string { return fmt.Sprint(p.Replicas.Min) })
	add("replicas.max", func(p profiles.Policy) string { return p.Replicas.Max.String() })
	for i := range max(len(from.Metrics), len(to.Metrics)) {
		metric := func(of func(profiles.Metric) string) func(profiles.Policy) string {
			return func(p profiles.Policy) string {
				if i >= len(p.Metrics) {
					return "none"
				}
				return of(p.Metrics[i])
			}
		}
		add("metric", metric(func(m profiles.Metric) string { return string(m.Kind) }))
		add("target", metric(func(m profiles.Metric) string { return m.Target.String() + " per replica" }))
		add("window", metric(func(m profiles.Metric) string { return m.Window.String() }))
	}
	add("interval", func(p profiles.Policy) string { return p.Interval.String() })
	add("tolerance", func(p profiles.Policy) string { return p.Tolerance.String() })
	add("up", func(p profiles.Policy) string { return behaviorText(p.Up) })
	add("down", func(p profiles.Policy) string { return behaviorText(p.Down) })
	add("down.idle", func(p profiles.Policy) string { return p.Down.Idle.String() })
	add("down.order", func(p profiles.Policy) string { return p.Down.Order })
	for i := range max(len(from.Schedules), len(to.Schedules)) {
		add("schedule", func(p profiles.Policy) string { return scheduleText(p, i) })
	}
	return out
}

func behaviorText(b profiles.Behavior) string {
	text := "after " + b.Stabilization.String()
	if b.Step > 0 {
		text += fmt.Sprintf(", %d a step", b.Step)
	}
	if b.Factor > 0 {
		text += ", factor " + b.Factor.String()
	}
	return text
}

func scheduleText(p profiles.Policy, i int) string {
	if i >= len(p.Schedules) {
		return "none"
	}
	s := p.Schedules[i]
	text := s.Start + " to " + s.End
	if s.Timezone != "" {
		text += " " + s.Timezone
	}
	if s.Min > 0 {
		text += fmt.Sprintf(", min %d", s.Min)
	}
	if s.Max > 0 {
		text += fmt.Sprintf(", max %d", s.Max)
	}
	return text
}
