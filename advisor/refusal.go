package advisor

import (
	"fmt"
	"time"

	"headroom/advisor/model"
	"headroom/load"
	"headroom/profiles"
)

// Refusal is why nothing is advised, and what to do about it.
type Refusal struct {
	Code string `json:"code"` // stable, such as R1
	Why  string `json:"why"`
	Do   string `json:"do"`
}

func (r *Refusal) Error() string { return fmt.Sprintf("%s (%s): %s", r.Why, r.Code, r.Do) }

// refuseBaseline looks at what one user alone got.
func refuseBaseline(o Observation, slo profiles.SLO) *Refusal {
	whole, ok := slo.Latency()
	switch {
	case o.Spoiled:
		return refuseSpoiled(o)
	case o.Requests == 0:
		return &Refusal{"R10", "no request came back while one user alone was asking",
			"check the target, or give --budget more time than a request takes"}
	case o.Failed*2 >= o.Requests, o.Failed > 1 && float64(o.Failed) > baseErrors*float64(o.Requests): // one may fail by accident
		return refuseErrors(o)
	case ok && o.P50 > time.Duration(whole.Limit*float64(time.Second)):
		return refuseAlone(o, whole.String())
	case o.Failed == 0 && o.Verdict == model.Fail:
		return refuseAlone(o, slo.String())
	}
	for k, objective := range slo.Percentiles() {
		if shareOf(k, o.Blocks) == 0 {
			return &Refusal{"R10", fmt.Sprintf("%s speaks of none of the %d requests of one user alone", objective, o.Requests), howToHear(objective)}
		}
	}
	return nil
}

// refuseAlone is for a service that misses the SLO though nobody waits.
func refuseAlone(o Observation, wants string) *Refusal {
	return &Refusal{"R1", fmt.Sprintf("one request alone misses the SLO: p50 %s and p95 %s, the SLO wants %s (%s)",
		latency(o.P50), latency(o.P95), wants, o.Why),
		fmt.Sprintf("no number of replicas meets %s: make the service faster or relax the SLO", wants)}
}

// howToHear is what brings requests that an objective speaks of.
func howToHear(o profiles.Objective) string {
	if o.Measure == profiles.FirstEvent {
		return "ask for a stream of events, or want a latency percentile such as p95<300ms instead"
	}
	return "give the task more weight, or leave its objective out"
}

func refuseErrors(o Observation) *Refusal {
	return &Refusal{"R4", fmt.Sprintf("%d of %d requests failed in step %q", o.Failed, o.Requests, o.Trial.Name),
		"mend the errors first: a capacity with them means nothing"}
}

func refuseSpoiled(o Observation) *Refusal {
	why := fmt.Sprintf("step %q: %s", o.Trial.Name, o.Why)
	switch {
	case o.Health.Verdict == load.Limited:
		return &Refusal{"R2", why, "run it on a machine with free cores"}
	case o.Full:
		return &Refusal{"R2", why, "measure a request that takes longer: the answers come faster than this can judge them"}
	case o.unsteady():
		return &Refusal{"R5", why, "let it warm up first, or find out what changes while it runs: a cache that fills, a leak"}
	}
	return &Refusal{"R5", why, "keep the fleet at one size while it is measured"}
}

// unsaturated is the code of a ladder that may be climbed further.
const unsaturated = "R3"

// refuseUnsaturated is for a ladder that ended while its best rung was among
// the last.
func refuseUnsaturated(best Observation, tooMany bool, more string) *Refusal {
	rate := profiles.FormatRate(best.Rate)
	do := more + " to find where it ends, and what of it meets the SLO"
	if tooMany {
		do = fmt.Sprintf("more users than %d are not tried: measure a request that takes longer, or fewer replicas", maxUsers)
	}
	return &Refusal{unsaturated, fmt.Sprintf("the throughput had not clearly stopped growing: %s got the most, %s/s", profiles.Plural(best.Trial.Users, "user", "users"), rate), do}
}

// refuseQueues is for a service that meets the SLO only while nobody waits.
func refuseQueues(high float64) *Refusal {
	return &Refusal{"R1", fmt.Sprintf("even %s/s missed the SLO, while one request at a time met it", profiles.FormatRate(high)),
		"requests that meet by chance already wait too long: relax the SLO, or let a replica work on several requests at once"}
}

// refuseUnfinished is for a search that ended before it found any load that
// meets the SLO: the next step, at that rate, takes longer than what is left.
func refuseUnfinished(missed, rate float64, takes, left time.Duration, more string) *Refusal {
	return &Refusal{"R10", fmt.Sprintf("%s/s missed the SLO, and to judge %s/s takes %s, of which %s were left",
		profiles.FormatRate(missed), profiles.FormatRate(rate), seconds(takes), seconds(max(0, left))),
		more + ", or relax the SLO"}
}

// refuseTooLittle is for a step that met the SLO, maybe by chance, when there
// was no time for a longer one.
func refuseTooLittle(o Observation, more string) *Refusal {
	return &Refusal{"R10", fmt.Sprintf("at %s/s %s: too little to tell whether that load meets the SLO", profiles.FormatRate(o.Offered), o.Why),
		fmt.Sprintf("%s: about %d requests would tell, which take %s", more, o.Needs, seconds(fromSeconds(float64(o.Needs)/o.Trial.Rate)))}
}

