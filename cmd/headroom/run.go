package main

import (
	"context"
	"errors"
	"io"
	"os"

	"github.com/spf13/cobra"

	"headroom/advisor"
	"headroom/advisor/report"
	"headroom/load"
	"headroom/profiles"
	"headroom/profiles/platform"
	"headroom/tui"
)

// runOptions are what run adds to the load.
type runOptions struct {
	headless    bool
	json        bool
	save        string
	failureCode int
}

func (a *app) runCommand() *cobra.Command {
	l, v, o := newLoadFlags(), newAdviceFlags(), runOptions{failureCode: exitFailures}
	cmd := &cobra.Command{
		Use:   "run [TARGET]",
		Short: "Swarm a target: dashboard on a terminal, progress and summary otherwise",
		Example: "  headroom run http://127.0.0.1:8000/load/100000 -u 20 -r 5 -t 30s\n" +
			"  headroom run http://127.0.0.1:8000/ --rate 50 -t 1m --slo 'p95<300ms,errors<1%' --headless",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			target := ""
			if len(args) == 1 {
				target = args[0]
			}
			dashboard := !o.headless && !o.json && a.interactive()
			if target == "" && l.host == "" && dashboard {
				return a.swarmFromForm(cmd)
			}
			plan, err := l.finish(target)
			if err != nil {
				return err
			}
			if !dashboard && plan.RunTime == 0 && plan.Requests == 0 {
				return usage("--run-time: got nothing, want a time such as 30s (or --requests) when there is no terminal to stop the run from")
			}
			return a.swarm(cmd.Context(), plan, l, v, o, dashboard)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	l.workload(f)
	l.request(f)
	f.BoolVar(&o.headless, "headless", false, "no dashboard, even on a terminal")
	f.BoolVar(&o.json, "json", false, "print the result as JSON")
	f.StringVar(&o.save, "save", "", "save the whole run as JSON to `FILE`")
	f.IntVar(&o.failureCode, "exit-code-on-error", o.failureCode, "exit code when requests failed and no --slo was given")
	v.sizing(f)
	v.measuring(f)
	return cmd
}

// swarm runs a plan to its end and writes the summary.
func (a *app) swarm(ctx context.Context, plan profiles.Plan, l *loadFlags, v *adviceFlags, o runOptions, dashboard bool) error {
	if err := checkReachable(ctx, plan.Target); err != nil {
		return err
	}
	back, err := findBackend(ctx, plan.Target)
	if err != nil {
		return err
	}
	session, err := advisor.NewSession(a.sessionConfig(plan, l, v, back))
	if err != nil {
		return &exit{exitUsage, err}
	}
	end := start(a.signals.now, session)
	if dashboard {
		err = a.dashboard(session, true)
	} else {
		err = a.follow(session, newProgress(a.err, plan.RunTime, false), session.Start)
	}
	end()
	if err != nil {
		return err
	}
	return a.conclude(session.State(), o)
}

func (a *app) sessionConfig(plan profiles.Plan, l *loadFlags, v *adviceFlags, back backend) advisor.Config {
	c := advisor.Config{
		Plan: plan, SLO: l.slo, Source: l.source, Traffic: v.traffic, Headroom: v.headroom,
		Interval: v.interval, Budget: v.budget, Replay: advisor.ReplayPlan(plan, v.traffic, v.verify), Replicas: v.replicas,
		Policy: back.policy,
	}
	if back.client != nil {
		c.Scaler = back.client
	}
	return c
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
	states := s.States()
	if err := job(); err != nil {
		return err
	}
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
			s.Stop()
		case <-s.Done():
			return nil
		}
	}
}

func problem(s advisor.State) error {
	if s.Problem == "" {
		return nil
	}
	return usage("%s", s.Problem)
}

// dashboard shows the session on the whole terminal until the user leaves.
func (a *app) dashboard(s *advisor.Session, autostart bool) error {
	return tui.Run(a.signals.stop, s, tui.Options{
		States: s.States(), Autostart: autostart, Formats: platform.Names(),
		Export: func(format, path string) error { return exportAdvice(s.State(), format, path) },
	})
}

// conclude writes the summary of a run and sets the exit code.
func (a *app) conclude(s advisor.State, o runOptions) error {
	if !s.Loaded {
		return nil
	}
	if o.save != "" {
		if err := saveFile(o.save, func(w io.Writer) error { return report.WriteJSON(w, report.NewRun(s, os.Args)) }); err != nil {
			return err
		}
	}
	var err error
	if o.json {
		err = report.WriteJSON(a.out, report.NewRun(s, os.Args))
	} else {
		err = report.WriteSummary(a.out, s.Load)
	}
	if err != nil {
		return err
	}
	return runVerdict(s.Load, o.failureCode)
}

// runVerdict is the exit code of a finished run.
func runVerdict(s load.Snapshot, failureCode int) error {
	held, ok := advisor.Outcome{SLO: s.SLO, Health: s.Health}.Held()
	switch {
	case s.Health.Verdict == load.Limited, len(s.SLO) > 0 && !ok:
		return &exit{code: exitInconclusive}
	case len(s.SLO) > 0 && !held:
		return &exit{code: exitNotMet}
	case len(s.SLO) == 0 && s.Total.Failed > 0 && failureCode != 0:
		return &exit{code: failureCode}
	}
	return nil
}

// swarmFromForm asks for what is needed and opens the dashboard.
func (a *app) swarmFromForm(cmd *cobra.Command) error {
	values, err := tui.StartForm(cmd.Context(), tui.StartValues{Target: "http://127.0.0.1:8000/", Users: "10", SpawnRate: "1", SLO: "p95<300ms,errors<1%"})
	if errors.Is(err, tui.ErrCancelled) {
		return nil
	}
	if err != nil {
		return err
	}
	args := []string{values.Target, "--users", values.Users, "--spawn-rate", values.SpawnRate}
	if values.RunTime != "" {
		args = append(args, "--run-time", values.RunTime)
	}
	if values.SLO != "" {
		args = append(args, "--slo", values.SLO)
	}
	run := a.runCommand()
	run.SetArgs(args)
	run.SilenceErrors, run.SilenceUsage = true, true
	return run.ExecuteContext(cmd.Context())
}
