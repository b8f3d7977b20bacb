package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"headroom/advisor"
	"headroom/advisor/report"
	"headroom/profiles"
	"headroom/profiles/platform"
)

func (a *app) capacityCommand() *cobra.Command {
	l, v := newLoadFlags(), newAdviceFlags()
	output, reach := "", remoteFlags{}
	cmd := &cobra.Command{
		Use:     "capacity [TARGET]",
		Short:   "Find what a target holds under an SLO, and save the measurement",
		Example: "  headroom capacity http://127.0.0.1:8000/load/100000 --slo 'p95<250ms,errors<1%' -o measurement.json",
		Args:    oneTarget,
		RunE: func(cmd *cobra.Command, args []string) error {
			config, err := measuringConfig(first(args), l, v)
			if err != nil {
				return err
			}
			if err := errors.Join(canWrite("--out", output), reach.check()); err != nil {
				return err
			}
			if err := connect(cmd.Context(), &config, l.sources); err != nil {
				return err
			}
			session, err := advisor.NewSession(config)
			if err != nil {
				return &exit{exitUsage, err}
			}
			end, err := a.startServed(session, reach)
			if err != nil {
				return err
			}
			err = a.follow(session, newProgress(a.err, v.budget, true), session.Advise)
			end()
			m, ok := session.Measured()
			if err == nil && !ok {
				err = errStopped
			}
			if err != nil {
				return err
			}
			return a.writeMeasurement(m, output)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	addConfig(f)
	l.request(f)
	l.sources.add(f)
	v.measuring(f)
	countVar(f, &v.replicas, "replicas", "", "how many replicas a target without a scaler has")
	f.StringVarP(&output, "out", "o", "", "save the measurement as JSON to `FILE`")
	reach.flags(f)
	return cmd
}

// writeMeasurement prints the steps, and saves all of it.
func (a *app) writeMeasurement(m advisor.Measurement, output string) error {
	var saved error
	if output != "" {
		saved = a.saveFile(output, func(w io.Writer) error { return report.WriteJSON(w, m) })
	}
	err := report.WriteSteps(a.out, m.Capacity)
	if r := m.Capacity.Refusal; r != nil && err == nil {
		write(a.out, "\n")
		err = errors.Join(report.WriteRefusal(a.out, r), &exit{code: exitInconclusive})
	}
	return errors.Join(saved, err)
}

func (a *app) adviseCommand() *cobra.Command {
	v := newAdviceFlags()
	var asJSON, textbook, explain bool
	var to string
	cmd := &cobra.Command{
		Use:   "advise MEASUREMENT --traffic LOW..HIGH",
		Short: "Turn a measurement into a policy, without any traffic",
		Example: "  headroom advise measurement.json --traffic 50..200\n" +
			"  headroom advise measurement.json --traffic 50..200 --rise 0.5 --explain\n" +
			"  headroom advise measurement.json --traffic 50..200 --to policy > policy.yaml",
		Args: oneArgument("the measurement file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if textbook {
				if err := refuseBeside(cmd, "textbook", "headroom", "rise", "doubles", "jump", "growth", "spare", "metric"); err != nil {
					return err
				}
				v.wanted = advisor.Sizing{Interval: v.wanted.Interval, Starts: v.wanted.Starts, Metric: profiles.RPS}
			}
			if to != "" {
				if _, err := platform.Find(to); err != nil {
					return usage("--to: %w", err)
				}
			}
			m, err := readMeasurement(args[0])
			if err != nil {
				return &exit{exitUsage, err}
			}
			advice, err := m.Advise(v.traffic, v.wanted)
			if refusal := (*advisor.Refusal)(nil); errors.As(err, &refusal) {
				return errors.Join(report.WriteRefusal(a.out, refusal), &exit{code: exitInconclusive})
			}
			if err != nil {
				return &exit{exitUsage, err}
			}
			switch {
			case to != "":
				return a.printExport(advice.Policy, to)
			case asJSON:
				return report.WriteJSON(a.out, advice)
			case explain:
				return report.WriteExplanation(a.out, m.Capacity, advice)
			}
			return report.WriteAdvice(a.out, advice)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	v.sizing(f)
	f.BoolVar(&textbook, "textbook", false, "the arithmetic of the textbook: traffic by the whole capacity, in requests per second, and nothing kept free")
	f.BoolVar(&explain, "explain", false, "print the whole derivation: the steps, the models, the metrics, and each value with what it is not")
	f.BoolVar(&asJSON, "json", false, "print the advice as JSON")
	f.StringVar(&to, "to", "", "print the policy for a platform instead: "+fmt.Sprint(platform.Names()))
	return cmd
}

// refuseBeside refuses the first of the flags that was given beside one that
// leaves it nothing to say.
func refuseBeside(cmd *cobra.Command, flag string, others ...string) error {
	for _, name := range others {
		if f := cmd.Flags().Lookup(name); f.Changed {
			return usage("--%s: got %q with --%s, want one of the two", name, f.Value, flag)
		}
	}
	return nil
}

func readMeasurement(path string) (advisor.Measurement, error) {
	var m advisor.Measurement
	data, err := os.ReadFile(path)
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return m, fmt.Errorf("%s: not a measurement: %w", path, err)
	}
	if m.Version != profiles.Version || m.Kind != "measurement" {
		return m, fmt.Errorf("%s: got kind %q and version %q, want measurement and %s", path, m.Kind, m.Version, profiles.Version)
	}
	return m, nil
}
