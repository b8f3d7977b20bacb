package platform

import (
	"fmt"
	"slices"
	"strconv"

	"headroom/profiles"
	"headroom/profiles/document"
)

func writeKEDA(w *writer, base []byte) ([]byte, error) {
	isNew := w.isNew(kedaPlatform)
	was, doc, err := openKEDA(base)
	if err != nil && !isNew {
		return nil, err
	}
	edits := w.scaledObject(kedaSettings{kedaFile: was}, isNew, "")
	w.warnOfReplicas(base)
	return document.Apply(base, doc.Index, edits...)
}

// scaledObject writes a policy into a ScaledObject. With a route of the HTTP
// add-on, the metrics that the add-on counts are behind one trigger.
func (w *writer) scaledObject(was kedaSettings, isNew bool, route string) (edits []document.Edit) {
	p := w.policy
	before, _ := was.policy()
	set := func(changed bool, key string, value any) {
		if isNew || changed {
			edits = append(edits, document.Edit{Path: "spec/" + key, Value: value})
		}
	}
	w.kedaReasons()
	wake := "pollingInterval is for waking up"
	if route != "" {
		wake = "the add-on wakes a fleet at once"
	}
	w.because("interval", "%s; between 1 and max the HPA that KEDA makes looks every 15s by default", wake)
	set(p.Interval != before.Interval, "pollingInterval", w.wholeSeconds("interval", p.Interval))
	if p.ToZero != nil {
		set(before.ToZero == nil || p.ToZero.After != before.ToZero.After, "cooldownPeriod", w.wholeSeconds("toZero.after", p.ToZero.After))
	}
	idle := p.Replicas.Idle
	if idle != nil && *idle != 0 {
		w.refuse("replicas.idle", "got %d, want 0 or none: with any other the HPA goes back to replicas.min at once", *idle)
	}
	if (idle == nil) != (before.Replicas.Idle == nil) {
		var value any
		if idle != nil {
			value = *idle
		}
		edits = append(edits, document.Edit{Path: "spec/idleReplicaCount", Value: value})
	}
	set(p.Replicas.Min != before.Replicas.Min, "minReplicaCount", p.Replicas.Min)
	high := w.kedaMax()
	set(p.Replicas.Max != before.Replicas.Max || len(p.Metrics) == 0 && high > was.max(), "maxReplicaCount", high)
	edits = append(edits, w.fallback(was)...)
	edits = append(edits, w.behavior("spec/advanced/horizontalPodAutoscalerConfig/behavior", was.Spec.Advanced.HPA.Behavior, isNew, high)...)
	edits = append(edits, w.triggers(was, route)...)
	return edits
}

// kedaMax is maxReplicaCount. Where only schedules change the size it must let
// them.
func (w *writer) kedaMax() int {
	high := w.max()
	if len(w.policy.Metrics) == 0 {
		for _, s := range w.policy.Schedules {
			high = max(high, s.Min)
		}
	}
	return high
}

// kedaReasons are what a ScaledObject has no words for.
func (w *writer) kedaReasons() {
	w.because("", "a ScaledObject has no such setting")
	for i := range w.policy.Metrics {
		key := fmt.Sprintf("metrics[%d]", i)
		w.because(key+".window", "the query has its own")
		w.because(key+".aggregation", "the query averages")
		w.because(key+".panic", "the HPA behind it has one window only")
	}
	w.hidden("replicas.initial", "the fleet begins with spec.replicas of its Deployment, which may be set once")
	w.because("onMetricError", "a fallback needs a metric other than cpu and memory, compared as an average")
	w.because("up.step", "no more than max fit in anyway")
	w.because("down.step", "no more than max can go anyway")
	w.because("down.order", "the ReplicaSet chooses: those not ready first, then the newer ones")
	w.because("schedules", "a cron trigger is a floor, with no ceiling")
	if len(w.policy.Metrics) == 0 {
		w.because("replicas.max", "only the cron triggers change the size")
	}
}

// fallback writes onMetricError.
func (w *writer) fallback(was kedaSettings) []document.Edit {
	before := profiles.DefaultPolicy()
	was.fallback(&before)
	n := w.policy.OnMetricError
	switch {
	case n == before.OnMetricError:
		return nil
	case n == profiles.Hold:
		return []document.Edit{{Path: "spec/fallback"}}
	case !slices.ContainsFunc(w.policy.Metrics, func(m profiles.Metric) bool {
		return m.Kind != profiles.CPU && m.Kind != profiles.Memory && m.PerReplica()
	}):
		return nil
	}
	const failures = 3
	w.note("the fallback comes when a trigger has failed more than %d times in a row; it is then as if that trigger asked for %d", failures, n)
	edits := []document.Edit{{Path: "spec/fallback/replicas", Value: int(n)}}
	if b := was.Spec.Fallback; b == nil || b.Threshold == nil {
		edits = slices.Insert(edits, 0, document.Edit{Path: "spec/fallback/failureThreshold", Value: failures})
	} else if b.Behavior != "" && b.Behavior != fallbackStatic {
		edits = append(edits, document.Edit{Path: "spec/fallback/behavior"})
	}
	return edits
}

