package platform

import (
	"fmt"
	"slices"
	"time"

	"github.com/goccy/go-yaml"

	"headroom/profiles"
	"headroom/profiles/document"
)

// awsLabel is the parameter of a template for the load balancer.
const awsLabel = "RequestCountLabel"

func writeAWS(w *writer, base []byte) ([]byte, error) {
	was, err := parseAWS(base)
	if err != nil {
		return nil, err
	}
	before, _ := was.policy()
	p := w.policy
	w.because("replicas.initial", "the DesiredCount of the service says so")
	w.because("interval", "CloudWatch has one value a minute")
	w.because("down.order", "ECS chooses itself")
	w.because("schedules", "the same moments, as AWS writes them")
	w.hidden("tolerance", "AWS sets the thresholds of its alarms itself")
	for i := range p.Metrics {
		w.because(fmt.Sprintf("metrics[%d].window", i), "CloudWatch has one value a minute")
		w.because(fmt.Sprintf("metrics[%d].aggregation", i), "AWS takes the average of a minute, and of requests the sum")
	}
	if p.ToZero != nil {
		w.refuse("toZero", "got it, but without a replica there is no metric, so that AWS would never start one: remove it, and set replicas.min to 1 or more")
	}
	a := &awsWriter{writer: w, was: was, before: before}
	a.set(before.Replicas.Min == p.Replicas.Min, was.id, "MinCapacity", p.Replicas.Min)
	a.set(before.Replicas.Max == p.Replicas.Max, was.id, "MaxCapacity", w.max())
	a.policies()
	a.schedules()
	if len(p.Metrics) > 0 {
		w.note("how many minutes the alarms of target tracking wait is not documented, only that they are slower to scale in")
		w.note("the cooldowns stand for the stabilizations, but they are pauses after a change")
	}
	if was.foreign != "" {
		w.note("the policies %s stay in the document, and scale too", was.foreign)
	}
	if was.others != "" {
		w.note("of the scalable targets only %s was changed", was.id)
	}
	return document.Apply(base, 0, a.edits...)
}

// awsWriter puts a policy into a template.
type awsWriter struct {
	*writer
	was    awsSettings
	before profiles.Policy // of the template
	edits  []document.Edit
}

// edit sets a property of a resource; nil removes it.
func (a *awsWriter) edit(resource, property string, value any) {
	a.edits = append(a.edits, document.Edit{Path: "Resources/" + resource + "/Properties/" + property, Value: value})
}

func (a *awsWriter) set(same bool, resource, property string, value any) {
	if !same {
		a.edit(resource, property, value)
	}
}

const awsConfiguration = "TargetTrackingScalingPolicyConfiguration/"

// policies changes the policies that are there into the metrics, one after the
// other.
func (a *awsWriter) policies() {
	p, before := a.policy, a.before
	for i := range p.Metrics {
		m, ok := a.awsMetric(i)
		switch {
		case !ok:
		case i >= len(a.was.policies):
			a.addPolicy(m)
		default:
			a.change(a.was.policies[i], before.Metrics[i], m)
		}
	}
	for i := len(p.Metrics); i < len(a.was.policies); i++ {
		a.edits = append(a.edits, document.Edit{Path: "Resources/" + a.was.policies[i].id})
	}
}

// awsMetric is a metric of the policy as AWS has it.
func (a *awsWriter) awsMetric(i int) (profiles.Metric, bool) {
	key := fmt.Sprintf("metrics[%d].", i)
	kinds := []profiles.Kind{profiles.RPS, profiles.CPU, profiles.Memory}
	if i < len(a.before.Metrics) && a.before.Metrics[i].Kind == profiles.Custom && a.before.Metrics[i].Name == a.policy.Metrics[i].Name {
		kinds = append(kinds, profiles.Custom)
	}
	if a.policy.Metrics[i].Kind == profiles.Custom && len(kinds) == 3 {
		a.refuse(key+"kind", "got custom, want %s: a customised metric needs its namespace and dimensions, so write its policy into the template first", oneOf(kinds))
		return profiles.Metric{}, false
	}
	m, ok := a.convert(i, kinds...)
	switch {
	case !ok:
	case !m.PerReplica():
		a.refuse(key+"scope", "got %s, want %s: target tracking multiplies the capacity by metric/target", m.Scope, profiles.PerReplica)
	case (m.Kind == profiles.CPU || m.Kind == profiles.Memory) && !m.In("%"):
		unit := m.Unit
		if unit == "" {
			unit = "MiB"
		}
		a.refuse(key+"unit", "got %s, want %%: ECS knows the share of what is reserved only", unit)
	case m.Kind == profiles.RPS:
		a.note("AWS counts requests per target and minute: %s/s are written as %s", m.Target, m.Target*awsMinute)
	}
	return m, ok
}

