package main

import (
	"context"
	"errors"
	"strings"
	"time"

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
	exportFlags // its to is a platform whose configuration is printed instead; empty: none
	json        bool
	price       float64 // of a replica hour; 0: not known
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
	return nil
}

// search looks around a policy and prints what it found.
func (a *app) search(setup sim.Setup, from profiles.Policy, s search) error {
	ctx := a.signals.stop
	found, err := sim.Explore(ctx, setup, from)
	switch {
	case err != nil && ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		return usage("--search: %w", err)
	}
	x := report.Exploration{
		Version: profiles.Version, Kind: "exploration", SLO: setup.SLO.String(), Seed: setup.Seed, Price: s.price, Exploration: found,
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
		err = a.export(found.Chosen.Policy, s.exportFlags)
	default:
		err = report.WriteExploration(a.out, x, a.columns())
	}
	return errors.Join(err, missed)
}

// searchedFor is how long the traffic of an advice is simulated for.
const searchedFor = time.Hour

// searchAdvice searches around an advice, for an hour of the traffic that it is
// for.
func (a *app) searchAdvice(cmd *cobra.Command, m advisor.Measurement, advice advisor.Recommendation, v *adviceFlags, s search) error {
	if err := refuseBeside(cmd, "search", "explain", "for", "trace"); err != nil {
		return err
	}
	setup, err := v.searchSetup(cmd.Flags().Arg(0), m)
	if err != nil {
		return err
	}
	return a.search(setup, advice.Policy, s)
}

// searchSetup is what was measured, under the traffic.
func (v *adviceFlags) searchSetup(path string, m advisor.Measurement) (sim.Setup, error) {
	setup := sim.Default()
	if err := fillMeasured(&setup, path, m); err != nil {
		return setup, err
	}
	if v.wanted.Starts > 0 {
		setup.StartUp = []time.Duration{v.wanted.Starts}
	}
	setup.Concurrency = m.Capacity.Concurrency()
	setup.Length = searchedFor
	setup.Load = v.wanted.Course(v.traffic, setup.Length)
	return setup, nil
}
