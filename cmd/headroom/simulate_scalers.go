package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"headroom/advisor/sim"
	"headroom/profiles"
	"headroom/profiles/platform"
)

// builtin names Headroom's own scaler.
const builtin = "builtin"

// autoscalers are those that a policy with another metric is put to: what it
// follows instead, with the platform's own default.
var autoscalers = []struct {
	name, platform string
	metric         profiles.Metric
}{
	{"everai-free", "everai", profiles.Metric{Kind: profiles.FreeWorkers, Target: 1000}},
	{"everai-queue", "everai", profiles.Metric{Kind: profiles.Queue, Target: 1000}},
}

// scalerNames are those of --compare.
func scalerNames() []string {
	names := []string{builtin}
	for _, n := range platform.Names() {
		if n != platform.Own {
			names = append(names, n)
		}
	}
	for _, s := range autoscalers {
		names = append(names, s.name)
	}
	return names
}

// parseScalers reads names separated by commas.
func parseScalers(text string) ([]string, error) {
	names := strings.Split(text, ",")
	for i, n := range names {
		names[i] = strings.TrimSpace(n)
		if !slices.Contains(scalerNames(), names[i]) {
			return nil, &profiles.ValueError{Got: names[i], Want: "some of " + strings.Join(scalerNames(), ", ")}
		}
		if slices.Contains(names[:i], names[i]) {
			return nil, fmt.Errorf("got %s twice, want each once", names[i])
		}
	}
	return names, nil
}

// scalerNamed follows a policy as a platform does that it was exported to, or as
// the built-in scaler. The losses are what the platform makes of it otherwise.
func scalerNamed(name string, p profiles.Policy, setup sim.Setup) (sim.Scaler, []string, error) {
	if name == builtin || name == platform.Own {
		s, err := sim.Built(p)
		return s, nil, err
	}
	for _, s := range autoscalers {
		if s.name == name {
			name, p.Metrics = s.platform, []profiles.Metric{s.metric}
			p.Metrics[0].Window = p.Interval
		}
	}
	if p.Calibration == nil { // what the platform's metric is converted by
		p.Calibration = &profiles.Calibration{
			Latency: profiles.Duration(setup.Service.Mean()), CPUPerRequest: profiles.Duration(setup.CPU),
		}
	}
	pl, err := platform.Find(name)
	if err != nil {
		return sim.Scaler{}, nil, fmt.Errorf("platform: %w", err)
	}
	options := platform.Options{Round: true}
	doc, err := pl.Export(p, options)
	if err != nil {
		return sim.Scaler{}, nil, err
	}
	d, err := pl.Decider(p, options)
	return sim.Scaler{Policy: doc.Effective, Decider: d, Balancer: pl.Balancer()}, severe(doc.Losses), err
}

// severe are the losses that change how many replicas there are.
func severe(losses []platform.Loss) []string {
	return lossLines(slices.DeleteFunc(slices.Clone(losses), func(l platform.Loss) bool { return !l.Severe }))
}

// simulated is the result of a simulation; what is wrong with its setup is a
// usage error.
func simulated(ctx context.Context, setup sim.Setup, scaler sim.Scaler) (sim.Result, error) {
	result, err := sim.Run(ctx, setup, scaler)
	if err != nil && ctx.Err() == nil {
		return result, &exit{exitUsage, err}
	}
	return result, err
}
