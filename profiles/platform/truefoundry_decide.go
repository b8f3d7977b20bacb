package platform

import (
	"time"

	"headroom/profiles"
)

// tfyHours is the reason of a decision by the hours of a cron metric.
const tfyHours profiles.Reason = "cron"

// decider is the built-in scaler on the effective policy, as TrueFoundry does
// not document how it decides; for cron see below.
func (s tfySettings) decider() (profiles.Decider, error) {
	p, _ := s.policy()
	if s.fixed == 0 && s.replicas.Metrics.Type == tfyCron {
		return newTFYCron(s, p.Schedules[0])
	}
	return p.Decider()
}

// tfyCronDecider takes a cron metric as KEDA does (its scalers/cron_scaler.go;
// that TrueFoundry uses KEDA is UNVERIFIED): the metric is desired_replicas
// within the hours and 0 outside, the target of a replica is 1, and the rest
// is the usual: nothing moves within 10 %, and replicas go once five minutes
// have asked for fewer.
type tfyCronDecider struct {
	hours   profiles.Decider // of two replicas within the hours, else one
	size    profiles.Decider
	desired profiles.Milli
	reading [1]profiles.Reading
}

func newTFYCron(s tfySettings, hours profiles.Schedule) (*tfyCronDecider, error) {
	clock := profiles.FixedPolicy(1)
	hours.Min = 2
	clock.Schedules = []profiles.Schedule{hours}
	size := profiles.DefaultPolicy()
	size.Replicas = profiles.Bounds{Min: s.replicas.Min, Max: profiles.Limit(s.replicas.Max)}
	size.Metrics = []profiles.Metric{{Kind: profiles.Custom, Name: tfyCron, Target: 1000, Window: size.Interval}}
	d := &tfyCronDecider{desired: profiles.Milli(s.desired) * 1000}
	var err error
	if d.hours, err = clock.Decider(); err != nil {
		return nil, err
	}
	d.size, err = size.Decider()
	return d, err
}

func (d *tfyCronDecider) Decide(now time.Time, m profiles.Metrics) profiles.Decision {
	d.reading[0] = profiles.Reading{Valid: true}
	if d.active(now) {
		d.reading[0].Total = d.desired
	}
	out := d.size.Decide(now, profiles.Metrics{Replicas: m.Replicas, Ready: m.Ready, Readings: d.reading[:]})
	if out.Kind == profiles.Custom {
		out.Reason = tfyHours
	}
	return out
}

// active reports whether it is within the hours, by the rule of the built-in
// scaler's schedules, which is KEDA's.
func (d *tfyCronDecider) active(now time.Time) bool {
	return d.hours.Decide(now, profiles.Metrics{Replicas: 1, Ready: 1}).Desired == 2
}
