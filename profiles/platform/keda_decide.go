package platform

import (
	"fmt"
	"time"

	"github.com/robfig/cron/v3"

	"headroom/profiles"
)

// The words of KEDA: reasons of the condition Active, and of its events.
const (
	kedaActivated   profiles.Reason = "KEDAScaleTargetActivated"
	kedaDeactivated profiles.Reason = "KEDAScaleTargetDeactivated"
	kedaCooldown    profiles.Reason = "ScalerCooldown"
	kedaNotActive   profiles.Reason = "ScalerNotActive"
	kedaToMin       profiles.Reason = "set to ScaledObject minReplicaCount"
	kedaTriggerFail profiles.Reason = "TriggerError"
	kedaPaused      profiles.Reason = "ScaledObjectPaused"
	kedaPausedIn    profiles.Reason = "paused-scale-in"
	kedaPausedOut   profiles.Reason = "paused-scale-out"
	kedaWaits       profiles.Reason = "until the next sync"
)

// kedaDecider is KEDA's executor, which wakes and puts to rest
// (pkg/scaling/executor/scale_scaledobjects.go), and the HPA that KEDA makes,
// which decides between 1 and max. Each has its own rhythm, whatever the
// caller's: pollingInterval and 15 seconds; a call in between changes nothing.
type kedaDecider struct {
	hpa      *hpaDecider
	sources  []kedaSource // of the signals of the HPA, in its order
	readings []profiles.Reading

	low, high   int
	idle        bool // to 0, although low is higher
	cooldown    time.Duration
	initial     time.Duration // cooldown after the creation
	polling     time.Duration
	fallback    kedaFallback
	annotations kedaAnnotations

	created    time.Time
	lastActive time.Time // zero: never
	nextPoll   time.Time
	nextSync   time.Time
}

// kedaSource is where a signal of the HPA comes from.
type kedaSource struct {
	reading    int // of the policy's metrics, or -1
	hours      *kedaHours
	activation profiles.Milli // active above it
	resource   bool           // cpu and memory, which the HPA reads and which wake nothing
	pushed     bool           // by the HTTP add-on, at once
	whole      bool           // reported in whole numbers, rounded up
	average    bool           // compared as an average, so that it can fall back
	target     profiles.Milli
	failures   int // in a row
}

// kedaHours is a cron trigger at work (pkg/scalers/cron_scaler.go): active
// unless the next start comes before the next end, so that the end itself is
// outside.
type kedaHours struct {
	start, end         cron.Schedule
	location           *time.Location
	desired            int
	nextStart, nextEnd time.Time
}

// active looks for the next moments only when one of them has passed.
func (h *kedaHours) active(now time.Time) bool {
	if !now.Before(h.nextStart) || !now.Before(h.nextEnd) {
		t := now.In(h.location)
		h.nextStart, h.nextEnd = h.start.Next(t), h.end.Next(t)
	}
	return !h.nextStart.Before(h.nextEnd)
}

// hours are those of a cron trigger that checks.
func (t *kedaTrigger) hours() (*kedaHours, error) {
	m := t.Metadata
	location, err := time.LoadLocation(m.Timezone)
	if err != nil {
		return nil, err
	}
	start, err := profiles.ParseCron(m.Start)
	if err != nil {
		return nil, err
	}
	end, err := profiles.ParseCron(m.End)
	if err != nil {
		return nil, err
	}
	return &kedaHours{start: start, end: end, location: location, desired: int(m.Desired)}, nil
}

func (f kedaSettings) decider() (profiles.Decider, error) {
	low, high := int(f.Spec.Min), f.max()
	d := &kedaDecider{
		hpa: newHPA(max(1, low), high, f.Spec.Advanced.HPA.Behavior),
		low: low, high: high, idle: f.Spec.Idle != nil,
		cooldown: f.cooldown().Std(), polling: f.interval().Std(),
		initial:     time.Duration(f.Spec.InitialCooldown) * time.Second,
		annotations: f.Metadata.Annotations,
	}
	if f.Spec.Fallback != nil {
		d.fallback = *f.Spec.Fallback
	}
	next := 0 // reading
	for i := range f.Spec.Triggers {
		if err := d.add(f, i, &next); err != nil {
			return nil, err
		}
	}
	d.readings = make([]profiles.Reading, len(d.sources))
	return d, nil
}

