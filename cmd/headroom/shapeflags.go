package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"headroom/profiles"
)

// shapeFlags are those that change the load over time.
type shapeFlags struct {
	stages   []profiles.Stage
	rate     bool      // a stage or the shape is one of arrivals
	mixed    [2]string // the first stages without a unit and with one, as flags
	shape    profiles.Shape
	replay   string
	trace    string
	recorded profiles.TraceOptions
}

func (s *shapeFlags) add(f *pflag.FlagSet) {
	const beyond = " (repeatable, in order; 10/s is a rate)"
	f.Var(&stageFlag{to: s}, "stage", "reach a number of users, or a rate, over a time: 30s:10"+beyond)
	f.Var(&stageFlag{to: s, jump: true}, "step", "jump to a number of users, or a rate, and stay: 30s:10"+beyond)
	f.Var(&wholeFlag{s, ""}, "shape", "sine:LOW..HIGH,period=5m or spike:LOW..HIGH,after=1m,for=30s, of users, or of a rate as in 10..50/s")
	f.StringVar(&s.replay, "replay", "", "repeat the load of a run that was steered by hand, from the `FILE` that --save wrote")
	s.traceFlags(f)
	flagVar(f, &s.recorded.Compress, "compress", "", "", "factor", "replay the --trace so many times as fast, such as 60x", profiles.ParseCompress)
}

// traceFlags are those of a recorded load.
func (s *shapeFlags) traceFlags(f *pflag.FlagSet) {
	f.StringVar(&s.trace, "trace", "", "replay the arrivals recorded in `FILE`: times or counts per interval in CSV or one a line, an access log, or the JSON of a Prometheus range query")
	flagVar(f, &s.recorded.Format, "trace-format", "", string(profiles.AnyFormat), "format", "of the --trace: auto, csv, log or prometheus", profiles.ParseTraceFormat)
	f.StringVar(&s.recorded.Column, "trace-column", "", "the `COLUMN` of --trace to replay, by name or number (default: the first)")
	durationVar(f, &s.recorded.Interval, "trace-interval", "", "the --trace holds counts, each of so much time")
}

// stageFlag adds a stage, or a step, to the others.
type stageFlag struct {
	to    *shapeFlags
	jump  bool
	texts []string // of those that were given
}

func (f *stageFlag) String() string   { return strings.Join(f.texts, ",") }
func (f *stageFlag) Type() string     { return "time:load" }
func (f *stageFlag) repeatable() bool { return true }
func (f *stageFlag) Set(text string) error {
	stage, err := profiles.ParseStage(text)
	if err != nil {
		return err
	}
	if f.jump {
		f.to.stages = append(f.to.stages, profiles.Stage{To: stage.Value.To})
	}
	f.texts = append(f.texts, text)
	f.to.stages = append(f.to.stages, stage.Value)
	f.to.rate = f.to.rate || stage.Rate
	unit := 0
	if stage.Rate {
		unit = 1
	}
	if f.to.mixed[unit] == "" {
		f.to.mixed[unit] = "--" + f.name() + " " + text
	}
	return nil
}

func (f *stageFlag) name() string {
	if f.jump {
		return "step"
	}
	return "stage"
}

// wholeFlag is a shape by its name.
type wholeFlag struct {
	to   *shapeFlags
	text string
}

func (f *wholeFlag) String() string { return f.text }
func (f *wholeFlag) Type() string   { return "shape" }
func (f *wholeFlag) Set(text string) error {
	shape, err := profiles.ParseShape(text)
	if err == nil {
		f.text, f.to.shape, f.to.rate = text, shape.Value, f.to.rate || shape.Rate
	}
	return err
}

// any reports whether one was given.
func (s *shapeFlags) any() bool {
	return len(s.stages) > 0 || s.shape != nil || s.replay != "" || s.trace != ""
}