// triggers writes spec.triggers. Those that mean the same stay as they are,
// and so do those that a policy has no words for.
func (w *writer) triggers(was kedaSettings, route string) []document.Edit {
	list := listEdit{path: "spec/triggers", length: len(was.Spec.Triggers)}
	w.metricTriggers(&list, was, route)
	w.cronTriggers(&list, was)
	switch none := list.length == len(list.dropped) && len(list.added) == 0 && len(w.policy.Metrics) == 0; {
	case none && route != "":
		list.add(pushTrigger(route))
	case none:
		list.add(fields("type", "cpu", "metricType", targetUtilization, "metadata", fields("value", "80")))
		w.note("a ScaledObject needs a trigger: cpu at 80 %% decides nothing while minReplicaCount is maxReplicaCount")
	}
	return list.edits()
}

// metricTriggers goes through the triggers for metrics in their order: the
// first that are the same are changed in place, what follows is replaced.
func (w *writer) metricTriggers(list *listEdit, was kedaSettings, route string) {
	if len(w.policy.Metrics) == 0 && w.policy.Fixed() {
		return // none decides
	}
	wanted := w.slots(route)
	same := true
	for at := range was.Spec.Triggers {
		t := &was.Spec.Triggers[at]
		push := t.pushes() && route != ""
		before, _, ok := t.metric(was.interval())
		if !ok && !push {
			continue
		}
		i := -1
		if len(wanted) > 0 {
			i = wanted[0]
		}
		switch {
		case i >= 0 && push:
			same = same && w.pushed(i, route)
		case i >= 0:
			same = same && !w.pushed(i, route) && sameTrigger(before, w.policy.Metrics[i])
		default:
			same = false
		}
		if !same {
			list.drop(at)
			continue
		}
		if !push {
			w.retrigger(list, at, t, before, i)
		}
		wanted = wanted[1:]
	}
	for _, i := range wanted {
		if entry := w.trigger(i, route); entry != nil {
			list.add(entry)
		}
	}
}

// slots are the metrics that need a trigger each; those that are pushed have
// one together, where the first of them stands.
func (w *writer) slots(route string) (out []int) {
	together := false
	for i := range w.policy.Metrics {
		if w.pushed(i, route) {
			if together {
				continue
			}
			together = true
		}
		out = append(out, i)
	}
	return out
}

// pushed reports whether a metric is counted by the HTTP add-on.
func (w *writer) pushed(i int, route string) bool {
	return route != "" && slices.Contains(addOnKinds, w.policy.Metrics[i].Kind)
}

// sameTrigger reports whether a trigger may stay, with another target, window
// or query.
func sameTrigger(a, b profiles.Metric) bool {
	return sameSignal(a, b) && (a.Query == b.Query || a.Name != "")
}

// cronTriggers writes the schedules.
func (w *writer) cronTriggers(list *listEdit, was kedaSettings) {
	if !w.onlyHours() {
		return
	}
	p, next := w.policy, 0
	for at := range was.Spec.Triggers {
		t := &was.Spec.Triggers[at]
		if t.Type != "cron" {
			continue
		}
		before, _, ok := t.schedule(int(was.Spec.Min), was.max())
		switch {
		case !ok:
		case next == len(p.Schedules):
			list.drop(at)
		default:
			w.reschedule(list, at, before, p.Schedules[next])
			w.checkSchedule(next)
			next++
		}
	}
	for ; next < len(p.Schedules); next++ {
		s := p.Schedules[next]
		w.checkSchedule(next)
		list.add(fields("type", "cron", "metadata", fields(
			"timezone", orThis(s.Timezone, "UTC"), "start", s.Start, "end", s.End, "desiredReplicas", strconv.Itoa(s.Min))))
	}
	if len(p.Schedules) > 0 {
		example := ""
		if p.Tolerance == hpaTolerance {
			example = ", so that it does not get from 22 to 24, or from 57 to 60"
		}
		w.note("the HPA leaves a difference of up to %s alone for a cron trigger too%s", p.Tolerance, example)
		if p.ToZero != nil {
			w.note("while a cron trigger is active the fleet does not go to zero, whatever arrives")
		}
	}
	if len(p.Schedules) > 1 {
		w.note("where schedules overlap the highest of them counts on KEDA, and the last in a policy")
	}
}

// reschedule changes what differs in a cron trigger.
func (w *writer) reschedule(list *listEdit, at int, was, s profiles.Schedule) {
	for _, v := range []struct{ key, was, is string }{
		{"timezone", was.Timezone, orThis(s.Timezone, "UTC")},
		{"start", was.Start, s.Start},
		{"end", was.End, s.End},
		{"desiredReplicas", strconv.Itoa(was.Min), strconv.Itoa(s.Min)},
	} {
		if v.was != v.is && (v.key != "timezone" || was.Timezone != s.Timezone) {
			list.set(at, "metadata/"+v.key, v.is)
		}
	}
}

// checkSchedule refuses what a floor cannot do.
func (w *writer) checkSchedule(i int) {
	p, s := w.policy, w.policy.Schedules[i]
	key := fmt.Sprintf("schedules[%d]", i)
	high := p.Replicas.Max
	switch {
	case s.Min == 0:
		w.refuse(key, "got a max and no min, want a min: a cron trigger is a floor, with no ceiling")
	case s.Min < p.Replicas.Min:
		w.refuse(key+".min", "got %d, want replicas.min (%d) or more: a cron trigger is a floor; lower replicas.min, and raise it by schedules for the other hours", s.Min, p.Replicas.Min)
	case len(p.Metrics) > 0 && high != profiles.Unlimited && s.Min > int(high):
		w.refuse(key+".min", "got %d, want replicas.max (%s) or less: no trigger goes above it", s.Min, high)
	}
}
