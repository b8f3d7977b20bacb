package advisor

import (
	"fmt"
	"slices"
	"time"

	"headroom/advisor/model"
	"headroom/profiles"
)

// long is a service time from which on a rate says little: so few requests are
// under way that each one counts.
const long = time.Second

// fitness is the verdict on a metric, in words.
func (c *Capacity) fitness(s signals, tests []MetricTest, now circumstances) (Fitness, string) {
	switch s.kind {
	case profiles.RPS:
		return c.rateFitness(tests)
	case profiles.InFlight:
		return c.inFlightFitness(s, tests)
	case profiles.Queue:
		return c.queueFitness(now)
	case profiles.FreeWorkers:
		return c.freeFitness(now)
	case profiles.CPU:
		return c.cpuFitness(s, tests)
	}
	line, _ := model.FitLine(s.load, s.value)
	return Misleading, fmt.Sprintf("it is never offered: it says that something is wrong, not how much is missing. From a quarter of the capacity to all of it p50 goes from %s to %s, so that it cannot say when to scale in; beyond, it grows without end, late by itself, and for reasons that no replica mends",
		latency(fromSeconds(max(c.Service.Seconds(), line.At(s.capacity/4)))), latency(fromSeconds(line.At(s.capacity))))
}

// failed is the test of that name, if it was made and not passed.
func failed(tests []MetricTest, name string) (MetricTest, bool) {
	i := slices.IndexFunc(tests, func(t MetricTest) bool { return t.Name == name && !t.Passed && !t.Missing })
	if i < 0 {
		return MetricTest{}, false
	}
	return tests[i], true
}

// moved says of a metric that is not quiet how far chance moves it.
func moved(quiet MetricTest) string {
	return fmt.Sprintf("chance moves it by %.0f %% up or down over the window even in the busy hours, for want of traffic", quiet.Value*100)
}

func (c *Capacity) rateFitness(tests []MetricTest) (Fitness, string) {
	if t, no := failed(tests, "mix"); no {
		return Usable, fmt.Sprintf("the time of a request varies by %.0f %%: the same rate may be very different work", t.Value*100)
	}
	if c.Service >= long {
		return Usable, fmt.Sprintf("one request takes %s: so few are under way that what is in flight says more than their rate", latency(c.Service))
	}
	if t, no := failed(tests, "quiet"); no {
		return Usable, moved(t)
	}
	return Good, "requests are alike and short, it is in proportion to the load, and arrivals at the balancer have no ceiling: 1.3 times the capacity shows as 1.3 times the target"
}

func (c *Capacity) inFlightFitness(s signals, tests []MetricTest) (Fitness, string) {
	if t, no := failed(tests, "linear"); no {
		return Usable, fmt.Sprintf("it counts what waits as well and has no ceiling, but below the capacity it grows only roughly with the load (R² %.2f)", t.Value)
	}
	if t, no := failed(tests, "quiet"); no {
		return Usable, "it counts what waits as well and has no ceiling, but " + moved(t)
	}
	line, _ := model.FitLine(s.load, s.value)
	return Good, fmt.Sprintf("it grows with the load (%.2f at the capacity), counts what waits as well, has no ceiling, and does not care how long a request takes", line.At(s.capacity))
}

func (c *Capacity) queueFitness(now circumstances) (Fitness, string) {
	lead, spare := now.startUp+now.interval, now.spare(c.Service)
	switch {
	case now.startUp == 0:
		return Usable, "whether a request may wait for as long as a replica takes to start is not known"
	case spare < lead:
		return Misleading, fmt.Sprintf("it says that a replica is missing when requests wait already: one comes after %s (start-up %s + interval %s), and the SLO leaves %s for waiting",
			seconds(lead), seconds(now.startUp), seconds(now.interval), latency(spare))
	}
	return Good, fmt.Sprintf("the SLO leaves %s for waiting, longer than the %s until a new replica answers: it may wait until there is work for one",
		seconds(spare), seconds(lead))
}

func (c *Capacity) freeFitness(now circumstances) (Fitness, string) {
	if k := c.Concurrency(); k > 1 {
		return Usable, fmt.Sprintf("a replica works on about %d requests at once: it is not free long before it is full", k)
	}
	if c.Service < long {
		return Usable, fmt.Sprintf("one request takes %s: a replica is free and busy again many times between two looks (%s apart)", latency(c.Service), seconds(now.interval))
	}
	return Good, fmt.Sprintf("a replica works on one request at a time for %s: spare ones take what arrives until more have started", latency(c.Service))
}

// What the CPU of a replica must be, as shares of its limit, to say anything.
// What limits shows at saturation: an SLO may be missed long before, by
// waiting alone.
const (
	busyAtSaturation = 0.8 // or more: the CPU is what limits
	idleAtSaturation = 0.5 // or less: something else does
	busyAtQuarter    = 0.9 // or more, at a quarter of the capacity: it spins
	neverIn          = 0.9 // of what is used at the capacity, without any load: it never scales in
	mostIdleShare    = 0.3 // of what is used at the capacity, without any load
)

func (c *Capacity) cpuFitness(s signals, tests []MetricTest) (Fitness, string) {
	line, ok := model.FitLine(s.load, s.value)
	if !ok {
		return Unmeasured, "too few steps say anything of it"
	}
	limit := c.cpuLimit(line)
	full := line.At(c.Saturation.Value/float64(max(1, c.Replicas))) / limit
	at, quarter, idle := line.At(s.capacity)/limit, line.At(s.capacity/4)/limit, max(0, line.Base)/limit
	waits := max(0, 1-line.Slope/c.Service.Seconds())
	switch {
	case full < idleAtSaturation:
		return Misleading, fmt.Sprintf("it is at %.0f %% when the SLO is about to be missed, and at %.0f %% at saturation: %.0f %% of the %s of a request are spent waiting, on a GPU, a disk, a sleep or another service; scaling on it would come far too late",
			at*100, full*100, waits*100, latency(c.Service))
	case quarter >= busyAtQuarter:
		return Misleading, fmt.Sprintf("it is at %.0f %% already at a quarter of the capacity: the process spins while it waits", quarter*100)
	case idle >= neverIn*at:
		return Misleading, fmt.Sprintf("it is at %.0f %% without any load and at %.0f %% at the capacity: it would never scale in", idle*100, at*100)
	}
	if t, no := failed(tests, "linear"); no {
		return Usable, fmt.Sprintf("it grows only roughly with the load (R² %.2f)", t.Value)
	}
	if t, no := failed(tests, "quiet"); no {
		return Usable, moved(t)
	}
	if full < busyAtSaturation || idle > mostIdleShare*at {
		return Usable, fmt.Sprintf("it is at %.0f %% at the capacity and at %.0f %% without load: it says only part of what happens", at*100, idle*100)
	}
	why := fmt.Sprintf("it grows with the load (%s of CPU a request), is at %.0f %% at the capacity and at %.0f %% at saturation: computing is what limits here",
		latency(fromSeconds(line.Slope)), at*100, full*100)
	if t, no := failed(tests, "clips"); no {
		why += fmt.Sprintf("; but it ends at 100 %%: a jump is followed by at most %.2f times the replicas a decision", t.Value)
	}
	return Good, why
}
