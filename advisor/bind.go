package advisor

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"headroom/profiles"
)

// The fields of a policy that decide about its times.
const (
	intervalField = "interval"
	windowField   = "metrics[0].window"
)

// first is a metric of the platform; any does where none is named.
func (a *Ability) first() profiles.Kind {
	if a == nil || len(a.Metrics) == 0 {
		return profiles.RPS
	}
	return a.Metrics[0]
}

// rounds reports whether a platform takes only whole targets of a metric.
func (a *Ability) rounds(kind profiles.Kind) bool {
	return a != nil && slices.Contains(a.Whole, kind)
}

// interval is what becomes of one on the platform.
func (a *Ability) interval(kind profiles.Kind, ours time.Duration) time.Duration {
	kept := a.tried(kind, ours, ours)
	return a.counted(kind, intervalField, ours, kept.Interval)
}

// window is what becomes of one on the platform.
func (a *Ability) window(kind profiles.Kind, interval, ours time.Duration) time.Duration {
	kept := a.tried(kind, interval, ours)
	return a.counted(kind, windowField, ours, kept.Metrics[0].Window)
}

// counted is the time to count on. One that the platform keeps to itself is
// taken to be no shorter than ours.
func (a *Ability) counted(kind profiles.Kind, field string, ours time.Duration, kept profiles.Duration) time.Duration {
	if a != nil && a.Hidden[kind][field] != "" {
		return max(ours, kept.Std())
	}
	return kept.Std()
}

// ScaledBy is a policy to try a platform with, of one metric with a target of 10.
func ScaledBy(m profiles.Metric) profiles.Policy {
	p := profiles.DefaultPolicy()
	p.Replicas = profiles.Bounds{Min: 1, Max: 10}
	m.Target, m.Window = 10_000, p.Interval
	p.Metrics = []profiles.Metric{m}
	p.Calibration = &profiles.Calibration{Latency: profiles.Duration(time.Second), CPUPerRequest: profiles.Duration(time.Second)}
	return p
}

// tried is what the platform makes of a policy with these times; the same where
// it refuses one.
func (a *Ability) tried(kind profiles.Kind, interval, window time.Duration) profiles.Policy {
	p := ScaledBy(profiles.Metric{Kind: kind})
	p.Interval, p.Metrics[0].Window = profiles.Duration(interval), profiles.Duration(window)
	kept, _ := a.keep(p)
	return kept
}

// keep is a policy as the platform has it, with the reasons for what differs. Of
// a metric that it has in other terms only the window is of use.
func (a *Ability) keep(p profiles.Policy) (profiles.Policy, map[string]string) {
	if a == nil || a.Keep == nil {
		return p, nil
	}
	kept, why, err := a.Keep(p)
	if err != nil || len(kept.Metrics) != 1 {
		return p, nil
	}
	if m := kept.Metrics[0]; m.Kind != p.Metrics[0].Kind || m.Unit != p.Metrics[0].Unit {
		kept.Metrics = slices.Clone(p.Metrics)
		kept.Metrics[0].Window = m.Window
	}
	return kept, why
}

// bindings are the values that a platform may have of its own: the fields of a
// policy that they stand in, and what one of each is there.
var bindings = map[string]struct {
	field string
	unit  float64
	of    func(*profiles.Policy) *int64
}{
	"target":     {"metrics[0].target", 1000, func(p *profiles.Policy) *int64 { return (*int64)(&p.Metrics[0].Target) }},
	"tolerance":  {"tolerance", 10, func(p *profiles.Policy) *int64 { return (*int64)(&p.Tolerance) }},
	"interval":   {intervalField, 1e9, func(p *profiles.Policy) *int64 { return (*int64)(&p.Interval) }},
	"window":     {windowField, 1e9, func(p *profiles.Policy) *int64 { return (*int64)(&p.Metrics[0].Window) }},
	"up after":   {"up.stabilization", 1e9, func(p *profiles.Policy) *int64 { return (*int64)(&p.Up.Stabilization) }},
	"down after": {"down.stabilization", 1e9, func(p *profiles.Policy) *int64 { return (*int64)(&p.Down.Stabilization) }},
}

// bind puts into the policy, and into the values, what the platform makes of
// them. What it keeps to itself is no value: the note names it. The interval and
// the window are those of the platform already, as they are counted on.
func (s sized) bind(p *profiles.Policy, values []Value) (out []Value, note string) {
	if s.Within == nil {
		return values, ""
	}
	free := *p // to choose its times
	free.Metrics = slices.Clone(p.Metrics)
	free.Interval, free.Metrics[0].Window = profiles.Duration(s.decideEvery()), profiles.Duration(s.averageOver(s.interval))
	kept, why := s.Within.keep(free)
	var hidden, secrets []string
	for _, v := range values {
		b, may := bindings[v.Name]
		if !may {
			out = append(out, v)
			continue
		}
		ours, theirs, secret := *b.of(&free), *b.of(&kept), s.Within.Hidden[s.kind][b.field]
		counted := b.field == intervalField || b.field == windowField
		if counted {
			theirs = *b.of(p)
		}
		switch {
		case secret != "" && !counted:
			hidden = append(hidden, v.Name)
			if !slices.Contains(secrets, secret) {
				secrets = append(secrets, secret)
			}
			continue
		case secret != "":
			v.Formula, v.Why = fmt.Sprintf("not in %s: %g %s is counted on", s.Within.Name, v.Value, v.Unit), secret
		case ours != theirs:
			*b.of(p) = theirs
			low, high := math.Floor(v.Low), math.Floor(v.High)
			v.Value = float64(theirs) / b.unit
			v = exact(v)
			if v.Name == "target" { // of which only the fraction is cut
				v.Low, v.High = low, high
			}
			v.Formula, v.Why = fmt.Sprintf("%s has %g %s", s.Within.Name, v.Value, v.Unit), cmp.Or(why[b.field], "it has its own")
			v.Rejected = []Rejection{{fmt.Sprintf("%g %s", float64(ours)/b.unit, v.Unit), s.Within.Name + " cannot say it"}}
		}
		if other := why["metrics[0].kind"]; v.Name == "target" && other != "" {
			v.Inputs = append(slices.Clone(v.Inputs), other)
		}
		out = append(out, v)
	}
	if len(hidden) > 0 {
		note = fmt.Sprintf("no %s can be set on %s: %s", strings.Join(hidden, ", "), s.Within.Name, strings.Join(secrets, "; "))
	}
	return out, note
}
