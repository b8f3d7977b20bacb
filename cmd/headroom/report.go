package main

import (
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"headroom/advisor/report"
	"headroom/profiles"
)

func (a *app) reportCommand() *cobra.Command {
	format, output := "text", ""
	cmd := &cobra.Command{
		Use:   "report RUN [RUN] | MEASUREMENT MEASUREMENT",
		Short: "Render a saved run again, or two of them or two measurements side by side",
		Example: "  headroom report run.json\n" +
			"  headroom report run.json --format html -o run.html\n" +
			"  headroom report before.json after.json\n" +
			"  headroom report measurement.json measurement-later.json",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 && len(args) != 2 {
				return usage("arguments: got %d, want one or two files that run --save wrote", len(args))
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			pair := len(args) == 2
			f, ok := formats.Find(format)
			switch {
			case !ok:
				return usage("--format: %w", profiles.OneOf(format, formats.Names(false)))
			case pair && f.Pair == nil:
				return usage("--format: got %s for two runs, want one of %s", format, strings.Join(formats.Names(true), ", "))
			}
			if pair && isMeasurement(args[0]) {
				if format != "text" {
					return usage("--format: got %s for two measurements, want text", format)
				}
				return a.reportMeasurements(args, output)
			}
			runs, err := readRuns(args)
			if err != nil {
				return err
			}
			render := func(w io.Writer, width int) error {
				if pair {
					return f.Pair(w, runs[0], runs[1], width)
				}
				return f.Write(w, runs[0], width)
			}
			if output == "" {
				return render(a.out, a.columns())
			}
			return a.saveFile(output, func(w io.Writer) error { return render(w, 0) })
		},
	}
	cmd.Flags().StringVar(&format, "format", format, "one of "+strings.Join(formats.Names(false), ", ")+"; of two runs "+strings.Join(formats.Names(true), ", "))
	cmd.Flags().StringVarP(&output, "output", "o", "", "write it to `FILE` instead")
	return cmd
}

// isMeasurement reports whether a file is one; what is wrong with a file is for
// those who read it whole.
func isMeasurement(path string) bool {
	_, err := readMeasurement(path)
	return err == nil
}

// reportMeasurements compares two measurements.
func (a *app) reportMeasurements(paths []string, output string) error {
	was, err := readMeasurement(paths[0])
	if err != nil {
		return usage("%w", err)
	}
	is, err := readMeasurement(paths[1])
	if err != nil {
		return usage("%w", err)
	}
	if output == "" {
		return report.WriteMeasurements(a.out, was, is, a.columns())
	}
	return a.saveFile(output, func(w io.Writer) error { return report.WriteMeasurements(w, was, is, 0) })
}

func readRuns(paths []string) (runs []report.Run, err error) {
	for _, path := range paths {
		f, err := os.Open(path)
		if err != nil {
			return nil, usage("%w", err)
		}
		run, err := report.ReadRun(f)
		f.Close()
		if err != nil {
			return nil, usage("%s: %w", path, err)
		}
		runs = append(runs, run)
	}
	return runs, nil
}
