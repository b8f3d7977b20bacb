package main

import (
	"cmp"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"headroom/advisor"
	"headroom/advisor/sim"
	"headroom/cmd/headroom/target"
	"headroom/profiles"
	"headroom/profiles/platform"
)

// simulateFlags say what is simulated.
type simulateFlags struct {
	setup        sim.Setup
	measurement  string
	measured     *advisor.Measurement // that it names; nil: none
	serviceTime  time.Duration
	distribution string
	startUp      time.Duration
	traffic      profiles.Traffic
	rate         float64
	shape        shapeFlags
	start        string
	pinned       profiles.Ratio
	compare      []string
	search       search
	given        *pflag.FlagSet
}

func newSimulateFlags() *simulateFlags {
	return &simulateFlags{setup: sim.Default(), distribution: target.Constant}
}

func (s *simulateFlags) add(f *pflag.FlagSet) {
	s.given = f
	f.SortFlags = false
	c := &s.setup
	f.StringVar(&s.measurement, "measurement", "", "`FILE` of a measurement: service times, start-up times, CPU, capacity and SLO")
	durationVar(f, &s.serviceTime, "service-time", "", "mean service time of one request, instead of a measurement's")
	f.StringVar(&s.distribution, "distribution", s.distribution, "of the --service-time: constant or exponential")
	countVar(f, &c.Concurrency, "concurrency", "", "requests a replica works on at once, where no measurement says it")
	pauseVar(f, &s.startUp, "startup", "", "time a replica takes until it is ready (default: as it was measured, or none)")
	pauseVar(f, &c.Stop, "stop", "", "time a replica that has finished takes to end")
	durationVar(f, &c.CPU, "cpu-per-request", "", "CPU time of one request, where cpu is a metric (default: as it was measured)")
	flagVar(f, &c.CPULimit, "cpu-limit", "", c.CPULimit.String(), "cores", "what cpu in percent is of, where no measurement says it", profiles.ParseMilli)

	flagVar(f, &s.traffic, "traffic", "", "", "low..high", "arrivals per second: up for 40 % of the time, high for 40 %, down for 20 %", profiles.ParseTraffic)
	flagVar(f, &s.rate, "rate", "", "", "rate", "arrivals at this rate (50, 50/1s)", profiles.ParseRate)
	s.shape.add(f)
	f.Lookup("stage").Usage = "reach a rate over a time: 30s:10 (repeatable, in order)"
	f.Lookup("step").Usage = "jump to a rate, and stay: 30s:10 (repeatable, in order)"
	f.Lookup("shape").Usage = "sine:LOW..HIGH,period=5m or spike:LOW..HIGH,after=1m,for=30s, in arrivals per second"
	flagVar(f, &c.Arrivals, "arrivals", "", string(c.Arrivals), "process", "how arrivals are spread: poisson or constant (default of a --trace: as recorded)", parseArrivals)
	durationVar(f, &c.Length, "run-time", "t", "length of the load (default: that of its stages or its trace, or 1h)")
	f.StringVar(&s.start, "start", "", "`TIME` at which the load begins, for schedules, such as 2026-01-05T08:30:00Z (default: a Monday, 00:00 UTC)")

	flagVar(f, &c.Dispatch, "dispatch", "", "", "order", "which replica gets the next request: pack, least-connections, round-robin or random (default: as the scaler's balancer does, pack for the built-in one)", profiles.ParseDispatch)
	countVar(f, &c.MaxQueue, "max-queue", "", "requests that may wait; those beyond are refused")
	durationVar(f, &c.MaxWait, "max-wait", "", "how long a request may wait for a replica")
	durationVar(f, &c.Timeout, "timeout", "", "how long a client waits for its answer (default: for ever)")
	flagVar(f, &s.pinned, "pinned", "", "0%", "share", "share of the requests on connections that stay with their replica", profiles.ParseRatio)
	countVar(f, &c.Clients, "clients", "", "so many such connections")

	flagVar(f, &c.SLO, "slo", "", "", "slo", "objectives such as p95<300ms,errors<1% (default: that of the measurement)", profiles.ParseSLO)
	flagVar(f, &s.search.price, "price", "", "", "price", "of a replica hour, such as 0.35/h", parsePrice)
	f.Uint64Var(&c.Seed, "seed", c.Seed, "seed of everything random")
	flagVar(f, &s.compare, "compare", "", "", "scalers", "simulate each of "+strings.Join(scalerNames(), ", "), parseScalers)
	s.search.by, s.search.Options.Round = builtin, true
	f.BoolVar(&s.search.wanted, "search", false, "search the policies around this one for the cheapest that meets the SLO")
	f.StringVar(&s.search.to, "to", "", "with --search: have the policies followed as a platform does, and print what was chosen as its configuration: "+strings.Join(platform.Names(), ", "))
	f.BoolVar(&s.search.json, "json", false, "print the result as JSON")
}

