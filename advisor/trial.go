package advisor

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"headroom/advisor/model"
	"headroom/load"
	"headroom/profiles"
)

// Trial is one step of a measurement: so many users in the closed model, or a
// rate of Poisson arrivals in the open one.
type Trial struct {
	Name     string            `json:"name"`
	Users    int               `json:"users,omitempty"`
	Rate     float64           `json:"rate,omitempty"`     // arrivals per second
	Arrivals profiles.Arrivals `json:"arrivals,omitempty"` // of a rate; empty: Poisson
	Replicas int               `json:"replicas,omitempty"` // 0: as many as there are
	Requests int               `json:"requests,omitempty"` // the step ends early after so many; 0: never
	Length   time.Duration     `json:"length"`
	Seed     uint64            `json:"seed"`
}

// Observation is what came of a trial, after its warm-up was cut off.
type Observation struct {
	Trial     Trial           `json:"trial"`
	Took      time.Duration   `json:"took"`               // the whole step, draining included
	Over      time.Duration   `json:"over"`               // the time the figures cover
	Requests  int             `json:"requests"`           // judged
	Failed    int             `json:"failed"`             // of them; one that the end of the step cut off has not failed
	Offered   float64         `json:"offered"`            // arrivals per second that really came, open model
	Rate      float64         `json:"rate"`               // successful answers per second
	InFlight  float64         `json:"inFlight"`           // mean
	P50       time.Duration   `json:"p50"`                // latency of all; infinite where it failed or was cut off
	P50Error  time.Duration   `json:"p50Error,omitempty"` // standard error of it; open model
	P95       time.Duration   `json:"p95"`
	Service   time.Duration   `json:"service"`             // mean service time of the successes
	Deviation time.Duration   `json:"deviation"`           // standard deviation of it
	Times     []time.Duration `json:"times,omitempty"`     // each service time, rising; one user alone
	Replicas  int             `json:"replicas"`            // up throughout; 0: not known, Changing: not the same throughout
	Answered  int             `json:"answered"`            // replicas that named themselves in its answers
	Full      bool            `json:"full"`                // there were more requests than are kept to be judged
	Drift     float64         `json:"drift"`               // share by which the latency changed from one half of the step to the other, less what may be chance; closed model
	Unsettled bool            `json:"unsettled,omitempty"` // the SLO is met, but no part of the step is like the rest; open model
	Host      HostUse         `json:"host"`
	Health    load.Health     `json:"health"`
	Met       bool            `json:"met"`               // more likely than not the load meets the SLO
	Short     bool            `json:"short"`             // the figures meet the SLO, but so few requests may do so by chance
	Needs     int             `json:"needs"`             // about so many requests would tell, if Short
	Failing   bool            `json:"failing,omitempty"` // so many failed that the SLO is missed
	Verdict   model.Verdict   `json:"verdict"`           // what they prove
	Why       string          `json:"why"`               // what decided
	Spoiled   bool            `json:"spoiled"`           // nothing may rest on the step; Why says what distorted it
	Blocks    []Block         `json:"blocks,omitempty"`
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

// infinite stands for the latency of a request that failed, or that had no
// answer when the grace of its step was over.
const infinite = time.Duration(1<<63 - 1)

// Observe turns the samples of a trial into an observation under an SLO.
// ended is when the load stopped, as an offset from the start of the run; tasks
// are the names by which the samples number theirs, nil where there is one.
func Observe(t Trial, samples []load.Sample, ended time.Duration, slo profiles.SLO, tasks []string) Observation {
	out := Observation{Trial: t}
	samples = slices.Clone(samples)
	slices.SortFunc(samples, func(a, b load.Sample) int { return cmp.Compare(a.Intended, b.Intended) })

	// The closed model is judged on the answers that came between the cut and
	// the end, the open one on the arrivals that were due between them,
	// however late they were answered.
	cut, steady := warmUpOf(t, samples, ended)
	var requests []witness // in the order of arrival
	var busy, service time.Duration
	squares := 0.0 // of service times, seconds²
	ok := 0
	for _, s := range samples {
		when, counted := s.Intended, s.Intended >= cut && s.Intended < ended
		if t.Users > 0 {
			when, counted = s.Done, s.Done > cut && s.Done <= ended
		}
		if !counted {
			continue
		}
		busy += s.Latency()
		r := newWitness(s, when-cut, tasks)
		if s.OK() {
			ok++
			service += s.Service()
			squares += s.Service().Seconds() * s.Service().Seconds()
			if t.Users == 1 {
				out.Times = append(out.Times, s.Service())
			}
		}
		if r.failed {
			out.Failed++
		}
		requests = append(requests, r)
	}
	out.Over, out.Requests = ended-cut, len(requests)
	if out.Over > 0 {
		if t.Users == 0 {
			out.Offered = float64(out.Requests) / out.Over.Seconds()
		}
		out.Rate = float64(ok) / out.Over.Seconds()
		out.InFlight = busy.Seconds() / out.Over.Seconds()
	}
	if ok > 0 {
		out.Service = service / time.Duration(ok)
		mean := out.Service.Seconds()
		out.Deviation = fromSeconds(math.Sqrt(max(0, squares/float64(ok)-mean*mean)))
	}
	slices.Sort(out.Times)
	latencies := latenciesOf(requests)
	sorted := slices.Sorted(slices.Values(latencies))
	out.P50, out.P95 = quantile(sorted, 0.5), quantile(sorted, 0.95)
	out.Blocks = blocksOf(requests, out.Over, out.P95, slo)
	out.judge(slo, requests)
	if t.Users == 0 {
		out.P50Error = medianError(sorted, latencies)
	}
	if t.Users > 0 {
		out.Drift = relativeDrift(latencies)
	} else if from, to, grows := growing(samples, cut, ended); grows {
		out.overload("%.1f requests in flight became %.1f", from, to)
	} else if answered, due, is := behind(samples, cut, ended); is {
		out.overload("%d of %d requests were answered in time", answered, due)
	} else {
		out.Unsettled = !steady && out.Met
	}
	return out
}

// medianError is the standard error of the median of latencies, from their order
// statistics: of n independent ones the share below it is off by 1/(2√n). They
// are worth fewer as they come; sorted are the same.
func medianError(sorted, latencies []time.Duration) time.Duration {
	if len(sorted) < 2 {
		return infinite
	}
	slow := make([]float64, len(latencies))
	for i, d := range latencies {
		slow[i] = min(d, quantile(sorted, 0.95)).Seconds()
	}
	off := 0.5 / math.Sqrt(model.EffectiveSize(slow))
	low, high := quantile(sorted, 0.5-off), quantile(sorted, 0.5+off)
	if high == infinite {
		return infinite
	}
	return (high - low) / 2
}

// quantile is the smallest value that a share q of the sorted ones does not
// exceed.
func quantile[T time.Duration | float64](sorted []T, q float64) T {
	n := len(sorted)
	if n == 0 {
		return 0
	}
	rank := int(float64(n)*q + 0.999999)
	return sorted[min(max(rank, 1), n)-1]
}

// Decisive is what decided, and whether the machine of the target was the limit.
func (o Observation) Decisive() string {
	if o.Host.Saturated() {
		return o.Why + "; host-limited"
	}
	return o.Why
}

// Remark is what decided, and what others on this machine may have done to the
// step.
func (o Observation) Remark() string {
	company := o.Health.Company()
	if company == "" || strings.Contains(o.Why, company) {
		return o.Decisive()
	}
	return o.Decisive() + "; " + company
}

// Company is what others on this machine may have done to the steps, at most:
// a table of them says it once. It is "" for nothing worth a word.
func Company(steps []Observation) string {
	var most load.Health
	in := 0
	for _, o := range steps {
		if o.Health.Company() != "" {
			in++
		}
		most.Pressure, most.Steal = higher(most.Pressure, o.Health.Pressure), higher(most.Steal, o.Health.Steal)
	}
	if in == 0 {
		return ""
	}
	return fmt.Sprintf("in %d of %s others were at work: at most, %s", in, profiles.Plural(len(steps), "step", "steps"), most.Company())
}

// higher is the higher of two figures, of which nil is not known.
func higher(a, b *float64) *float64 {
	if a == nil || b != nil && *b > *a {
		return b
	}
	return a
}

// Finding is what the step says of the SLO in a word: met or missed where that
// is proven, with a question mark where the figures say so but too few
// independent requests do.
func (o Observation) Finding() string {
	switch {
	case o.Spoiled:
		return "spoiled"
	case o.Requests == 0:
		return "nothing"
	case o.Verdict == model.Pass:
		return "met"
	case o.Verdict == model.Fail:
		return "missed"
	case o.Met || o.Short:
		return "met?"
	}
	return "missed?"
}