// change makes a policy track a metric.
func (a *awsWriter) change(policy awsPolicy, before, m profiles.Metric) {
	same := before.Kind == m.Kind && before.Name == m.Name
	if !same {
		a.edit(policy.id, awsConfiguration+"CustomizedMetricSpecification", nil)
		a.edit(policy.id, awsConfiguration+"PredefinedMetricSpecification", a.specification(m))
	}
	a.set(same && before.Target == m.Target, policy.id, awsConfiguration+"TargetValue", awsTarget(m))
	for _, c := range []struct {
		name, field       string
		has, before, want profiles.Duration
	}{
		{"ScaleInCooldown", "down", profiles.Duration(policy.in), a.before.Down.Stabilization, a.policy.Down.Stabilization},
		{"ScaleOutCooldown", "up", profiles.Duration(policy.out), a.before.Up.Stabilization, a.policy.Up.Stabilization},
	} {
		if c.want != c.before && c.want != c.has { // of several policies with their own only what changes
			a.edit(policy.id, awsConfiguration+c.name, a.cooldown(c.field, c.want))
		}
	}
}

// cooldown is a stabilization in the whole seconds of AWS.
func (a *awsWriter) cooldown(field string, d profiles.Duration) int {
	if d.Std()%time.Second != 0 {
		a.refuse(field+".stabilization", "got %s, want whole seconds", d)
	}
	return int(d.Std() / time.Second)
}

// awsTarget is the set point of a metric in AWS' unit.
func awsTarget(m profiles.Metric) any {
	if m.Kind == profiles.RPS {
		return number(m.Target * awsMinute)
	}
	return number(m.Target)
}

// specification names a metric to AWS.
func (a *awsWriter) specification(m profiles.Metric) yaml.MapSlice {
	switch m.Kind {
	case profiles.CPU:
		return yaml.MapSlice{{Key: "PredefinedMetricType", Value: awsCPU}}
	case profiles.Memory:
		return yaml.MapSlice{{Key: "PredefinedMetricType", Value: awsMemory}}
	}
	a.edits = append(a.edits,
		document.Edit{Path: "Parameters/" + awsLabel + "/Type", Value: "String"},
		document.Edit{Path: "Parameters/" + awsLabel + "/Description", Value: "app/NAME/ID/targetgroup/NAME/ID of the load balancer and its target group"})
	a.note("%s is asked for when the template is deployed: it names the load balancer and its target group", awsLabel)
	return yaml.MapSlice{{Key: "PredefinedMetricType", Value: awsRequests}, {Key: "ResourceLabel", Value: yaml.MapSlice{{Key: "Ref", Value: awsLabel}}}}
}

// addPolicy adds a policy for a metric to the template.
func (a *awsWriter) addPolicy(m profiles.Metric) {
	name := map[profiles.Kind]string{profiles.RPS: "Requests", profiles.CPU: "CPU", profiles.Memory: "Memory"}[m.Kind]
	id := name + "Policy"
	for i := 2; slices.Contains(a.was.resources, id); i++ {
		id = fmt.Sprintf("%sPolicy%d", name, i)
	}
	a.was.resources = append(a.was.resources, id)
	specification := a.specification(m)
	a.edits = append(a.edits, document.Edit{Path: "Resources/" + id, Value: yaml.MapSlice{
		{Key: "Type", Value: awsPolicyType},
		{Key: "Properties", Value: yaml.MapSlice{
			{Key: "PolicyName", Value: id},
			{Key: "PolicyType", Value: awsTracking},
			{Key: "ScalingTargetId", Value: yaml.MapSlice{{Key: "Ref", Value: a.was.id}}},
			{Key: "TargetTrackingScalingPolicyConfiguration", Value: yaml.MapSlice{
				{Key: "TargetValue", Value: awsTarget(m)},
				{Key: "ScaleInCooldown", Value: a.cooldown("down", a.policy.Down.Stabilization)},
				{Key: "ScaleOutCooldown", Value: a.cooldown("up", a.policy.Up.Stabilization)},
				{Key: "PredefinedMetricSpecification", Value: specification},
			}},
		}},
	}})
}

