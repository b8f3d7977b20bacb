package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"headroom/advisor"
	"headroom/advisor/report"
	"headroom/load"
	"headroom/profiles"
	"headroom/tui"
)

// runOptions are what run adds to the load.
type runOptions struct {
	headless    bool
	json        bool
	list, once  bool
	autostart   bool
	quiet       bool
	files       runFiles
	remote      remoteFlags
	baseline    baselineFlags
	before      *report.Run // that the baseline names; nil: none
	failureCode int
}

// runCommand returns run, and what headroom alone does: it asks for a run,
// beginning with what the flags of run were set to.
func (a *app) runCommand() (run *cobra.Command, form func(context.Context) error) {
	l, v, o := newLoadFlags(), newAdviceFlags(), runOptions{failureCode: exitFailures}
	cmd := &cobra.Command{
		Use:   "run [TARGET]",
		Short: "Swarm a target: dashboard on a terminal, progress and summary otherwise",
		Example: "  headroom run --scenario chat.yaml http://127.0.0.1:8000 --once\n" +
			"  headroom run http://127.0.0.1:8000/load/100000 -u 20 -r 5 -t 30s\n" +
			"  headroom run http://127.0.0.1:8000/ --rate 50 -t 1m --slo 'p95<300ms,errors<1%' --headless --junit junit.xml --html run.html\n" +
			"  headroom run http://127.0.0.1:8000/ --stage 1m:50/s --step 30s:200/s --stage 1m:0/s",
		Args: oneTarget,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.finish(); err != nil {
				return err
			}
			if o.list {
				return a.listTasks(l)
			}
			target := first(args)
			dashboard := !o.headless && !o.json && !o.once && a.draws()
			// The form has no shapes, and a scenario may have a target.
			asks := dashboard && target == "" && l.host == "" && !l.shape.any() && l.scenario == ""
			values := startValues(cmd.Flags(), remembered())
			if asks && !o.autostart {
				return a.swarmFromForm(cmd.Context(), values, l, v, o)
			}
			plan, err := l.planOf(target, asks, values, v)
			if err != nil {
				return err
			}
			if o.once {
				return a.once(a.signals.now, plan, l.source, o.failureCode)
			}
			if !dashboard && plan.Length() == 0 && plan.Requests == 0 && !a.dumb() {
				return usage("--run-time: got nothing, want a time such as 30s (or --requests, or a load that ends such as --stage) when there is no terminal to stop the run from")
			}
			session, err := a.prepare(cmd.Context(), plan, l, v)
			if err != nil {
				return err
			}
			if err := a.swarm(session, o, dashboard); !errors.Is(err, tui.ErrAnother) {
				return err
			}
			if !asks {
				values = startValues(cmd.Flags(), tui.StartValues{Target: plan.Target, Load: fmt.Sprint(plan.Users), SpawnRate: "1"})
			}
			return a.swarmFromForm(cmd.Context(), values, l, v, o)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	addConfig(f)
	l.workload(f)
	l.request(f)
	l.judging(f)
	o.baseline.flags(f, "the p95", "run")
	l.sources.add(f)
	f.BoolVar(&o.headless, "headless", false, "no dashboard, even on a terminal")
	a.asciiFlag(f)
	f.BoolVar(&o.autostart, "autostart", false, "where no target is given: no form, but what was typed into it the last time, save for the flags beside this")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "no progress, only the result")
	f.BoolVar(&o.list, "list", false, "print the tasks of the --scenario, and send nothing")
	f.BoolVar(&o.once, "once", false, "send each request once, and print it, the answer, and where it came from")
	f.BoolVar(&o.json, "json", false, "print the result as JSON")
	o.files.flags(f)
	f.IntVar(&o.failureCode, "exit-code-on-error", o.failureCode, "exit code when requests failed and no --slo, --threshold or --baseline was given")
	o.remote.flags(f)
	v.sizing(f)
	v.measuring(f)
	return cmd, func(ctx context.Context) error {
		if err := o.finish(); err != nil {
			return err
		}
		if l.shape.any() {
			a.warn([]string{"the form has no shapes: headroom run takes those that are set"})
		}
		return a.swarmFromForm(ctx, startValues(f, remembered()), l, v, o)
	}
}

