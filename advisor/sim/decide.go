package sim

import (
	"time"

	"headroom/profiles"
)

// decide makes a decision and acts on it, and plans the next one as the loop of
// the built-in scaler does.
func (s *simulation) decide() {
	now := s.clock
	p := s.times.At(now)
	m := s.sense(now, p.Metrics)
	d := s.decider.Decide(now, m)
	d.Desired = min(max(d.Desired, 0), mostReplicas)
	if d.Desired != s.size {
		s.change(Change{At: s.now, From: s.size, To: d.Desired, Why: d.String()})
	}
	s.size = d.Desired
	s.due = s.times.Until(now, now.Add(p.Interval.Std())).Sub(s.Start)
	s.agenda.push(event{at: s.due, kind: decision})
	s.scale(s.size, p.Down)
}

// sense is what a decision is made from, as the built-in scaler has it.
func (s *simulation) sense(now time.Time, metrics []profiles.Metric) profiles.Metrics {
	m := profiles.Metrics{
		Replicas: s.size,
		Ready:    s.ready,
		Readings: s.meters.Read(now, metrics),
		Waiting:  s.waiting,
		Oldest:   s.oldest(),
		Active:   s.meters.Active(now),
		InFlight: s.samples,
		Resized:  s.meters.Resized(),
		StartUp:  s.startUp,
	}
	for _, r := range s.serving {
		if r.free {
			m.Idle = append(m.Idle, now.Sub(r.since))
		}
	}
	for i, metric := range metrics {
		if metric.Kind == profiles.CPU {
			m.Readings[i] = s.cpu(now, metric)
		}
	}
	return m
}

// oldest is how long the first of those that wait has; 0 without any.
func (s *simulation) oldest() time.Duration {
	if s.waiting == 0 {
		return 0
	}
	since := s.now
	if s.line.n > 0 {
		since = s.line.first().arrived
	}
	for _, r := range s.serving {
		if r.own.n > 0 {
			since = min(since, r.own.first().arrived)
		}
	}
	return s.now - since
}

// cpu is the level of a metric of kind cpu: requests spend their CPU time
// evenly while they are worked on, and a replica that does nothing uses none.
func (s *simulation) cpu(now time.Time, m profiles.Metric) profiles.Reading {
	level := func(busy profiles.Milli) profiles.Milli {
		cores := busy.Float() * s.CPU.Seconds() / s.Service.mean.Seconds()
		if m.In("cores") {
			return profiles.MilliOf(cores)
		}
		return profiles.MilliOf(100 * cores / s.CPULimit.Float())
	}
	r := s.busy.Average(now, m.Window.Std())
	r.Total = level(r.Total)
	if m.Panic != nil {
		r.Burst = level(s.busy.Average(now, m.Panic.Window.Std()).Total)
	}
	return r
}

// sample looks at the fleet, once a second.
func (s *simulation) sample() {
	if s.now > 0 { // the first look is a second after the start
		s.samples = s.samples.Add(profiles.Sample{At: s.clock, InFlight: float64(s.meters.InFlight())})
	}
	if s.now < s.Length {
		s.observe(s.now, s.ready, s.size, s.waiting)
	}
	s.agenda.push(event{at: s.now + profiles.SampleEvery, kind: sampling})
}
