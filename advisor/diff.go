package advisor

import (
	"fmt"

	"headroom/profiles"
)

// Change is one difference between two policies.
type Change struct {
	Field    string
	From, To string
}

// Differences lists what changes when one policy replaces another, in the
// order in which a policy file is written.
func Differences(from, to profiles.Policy) []Change {
	var out []Change
	add := func(field string, a, b any) {
		if x, y := fmt.Sprint(a), fmt.Sprint(b); x != y {
			out = append(out, Change{field, x, y})
		}
	}
	add("replicas.min", from.Replicas.Min, to.Replicas.Min)
	add("replicas.max", from.Replicas.Max, to.Replicas.Max)
	for i := range max(len(from.Metrics), len(to.Metrics)) {
		add(fmt.Sprintf("metrics[%d]", i), metricText(from, i), metricText(to, i))
	}
	add("interval", from.Interval, to.Interval)
	add("tolerance", from.Tolerance, to.Tolerance)
	add("up.step", limitText(from.Up.Step), limitText(to.Up.Step))
	add("up.factor", limitText(int(from.Up.Factor)), limitText(int(to.Up.Factor)))
	add("up.stabilization", from.Up.Stabilization, to.Up.Stabilization)
	add("down.step", limitText(from.Down.Step), limitText(to.Down.Step))
	add("down.factor", limitText(int(from.Down.Factor)), limitText(int(to.Down.Factor)))
	add("down.stabilization", from.Down.Stabilization, to.Down.Stabilization)
	add("down.idle", from.Down.Idle, to.Down.Idle)
	add("down.order", from.Down.Order, to.Down.Order)
	for i := range max(len(from.Schedules), len(to.Schedules)) {
		add(fmt.Sprintf("schedules[%d]", i), scheduleText(from, i), scheduleText(to, i))
	}
	return out
}

func metricText(p profiles.Policy, i int) string {
	if i >= len(p.Metrics) {
		return "none"
	}
	m := p.Metrics[i]
	return fmt.Sprintf("%s target %s, window %s", m.Kind, m.Target, m.Window)
}

func scheduleText(p profiles.Policy, i int) string {
	if i >= len(p.Schedules) {
		return "none"
	}
	s := p.Schedules[i]
	return fmt.Sprintf("%s to %s %s, min %d, max %d", s.Start, s.End, s.Timezone, s.Min, s.Max)
}

func limitText(n int) string {
	if n == 0 {
		return "unlimited"
	}
	return fmt.Sprint(n)
}
