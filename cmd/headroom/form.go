package main

import (
	"context"
	"errors"

	"github.com/spf13/pflag"

	"headroom/advisor"
	"headroom/profiles"
	"headroom/tui"
)

// firstValues are what the form begins with where nothing is remembered.
func firstValues() tui.StartValues {
	return tui.StartValues{Target: "http://127.0.0.1:8000/", Load: "10", SpawnRate: "1", SLO: "p95<300ms,errors<1%"}
}

// swarmFromForm asks for a run, beginning with values, and opens the dashboard,
// as often as another run is wanted. What keeps one from starting is said in
// the form.
func (a *app) swarmFromForm(ctx context.Context, values tui.StartValues, l *loadFlags, v *adviceFlags, o runOptions) error {
	var problem error
	for {
		answers, err := tui.StartForm(a.signals.stop, values, problem, readsScenario, a.onlyASCII())
		if err != nil {
			return a.left(err)
		}
		values = answers
		session, err := a.sessionOf(ctx, values, l, v)
		if problem = err; problem != nil {
			continue
		}
		if err := remember(values, session.State().Plan.Secrets); err != nil {
			write(a.err, "the answers are not remembered: "+err.Error()+"\n")
		}
		if err := a.swarm(session, o, true); !errors.Is(err, tui.ErrAnother) {
			return err
		}
	}
}

// readsScenario is what is wrong with the scenario in a file.
func readsScenario(file string) error {
	_, err := profiles.ReadScenario(file)
	return err
}

// sessionOf is the session that the answers to the form ask for.
func (a *app) sessionOf(ctx context.Context, answers tui.StartValues, l *loadFlags, v *adviceFlags) (*advisor.Session, error) {
	plan, err := l.answered(answers, v)
	if err != nil {
		return nil, err
	}
	return a.prepare(ctx, plan, l, v)
}

// planOf is the plan for a target, or for what the form would begin with.
func (l *loadFlags) planOf(target string, form bool, values tui.StartValues, v *adviceFlags) (profiles.Plan, error) {
	if !form {
		return l.finish(target)
	}
	if err := values.Check(); err != nil {
		return profiles.Plan{}, usage("--autostart: %w", err)
	}
	return l.answered(values, v)
}

// startValues are what the form begins with: the flags that were given, and v
// for the rest.
func startValues(given *pflag.FlagSet, v tui.StartValues) tui.StartValues {
	rate := ""
	for name, value := range map[string]*string{
		"host": &v.Target, "users": &v.Load, "spawn-rate": &v.SpawnRate, "rate": &rate, "run-time": &v.RunTime,
		"slo": &v.SLO, "traffic": &v.Traffic, "scenario": &v.Scenario,
	} {
		if f := given.Lookup(name); f != nil && f.Changed {
			*value = f.Value.String()
		}
	}
	if rate != "" {
		if v.Load = rate; !v.Rate() {
			v.Load += "/s"
		}
		v.SpawnRate = ""
	}
	return v
}

// answered completes the plan with the answers to the form.
func (l *loadFlags) answered(v tui.StartValues, advice *adviceFlags) (profiles.Plan, error) {
	var errs [5]error
	l.plan.Users, l.plan.Rate = profiles.DefaultPlan().Users, 0
	if v.Rate() {
		l.plan.Rate, errs[0] = profiles.ParseRate(v.Load)
	} else {
		l.plan.Users, errs[0] = profiles.ParseCount(v.Load)
		l.plan.SpawnRate, errs[1] = profiles.ParseRate(v.SpawnRate)
	}
	l.plan.RunTime, errs[2] = parseOptional(v.RunTime, profiles.ParseDuration)
	l.slo, errs[3] = parseOptional(v.SLO, profiles.ParseSLO)
	advice.traffic, errs[4] = parseOptional(v.Traffic, profiles.ParseTraffic)
	// The answers are what counts now, whichever flags they began with.
	l.scenario, l.host, l.given = v.Scenario, "", nil
	if err := errors.Join(errs[:]...); err != nil {
		return profiles.Plan{}, &exit{exitUsage, err}
	}
	return l.finish(v.Target)
}

// parseOptional reads an answer that may be left out.
func parseOptional[T any](s string, parse func(string) (T, error)) (v T, err error) {
	if s == "" {
		return v, nil
	}
	return parse(s)
}
