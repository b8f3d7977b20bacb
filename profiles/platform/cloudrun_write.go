package platform

import (
	"fmt"
	"strconv"
	"time"

	"headroom/profiles"
	"headroom/profiles/document"
)

// What the autoscaler looks at, and how long it may keep an idle instance
// ("may keep some instances idle for a maximum of 15 minutes").
const (
	runWindow = profiles.Duration(time.Minute)
	runIdle   = profiles.Duration(15 * time.Minute)
)

// policy counts the requests that wait for a place as a burst, since Cloud Run
// starts instances for them at once: they wait when every instance has as many
// as containerConcurrency, which is 1/share times the target.
func (t runTerms) policy() (profiles.Policy, []Loss) {
	if t.manual > 0 {
		return profiles.FixedPolicy(t.manual), nil
	}
	var losses []Loss
	p := profiles.DefaultPolicy()
	p.Tolerance = 0
	p.Replicas = profiles.Bounds{Min: t.min, Max: profiles.Limit(t.max)}
	if t.concurrency > 0 {
		p.Metrics = append(p.Metrics, profiles.Metric{
			Kind: profiles.InFlight, Target: t.target(), Window: runWindow,
			Panic: &profiles.Panic{Window: profiles.Duration(time.Second), Threshold: profiles.MilliOf(100 / float64(t.concurrency))},
		})
	}
	if t.cpu > 0 {
		p.Metrics = append(p.Metrics, profiles.Metric{Kind: profiles.CPU, Target: profiles.Milli(t.cpu) * 1000, Window: runWindow})
	}
	switch {
	case t.min == 0 && t.concurrency > 0:
		p.ToZero = &profiles.ToZero{After: runIdle}
	case t.min == 0:
		p.Replicas.Min = 1
		losses = append(losses, Loss{Field: "replicas.min", From: "0", To: "1", Reason: "a policy goes to zero only with a metric of requests, and here the concurrency target is disabled", Severe: true})
	}
	if t.hard > 0 {
		losses = append(losses, Loss{Field: "containerConcurrency", Reason: fmt.Sprintf("a policy has no hard limit of %d requests in a replica; the document keeps it", t.hard)})
	}
	return p, losses
}

// target is how many requests in flight each instance is kept at, exactly.
func (t runTerms) target() profiles.Milli { return profiles.Milli(t.limit() * t.concurrency * 10) }

func (f runFile) policy() (profiles.Policy, []Loss) {
	p, losses := f.runTerms.policy()
	for _, full := range f.revision.names() {
		switch full {
		case runMin, runMax, runCPU, runConcurrency:
		default:
			losses = append(losses, Loss{Field: full, Reason: "Cloud Run documents no such annotation of a revision; it is not read", Severe: true})
		}
	}
	return p, losses
}

func writeCloudRun(w *writer, base []byte) ([]byte, error) {
	before, err := openCloudRun(base)
	if err != nil {
		return nil, err
	}
	p := w.policy
	if before.manual > 0 && p.Fixed() && p.Replicas.Min == before.manual {
		return base, nil
	}
	w.runReasons()
	w.noIdle("the platform")
	after := before.runTerms
	after.manual = 0
	was, _ := after.policy()
	if p.Replicas.Min != was.Replicas.Min {
		after.min = p.Replicas.Min
	}
	after.max = w.max()
	after.aim(w, was.Metrics)
	return document.Apply(base, before.doc, before.edits(after, w.isNew("cloudrun"))...)
}

// runReasons are what Cloud Run has no words for.
func (w *writer) runReasons() {
	w.hidden("", "Cloud Run keeps to itself when and how fast it acts")
	w.because("tolerance", "Cloud Run documents none")
	w.because("schedules", "Cloud Run has no hours")
	w.because("replicas.initial", "Cloud Run starts with minScale, and at least with one")
	w.hidden("toZero.after", "Cloud Run stops an idle instance when it sees fit, within 15 minutes")
	w.because("metrics", "Cloud Run looks at requests in flight first, then at the CPU; the order makes no difference")
	for i := range w.policy.Metrics {
		key := fmt.Sprintf("metrics[%d]", i)
		w.because(key+".window", "Cloud Run averages over one minute")
		w.because(key+".panic", "besides, Cloud Run starts instances at once while requests wait because all have as many as containerConcurrency")
	}
}

