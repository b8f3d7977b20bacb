package platform

import (
	"fmt"
	"time"

	"headroom/profiles"
)

func (s awsSettings) policy() (profiles.Policy, []Loss) {
	var t told
	if s.others != "" {
		t.severe("replicas", s.others, "a policy is for one scalable target, here %s", s.id)
	}
	if s.foreign != "" {
		t.severe("metrics", s.foreign, "a policy has target tracking only; they stay in the document, and scale too")
	}
	low := s.min
	if low == 0 {
		low = 1
		t = append(t, Loss{Field: "replicas.min", From: "0", To: "1", Reason: "without a replica there is no metric, so that nothing would ever start one", Severe: true})
	}
	schedules, single := s.pairs()
	p := profiles.DefaultPolicy()
	p.Replicas = profiles.Bounds{Min: low, Max: profiles.Limit(max(low, s.max))}
	for _, pair := range schedules {
		p.Schedules = append(p.Schedules, pair.schedule)
	}
	for _, i := range single {
		a := s.actions[i]
		t.severe("schedules", a.Name, "%s sets bounds at an instant; a policy wants a start and an end, as two recurring actions in a row, of which the second sets the bounds of the target", a.Schedule)
	}
	if len(s.policies) == 0 {
		return p, t
	}
	p.Interval = profiles.Duration(awsMinute * time.Second)
	for i, policy := range s.policies {
		p.Metrics = append(p.Metrics, policy.of(fmt.Sprintf("metrics[%d]", i), &t))
		first := s.policies[0]
		if policy.in != first.in || policy.out != first.out {
			t.lost("down.stabilization", policy.id, "it has cooldowns of its own; a policy has those of the first, %s", first.id)
		}
		if policy.disableIn {
			t.severe("down", policy.id, "DisableScaleIn: it takes nothing away")
		}
	}
	p.Down.Stabilization = t.within("down.stabilization", s.policies[0].in, 0, time.Hour)
	p.Up.Stabilization = t.within("up.stabilization", s.policies[0].out, 0, time.Hour)
	t.lost("down.stabilization", "", "ScaleInCooldown is the pause after replicas were taken away; a policy waits until lower demand has lasted that long, which is the nearest")
	t.lost("up.stabilization", "", "ScaleOutCooldown is the pause after replicas were added; a policy waits until higher demand has lasted that long, which is the nearest")
	return p, t
}

// of is the metric of a policy, in our words.
func (p awsPolicy) of(field string, t *told) profiles.Metric {
	m := profiles.Metric{Window: profiles.Duration(awsMinute * time.Second)}
	switch {
	case p.metric == awsRequests && !p.own:
		m.Kind = profiles.RPS
		m.Target = max(1, profiles.MilliOf(p.target/awsMinute))
		if m.Target*awsMinute != profiles.MilliOf(p.target) {
			*t = append(*t, Loss{Field: field + ".target", From: fmt.Sprintf("%g per minute", p.target), To: m.Target.String() + "/s", Reason: "a policy has three decimals"})
		}
		return m
	case p.metric == awsCPU && !p.own:
		m.Kind = profiles.CPU
	case p.metric == awsMemory && !p.own:
		m.Kind, m.Unit = profiles.Memory, "%"
	default:
		m.Kind, m.Name = profiles.Custom, p.metric
	}
	m.Target = t.target(field+".target", p.target)
	return m
}

// awsPair is a schedule of a policy: an action that sets bounds, and the next
// one, which sets those of the target again.
type awsPair struct {
	first    int // of the two actions
	schedule profiles.Schedule
}

// pairs finds the actions that belong together, and those that are single.
func (s awsSettings) pairs() (pairs []awsPair, single []int) {
	for i := 0; i < len(s.actions); i++ {
		if i+1 < len(s.actions) {
			if schedule, ok := s.pair(s.actions[i], s.actions[i+1]); ok {
				pairs = append(pairs, awsPair{i, schedule})
				i++
				continue
			}
		}
		single = append(single, i)
	}
	return pairs, single
}

func (s awsSettings) pair(start, end awsAction) (profiles.Schedule, bool) {
	from, err := fromAWSCron(start.Schedule)
	if err != nil {
		return profiles.Schedule{}, false
	}
	to, err := fromAWSCron(end.Schedule)
	if err != nil {
		return profiles.Schedule{}, false
	}
	sets := func(start, end *int, base int) bool {
		return (start == nil) == (end == nil) && (start == nil || *start > 0 && *end == base)
	}
	ok := from != to && start.Timezone == end.Timezone &&
		start.From == nil && start.To == nil && end.From == nil && end.To == nil &&
		sets(start.Action.Min, end.Action.Min, s.min) && sets(start.Action.Max, end.Action.Max, s.max)
	return profiles.Schedule{
		Start: from, End: to, Timezone: start.Timezone, Min: or(start.Action.Min, 0), Max: or(start.Action.Max, 0),
	}, ok
}
