package platform

import (
	"errors"
	"fmt"

	"headroom/profiles"
)

// exportJCloud writes the jcloud.yml of fastapi-serve (its
// fastapi_serve/cloud/config.py): one metric out of cpu, memory and rps, a
// whole target, min and max. Timing is the platform's.
func exportJCloud(p profiles.Policy, o Options) (Document, error) {
	if err := p.Validate(); err != nil {
		return Document{}, err
	}
	var doc Document
	lose := func(field, format string, args ...any) {
		doc.Losses = append(doc.Losses, Loss{field, fmt.Sprintf(format, args...)})
	}
	refuse := func(field, format string, args ...any) (Document, error) {
		return Document{}, fmt.Errorf("jcloud: "+field+": "+format, args...)
	}

	if p.Replicas.Max == profiles.Unlimited {
		return refuse("replicas.max", "got unlimited, want a number: set one")
	}
	autoscale := fmt.Sprintf("autoscale:\n  min: %d\n  max: %d\n", p.Replicas.Min, int(p.Replicas.Max))
	switch {
	case len(p.Metrics) > 1:
		return refuse("metrics", "got %d, want one: keep the one that decides", len(p.Metrics))
	case len(p.Metrics) == 1:
		m := p.Metrics[0]
		target, err := jcloudTarget(m, p.Calibration)
		if err != nil {
			return refuse("metrics[0]", "%w", err)
		}
		if !target.Whole() {
			down := target / 1000
			switch {
			case down == 0:
				return refuse("metrics[0].target", "got %s, want 1 or more: the platform has only whole numbers", target)
			case !o.Round:
				return refuse("metrics[0].target", "got %s, want a whole number: %d is the nearest that keeps the capacity free; --round takes it", target, down)
			}
			lose("metrics[0].target", "%s was rounded down to %d, so the platform starts replicas a little earlier", target, down)
			target = down * 1000
		}
		autoscale += fmt.Sprintf("  metric: rps\n  target: %s\n", target)
	}

	d := profiles.DefaultPolicy()
	for _, timing := range []struct {
		field string
		set   bool
	}{
		{"interval", p.Interval != d.Interval},
		{"metrics[0].window", len(p.Metrics) == 1 && p.Metrics[0].Window != p.Interval},
		{"tolerance", p.Tolerance != d.Tolerance},
		{"up", p.Up != d.Up},
		{"down", p.Down != d.Down},
	} {
		if timing.set {
			lose(timing.field, "the platform sets its own timing")
		}
	}
	if p.Replicas.Initial != 0 && p.Replicas.Initial != p.Replicas.Min {
		lose("replicas.initial", "the platform starts with min")
	}
	if len(p.Schedules) > 0 {
		lose("schedules", "the platform has none; only the bounds outside of them are written")
	}

	doc.Text = []byte("# jcloud.yml\ninstance: C3\n" + autoscale)
	return doc, nil
}

// jcloudTarget is the target in requests per second per replica.
func jcloudTarget(m profiles.Metric, c *profiles.Calibration) (profiles.Milli, error) {
	if m.Kind == profiles.RPS {
		return m.Target, nil
	}
	if c == nil || c.Latency <= 0 {
		return 0, errors.New("got in_flight, want rps: the platform does not count requests in flight, and without calibration.latency they cannot be converted")
	}
	// Little's law: in flight = rate x latency.
	rate := profiles.MilliOf(m.Target.Float() / c.Latency.Std().Seconds())
	return 0, fmt.Errorf("got in_flight, want rps: the platform does not count requests in flight; at the calibrated latency of %s a target of %s in flight is %s requests/s", c.Latency, m.Target, rate)
}
