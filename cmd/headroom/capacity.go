package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"headroom/advisor"
	"headroom/advisor/report"
	"headroom/profiles"
	"headroom/profiles/platform"
)

func (a *app) capacityCommand() *cobra.Command {
	l, v := newLoadFlags(), newAdviceFlags()
	output, junit, before, reach, base, quiet := "", "", "", remoteFlags{}, baselineFlags{}, false
	arrivals := profiles.Poisson
	cmd := &cobra.Command{
		Use:   "capacity [TARGET]",
		Short: "Find what a target holds under an SLO, and save the measurement",
		Long: "Find what a target holds under an SLO, and save the measurement. An interrupted one prints and saves what it has;\n" +
			"--continue goes on with it, or with one whose budget was too short. report compares two.",
		Example: "  headroom capacity http://127.0.0.1:8000/load/100000 --slo 'p95<250ms,errors<1%' -o measurement.json\n" +
			"  headroom capacity http://127.0.0.1:8000/load/100000 --slo 'p95<250ms,errors<1%' --continue measurement.json -o measurement.json",
		Args: oneTarget,
		RunE: func(cmd *cobra.Command, args []string) error {
			config, err := measuringConfig(first(args), l, v)
			if err != nil {
				return err
			}
			earlier, err := base.measurement()
			if err := errors.Join(err, canWrite("--out", output), canWrite("--junit", junit), reach.check()); err != nil {
				return err
			}
			if config.Arrivals = arrivals; before != "" {
				m, err := readMeasurement(before)
				if err != nil {
					return usage("--continue: %w", err)
				}
				config.Continue = &m
			}
			if err := config.Validate(); err != nil {
				return &exit{exitUsage, err}
			}
			if arrivals == profiles.Even {
				a.warn([]string{"arrivals at equal distances never meet: real ones come in bursts, of which the target holds less"})
			}
			if err := connect(cmd.Context(), &config, l.sources); err != nil {
				return err
			}
			if err := v.refuseReplicas(cmd, config); err != nil {
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
			err = a.follow(session, newProgress(a.err, v.budget, told(quiet, events)), session.Advise)
			end()
			m, ok := session.Measured()
			if err == nil && !ok {
				err = errStopped
			}
			if err != nil {
				return err
			}
			if earlier != nil {
				c := advisor.CompareCapacity(base.file, base.tolerance, m, *earlier)
				m.Baseline = &c
			}
			return a.writeMeasurement(m, output, junit)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	addConfig(f)
	l.request(f)
	l.sources.add(f)
	v.measuring(f)
	f.StringVar(&before, "continue", "", "go on with the measurement in `FILE`, of the same requests to the same target under the same SLO, for another --budget")
	flagVar(f, &arrivals, "arrivals", "", string(arrivals), "process", "how arrivals are spread: poisson or constant, which flatters", parseArrivals)
	countVar(f, &v.replicas, "replicas", "", "how many replicas a target without a scaler has")
	f.StringVarP(&output, "out", "o", "", "save the measurement as JSON to `FILE`")
	f.StringVar(&junit, "junit", "", "write what became of it as JUnit test results to `FILE`")
	base.flags(f, "the capacity", "measurement")
	f.BoolVarP(&quiet, "quiet", "q", false, "no progress, only the result")
	reach.flags(f)
	return cmd
}

// writeMeasurement prints the steps, and saves all of it.
func (a *app) writeMeasurement(m advisor.Measurement, output, junit string) error {
	saved := addSummary(func(w io.Writer) error { return report.WriteMeasurementMarkdown(w, m) })
	if junit != "" {
		saved = errors.Join(saved, a.saveFile(junit, func(w io.Writer) error { return report.WriteMeasurementJUnit(w, m) }))
	}
	if output != "" {
		saved = errors.Join(saved, a.saveFile(output, func(w io.Writer) error { return report.WriteJSON(w, m) }))
	}
	err := errors.Join(report.WriteSteps(a.out, m.Capacity), report.WriteBaseline(a.out, m.Baseline, a.columns()))
	if r := m.Capacity.Refusal; r != nil && err == nil {
		write(a.out, "\n")
		err = errors.Join(report.WriteRefusal(a.out, r), &exit{code: exitInconclusive})
	}
	if m.Capacity.Interrupted && err == nil {
		err = errStopped
	}
	if err == nil {
		err = changeVerdict(m.Baseline)
	}
	return errors.Join(saved, err)
}

func (a *app) adviseCommand() *cobra.Command {
	v := newAdviceFlags()
	var asJSON, textbook, explain, searched bool
	e := exportFlags{Options: platform.Options{Round: true}}
	names := e.names()
	cmd := &cobra.Command{
		Use:   "advise MEASUREMENT (--traffic LOW..HIGH | --trace FILE)",
		Short: "Turn a measurement into a policy, without any traffic",
		Example: "  headroom advise measurement.json --traffic 50..200\n" +
			"  headroom advise measurement.json --traffic 50..200 --rise 0.5 --explain\n" +
			"  headroom advise measurement.json --trace access.log --timezone Europe/Berlin\n" +
			"  headroom advise measurement.json --traffic 50..200 --to policy > policy.yaml",
		Args: oneArgument("the measurement file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := refuseTwo(cmd, "to", "json", "explain"); err != nil {
				return err
			}
			if err := e.checkNames(); err != nil {
				return err
			}
			if e.to == "" {
				if err := refuseGiven(names, "the advice", "--to"); err != nil {
					return err
				}
			} else if _, err := platform.Find(e.to); err != nil {
				return usage("--to: %w", err)
			}
			if err := errors.Join(v.readTraffic(), v.readPlatform(e.to, searched)); err != nil {
				return err
			}
			if textbook {
				if err := refuseBeside(cmd, "textbook", "headroom", "rise", "doubles", "jump", "growth", "spare", "metric", "for", "cpu-limit", "schedule"); err != nil {
					return err
				}
				v.wanted = advisor.Sizing{Interval: v.wanted.Interval, Starts: v.wanted.Starts, Price: v.wanted.Price, Metric: profiles.RPS}
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
			case searched:
				return a.searchAdvice(cmd, m, advice, v, search{exportFlags: e, json: asJSON, price: v.wanted.Price})
			case e.to != "":
				return a.export(advice.Policy, e)
			case asJSON:
				return report.WriteJSON(a.out, advice)
			case explain:
				return report.WriteExplanation(a.out, m.Capacity, advice, a.columns())
			}
			return report.WriteAdvice(a.out, advice)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	addConfig(f)
	v.sizing(f)
	flagVar(f, &v.wanted.Dispatch, "dispatch", "", "", "order", "which replica gets the next request: pack, least-connections, round-robin or random (default: as the platform's balancer does, pack without one)", profiles.ParseDispatch)
	flagVar(f, &v.wanted.CPULimit, "cpu-limit", "", "", "cores", "what a replica has where the policy is followed, which cpu in percent is of (default: as measured, or 1)", parseCores)
	v.recorded(f)
	v.bound(f)
	f.BoolVar(&textbook, "textbook", false, "the arithmetic of the textbook: traffic by the whole capacity, in requests per second, and nothing kept free")
	f.BoolVar(&explain, "explain", false, "print the whole derivation: the steps, the models, the metrics, and each value with what it is not")
	f.BoolVar(&searched, "search", false, "simulate policies around the advice, and choose the cheapest that meets the SLO")
	f.BoolVar(&asJSON, "json", false, "print the advice as JSON")
	f.StringVar(&e.to, "to", "", "print the policy for a platform instead: "+strings.Join(platform.Names(), ", "))
	f.AddFlagSet(names)
	return cmd
}

// refuseTwo refuses more than one of the flags: each of them says what is
// printed.
func refuseTwo(cmd *cobra.Command, names ...string) error {
	var got []string
	for _, name := range names {
		if cmd.Flags().Changed(name) {
			got = append(got, "--"+name)
		}
	}
	if len(got) > 1 {
		return usage("%s: got it and %s, want one", got[0], strings.Join(got[1:], " and "))
	}
	return nil
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

// parseCores reads a number of cores that is more than 0.
func parseCores(s string) (profiles.Milli, error) {
	cores, err := profiles.ParseMilli(s)
	if err == nil && cores == 0 {
		err = fmt.Errorf("got %q, want more than 0 cores", s)
	}
	return cores, err
}
