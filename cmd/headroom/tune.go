package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

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
	quiet   bool
	output  string
	remote  remoteFlags
	exports []string
}

func (a *app) tuneCommand() *cobra.Command {
	l, v := newLoadFlags(), newAdviceFlags()
	c := scaler.Config{Name: fmt.Sprintf("tune-%d", os.Getpid()), Listen: "127.0.0.1:0", API: "127.0.0.1:0"}
	var o tuneOptions
	ofCommand := pflag.NewFlagSet("", pflag.ContinueOnError) // that only a command has a use for
	ofCommand.SortFlags = false
	ofCommand.StringVar(&o.path, "path", "/", "what to request of a command's replicas")
	scalerFlags(ofCommand, &c)
	ofTarget := pflag.NewFlagSet("", pflag.ContinueOnError)
	countVar(ofTarget, &v.replicas, "replicas", "", "how many replicas a target without a scaler has")
	l.sources.add(ofTarget)
	cmd := &cobra.Command{
		Use:   "tune [TARGET | -- COMMAND...]",
		Short: "Measure, advise, apply and verify, in one go",
		Long: "Measure what one replica holds, advise a policy for the traffic, apply it, and replay the traffic to prove it.\n\n" +
			"With a command after -- it runs the command as replicas of its own. With a TARGET that a running scaler serves it works\n" +
			"with that scaler, and restores its policy when the advice does not hold. With any other TARGET it stops after the advice.",
		Example: "  headroom tune --path /load/100000 --traffic 10..40 --slo 'p95<250ms,errors<1%' -- uvicorn main:app --port {port}",
		Args:    targetOrCommand,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 && l.host == "" {
				return usage("arguments: got %q, want either one TARGET or a command after --", "")
			}
			if err := errors.Join(v.readTraffic(), v.readPlatform("", false)); err != nil {
				return err
			}
			if err := errors.Join(checkExports(o.exports), canWrite("--out", o.output), o.remote.check()); err != nil {
				return err
			}
			if cmd.ArgsLenAtDash() < 0 {
				if err := refuseGiven(ofCommand, "a TARGET", "a command after --"); err != nil {
					return err
				}
				return a.tuneTarget(cmd, first(args), l, v, o)
			}
			if err := refuseGiven(ofTarget, "a command", "a TARGET"); err != nil {
				return err
			}
			c.Command = args
			return a.tuneCommandLine(c, l, v, o)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	addConfig(f)
	f.AddFlagSet(ofCommand)
	f.AddFlagSet(ofTarget)
	v.sizing(f)
	v.recorded(f)
	v.bound(f)
	v.measuring(f)
	durationVar(f, &v.verify, "verify", "", "length of the replay before and after")
	f.BoolVar(&o.keep, "keep", false, "leave the advice in force even if it did not hold")
	f.StringArrayVar(&o.exports, "export", nil, "write the configuration of a platform: `NAME=FILE` (repeatable)")
	f.StringVarP(&o.output, "out", "o", "", "save the measurement as JSON to `FILE`")
	f.BoolVar(&o.json, "json", false, "print the result as JSON")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "no progress, only the result")
	o.remote.flags(f)
	l.request(f)
	ofTarget.AddFlag(f.Lookup("host"))
	return cmd
}

// targetOrCommand wants one of the two; --host may name the target.
func targetOrCommand(cmd *cobra.Command, args []string) error {
	at := cmd.ArgsLenAtDash()
	if at < 0 && len(args) <= 1 || at == 0 && len(args) > 0 {
		return nil
	}
	return usage("arguments: got %q, want either one TARGET or a command after --", strings.Join(args, " "))
}

// refuseGiven refuses the first of the flags that was given where it says
// nothing.
func refuseGiven(flags *pflag.FlagSet, with, want string) (err error) {
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Changed && err == nil {
			err = usage("--%s: got %q with %s, want it only with %s", f.Name, f.Value, with, want)
		}
	})
	return err
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
		if err := canWrite("--export", file); err != nil {
			return err
		}
	}
	return nil
}