// schedules writes each schedule as two actions. Where one differs from those
// that are there they all come anew.
func (a *awsWriter) schedules() {
	p, before := a.policy, a.before
	if !a.onlyHours() {
		return
	}
	var want []profiles.Schedule
	var actions []any
	for i, s := range p.Schedules {
		pair, ok := a.actions(i, s)
		if !ok {
			continue
		}
		actions = append(actions, pair...)
		want = append(want, s)
	}
	if len(p.Schedules) > 1 {
		a.note("AWS sets bounds at an instant: where schedules overlap, the first end ends them all")
	}
	pairs, single := a.was.pairs()
	if slices.EqualFunc(want, before.Schedules, sameHours) {
		for _, pair := range pairs {
			end := fmt.Sprintf("ScheduledActions/%d/ScalableTargetAction/", pair.first+1)
			a.set(pair.schedule.Min == 0 || before.Replicas.Min == p.Replicas.Min, a.was.id, end+"MinCapacity", p.Replicas.Min)
			a.set(pair.schedule.Max == 0 || before.Replicas.Max == p.Replicas.Max, a.was.id, end+"MaxCapacity", int(p.Replicas.Max))
		}
		return
	}
	if len(single) == 0 {
		if len(actions)+len(pairs) > 0 {
			a.edit(a.was.id, "ScheduledActions", orNil(actions))
		}
		return
	}
	for _, pair := range slices.Backward(pairs) {
		a.edit(a.was.id, fmt.Sprintf("ScheduledActions/%d", pair.first+1), nil)
		a.edit(a.was.id, fmt.Sprintf("ScheduledActions/%d", pair.first), nil)
	}
	for i, action := range actions {
		a.edit(a.was.id, fmt.Sprintf("ScheduledActions/%d", len(single)+i), action)
	}
}

func orNil(list []any) any {
	if len(list) == 0 {
		return nil
	}
	return list
}

// sameHours compares but for UTC by its name.
func sameHours(a, b profiles.Schedule) bool {
	for _, s := range []*profiles.Schedule{&a, &b} {
		if s.Timezone == "UTC" {
			s.Timezone = ""
		}
	}
	return a.Equal(b)
}

// actions are the two actions of a schedule.
func (a *awsWriter) actions(i int, s profiles.Schedule) ([]any, bool) {
	key, r := fmt.Sprintf("schedules[%d].", i), a.policy.Replicas
	start, err := toAWSCron(s.Start)
	if err != nil {
		a.refuse(key+"start", "%s", err)
	}
	end, err2 := toAWSCron(s.End)
	if err2 != nil {
		a.refuse(key+"end", "%s", err2)
	}
	switch {
	case s.Max == 0 && r.Max != profiles.Unlimited && s.Min > int(r.Max):
		a.refuse(key+"min", "got %d, want replicas.max (%s) or less, or a max with it", s.Min, r.Max)
	case s.Min == 0 && s.Max < r.Min:
		a.refuse(key+"max", "got %d, want replicas.min (%d) or more, or a min with it", s.Max, r.Min)
	}
	action := func(name, cron string, low, high int) yaml.MapSlice {
		bounds := yaml.MapSlice{}
		if s.Min > 0 {
			bounds = append(bounds, yaml.MapItem{Key: "MinCapacity", Value: low})
		}
		if s.Max > 0 {
			bounds = append(bounds, yaml.MapItem{Key: "MaxCapacity", Value: high})
		}
		out := yaml.MapSlice{{Key: "ScheduledActionName", Value: name}, {Key: "Schedule", Value: cron}}
		if s.Timezone != "" {
			out = append(out, yaml.MapItem{Key: "Timezone", Value: s.Timezone})
		}
		return append(out, yaml.MapItem{Key: "ScalableTargetAction", Value: bounds})
	}
	return []any{
		action(fmt.Sprintf("hours-%d-start", i+1), start, s.Min, s.Max),
		action(fmt.Sprintf("hours-%d-end", i+1), end, r.Min, int(r.Max)),
	}, err == nil && err2 == nil
}
