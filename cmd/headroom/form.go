package main

import (
	"errors"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"headroom/profiles"
	"headroom/tui"
)

// swarmFromForm asks for what the flags do not say and opens the dashboard.
func (a *app) swarmFromForm(cmd *cobra.Command, l *loadFlags, v *adviceFlags, o runOptions) error {
	plan, err := l.fromForm(v, cmd.Flags(), func(v tui.StartValues) (tui.StartValues, error) { return tui.StartForm(a.signals.stop, v) })
	if err != nil {
		return a.left(err)
	}
	return a.swarm(cmd.Context(), plan, l, v, o, true)
}

// fromForm completes the plan with the answers to a form, which begins with
// the flags that were given.
func (l *loadFlags) fromForm(advice *adviceFlags, given *pflag.FlagSet, ask func(tui.StartValues) (tui.StartValues, error)) (profiles.Plan, error) {
	v := tui.StartValues{Target: "http://127.0.0.1:8000/", Users: "10", SpawnRate: "1", SLO: "p95<300ms,errors<1%"}
	for name, value := range map[string]*string{
		"users": &v.Users, "spawn-rate": &v.SpawnRate, "run-time": &v.RunTime, "slo": &v.SLO, "traffic": &v.Traffic,
	} {
		if f := given.Lookup(name); f != nil && f.Changed {
			*value = f.Value.String()
		}
	}
	v, err := ask(v)
	if err != nil {
		return profiles.Plan{}, err
	}
	if err := l.take(v, advice); err != nil {
		return profiles.Plan{}, &exit{exitUsage, err}
	}
	return l.finish(v.Target)
}

// take writes the answers back into the flags.
func (l *loadFlags) take(v tui.StartValues, advice *adviceFlags) error {
	var errs [5]error
	l.plan.Users, errs[0] = profiles.ParseCount(v.Users)
	l.plan.SpawnRate, errs[1] = profiles.ParseRate(v.SpawnRate)
	l.plan.RunTime, errs[2] = parseOptional(v.RunTime, profiles.ParseDuration)
	l.slo, errs[3] = parseOptional(v.SLO, profiles.ParseSLO)
	advice.traffic, errs[4] = parseOptional(v.Traffic, profiles.ParseTraffic)
	return errors.Join(errs[:]...)
}

// parseOptional reads an answer that may be left out.
func parseOptional[T any](s string, parse func(string) (T, error)) (v T, err error) {
	if s == "" {
		return v, nil
	}
	return parse(s)
}
