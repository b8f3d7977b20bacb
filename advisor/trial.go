package advisor

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"headroom/advisor/model"
	"headroom/load"
	"headroom/profiles"
)

// Trial is one step of a measurement: so many users in the closed model, or a
// rate of Poisson arrivals in the open one.
type Trial struct {
	Name     string        `json:"name"`
	Users    int           `json:"users,omitempty"`
	Rate     float64       `json:"rate,omitempty"`     // arrivals per second
	Requests int           `json:"requests,omitempty"` // the step ends early after so many; 0: never
	Length   time.Duration `json:"length"`
	Seed     uint64        `json:"seed"`
}

// Observation is what came of a trial, after its warm-up was cut off.
type Observation struct {
	Trial    Trial         `json:"trial"`
	Took     time.Duration `json:"took"`     // the whole step, draining included
	Over     time.Duration `json:"over"`     // the time the figures cover
	Requests int           `json:"requests"` // judged
	Failed   int           `json:"failed"`   // of them
	Offered  float64       `json:"offered"`  // arrivals per second that really came, open model
	Rate     float64       `json:"rate"`     // successful answers per second
	InFlight float64       `json:"inFlight"` // mean
	P50      time.Duration `json:"p50"`      // latency of all; a failure counts as infinite
	P95      time.Duration `json:"p95"`
	Service  time.Duration `json:"service"`  // mean service time of the successes
	Replicas int           `json:"replicas"` // up throughout; 0: not known, Changing: not the same throughout
	Host     HostUse       `json:"host"`
	Health   load.Health   `json:"health"`
	Met      bool          `json:"met"`     // more likely than not the load meets the SLO
	Verdict  model.Verdict `json:"verdict"` // what they prove
	Why      string        `json:"why"`     // what decided
	Spoiled  bool          `json:"spoiled"` // nothing may rest on the step; Why says what distorted it
}

