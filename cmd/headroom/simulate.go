package main

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"headroom/advisor/report"
	"headroom/advisor/sim"
	"headroom/profiles"
	"headroom/tui"
)

func (a *app) simulateCommand() *cobra.Command {
	s := newSimulateFlags()
	cmd := &cobra.Command{
		Use:   "simulate POLICY (--measurement FILE | --service-time TIME)",
		Short: "What a policy would do to a traffic, before anyone is hurt",
		Long: "What a policy would do to a traffic, before anyone is hurt.\n\n" +
			"Requests are simulated one by one: arrivals, the queue, dispatch, replicas that start and end, clients that give up. The\n" +
			"decisions are those of the built-in scaler, from the same windows; --compare has other platforms decide about the same\n" +
			"policy, each in its own way. Loads are arrivals per second. The same seed gives the same result.\n\n" +
			"Exit code 99: the policy misses the SLO.",
		Example: "  headroom simulate policy.yaml --service-time 250ms --startup 30s --traffic 50..200 --slo 'p95<1s'\n" +
			"  headroom simulate policy.yaml --measurement measurement.json --trace access.log --price 0.35\n" +
			"  headroom simulate policy.yaml --measurement measurement.json --traffic 5..50 --compare builtin,keda,knative,everai-free",
		Args: oneArgument("the policy file"),
		RunE: func(_ *cobra.Command, args []string) error {
			policy, err := readPolicy(args[0])
			if err != nil {
				return err
			}
			if err := s.finish(); err != nil {
				return err
			}
			if s.measured != nil {
				if err := a.calibrate(*s.measured, s.search.wanted); err != nil {
					return err
				}
			}
			if s.search.wanted {
				return a.search(s.setup, policy, s.search)
			}
			return a.simulate(policy, s)
		},
	}
	s.add(cmd.Flags())
	a.asciiFlag(cmd.Flags())
	cmd.Flags().Lookup("ascii").Usage = "nothing but ASCII in the diagrams; so too where the locale is not UTF-8"
	return cmd
}

// simulate prints what comes of a policy, or of several scalers that follow it.
func (a *app) simulate(p profiles.Policy, s *simulateFlags) error {
	names := s.compare
	if len(names) == 0 {
		names = []string{builtin}
	}
	rows := make([]report.Simulation, len(names))
	for i, name := range names {
		var err error
		if rows[i], err = s.run(a.signals.stop, name, p); err != nil {
			return err
		}
	}
	if s.search.json {
		err := report.WriteJSON(a.out, struct {
			Version string              `json:"version"`
			Kind    string              `json:"kind"`
			SLO     string              `json:"slo,omitempty"`
			Seed    uint64              `json:"seed"`
			Rows    []report.Simulation `json:"rows"`
		}{profiles.Version, "simulation", s.setup.SLO.String(), s.setup.Seed, rows})
		if err != nil {
			return err
		}
		return s.verdict(rows)
	}
	write(a.out, a.drawing(rows, s))
	var err error
	if len(s.compare) > 0 {
		err = report.WriteSimulations(a.out, rows, a.columns())
	} else {
		write(a.out, "\n")
		err = report.WriteSimulation(a.out, rows[0], s.setup.SLO, a.columns())
	}
	if err != nil {
		return err
	}
	return s.verdict(rows)
}

// verdict is the exit code: 99 where the one policy misses its SLO, 3 where
// nothing could be compared.
func (s *simulateFlags) verdict(rows []report.Simulation) error {
	if len(s.compare) == 0 {
		if len(s.setup.SLO) > 0 && !rows[0].Result.Met {
			return &exit{code: exitNotMet}
		}
		return nil
	}
	for _, r := range rows {
		if r.Result != nil {
			return nil
		}
	}
	return &exit{code: exitInconclusive}
}

const (
	diagramHeight = 8
	mostCurves    = 4
)

// drawing shows load, replicas and latency over time; of several scalers the
// first few.
func (a *app) drawing(rows []report.Simulation, s *simulateFlags) string {
	width := a.columns()
	if width == 0 {
		width = leastColumns
	}
	rows = slices.DeleteFunc(slices.Clone(rows), func(r report.Simulation) bool { return r.Result == nil })
	if len(rows) == 0 {
		return ""
	}
	of := ""
	if len(rows) > mostCurves {
		rows, of = rows[:mostCurves], fmt.Sprintf(" of the first %d", mostCurves)
	}
	curve := func(name string, r report.Simulation, value func(p sim.Point) float64) tui.Curve {
		values := make([]float64, len(r.Result.Series))
		for i, p := range r.Result.Series {
			values[i] = value(p)
		}
		return tui.Curve{Name: name, Values: values}
	}
	load := tui.Diagram{Title: "arrivals/s", Curves: []tui.Curve{curve("arrivals", rows[0], func(p sim.Point) float64 { return p.Load })}}
	replicas, p95 := tui.Diagram{Title: "replicas" + of, Counts: true}, tui.Diagram{Title: "p95 ms" + of}
	if o, ok := s.setup.SLO.Latency(); ok {
		p95.Limit = o.Limit * 1000
	}
	for _, r := range rows {
		ready, slow := r.Name, r.Name
		if len(s.compare) == 0 {
			ready, slow = "ready", "p95"
		}
		replicas.Curves = append(replicas.Curves, curve(ready, r, func(p sim.Point) float64 { return p.Ready }))
		p95.Curves = append(p95.Curves, curve(slow, r, func(p sim.Point) float64 {
			if p.P95 == nil {
				return math.NaN()
			}
			return float64(*p.P95) / float64(time.Millisecond)
		}))
	}
	if len(s.compare) == 0 {
		replicas.Curves = append(replicas.Curves, curve("wanted", rows[0], func(p sim.Point) float64 { return p.Wanted }))
	}
	return tui.Draw(a.out, a.onlyASCII(), s.setup.Length, []tui.Diagram{load, replicas, p95}, width, diagramHeight)
}

// run simulates one scaler that follows a policy. That it cannot is a row too.
func (s *simulateFlags) run(ctx context.Context, name string, p profiles.Policy) (report.Simulation, error) {
	row := report.Simulation{Name: name}
	setup := s.setup
	scaler, losses, err := scalerNamed(name, p, setup)
	if err == nil {
		err = setup.Simulable(scaler.Policy)
	}
	if err != nil {
		if len(s.compare) == 0 {
			return row, &exit{exitUsage, err}
		}
		row.Refused = strings.TrimPrefix(strings.ReplaceAll(err.Error(), "\n", "; "), name+": ")
		return row, nil
	}
	result, err := simulated(ctx, setup, scaler)
	if err != nil {
		return row, err
	}
	row.Policy, row.Losses, row.Result = scaler.Policy.Summary(), losses, &result
	row.Balancer = setup.Balancer(scaler).String()
	if s.search.price > 0 {
		cost := report.ReplicaHours(result) * s.search.price
		row.Cost = &cost
	}
	return row, nil
}

// parsePrice reads "0.35" or "0.35/h".
func parsePrice(text string) (float64, error) {
	var v float64
	number := strings.TrimSuffix(strings.TrimSpace(text), "/h")
	if _, err := fmt.Sscanf(number+"\n", "%g\n", &v); err != nil || !(v > 0) || math.IsInf(v, 0) {
		return 0, fmt.Errorf("got %q, want the price of a replica hour, above 0, such as 0.35 or 0.35/h", text)
	}
	return v, nil
}
