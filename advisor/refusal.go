package advisor

import (
	"fmt"
	"time"

	"headroom/advisor/model"
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
	limit := objective.FormatValue(objective.Limit)
	switch {
	case o.Requests == 0:
		return &Refusal{"R10", "no request came back while one user alone was asking",
			"check the target, or give --budget more time than a request takes"}
	case float64(o.Failed) > baseErrors*float64(o.Requests) && o.Failed > 1:
		return &Refusal{"R4", fmt.Sprintf("%d of %d requests of one user alone failed", o.Failed, o.Requests),
			"mend the errors first: a capacity with them means nothing"}
	case !o.Usable():
		return refuseGenerator(o)
	case o.Verdict == model.Fail, !o.Met && o.P50 > time.Duration(objective.Limit*float64(time.Second)):
		return &Refusal{"R1", fmt.Sprintf("one request alone misses the SLO: p50 %s and p95 %s, the SLO wants %s",
			profiles.FormatLatency(o.P50), profiles.FormatLatency(o.P95), objective),
			fmt.Sprintf("no number of replicas meets %s: make the service faster or relax the SLO", limit)}
	}
	return nil
}

func refuseGenerator(o Observation) *Refusal {
	return &Refusal{"R2", fmt.Sprintf("the load generator, not the service, was the limit in step %q: %s", o.Trial.Name, healthy(o.Health)),
		"run it on a machine with free cores"}
}

func refuseUnsaturated(best float64, last Observation) *Refusal {
	return &Refusal{"R3", fmt.Sprintf("nothing saturated: %d users got %s/s and more users still got more", last.Trial.Users, profiles.FormatRate(best)),
		fmt.Sprintf("the capacity is at least %s/s; give --budget more time to find where it ends", profiles.FormatRate(best))}
}

func refuseThin(tried int, high float64, budget time.Duration) *Refusal {
	if tried > 0 {
		return &Refusal{"R1", fmt.Sprintf("even %s/s missed the SLO, while one request at a time met it", profiles.FormatRate(high)),
			"requests that meet by chance already wait too long: relax the SLO, or let a replica work on several requests at once"}
	}
	return &Refusal{"R10", fmt.Sprintf("%v are too short for even one conclusive step", budget), "give --budget more time"}
}