// add puts a trigger to work.
func (d *kedaDecider) add(f kedaSettings, i int, next *int) error {
	t := &f.Spec.Triggers[i]
	name := fmt.Sprintf("s%d-%s", i, t.Type)
	if t.pushes() && len(f.pushed) > 0 {
		for _, m := range f.pushed {
			d.signal(name, m, kedaSource{reading: *next, pushed: true, average: true, whole: m.Kind == profiles.RPS})
			*next++
		}
		return nil
	}
	if t.Type == "cron" {
		hours, err := t.hours()
		if err != nil {
			return err
		}
		d.signal(name, profiles.Metric{Kind: profiles.Custom, Target: 1000}, kedaSource{reading: -1, hours: hours, average: true})
		return nil
	}
	m, _, ok := t.metric(f.interval())
	if !ok {
		return nil
	}
	s := kedaSource{reading: *next, activation: t.Metadata.Activation, resource: !t.external(), average: t.external() && t.compared() != targetValue}
	*next++
	if s.resource {
		signal, _ := t.resourceMetric().signal()
		d.hpa.signals = append(d.hpa.signals, signal)
		d.sources = append(d.sources, s)
		return nil
	}
	d.signal(name, m, s)
	return nil
}

// signal adds an external metric to the HPA.
func (d *kedaDecider) signal(name string, m profiles.Metric, s kedaSource) {
	s.target = m.Target
	calculate := byPod
	if !m.PerReplica() {
		calculate = byLevel
	}
	d.hpa.signals = append(d.hpa.signals, hpaSignal{
		calculate: calculate, target: int64(m.Target), unit: 1, metric: m,
		above: profiles.Reason("external metric " + name + " above target"), failed: "FailedGetExternalMetric",
	})
	d.sources = append(d.sources, s)
}

// resourceMetric is cpu or memory as KEDA hands it on to the HPA.
func (t *kedaTrigger) resourceMetric() *hpaMetric {
	m := profiles.Metric{Kind: profiles.Kind(t.Type)}
	t.resource(&m)
	target := hpaTarget{Type: t.compared()}
	var q quantity
	if target.Type == targetUtilization {
		n := int32(m.Target / 1000)
		target.Utilization = &n
	} else if err := q.UnmarshalText([]byte(t.Metadata.Value)); err == nil {
		target.Average = &q
	}
	return &hpaMetric{Type: "Resource", Resource: &hpaSource{Name: t.Type, Target: target}}
}

// Decide takes the steps that are due.
func (d *kedaDecider) Decide(now time.Time, m profiles.Metrics) profiles.Decision {
	if d.created.IsZero() {
		d.created, d.nextPoll, d.nextSync = now, now, now
	}
	cur := m.Replicas
	out := profiles.Decision{At: now, Current: cur, Raw: cur, Desired: cur, Valid: true, Reason: kedaWaits}
	active, pushed, failed := d.read(now, m)
	switch a := d.annotations; {
	case a.PausedReplicas != nil:
		out.Raw, out.Desired, out.Reason = int(*a.PausedReplicas), int(*a.PausedReplicas), kedaPaused
		return out
	case a.Paused == "true":
		out.Reason = kedaPaused
		return out
	}
	if due(&d.nextPoll, now, d.polling) || pushed {
		n, reason := d.execute(now, cur, active, failed)
		if reason != "" {
			out.Raw, out.Desired, out.Reason = n, n, reason
			out.Valid = reason != kedaTriggerFail
		}
	}
	if out.Desired != cur || cur == 0 || !due(&d.nextSync, now, hpaSync.Std()) {
		return out
	}
	return d.sync(now, m)
}

// due reports whether a moment has come, and sets the next one.
func due(next *time.Time, now time.Time, every time.Duration) bool {
	if now.Before(*next) {
		return false
	}
	*next = next.Add(now.Sub(*next).Truncate(every) + every)
	return true
}