// finish completes the setup.
func (s *simulateFlags) finish() error {
	for _, part := range []func() error{s.checkSearch, s.fillService, s.fillLoad, s.fillStart} {
		if err := part(); err != nil {
			return err
		}
	}
	s.setup.Pinned = s.pinned.Float()
	if err := s.setup.Validate(); err != nil {
		return &exit{exitUsage, err}
	}
	if s.setup.Demand != nil {
		return nil
	}
	var err error
	if s.setup.Demand, err = sim.InTheory(s.setup.Service, s.setup.Concurrency, s.setup.SLO); err != nil {
		return usage("--slo: got %s: %w", s.setup.SLO, err)
	}
	return nil
}

// fillService takes the service from a measurement or from flags.
func (s *simulateFlags) fillService() error {
	c := &s.setup
	switch {
	case s.measurement != "" && s.serviceTime > 0:
		return usage("--service-time: got %s and --measurement %s, want one", profiles.Duration(s.serviceTime), s.measurement)
	case s.measurement == "" && s.serviceTime == 0:
		return usage("--service-time: got nothing, want it, such as 250ms, or a --measurement")
	case s.distribution != target.Constant && s.distribution != target.Exponential:
		return usage("--distribution: got %q, want %s or %s", s.distribution, target.Constant, target.Exponential)
	case s.measurement != "" && s.given.Changed("distribution"):
		return usage("--distribution: got %s and --measurement %s, want one", s.distribution, s.measurement)
	case s.measurement != "":
		m, err := readMeasurement(s.measurement)
		if err != nil {
			return &exit{exitUsage, err}
		}
		s.measured = &m
		if err := s.fillMeasured(m); err != nil {
			return usage("--measurement: %s: %w", s.measurement, err)
		}
	case s.distribution == target.Exponential:
		c.Service = sim.Exponential(s.serviceTime)
	default:
		c.Service = sim.Constant(s.serviceTime)
	}
	if s.given.Changed("startup") {
		c.StartUp = []time.Duration{s.startUp}
	}
	return nil
}

// fillMeasured takes over what a measurement says and no flag did. How many
// replicas a load takes it says of its own SLO and concurrency alone.
func (s *simulateFlags) fillMeasured(m advisor.Measurement) error {
	measured, err := m.Simulation()
	if err != nil {
		return err
	}
	c := &s.setup
	c.Service, c.StartUp, c.CPU = measured.Service, measured.StartUp, cmp.Or(c.CPU, measured.CPU)
	if !s.given.Changed("concurrency") {
		c.Concurrency = measured.Concurrency
	}
	if !s.given.Changed("cpu-limit") {
		c.CPULimit = measured.CPULimit
	}
	if c.SLO == nil {
		c.SLO = measured.SLO
		if c.Concurrency == measured.Concurrency {
			c.Demand = measured.Demand
			s.search.bound(m)
			s.search.assessment = m.Capacity.Assessment
		}
	}
	return nil
}

// fillLoad takes the load from whichever flags say it.
func (s *simulateFlags) fillLoad() error {
	c := &s.setup
	p := profiles.Plan{Rate: s.rate, Arrivals: c.Arrivals}
	switch {
	case s.traffic.Known() && (s.rate > 0 || s.shape.any()):
		return usage("--traffic: got %s and another load, want one", s.traffic)
	case !s.traffic.Known() && s.rate == 0 && !s.shape.any():
		return usage("--traffic: got nothing, want a load: --traffic LOW..HIGH, --rate, --stage, --step, --shape or --trace")
	case s.traffic.Known():
		c.Length = cmp.Or(c.Length, time.Hour)
		c.Load = advisor.Sizing{}.Course(s.traffic, c.Length)
		return s.shape.checkTrace(s.given)
	}
	s.shape.rate, s.shape.mixed = true, [2]string{} // here every load is one
	if err := s.shape.apply(&p, s.given); err != nil {
		return err
	}
	switch {
	case s.shape.mixed[0] != "":
		return usage("--replay: got %s, a run of users, want one of arrivals", s.shape.replay)
	case p.Shape != nil:
		c.Load, c.Arrivals = p.Shape, p.Arrivals
		if _, single := p.Shape.(profiles.Stamps); single && s.given.Changed("arrivals") {
			return usage("--arrivals: got %s and a --trace of single arrivals, want one: they come as they came", c.Arrivals)
		}
	default:
		c.Load = profiles.Constant(s.rate)
	}
	length, ends := profiles.LengthOf(c.Load)
	switch {
	case !ends:
		length = cmp.Or(c.Length, time.Hour)
	case c.Length > length:
		return usage("--run-time: got %s, want more than 0 and at most %s, after which the load ends", profiles.Duration(c.Length), profiles.Duration(length))
	case c.Length > 0:
		length = c.Length
	}
	c.Length = length
	return nil
}

func (s *simulateFlags) fillStart() error {
	if s.start == "" {
		return nil
	}
	at, err := time.Parse(time.RFC3339, s.start)
	if err != nil {
		return usage("--start: got %q, want a time such as 2026-01-05T08:30:00Z", s.start)
	}
	s.setup.Start = at
	return nil
}
