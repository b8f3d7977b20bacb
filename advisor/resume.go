package advisor

import (
	"context"
	"fmt"
	"slices"
)

// resume goes on with the search of before: with its steps, from where it ended.
// The first step is its baseline once more, as two searches say something
// together only where the service is the same.
func (s *search) resume(ctx context.Context) (Capacity, error) {
	before := *s.Prior
	s.steps = slices.Clone(before.Steps)
	c := Capacity{
		Baseline: before.Baseline, Service: before.Service, Replicas: before.Replicas,
		Idle: before.Idle, // and nothing is confirmed: with more steps it may be another load
	}
	if before.Scaling != nil {
		c.Scaling = new(*before.Scaling)
		c.Scaling.Skipped = "" // it may be another reason now
	}
	if before.Saturation.Value > 0 && (before.Refusal == nil || before.Refusal.Code != unsaturated) {
		c.Saturation, c.HostLimited = before.Saturation, before.HostLimited
	}
	s.reserve = s.controlTime(before.Baseline) + s.loadedTime() + s.secondTime(c.Scaling)
	return s.phases(ctx, c, s.again, s.saturate, s.bisect, s.confirm, s.control, s.second, s.together)
}

// again is the first step of a search that is continued.
func (s *search) again(ctx context.Context, c *Capacity) error {
	o, err := s.alone(ctx, s.share(baseShare))
	if err != nil {
		return err
	}
	if c.Refusal = refuseBaseline(o, s.SLO); c.Refusal == nil {
		c.Control = &o
		c.Refusal = refuseDrift(c)
	}
	return nil
}

// continuedBy is why a session cannot go on with the measurement, if it cannot:
// it must be of the same requests to the same target, under the same
// SLO, and come from the same machine.
func (m Measurement) continuedBy(c Config) error {
	for _, of := range []struct{ what, got, want string }{
		{"of a target that is", m.Target, c.Plan.ShownTarget()},
		{"under the SLO", m.SLO, c.SLO.String()},
		{"of the tasks", fmt.Sprint(m.Tasks), fmt.Sprint(c.Plan.TaskNames())},
		{"from a machine that is", fmt.Sprint(m.Machine), fmt.Sprint(ThisMachine())},
	} {
		if of.got != of.want {
			return fmt.Errorf("--continue: got a measurement %s %s, want %s", of.what, of.got, of.want)
		}
	}
	if len(m.Capacity.Steps) == 0 {
		return fmt.Errorf("--continue: got a measurement without a step, want one with some")
	}
	return nil
}
