package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"headroom/advisor"
	"headroom/advisor/report"
	"headroom/probe"
	"headroom/profiles"
	"headroom/profiles/platform"
	"headroom/scaler"
	"headroom/tui"
)

// sessionConfig is what the flags say of a session; whether there is a scaler
// is not known yet.
func sessionConfig(plan profiles.Plan, l *loadFlags, v *adviceFlags) advisor.Config {
	return advisor.Config{
		Plan: plan, SLO: l.slo, Thresholds: l.thresholds, Source: l.source, Traffic: v.traffic, Sizing: v.wanted,
		Budget: v.budget, Replay: advisor.ReplayPlan(plan, v.traffic, v.wanted, v.verify), Replicas: v.replicas,
	}
}

// measuringConfig is that of a session which measures, with everything looked
// at that can be before anything starts.
func measuringConfig(target string, l *loadFlags, v *adviceFlags) (advisor.Config, error) {
	plan, err := l.finish(target)
	if err != nil {
		return advisor.Config{}, err
	}
	c := sessionConfig(plan, l, v)
	if err := (advisor.SearchOptions{SLO: c.SLO, Budget: c.Budget}).Validate(); err != nil {
		return c, &exit{exitUsage, err}
	}
	if err := c.Validate(); err != nil {
		return c, &exit{exitUsage, err}
	}
	return c, nil
}

// connect finds out what there is to work with: that the target answers, the
// scaler behind it, if it is one of ours or one was given, and what else knows
// its replicas.
func connect(ctx context.Context, c *advisor.Config, given sourceFlags) error {
	workers, err := given.list()
	if err != nil {
		return err
	}
	if err := checkReachable(ctx, c.Plan); err != nil {
		return err
	}
	own, err := findBackend(ctx, c.Plan.Target)
	if err != nil {
		return err
	}
	back := own
	if given.scaler != "" {
		if back, err = givenBackend(ctx, given.scaler); err != nil {
			return err
		}
		c.Behind = own.client == nil
	}
	if own.client != nil && own.client.URL() != back.client.URL() {
		return usage("--scaler: got %s, want none: the target is the service of the scaler at %s", given.scaler, own.client.URL())
	}
	if back.client != nil {
		c.Scaler, c.Policy = back.client, back.policy
	}
	if workers != nil {
		c.Workers = workers
	}
	if name, ok := probe.NewName(c.Plan.Target); ok {
		c.Name = name
	}
	return nil
}

// workOn directs a session at a scaler within this process.
func workOn(c *advisor.Config, s *scaler.Scaler, path string) {
	c.Plan.Target = s.URL() + path
	c.Replay.Target = c.Plan.Target
	c.Scaler = s.Client()
}

// start runs a session beside its caller and returns when it takes jobs; the
// function it returns ends it.
func start(ctx context.Context, s *advisor.Session) (end func()) {
	ctx, cancel := context.WithCancel(ctx)
	ready := s.States()
	go func() { _ = s.Run(ctx) }() // it has no error of its own
	<-ready
	return func() {
		cancel()
		<-s.Done()
	}
}

// follow starts a job and shows it until it has ended. The first interrupt
// stops the job in peace.
func (a *app) follow(s *advisor.Session, p *progress, job func() error) error {
	defer p.end()
	if err := job(); err != nil {
		return err
	}
	states := s.States() // only now, so that an idle State is one after the job
	stop := a.signals.stop.Done()
	for {
		select {
		case state := <-states:
			p.show(state)
			if state.Phase == advisor.Idle {
				return problem(state)
			}
		case <-stop:
			stop = nil
			p.line("%s", stopping(s.State()))
			s.Stop()
		case <-s.Done():
			return nil
		}
	}
}

// stopping says what comes after the first interrupt, and what a second one
// does.
func stopping(s advisor.State) string {
	const again = "Ctrl-C again ends at once"
	if s.Phase == advisor.Swarming && s.Plan.StopGrace > 0 {
		return fmt.Sprintf("stopping: answers may still come for %s; %s", s.Plan.StopGrace, again)
	}
	return "stopping; " + again
}

func problem(s advisor.State) error {
	if s.Problem == "" {
		return nil
	}
	return usage("%s", s.Problem)
}

// steered is a session that a dashboard shows: one in this process, or
// elsewhere.
type steered interface {
	tui.Controller
	State() advisor.State
	States() <-chan advisor.State
}

// dashboard shows a session on the whole terminal until the user leaves.
func (a *app) dashboard(s steered, o tui.Options) error {
	o.States, o.ASCII = s.States(), a.onlyASCII()
	if !o.FleetOnly { // that has no advice and no run
		for _, p := range platform.All() {
			o.Formats = append(o.Formats, tui.Format{Name: p.Name, Title: p.Title, File: p.File})
		}
		o.Export = func(format, path string, overwrite bool) (string, error) {
			return a.exportAdvice(s.State(), format, path, overwrite)
		}
		o.Explain = explanation
		o.Copy = func() (string, error) { return policyText(s.State()) }
		o.Save = func(path string, overwrite bool) (string, error) { return a.saveRun(s.State(), path, overwrite) }
	}
	return a.left(tui.Run(a.signals.stop, s, o))
}

// explanation is the derivation of an advice as a text.
func explanation(c advisor.Capacity, r advisor.Recommendation, width int) string {
	var text strings.Builder
	_ = report.WriteExplanation(&text, c, r, width) // a Builder takes everything
	return text.String()
}

// left is the error of a screen without ways to leave it that are none. On a
// screen ctrl+c is a key; it counts as the signal that it is elsewhere.
func (a *app) left(err error) error {
	switch {
	case errors.Is(err, tui.ErrInterrupted):
		a.signals.interrupt()
		return nil
	case errors.Is(err, tui.ErrCancelled):
		return nil
	}
	return err
}