// finish reads the baseline, and finds out what is wrong before anything starts.
func (o *runOptions) finish() (err error) {
	if o.failureCode < 0 || o.failureCode > 125 {
		return usage("--exit-code-on-error: got %d, want 0 to 125", o.failureCode)
	}
	o.before, err = o.baseline.run()
	return errors.Join(err, o.files.check(), o.remote.check())
}

// prepare is a session for a plan, which nothing has started yet.
func (a *app) prepare(ctx context.Context, plan profiles.Plan, l *loadFlags, v *adviceFlags) (*advisor.Session, error) {
	config := sessionConfig(plan, l, v)
	if err := connect(ctx, &config, l.sources); err != nil {
		return nil, err
	}
	session, err := advisor.NewSession(config)
	if err != nil {
		return nil, &exit{exitUsage, err}
	}
	return session, nil
}

// swarm runs a session to its end and writes the summary. It is ErrAnother
// where another run is wanted: what became of this one has been said then.
func (a *app) swarm(session *advisor.Session, o runOptions, dashboard bool) error {
	end, err := a.startServed(session, o.remote)
	if err != nil {
		return err
	}
	plan := session.State().Plan
	if dashboard {
		err = a.dashboard(session, tui.Options{Autostart: true, Another: plan.Shape == nil && plan.UserShape == nil})
	} else {
		err = a.follow(session, newProgress(a.err, plan.Length(), told(o.quiet, notices)), session.Start)
	}
	end()
	if !errors.Is(err, tui.ErrAnother) {
		return a.concludeShown(err, session.State(), o)
	}
	if err := a.conclude(session.State(), o); err != nil && err.Error() != "" {
		write(a.err, err.Error()+"\n")
	}
	return tui.ErrAnother
}

// concludeShown is conclude after something showed the swarm. Where that failed
// with an error, what was measured until then is not lost.
func (a *app) concludeShown(err error, s advisor.State, o runOptions) error {
	switch {
	case err == nil:
		return a.conclude(s, o)
	case s.Swarm == nil:
		return err
	}
	return errors.Join(usage("%w", err), a.conclude(s, o))
}

// conclude writes the summary of the latest swarm and sets the exit code. What
// ran since, such as a step of a measurement, says nothing about it.
func (a *app) conclude(s advisor.State, o runOptions) error {
	if s.Swarm == nil {
		return report.WriteFindings(a.out, s.Advice, s.Before, s.After)
	}
	s.Load = *s.Swarm
	run := report.NewRun(s, programVersion(), os.Args)
	if o.before != nil {
		run.Baseline = run.Against(*o.before, o.baseline.file, o.baseline.tolerance)
	}
	saved := a.writeFiles(o.files, run)
	var err error
	if o.json {
		err = report.WriteJSON(a.out, run)
	} else {
		err = report.WriteText(a.out, run, a.columns())
	}
	if err == nil {
		err = runVerdict(run, o.failureCode)
	}
	return errors.Join(saved, err)
}

// runVerdict is the exit code of a finished run.
func runVerdict(r report.Run, failureCode int) error {
	t := r.Result.Total
	switch verdict := r.Verdict(); {
	case verdict == report.Inconclusive && t.Count+t.Aborted == 0 && r.Result.Health.Verdict != load.Limited:
		return &exit{exitInconclusive, errors.New("nothing was measured: no request was sent")}
	case verdict == report.Inconclusive:
		return &exit{code: exitInconclusive}
	case verdict == report.Missed:
		return &exit{code: exitNotMet}
	case verdict == report.Unasked && t.Failed+t.Aborted > t.OpenStreams() && failureCode != 0:
		return &exit{code: failureCode}
	}
	return nil
}
