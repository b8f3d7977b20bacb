package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"headroom/advisor"
	"headroom/advisor/report"
	"headroom/advisor/sim"
	"headroom/profiles"
	"headroom/profiles/platform"
)

// search has policies searched around one, and says how what was found is
// printed.
type search struct {
	wanted      bool
	exportFlags        // its to is a platform whose configuration is printed instead; empty: none
	by          string // name of the scaler that is to follow the policies
	load        string // that they are simulated under, where flags did not say it
	json        bool
	price       float64 // of a replica hour; 0: not known

	// What a measurement says, if it is of the same service under the same SLO.
	ceiling    *sim.Estimate // requests per second that no replica is given more of; nil: any
	assessment advisor.Assessment
}

// bound takes over how much a replica was measured to hold.
func (s *search) bound(m advisor.Measurement) {
	if most, ok := m.Ceiling(); ok {
		s.ceiling = &most
	}
}

// checkSearch refuses what does not go with a search, or without one.
func (s *simulateFlags) checkSearch() error {
	switch to := s.search.to; {
	case s.search.wanted && len(s.compare) > 0:
		return usage("--compare: got %s with --search, want one of the two", strings.Join(s.compare, ","))
	case to == "":
		return nil
	case !s.search.wanted:
		return usage("--to: got %s without --search, want both or neither", to)
	case s.search.json:
		return usage("--to: got %s with --json, want one of the two", to)
	}
	if _, err := platform.Find(s.search.to); err != nil {
		return usage("--to: %w", err)
	}
	s.search.by = s.search.to
	return nil
}

// search looks around a policy and prints what it found.
func (a *app) search(setup sim.Setup, from profiles.Policy, s search) error {
	ctx := a.signals.stop
	follow := func(p profiles.Policy) (sim.Scaler, error) {
		if err := s.refuseAbove(p, from); err != nil {
			return sim.Scaler{}, err
		}
		scaler, _, err := scalerNamed(s.by, p, setup)
		return scaler, err
	}
	var found sim.Exploration
	first, err := follow(from)
	if err == nil {
		found, err = sim.Explore(ctx, setup, from, follow)
	}
	switch {
	case err != nil && ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		return usage("--search: %w", err)
	}
	x := report.Exploration{
		Version: profiles.Version, Kind: "exploration", SLO: setup.SLO.String(), Scaler: s.by, Balancer: setup.Balancer(first).String(), Load: s.load,
		Seed: setup.Seed, Price: s.price, Assessment: s.assessment, Exploration: found,
	}
	if slices.ContainsFunc(from.Metrics, perReplica) {
		x.Ceiling = s.ceiling
	}
	if o, ok := setup.SLO.Latency(); ok {
		x.Needed = o.Quantile
	}
	var missed error
	if found.Chosen == nil {
		missed = &exit{code: exitNotMet}
	}
	switch {
	case s.json:
		err = report.WriteJSON(a.out, x)
	case s.to != "" && missed != nil:
		return &exit{exitNotMet, errors.New("--search: no policy was found that meets " + x.SLO + ": without --to, the nearest are shown")}
	case s.to != "":
		a.warn(x.Warnings())
		err = a.export(found.Chosen.Policy, s.exportFlags)
	default:
		err = report.WriteExploration(a.out, x, a.columns())
	}
	return errors.Join(err, missed)
}

// refuseAbove refuses policies that give a replica more than the ceiling, and more
// than the one does that the search is around.
func (s search) refuseAbove(p, from profiles.Policy) error {
	if s.ceiling == nil {
		return nil
	}
	for i, m := range p.Metrics {
		if most := max(profiles.MilliOf(s.ceiling.Value), from.Metrics[i].Target); perReplica(m) && m.Target > most {
			return fmt.Errorf("metrics[%d].target: got %s, want at most %s", i, m.Target, most)
		}
	}
	return nil
}

// perReplica reports whether a metric gives each replica a rate.
func perReplica(m profiles.Metric) bool { return m.Kind == profiles.RPS && m.PerReplica() }

// searchAdvice searches around an advice, under the load that it is for and with
// the scaler that is to follow it.
func (a *app) searchAdvice(cmd *cobra.Command, m advisor.Measurement, advice advisor.Recommendation, v *adviceFlags, s search) error {
	if err := errors.Join(refuseBeside(cmd, "search", "explain"), v.refuseUntried(cmd)); err != nil {
		return err
	}
	setup, load, err := m.Rehearsal(v.traffic, v.wanted)
	if err != nil {
		return usage("--search: %w", err)
	}
	if err := a.calibrate(m, true); err != nil {
		return err
	}
	s.by, s.load, s.assessment = builtin, load, advice.Assessment
	s.bound(m)
	if v.wanted.Within != nil {
		s.by = v.wanted.Within.Name
	}
	return a.search(setup, advice.Policy, s)
}

// calibrate says how near the simulator comes to a measurement, and refuses to
// decide anything by it where that is too far.
func (a *app) calibrate(m advisor.Measurement, decides bool) error {
	c, ok := m.Calibrate()
	if !ok {
		return nil
	}
	write(a.err, fmt.Sprintf("calibration: %s\n", c))
	if decides && c.Off() {
		return &exit{exitInconclusive, errors.New("--search: the simulator does not do what was measured, and what it finds would not hold: size by the formulas, without --search")}
	}
	return nil
}

// refuseUntried refuses what an advice keeps something free for and a recorded
// load does not have: a search would give it away.
func (v *adviceFlags) refuseUntried(cmd *cobra.Command) error {
	if v.wanted.History == nil {
		return nil
	}
	for _, name := range []string{"rise", "doubles", "jump", "growth"} {
		if f := cmd.Flags().Lookup(name); f.Changed {
			return usage("--%s: got %s with --search and --trace, want one of the three left out: the trace is simulated as it was recorded", name, f.Value)
		}
	}
	return nil
}
