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
	objective, _ := slo.Latency()
	switch {
	case o.Spoiled:
		return refuseSpoiled(o)
	case o.Requests == 0:
		return &Refusal{"R10", "no request came back while one user alone was asking",
			"check the target, or give --budget more time than a request takes"}
	case o.Failed*2 >= o.Requests, o.Failed > 1 && float64(o.Failed) > baseErrors*float64(o.Requests): // one may fail by accident
		return refuseErrors(o)
	case o.P50 > time.Duration(objective.Limit*float64(time.Second)), o.Failed == 0 && o.Verdict == model.Fail:
		return &Refusal{"R1", fmt.Sprintf("one request alone misses the SLO: p50 %s and p95 %s, the SLO wants %s",
			latency(o.P50), latency(o.P95), objective),
			fmt.Sprintf("no number of replicas meets %s: make the service faster or relax the SLO", objective.FormatValue(objective.Limit))}
	}
	return nil
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
	}
	return &Refusal{"R5", why, "keep the fleet at one size while it is measured"}
}

// refuseUnsaturated is for a ladder that ended while its best rung was among
// the last.
func refuseUnsaturated(best Observation, tooMany bool) *Refusal {
	rate := profiles.FormatRate(best.Rate)
	do := fmt.Sprintf("the capacity is at least %s/s; give --budget more time to find where it ends", rate)
	if tooMany {
		do = fmt.Sprintf("the capacity is at least %s/s; more users than %d are not tried", rate, maxUsers)
	}
	return &Refusal{"R3", fmt.Sprintf("the throughput had not clearly stopped growing: %s got the most, %s/s", profiles.Plural(best.Trial.Users, "user", "users"), rate), do}
}

// refuseQueues is for a service that meets the SLO only while nobody waits.
func refuseQueues(high float64) *Refusal {
	return &Refusal{"R1", fmt.Sprintf("even %s/s missed the SLO, while one request at a time met it", profiles.FormatRate(high)),
		"requests that meet by chance already wait too long: relax the SLO, or let a replica work on several requests at once"}
}

// refuseUnfinished is for a search that ended before it found any load that
// meets the SLO.
func refuseUnfinished(missed float64) *Refusal {
	return &Refusal{"R10", fmt.Sprintf("%s/s missed the SLO, and the time was over before less could be tried", profiles.FormatRate(missed)),
		"give --budget more time, or relax the SLO"}
}

// refuseTooLittle is for a step that met the SLO, maybe by chance, when there
// was no time for a longer one.
func refuseTooLittle(o Observation) *Refusal {
	return &Refusal{"R10", fmt.Sprintf("at %s/s %s: too little to tell whether that load meets the SLO", profiles.FormatRate(o.Offered), o.Why),
		fmt.Sprintf("give --budget more time: about %d requests would tell, which take %s", o.Needs, seconds(fromSeconds(float64(o.Needs)/o.Trial.Rate)))}
}

func refuseShort(budget time.Duration) *Refusal {
	return &Refusal{"R10", fmt.Sprintf("%v are too short for a conclusive step", budget), "give --budget more time"}
}

// refuseDrift is for a service that was not the same at the end as at the
// beginning.
func refuseDrift(c *Capacity) *Refusal {
	if drift, ok := c.drift(); !ok || drift <= tooMuchDrift {
		return nil
	}
	first, last := c.Baseline.Service, c.Control.Service
	return &Refusal{"R6", fmt.Sprintf("one request alone took %s at first and %s at the end: what was measured between is not of one service",
		latency(first), latency(last)),
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

// refuseLag is for traffic that rises faster than replicas come.
func refuseLag(n Needs, t timing, rise string) *Refusal {
	return &Refusal{"R9", fmt.Sprintf("the traffic may %s, of %s requests/s at most, and a new replica answers after %s (%s): no scaling that reacts can follow",
		rise, n.Traffic.High, seconds(t.lag), n.lagParts(t)),
		"keep more replicas than the quiet hours need (a higher LOW of --traffic), start them by a schedule, or make a replica start faster"}
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