// MarshalJSON writes null for a latency that failed requests made infinite.
func (o Observation) MarshalJSON() ([]byte, error) {
	type plain Observation
	return json.Marshal(struct {
		plain
		P50 *time.Duration `json:"p50"`
		P95 *time.Duration `json:"p95"`
	}{plain(o), finite(o.P50), finite(o.P95)})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (o *Observation) UnmarshalJSON(b []byte) error {
	type plain Observation
	in := struct {
		*plain
		P50 *time.Duration `json:"p50"`
		P95 *time.Duration `json:"p95"`
	}{plain: (*plain)(o)}
	if err := json.Unmarshal(b, &in); err != nil {
		return err
	}
	o.P50, o.P95 = infinite, infinite
	if in.P50 != nil {
		o.P50 = *in.P50
	}
	if in.P95 != nil {
		o.P95 = *in.P95
	}
	return nil
}

func finite(d time.Duration) *time.Duration {
	if d == infinite {
		return nil
	}
	return &d
}

// Changing stands for a number of replicas that was not the same throughout a
// step.
const Changing = -1

// Runner performs trials. The session does it with the load engine, tests
// with a simulated service.
type Runner interface {
	Run(ctx context.Context, t Trial) (Observation, error)
}

// infinite stands for the latency of a request that failed.
const infinite = time.Duration(1<<63 - 1)

// warmUp is the share of an open-model step that is not judged, while queues
// fill to what is usual.
const warmUp = 0.1

// coldRequests are left out at the start of a closed step: they pay for
// connections and cold caches.
const coldRequests = 3

// Observe turns the samples of a trial into an observation under an SLO.
// ended is when the load stopped, as an offset from the start of the run.
func Observe(t Trial, samples []load.Sample, ended time.Duration, slo profiles.SLO) Observation {
	out := Observation{Trial: t}
	samples = slices.Clone(samples)
	slices.SortFunc(samples, func(a, b load.Sample) int { return cmp.Compare(a.Intended, b.Intended) })

	// The closed model is judged on the answers that came between the cut and
	// the end, the open one on the arrivals that were due between them,
	// however late they were answered.
	cut := time.Duration(warmUp * float64(ended))
	if t.Users > 0 && len(samples) > 2*coldRequests*t.Users {
		cut = samples[coldRequests*t.Users-1].Done
	}
	var latencies []time.Duration // in the order of arrival
	var busy, service time.Duration
	for _, s := range samples {
		counted := s.Intended >= cut && s.Intended < ended
		if t.Users > 0 {
			counted = s.Done > cut && s.Done <= ended
		}
		if !counted {
			continue
		}
		busy += s.Latency()
		if s.OK() {
			service += s.Service()
			latencies = append(latencies, s.Latency())
		} else {
			out.Failed++
			latencies = append(latencies, infinite)
		}
	}
	out.Over, out.Requests = ended-cut, len(latencies)
	ok := out.Requests - out.Failed
	if out.Over > 0 {
		if t.Users == 0 {
			out.Offered = float64(out.Requests) / out.Over.Seconds()
		}
		out.Rate = float64(ok) / out.Over.Seconds()
		out.InFlight = busy.Seconds() / out.Over.Seconds()
	}
	if ok > 0 {
		out.Service = service / time.Duration(ok)
	}
	out.judge(slo, latencies)
	slices.Sort(latencies)
	out.P50, out.P95 = quantile(latencies, 0.5), quantile(latencies, 0.95)
	return out
}

// quantile is the smallest value that a share q of the sorted ones does not
// exceed.
func quantile(sorted []time.Duration, q float64) time.Duration {
	n := len(sorted)
	if n == 0 {
		return 0
	}
	rank := int(float64(n)*q + 0.999999)
	return sorted[min(max(rank, 1), n)-1]
}

// judge sets the verdict: the worst of all objectives. A latency percentile is
// decided by the exact binomial test on the effective number of requests. The
// other objectives are decided by their figures: at a limit of 1 % errors a
// test would need 300 requests to pass at all.
func (o *Observation) judge(slo profiles.SLO, latencies []time.Duration) {
	o.Met, o.Verdict, o.Why = true, model.Pass, "meets the SLO"
	if o.Requests == 0 {
		o.Met, o.Verdict, o.Why = false, model.Unsure, "no request was judged"
		return
	}
	worse := func(v model.Verdict, why string) {
		if o.Verdict == model.Pass || v == model.Fail && o.Verdict == model.Unsure {
			o.Verdict, o.Why = v, why
		}
	}
	// Errors first: failed requests are slow ones too, and the reason given
	// should be the cause.
	for _, objective := range slo {
		if v := float64(o.Failed) / float64(o.Requests); objective.Measure == profiles.Errors && !objective.Holds(v) {
			o.Met = false
			worse(model.Fail, fmt.Sprintf("%s of the requests failed, the SLO wants %s", objective.FormatValue(v), objective))
		}
	}
	for _, objective := range slo {
		if objective.Measure == profiles.Percentile {
			met, v, why := judgeLatency(objective, latencies)
			o.Met = o.Met && met
			worse(v, why)
		}
	}
}

// judgeLatency decides one latency percentile. Requests are no independent
// witnesses: behind a slow one others wait. How many they are worth is taken
// from the requests that were slow and from the latencies themselves, clipped
// at twice the limit, whichever says fewer: where nothing was slow, only the
// latencies can tell.
func judgeLatency(objective profiles.Objective, latencies []time.Duration) (met bool, v model.Verdict, why string) {
	limit := objective.Limit
	slow, clipped := make([]float64, len(latencies)), make([]float64, len(latencies))
	count := 0
	for i, l := range latencies {
		clipped[i] = min(l.Seconds(), 2*limit)
		if l == infinite || !objective.Holds(l.Seconds()) {
			slow[i] = 1
			count++
		}
	}
	n, allowed := float64(len(slow)), 1-objective.Quantile
	effective := min(model.EffectiveSize(slow), model.EffectiveSize(clipped))
	over := float64(count) / n * effective
	why = fmt.Sprintf("%d of %d requests over %s", count, len(slow), objective.FormatValue(limit))
	if effective < 0.9*n {
		why += fmt.Sprintf(", worth %.0f independent ones", effective)
	}
	return model.Likely(over, effective, allowed), model.Judge(over, effective, allowed), why
}