// apply gives the plan its shape. A load without a unit is one of users, beside
// a rate one of arrivals.
func (s *shapeFlags) apply(p *profiles.Plan, given *pflag.FlagSet) error {
	if given == nil {
		return nil
	}
	if err := s.check(p.Rate > 0, given); err != nil {
		return err
	}
	if err := s.readReplay(); err != nil {
		return err
	}
	open := s.rate || p.Rate > 0
	from := float64(p.Users)
	if open {
		from = p.Rate
	}
	shape := s.shape
	switch {
	case s.trace != "":
		recorded, err := s.read()
		if err != nil {
			return err
		}
		shape, open = recorded.Shape, true
		if !given.Changed("arrivals") {
			p.Arrivals = profiles.Even // as it was counted
		}
	case len(s.stages) > 0:
		ramp := profiles.Ramp{From: from, Stages: s.stages}
		if ramp.Length() == 0 {
			return usage("--stage: got stages without a time, want one such as 30s:10")
		}
		shape = ramp
	}
	switch {
	case shape == nil:
	case open:
		p.Shape, p.Rate = shape, 0
	default:
		p.UserShape = shape
	}
	return nil
}

// check refuses what does not go together.
func (s *shapeFlags) check(rate bool, given *pflag.FlagSet) error {
	var got []string
	for _, name := range []string{"stage", "step", "shape", "replay", "trace"} {
		if given.Changed(name) && !(name == "step" && given.Changed("stage")) { // these two go together
			got = append(got, "--"+name)
		}
	}
	switch {
	case len(got) > 1:
		return usage("%s: got it and %s, want one", got[0], strings.Join(got[1:], " and "))
	case !rate && s.mixed[0] != "" && s.mixed[1] != "":
		return usage("stages: got %s, which is users, and %s, which is a rate, want one: 10/s is a rate, and so is 10 beside --rate", s.mixed[0], s.mixed[1])
	case rate && (s.shape != nil || s.replay != "" || s.trace != ""):
		return usage("--rate: got %s and %s, want one", given.Lookup("rate").Value, got[0])
	case given.Changed("users") && (s.shape != nil || s.replay != ""):
		return usage("--users: got %s and %s, want one", given.Lookup("users").Value, got[0])
	}
	return s.checkTrace(given)
}

// checkTrace refuses what says how to read a trace where there is none.
func (s *shapeFlags) checkTrace(given *pflag.FlagSet) error {
	for _, name := range []string{"trace-format", "trace-column", "trace-interval", "compress"} {
		if f := given.Lookup(name); f != nil && f.Changed && s.trace == "" {
			return usage("--%s: got %s without --trace, want both or neither", name, f.Value)
		}
	}
	return nil
}

// readReplay takes the stages of a saved run.
func (s *shapeFlags) readReplay() error {
	if s.replay == "" {
		return nil
	}
	data, err := os.ReadFile(s.replay)
	if err != nil {
		return usage("--replay: %w", err)
	}
	var run struct {
		Kind   string
		Result struct{ Stages []string }
	}
	if err := json.Unmarshal(data, &run); err != nil || run.Kind != "run" {
		return usage("--replay: got %s, want a run that --save wrote", s.replay)
	}
	if len(run.Result.Stages) == 0 {
		return usage("--replay: got %s, a run that nobody steered: its own flags repeat it", s.replay)
	}
	stage := stageFlag{to: s}
	for _, text := range run.Result.Stages {
		if err := stage.Set(text); err != nil {
			return usage("--replay: %s: %w", s.replay, err)
		}
	}
	return nil
}

func (s *shapeFlags) read() (profiles.Recorded, error) {
	f, err := os.Open(s.trace)
	if err != nil {
		return profiles.Recorded{}, usage("--trace: %w", err)
	}
	defer f.Close()
	recorded, err := profiles.ReadTrace(f, s.recorded)
	if err != nil {
		return recorded, usage("%s", prefixed("--trace: "+s.trace+": ", err))
	}
	return recorded, nil
}

// prefixed writes every line of an error behind the same words.
func prefixed(words string, err error) string {
	return words + strings.ReplaceAll(err.Error(), "\n", "\n"+words)
}

func parseArrivals(s string) (profiles.Arrivals, error) {
	switch a := profiles.Arrivals(s); a {
	case profiles.Poisson, profiles.Even:
		return a, nil
	}
	return "", fmt.Errorf("got %q, want %s or %s", s, profiles.Poisson, profiles.Even)
}

func parseOnBusy(s string) (profiles.OnBusy, error) {
	switch b := profiles.OnBusy(s); b {
	case profiles.Queued, profiles.Dropped:
		return b, nil
	}
	return "", fmt.Errorf("got %q, want %s or %s", s, profiles.Queued, profiles.Dropped)
}
