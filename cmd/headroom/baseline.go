package main

import (
	"github.com/spf13/pflag"

	"headroom/advisor"
	"headroom/advisor/report"
	"headroom/profiles"
)

// baselineFlags name what a result is compared with.
type baselineFlags struct {
	file      string // empty: with nothing
	tolerance profiles.Ratio

	given *pflag.FlagSet
}

func (b *baselineFlags) flags(f *pflag.FlagSet, what, kind string) {
	b.given, b.tolerance = f, 100
	f.StringVar(&b.file, "baseline", "", "compare "+what+" with that of an earlier "+kind+" in `FILE`: exit code 99 if it became worse, 3 if that cannot be told")
	flagVar(f, &b.tolerance, "tolerance", "", b.tolerance.String(), "share", "by how much "+what+" may be worse than in the --baseline", profiles.ParseRatio)
}

// check finds out what is wrong before anything starts.
func (b *baselineFlags) check() error {
	if f := b.given.Lookup("tolerance"); b.file == "" && f.Changed {
		return usage("--tolerance: got %s without --baseline, want both", f.Value)
	}
	return nil
}

// run reads a run to compare with, nil where none was given.
func (b *baselineFlags) run() (*report.Run, error) {
	if err := b.check(); err != nil || b.file == "" {
		return nil, err
	}
	runs, err := readRuns([]string{b.file})
	if err != nil {
		return nil, usage("--baseline: %w", err)
	}
	if err := report.CheckBaseline(runs[0]); err != nil {
		return nil, usage("--baseline: %s: %w", b.file, err)
	}
	return &runs[0], nil
}

// measurement is run for a measurement.
func (b *baselineFlags) measurement() (*advisor.Measurement, error) {
	if err := b.check(); err != nil || b.file == "" {
		return nil, err
	}
	m, err := readMeasurement(b.file)
	switch {
	case err != nil:
		return nil, usage("--baseline: %w", err)
	case m.Capacity.Refusal != nil:
		return nil, usage("--baseline: %s: got a measurement that was refused, want one with a capacity", b.file)
	}
	return &m, nil
}

// changeVerdict is the exit code of a comparison; nil is none.
func changeVerdict(c *advisor.Comparison) error {
	switch {
	case c == nil || c.Good():
		return nil
	case c.Known():
		return &exit{code: exitNotMet}
	}
	return &exit{code: exitInconclusive}
}