// tuneCommandLine runs a scaler of its own around the tune.
func (a *app) tuneCommandLine(c scaler.Config, l *loadFlags, v *adviceFlags, o tuneOptions) error {
	if !strings.HasPrefix(o.path, "/") {
		return usage("--path: got %q, want a path such as /load/100000", o.path)
	}
	config, err := measuringConfig("http://127.0.0.1"+o.path, l, v) // the port is known when the scaler runs
	if err != nil {
		return err
	}
	config.Sizing.Dispatch = c.Dispatch
	config.Policy = profiles.FixedPolicy(1)
	config.Policy.Interval = profiles.Duration(time.Second)
	c.Policy = config.Policy
	s, err := newScaler(c)
	if err != nil {
		return err
	}
	running, err := startScaler(a.signals, s)
	if err != nil {
		return err
	}
	workOn(&config, s, o.path)
	err = a.tune(config, o)
	if stopErr := running.stop(); err == nil {
		err = stopErr
	}
	return err
}

// tuneTarget works on a service that runs already.
func (a *app) tuneTarget(cmd *cobra.Command, target string, l *loadFlags, v *adviceFlags, o tuneOptions) error {
	config, err := measuringConfig(target, l, v)
	if err != nil {
		return err
	}
	if err := connect(cmd.Context(), &config, l.sources); err != nil {
		return err
	}
	if err := v.refuseReplicas(cmd, config); err != nil {
		return err
	}
	if config.Scaler == nil && v.wanted.Starts == 0 { // nothing will measure it
		if err := v.wanted.CheckStart(); err != nil {
			return &exit{exitUsage, err}
		}
	}
	return a.tune(config, o)
}

func (a *app) tune(config advisor.Config, o tuneOptions) error {
	result, err := a.runTune(config, o)
	var saved error
	if o.output != "" && result.Measurement.Kind != "" {
		saved = a.saveFile(o.output, func(w io.Writer) error { return report.WriteJSON(w, result.Measurement) })
	}
	return errors.Join(saved, a.concludeTune(result, err, o))
}

// runTune performs the tune and shows its progress.
func (a *app) runTune(config advisor.Config, o tuneOptions) (advisor.TuneResult, error) {
	session, err := advisor.NewSession(config)
	if err != nil {
		return advisor.TuneResult{}, &exit{exitUsage, err}
	}
	end, err := a.startServed(session, o.remote)
	if err != nil {
		return advisor.TuneResult{}, err
	}
	defer end()
	p := newProgress(a.err, config.Budget, told(o.quiet, events))
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
	result, err := session.Tune(a.signals.stop, o.keep)
	close(finished)
	<-shown
	p.end()
	return result, err
}

// concludeTune prints what came out and sets the exit code.
func (a *app) concludeTune(r advisor.TuneResult, err error, o tuneOptions) error {
	if err != nil {
		return a.explainTune(r, err, o)
	}
	if err := a.writeTune(r, o); err != nil {
		return err
	}
	return tuneVerdict(r)
}

// explainTune prints what a refusal rests on.
func (a *app) explainTune(r advisor.TuneResult, err error, o tuneOptions) error {
	switch {
	case r.Refusal == nil && advisor.Failure(err) == nil:
		return errStopped
	case r.Refusal == nil:
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
	return errors.Join(report.WriteRefusal(a.out, r.Refusal), inconclusive)
}

// writeTune prints the result and writes the exports. These carry the full
// numbers, whatever this machine can carry. One that cannot be written takes
// nothing else with it.
func (a *app) writeTune(r advisor.TuneResult, o tuneOptions) error {
	show := report.WriteTune
	if o.json {
		show = func(w io.Writer, r advisor.TuneResult) error { return report.WriteJSON(w, r) }
	}
	errs := []error{show(a.out, r)}
	for _, e := range o.exports {
		name, file, _ := strings.Cut(e, "=")
		notes, err := a.exportFile(file, r.Advice.Policy, name)
		if doubt := doubts[r.Verdict]; err == nil && doubt != "" {
			notes = append(notes, "written, although "+doubt)
		}
		for _, note := range notes {
			write(a.err, file+": "+note+"\n")
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// doubts are the verdicts after which an export should not be trusted blindly.
var doubts = map[advisor.TuneVerdict]string{
	advisor.NotHeld:      "the advice did not hold",
	advisor.Inconclusive: "the proof of the advice was inconclusive",
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
