package main

import (
	"fmt"
	"math"
	"os"
	"time"

	"github.com/spf13/cobra"

	"headroom/advisor"
	"headroom/profiles"
	"headroom/scaler"
	"headroom/tui"
)

// The demo asks for a little less than twice what one replica can answer.
const (
	demoOverload = 1.8
	demoMaxRate  = 90 // requests/s, however short the service time
)

func (a *app) demoCommand() *cobra.Command {
	serviceTime, startUp, budget := 50*time.Millisecond, 300*time.Millisecond, 45*time.Second
	length := 15 * time.Second
	var headless, json bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "All of it on this machine, nothing else needed",
		Long: "Run the demo target as replicas behind the built-in scaler, and load it.\n\n" +
			"On a terminal the dashboard opens: enter starts the swarm, a measures and advises, A applies.\n" +
			"Without one it does all of it by itself and prints before and after.",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if serviceTime < time.Millisecond || serviceTime > 2*time.Second {
				return usage("--service-time: got %v, want 1ms to 2s", serviceTime)
			}
			if length < 5*time.Second || length > 10*time.Minute {
				return usage("--load: got %v, want 5s to 10m", length)
			}
			if budget < advisor.MinBudget {
				return usage("--budget: got %v, want %v or more", budget, advisor.MinBudget)
			}
			self, err := os.Executable()
			if err != nil {
				return err
			}
			config := demoConfig(serviceTime, budget, length)
			s, err := newScaler(scaler.Config{
				Name: fmt.Sprintf("demo-%d", os.Getpid()), Listen: "127.0.0.1:0", API: "127.0.0.1:0", Policy: config.Policy,
				Command: []string{self, "target", "--port", "{port}", "--service-time", serviceTime.String(), "--startup", startUp.String()},
			})
			if err != nil {
				return err
			}
			running, err := startScaler(a.signals, s)
			if err != nil {
				return err
			}
			workOn(&config, s, "/request?x=7")
			err = a.demo(config, headless || json || !a.draws(), json)
			if stopErr := running.stop(); err == nil {
				err = stopErr
			}
			return err
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	durationVar(f, &serviceTime, "service-time", "", "what one request takes in a replica, one at a time")
	pauseVar(f, &startUp, "startup", "", "what a replica takes to start")
	durationVar(f, &budget, "budget", "", "time the measurement may take")
	durationVar(f, &length, "load", "", "length of the load before and after")
	f.BoolVar(&headless, "headless", false, "no dashboard, even on a terminal")
	a.asciiFlag(f)
	f.BoolVar(&json, "json", false, "print the result as JSON, without the dashboard")
	return cmd
}

// demoConfig sets the load to what overloads one replica of that service
// time, and the SLO to five times the service time. The load grows to its height
// within six seconds and a new replica takes about three to answer, so half of
// the capacity is kept free.
func demoConfig(serviceTime, budget, length time.Duration) advisor.Config {
	users := max(2, int(math.Round(math.Min(demoMaxRate, demoOverload/serviceTime.Seconds()))))
	plan := profiles.DefaultPlan()
	plan.Users = users
	plan.SpawnRate = max(1, float64(users)/6)
	plan.Wait = profiles.Wait{Min: time.Second, Max: time.Second, Pacing: true}
	slo := profiles.SLO{
		{Measure: profiles.Percentile, Quantile: 0.95, Op: profiles.Less, Limit: 5 * serviceTime.Seconds()},
		{Measure: profiles.Errors, Op: profiles.Less, Limit: 0.01},
	}
	policy := profiles.FixedPolicy(1)
	policy.Interval = profiles.Duration(time.Second)
	traffic := profiles.Traffic{Low: profiles.Milli(max(1, users/4) * 1000), High: profiles.Milli(users * 1000)}
	return advisor.Config{
		Plan: plan, SLO: slo, Traffic: traffic, Sizing: advisor.Sizing{Headroom: 500, Interval: time.Second}, Budget: budget,
		Replay: advisor.ReplayPlan(plan, profiles.Traffic{}, advisor.Sizing{}, length), Policy: policy,
	}
}

func (a *app) demo(config advisor.Config, headless, json bool) error {
	if headless {
		result, err := a.runTune(config, tuneOptions{keep: true})
		return a.concludeTune(result, err, tuneOptions{json: json})
	}
	session, err := advisor.NewSession(config)
	if err != nil {
		return err
	}
	end := start(a.signals.now, session)
	err = a.dashboard(session, tui.Options{})
	end()
	return a.concludeShown(err, session.State(), runOptions{})
}
