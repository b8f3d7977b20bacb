package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"headroom/advisor"
	"headroom/advisor/report"
	"headroom/profiles"
	"headroom/profiles/platform"
	"headroom/scaler"
)

// tuneOptions are what tune adds to the load and the advice.
type tuneOptions struct {
	path    string
	keep    bool
	json    bool
	output  string
	exports []string
}

func (a *app) tuneCommand() *cobra.Command {
	l, v := newLoadFlags(), newAdviceFlags()
	c := scaler.Config{Name: fmt.Sprintf("tune-%d", os.Getpid()), Listen: "127.0.0.1:0", API: "127.0.0.1:0"}
	var o tuneOptions
	cmd := &cobra.Command{
		Use:   "tune [TARGET | -- COMMAND...]",
		Short: "Measure, advise, apply and verify, in one go",
		Long: "Measure what one replica holds, advise a policy for the traffic, apply it, and replay the traffic to prove it.\n\n" +
			"With a command after -- it runs the command as replicas of its own. With a TARGET that a running scaler serves it works\n" +
			"with that scaler, and restores its policy when the advice does not hold. With any other TARGET it stops after the advice.",
		Example: "  headroom tune --path /load/100000 --traffic 10..40 --slo 'p95<250ms,errors<1%' -- uvicorn main:app --port {port}",
		Args:    targetOrCommand,
		RunE: func(cmd *cobra.Command, args []string) error {
			if !v.traffic.Known() {
				return usage("--traffic: got nothing, want LOW..HIGH in requests per second, such as 50..200")
			}
			if err := checkExports(o.exports); err != nil {
				return err
			}
			if cmd.ArgsLenAtDash() < 0 {
				return a.tuneTarget(cmd.Context(), args[0], l, v, o)
			}
			c.Command = args
			return a.tuneCommandLine(c, l, v, o)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&o.path, "path", "/", "what to request of a command's replicas")
	v.sizing(f)
	v.measuring(f)
	durationVar(f, &v.verify, "verify", "", "length of the replay before and after")
	f.BoolVar(&o.keep, "keep", false, "leave the advice in force even if it did not hold")
	f.StringArrayVar(&o.exports, "export", nil, "write the configuration of a platform: `NAME=FILE` (repeatable)")
	f.StringVarP(&o.output, "out", "o", "", "save the measurement as JSON to `FILE`")
	f.BoolVar(&o.json, "json", false, "print the result as JSON")
	f.IntVar(&v.replicas, "replicas", v.replicas, "how many replicas a target without a scaler has")
	l.request(f)
	scalerFlags(f, &c)
	return cmd
}

// targetOrCommand wants one of the two.
func targetOrCommand(cmd *cobra.Command, args []string) error {
	at := cmd.ArgsLenAtDash()
	if at < 0 && len(args) == 1 || at == 0 && len(args) > 0 {
		return nil
	}
	return usage("arguments: got %q, want either one TARGET or a command after --", strings.Join(args, " "))
}

func checkExports(exports []string) error {
	for _, e := range exports {
		name, file, ok := strings.Cut(e, "=")
		if !ok || file == "" {
			return usage("--export: got %q, want NAME=FILE such as jcloud=jcloud.yml", e)
		}
		if _, err := platform.Find(name); err != nil {
			return usage("--export: %w", err)
		}
	}
	return nil
}

// tuneCommandLine runs a scaler of its own around the tune.
func (a *app) tuneCommandLine(c scaler.Config, l *loadFlags, v *adviceFlags, o tuneOptions) error {
	if !strings.HasPrefix(o.path, "/") {
		return usage("--path: got %q, want a path such as /load/100000", o.path)
	}
	c.Policy = profiles.FixedPolicy(1)
	c.Policy.Interval = profiles.Duration(time.Second)
	s, stop, err := startScaler(a.signals, c)
	if err != nil {
		return err
	}
	err = a.tune(s.URL()+o.path, backend{client: s.Client(), policy: c.Policy}, l, v, o)
	if stopErr := stop(); err == nil {
		err = stopErr
	}
	return err
}

// tuneTarget works on a service that runs already.
func (a *app) tuneTarget(ctx context.Context, target string, l *loadFlags, v *adviceFlags, o tuneOptions) error {
	if err := profiles.ValidateTarget(target); err != nil {
		return &exit{exitUsage, err}
	}
	if err := checkReachable(ctx, target); err != nil {
		return err
	}
	back, err := findBackend(ctx, target)
	if err != nil {
		return err
	}
	return a.tune(target, back, l, v, o)
}

func (a *app) tune(target string, back backend, l *loadFlags, v *adviceFlags, o tuneOptions) error {
	plan, err := l.finish(target)
	if err != nil {
		return err
	}
	config := a.sessionConfig(plan, l, v, back)
	if err := (advisor.SearchOptions{SLO: config.SLO, Budget: config.Budget}).Validate(); err != nil {
		return &exit{exitUsage, err}
	}
	result, err := a.runTune(config, o.keep)
	if o.output != "" && result.Measurement.Kind != "" {
		if saveErr := saveFile(o.output, func(w io.Writer) error { return report.WriteJSON(w, result.Measurement) }); saveErr != nil && err == nil {
			err = saveErr
		}
	}
	if err != nil {
		return a.explainTune(result, err, o)
	}
	if err := a.writeTune(result, o); err != nil {
		return err
	}
	return tuneVerdict(result)
}

// runTune performs the tune and shows its progress.
func (a *app) runTune(config advisor.Config, keep bool) (advisor.TuneResult, error) {
	session, err := advisor.NewSession(config)
	if err != nil {
		return advisor.TuneResult{}, &exit{exitUsage, err}
	}
	end := start(a.signals.now, session)
	defer end()
	p := newProgress(a.err, config.Budget, true)
	states, finished := session.States(), make(chan struct{})
	shown := make(chan struct{})
	go func() {
		defer close(shown)
		for {
			select {
			case s := <-states:
				p.show(s)
			case <-finished:
				p.show(session.State())
				return
			}
		}
	}()
	result, err := session.Tune(a.signals.stop, keep)
	close(finished)
	<-shown
	p.end()
	return result, err
}

// explainTune prints what a refusal rests on.
func (a *app) explainTune(r advisor.TuneResult, err error, o tuneOptions) error {
	refusal := r.Measurement.Capacity.Refusal
	if refusal == nil {
		return err
	}
	inconclusive := &exit{exitInconclusive, advisor.Failure(err)}
	if o.json {
		return errors.Join(report.WriteJSON(a.out, r), inconclusive)
	}
	if err := report.WriteSteps(a.out, r.Measurement.Capacity); err != nil {
		return err
	}
	write(a.out, "\n")
	return errors.Join(report.WriteRefusal(a.out, refusal), inconclusive)
}

// writeTune prints the result and writes the exports. These carry the full
// numbers, whatever this machine can carry.
func (a *app) writeTune(r advisor.TuneResult, o tuneOptions) error {
	for _, e := range o.exports {
		name, file, _ := strings.Cut(e, "=")
		doc, err := exportTo(r.Advice.Policy, name, true)
		if err != nil {
			return &exit{exitUsage, err}
		}
		for _, l := range doc.Losses {
			write(a.err, fmt.Sprintf("%s: lost: %s: %s\n", name, l.Field, l.Reason))
		}
		if err := saveFile(file, func(w io.Writer) error {
			_, err := w.Write(doc.Text)
			return err
		}); err != nil {
			return err
		}
	}
	if o.json {
		return report.WriteJSON(a.out, r)
	}
	return report.WriteTune(a.out, r)
}

func tuneVerdict(r advisor.TuneResult) error {
	switch r.Verdict {
	case advisor.NotHeld:
		return &exit{code: exitNotMet}
	case advisor.Inconclusive:
		return &exit{code: exitInconclusive}
	}
	return nil
}