// read takes the readings for the signals of the HPA, and reports whether any
// trigger is active, one that pushes is so, or one could not be read.
func (d *kedaDecider) read(now time.Time, m profiles.Metrics) (active, pushed, failed bool) {
	active = d.annotations.Force == "true"
	for i := range d.sources {
		s := &d.sources[i]
		r := profiles.Reading{Valid: true}
		switch {
		case s.hours != nil && s.hours.active(now):
			r.Total = profiles.Milli(s.hours.desired) * 1000
		case s.hours != nil:
		case s.reading < len(m.Readings):
			r = m.Readings[s.reading]
			if s.whole {
				r.Total = profiles.Milli(profiles.CeilDiv(int64(max(0, r.Total)), 1000)) * 1000
			}
		default:
			r.Valid = false
		}
		d.readings[i] = r
		switch {
		case s.resource:
		case !r.Valid:
			failed = true
		case r.Total > s.activation:
			active, pushed = true, pushed || s.pushed
		}
	}
	return active, pushed, failed
}

// execute is the executor's step; without a reason it leaves the size to the
// HPA.
func (d *kedaDecider) execute(now time.Time, cur int, active, failed bool) (n int, reason profiles.Reason) {
	if active {
		return d.wake(now, cur, failed)
	}
	rest := d.low
	if d.idle || d.low == 0 {
		rest = 0
	}
	switch {
	case failed && d.fallback.Replicas != nil && *d.fallback.Replicas != 0:
		return cur, ""
	case failed:
		return cur, kedaTriggerFail
	case rest == 0 && cur > 0 && d.annotations.PausedIn == "true":
		return cur, kedaPausedIn
	case rest == 0 && cur > 0 && !d.cooled(now):
		return cur, kedaCooldown
	case rest == 0 && cur > 0:
		return 0, kedaDeactivated
	case !d.idle && cur < d.low:
		return d.low, kedaToMin
	}
	return cur, kedaNotActive
}

// wake is the executor's step while a trigger is active.
func (d *kedaDecider) wake(now time.Time, cur int, failed bool) (n int, reason profiles.Reason) {
	asleep := d.idle && cur < d.low || cur == 0
	if !asleep {
		if !failed {
			d.lastActive = now
		}
		return cur, ""
	}
	if d.annotations.PausedOut == "true" {
		return cur, kedaPausedOut
	}
	d.lastActive = now
	return max(1, d.low), kedaActivated
}

// cooled reports whether nothing was active for long enough. Without any
// activity so far only the creation counts.
func (d *kedaDecider) cooled(now time.Time) bool {
	if d.lastActive.IsZero() {
		return now.Sub(d.created) >= d.initial
	}
	return now.Sub(d.lastActive) > d.cooldown
}

// sync is the step of the HPA.
func (d *kedaDecider) sync(now time.Time, m profiles.Metrics) profiles.Decision {
	for i := range d.sources {
		s := &d.sources[i]
		if s.resource || d.readings[i].Valid {
			s.failures = 0
			continue
		}
		s.failures++
		if b := d.fallback; b.Replicas != nil && s.average && s.failures > orUsual(b.Threshold, 0) {
			d.readings[i] = profiles.Reading{Total: b.metric(s.target, m.Replicas), Valid: true}
		}
	}
	m.Readings = d.readings
	out := d.hpa.Decide(now, m)
	switch {
	case out.Desired < out.Current && d.annotations.PausedIn == "true":
		out.Desired, out.LimitedBy = out.Current, kedaPausedIn
	case out.Desired > out.Current && d.annotations.PausedOut == "true":
		out.Desired, out.LimitedBy = out.Current, kedaPausedOut
	}
	return out
}

// metric is what a fallback puts in for one that fails: so many times its
// target as there are to be replicas (pkg/fallback).
func (b kedaFallback) metric(target profiles.Milli, cur int) profiles.Milli {
	return target * profiles.Milli(b.size(cur))
}

// size is how many replicas the fallback wants.
func (b kedaFallback) size(cur int) int {
	n := orUsual(b.Replicas, 0)
	switch b.Behavior {
	case fallbackCurrent:
		return cur
	case fallbackHigher:
		return max(cur, n)
	case fallbackLower:
		return min(cur, n)
	}
	return n
}