// aim sets the drivers to the metrics of the policy, where they are not the
// same already. What the policy does not have is disabled.
func (t *runTerms) aim(w *writer, was []profiles.Metric) {
	if len(w.policy.Metrics) == 0 {
		return
	}
	cpu, concurrency := 0, 0
	for i := range w.policy.Metrics {
		key := fmt.Sprintf("metrics[%d]", i)
		m, ok := w.convert(i, profiles.InFlight, profiles.CPU)
		if !ok {
			continue
		}
		same := false
		for _, before := range was {
			same = same || before.Kind == m.Kind && before.Target == m.Target && before.Unit == m.Unit
		}
		switch {
		case !m.PerReplica():
			w.refuse(key+".scope", "got %s, want %s", m.Scope, profiles.PerReplica)
		case m.Kind == profiles.CPU && cpu > 0 || m.Kind == profiles.InFlight && concurrency > 0:
			w.refuse(key+".kind", "got a second %s, want one", m.Kind)
		case m.Kind == profiles.CPU && !m.In("%"):
			w.refuse(key+".unit", "got %s, want %%", m.Unit)
		case m.Kind == profiles.CPU && same:
			cpu = t.cpu
		case m.Kind == profiles.CPU:
			cpu = w.whole(key+".target", m.Target)
			if cpu < runLeastPercent || cpu > runMostCPU {
				w.refuse(key+".target", "got %s, want %d to %d %%", m.Target, runLeastPercent, runMostCPU)
			}
		case same:
			concurrency = t.concurrency
		default:
			concurrency = t.share(w, key+".target", m.Target)
		}
	}
	t.cpu, t.concurrency = cpu, concurrency
	if concurrency > 0 {
		w.note("containerConcurrency %d is a hard limit too: no instance gets more requests at once", t.limit())
	}
}

// share finds a hard limit and a share of it in whole percents that make the
// target: the limit that there is if possible, or else a share as near to the
// usual one as it gets.
func (t *runTerms) share(w *writer, key string, target profiles.Milli) int {
	if percent := int(target) / (t.limit() * 10); t.hard > 0 && percent*t.hard*10 == int(target) && percent >= runLeastPercent && percent <= runMostPercent {
		return percent
	}
	hard, percent := nearestShare(target)
	reached := profiles.Milli(hard * percent * 10)
	switch {
	case hard == 0:
		w.refuse(key, "got %s, want 0.1 to %d: a share of 0.1 to 0.95 of a containerConcurrency of 1 to %d", target, runHardMost*runMostPercent/100, runHardMost)
	case reached != target && !w.options.Round:
		w.refuse(key, "got %s, want a share in hundredths of a whole containerConcurrency: %s is the nearest that keeps the capacity free; --round takes it", target, reached)
	case reached != target:
		w.because(key, "it is a share in hundredths of a whole containerConcurrency; rounded down, it starts replicas a little earlier")
	}
	if t.hard > 0 && hard != t.hard {
		w.note("containerConcurrency %d becomes %d: no share in hundredths of %d is %s", t.hard, hard, t.hard, target)
	}
	t.hard = hard
	w.note("the name and the unit of %s follow from gcloud's source and are not verified", runConcurrency)
	return percent
}

// nearestShare is the containerConcurrency and the percentage of it that come
// nearest to a target from below, the percentage nearest to the usual one
// among those that come as near, and the lower one of two. No limit is 0.
func nearestShare(target profiles.Milli) (hard, percent int) {
	best := 0
	far := func(percent int) int { return max(percent-runUsualPercent, runUsualPercent-percent) }
	for p := runLeastPercent; p <= runMostPercent; p++ {
		h := min(int(target)/(p*10), runHardMost)
		if reached := h * p; h > 0 && (reached > best || reached == best && far(p) < far(percent)) {
			best, hard, percent = reached, h, p
		}
	}
	if int(target) > runHardMost*runMostPercent*10 {
		return 0, 0
	}
	return hard, percent
}

// edits are what leads to other terms. No annotation of Cloud Run's own goes
// without need: they show whose document it is.
func (f *runFile) edits(to runTerms, isNew bool) (out []document.Edit) {
	bound := func(name, service string, from, to int) {
		if from == to && !isNew {
			return
		}
		text := strconv.Itoa(to)
		if _, there := f.service.values[service]; !there {
			out = append(out, f.revision.edits(revisionKey, name, text)...)
			return
		}
		out = append(out, f.service.edits(serviceKey, service, text)...)
		out = append(out, f.revision.edits(revisionKey, name, "")...)
	}
	target := func(name string, from, to int) {
		if from == to {
			return
		}
		text := plainNumber(float64(to) / 100)
		if to == 0 {
			text = runDisabled
		}
		out = append(out, f.revision.edits(revisionKey, name, text)...)
	}
	bound(runMin, runServiceMin, f.min, to.min)
	bound(runMax, runServiceMax, f.max, to.max)
	target(runCPU, f.cpu, to.cpu)
	target(runConcurrency, f.concurrency, to.concurrency)
	if f.hard != to.hard {
		out = append(out, document.Edit{Path: runHardPath, Value: to.hard})
	}
	if f.manual != to.manual {
		out = append(out, f.service.edits(serviceKey, runMode, runAutomatic)...)
		out = append(out, f.service.edits(serviceKey, runManual, "")...)
	}
	return out
}
