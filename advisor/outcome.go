package advisor

import (
	"time"

	"headroom/load"
	"headroom/probe"
	"headroom/profiles"
)

// Outcome is what a load met, for the comparison of before and after. Times of
// the fleet count from the start of the load.
type Outcome struct {
	Stats    load.Stats       `json:"stats"`
	SLO      []load.Objective `json:"slo"`
	Replicas []load.Replica   `json:"replicas"` // that answered
	Least    int              `json:"least"`    // replicas up during it
	Most     int              `json:"most"`
	Short    string           `json:"short,omitempty"` // how far a load came that ends below the high rate of the traffic, such as "28.0 of the 60.0 requests/s"; empty: it had all of it
	Health   load.Health      `json:"health"`

	Attainment     *float64      `json:"attainment,omitempty"`     // share of the requests answered within the tightest latency of the SLO, 0..1; nil: there is none, or there were no requests
	Fleet          []FleetLevel  `json:"fleet,omitempty"`          // one where it changed, the first at the start; none without a scaler
	Length         time.Duration `json:"length"`                   // of the load, without the wait for the last answers; nanoseconds
	ReplicaSeconds *float64      `json:"replicaSeconds,omitempty"` // of all that existed, within that length; nil: no scaler tells
	Cost           *float64      `json:"cost,omitempty"`           // of these; nil: the price of a replica-hour was not said
}

// FleetLevel is how many replicas there are from a moment on.
type FleetLevel struct {
	At    time.Duration `json:"at"`
	Up    int           `json:"up"`    // that may get requests
	Exist int           `json:"exist"` // starting and draining ones included, which cost as much
}

// Held reports whether every objective was met; ok is false where that cannot
// be told, as where there are none. One that was missed settles it, whatever is
// not known of others.
func (o Outcome) Held() (held, ok bool) {
	if len(o.SLO) == 0 || o.Health.Verdict == load.Limited {
		return false, false
	}
	held, ok = true, true
	for _, objective := range o.SLO {
		switch {
		case !objective.Valid:
			held, ok = false, false
		case !objective.Holds:
			return false, true
		}
	}
	return held, ok
}

// outcomeOf is what came of a load, of the fleet as it was seen and of the price
// of a replica-hour; 0: not known.
func outcomeOf(result load.Result, seen fleetSeen, slo profiles.SLO, price float64) Outcome {
	o := Outcome{
		Stats: result.Total, SLO: result.SLO, Replicas: result.Replicas, Health: result.Health,
		Fleet: seen.levels, Length: result.Loaded, Attainment: attainment(result.Total, slo),
	}
	o.Least, o.Most = seen.up()
	if len(seen.levels) > 0 {
		spent := replicaSeconds(seen.levels, result.Loaded)
		o.ReplicaSeconds = &spent
		if cost := spent / 3600 * price; price > 0 {
			o.Cost = &cost
		}
	}
	return o
}

// attainment is the share of all requests that were answered within the tightest
// latency of an SLO. Those that failed were not, nor those that the end cut off.
func attainment(s load.Stats, slo profiles.SLO) *float64 {
	objective, ok := slo.Latency()
	all := s.Count + s.Aborted
	if !ok || all == 0 {
		return nil
	}
	good := int64(0)
	for _, b := range s.Histogram {
		if objective.Holds(b.Time.Seconds()) {
			good += b.Count
		}
	}
	share := float64(good) / float64(all)
	return &share
}

// levelOf is what a fleet adds up to.
func levelOf(at time.Duration, f probe.Fleet) FleetLevel {
	return FleetLevel{At: at, Up: f.Up(), Exist: len(f.Replicas) - f.Count(probe.Gone, probe.Failing)}
}

// replicaSeconds is the area under the replicas that existed, until an end.
func replicaSeconds(levels []FleetLevel, end time.Duration) (sum float64) {
	for i, l := range levels {
		until := end
		if i+1 < len(levels) {
			until = min(end, levels[i+1].At)
		}
		sum += float64(l.Exist) * max(0, until-l.At).Seconds()
	}
	return sum
}