func refuseShort(budget time.Duration, more string) *Refusal {
	return &Refusal{"R10", fmt.Sprintf("%v are too short for a conclusive step", budget), more}
}

// refuseClosed is for a search that had no time for arrivals. takes is what one
// step of them needs.
func refuseClosed(saturation Interval, takes time.Duration, more string) *Refusal {
	return &Refusal{"R13", fmt.Sprintf("only users who wait for their answers were tried (%s at saturation): they hold back while the service is slow, which says nothing of a rate under an SLO", saturation),
		fmt.Sprintf("%s: a step of arrivals takes %s", more, seconds(takes))}
}

// refuseInterrupted is for a search that was ended before it found any load.
func refuseInterrupted() *Refusal {
	return &Refusal{"R10", "it was interrupted before a load was found that meets the SLO", "let it go on: capacity --continue with the saved measurement"}
}

// refuseDrift is for a service that was not the same at the end as at the
// beginning.
func refuseDrift(c *Capacity) *Refusal {
	what, drift, _ := c.drift()
	return refuseChanged(what, drift)
}

// refuseLoadedDrift is for one of which that shows under load.
func refuseLoadedDrift(steps []Observation) *Refusal {
	return refuseChanged(loadedDrift(steps))
}

func refuseChanged(what string, drift float64) *Refusal {
	if drift <= tooMuchDrift {
		return nil
	}
	return &Refusal{"R6", what + ": what was measured between is not of one service",
		"find out what changes while it runs (a leak, a cache that fills, another program on its machine), and measure again"}
}

// refuseMetric is for a metric that was asked for, with the best that would do.
func refuseMetric(kind profiles.Kind, why string, scores []MetricScore) *Refusal {
	do := "leave out --metric"
	if best, ok := best(scores); ok {
		do += fmt.Sprintf(": %s is %s here", best.Kind, best.Fitness)
	}
	return &Refusal{"R8", fmt.Sprintf("%s cannot be scaled on here: %s", kind, why), do}
}

// refuseIdle is for a metric that counts on idle replicas, under a dispatch that
// leaves none.
func refuseIdle(n Needs, kind profiles.Kind, most int, idle time.Duration) *Refusal {
	return &Refusal{"R11", fmt.Sprintf("a policy of %s removes a replica that was idle for %s, but with %s each of %d gets a request every %s even in the quiet hours: the fleet would never shrink",
		kind, seconds(idle), n.Dispatch, most, seconds(fromSeconds(float64(most)/n.Traffic.Low.Float()))),
		"let the balancer pack, so that some stay idle, or scale on rps or in_flight"}
}

// refuseAll is for a platform that can scale on nothing which would do here.
func refuseAll(within *Ability, scores []MetricScore) *Refusal {
	why := "nothing that would do was measured"
	for i, s := range scores {
		if i == 0 {
			why = ""
		} else {
			why += "; "
		}
		why += fmt.Sprintf("%s: %s", s.Kind, s.Why)
	}
	return &Refusal{"R8", fmt.Sprintf("none of the metrics of %s can be scaled on here: %s", within, why),
		"keep a fixed number of replicas, or give it another metric"}
}

// refuseCPU is for a target that CPU could never exceed, as a replica has less:
// nothing would ever be added.
func refuseCPU(needs float64, has profiles.Milli) *Refusal {
	return &Refusal{"R14", fmt.Sprintf("a replica needs %.2f cores at the target, more than the %s it has there: its CPU would never show that there is too much load", needs, coresText(has)),
		"say with --cpu-limit how many cores it has if it has more, or scale on another --metric"}
}

// tooSlow is the code of a traffic that grows by itself faster than replicas come.
const tooSlow = "R9"

// refuseLag is for such traffic.
func refuseLag(n Needs, t timing, rise string) *Refusal {
	on := ""
	if n.Within != nil {
		on = " on " + n.Within.Name
	}
	high := n.busiest(n.Traffic)
	return &Refusal{tooSlow, fmt.Sprintf("the traffic may %s, of %s requests/s at most, and a new replica answers after %s%s (%s): no scaling that reacts can follow",
		rise, high, seconds(t.lag), on, n.lagParts(t)),
		fmt.Sprintf("keep %s at all times, enough for what comes at most, start them by a schedule, or make a replica start faster",
			profiles.Plural(ceilDiv(high, n.Capacity), "replica", "replicas"))}
}

// refuseScaling is for replicas that share what limits them.
func refuseScaling(s *Scaling) *Refusal {
	if s.HostLimited || s.Efficiency.High >= leastScaling {
		return nil
	}
	return &Refusal{"R7", fmt.Sprintf("%d replicas reach only %.0f %% of what so many should: they share what limits them, such as a database, a lock or a quota",
		s.Replicas, s.Efficiency.Value*100),
		"find what they share: more replicas do not help"}
}

// noSchedule is the code of a traffic that says nothing of the hours of a day.
const noSchedule = "R12"

// refuseSchedule is for a schedule that was asked for and does not follow.
func refuseSchedule(why string) *Refusal {
	return &Refusal{noSchedule, "no schedule follows from this traffic: " + why,
		"give a longer --trace with dates, or leave out --schedule: the metric alone then decides"}
}
