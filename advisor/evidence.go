package advisor

import (
	"fmt"
	"slices"
	"time"

	"headroom/advisor/model"
	"headroom/load"
	"headroom/profiles"
)

// witness is a request that the verdict on a step rests on.
type witness struct {
	at      time.Duration // when it counted, from the cut on
	task    string        // empty: there is only one
	latency time.Duration // infinite where it failed or was cut off
	first   time.Duration // until its first event; infinite where it ended before, 0 for an answer that is no stream
	failed  bool          // one that the end of the step cut off has not
}

func newWitness(s load.Sample, at time.Duration, tasks []string) witness {
	r := witness{at: at, latency: infinite, failed: !s.OK() && s.Failure != load.Aborted} // aborted: it was we who gave that up
	if int(s.Task) < len(tasks) {
		r.task = tasks[s.Task]
	}
	if s.OK() {
		r.latency = s.Latency()
	}
	switch {
	case s.Stream != nil && s.Stream.Events > 0:
		r.first = s.Stream.First - s.Intended
	case !s.OK():
		r.first = infinite
	}
	return r
}

// time is what an objective on times looks at; ok is false where it does not
// speak of the request.
func (r witness) time(o profiles.Objective) (d time.Duration, ok bool) {
	switch {
	case o.Task != "" && o.Task != r.task:
		return 0, false
	case o.Measure == profiles.FirstEvent:
		return r.first, r.first > 0
	}
	return r.latency, true
}

func latenciesOf(requests []witness) []time.Duration {
	out := make([]time.Duration, len(requests))
	for i, r := range requests {
		out[i] = r.latency
	}
	return out
}

// timesOf are the times of the requests that an objective speaks of, in their
// order.
func timesOf(o profiles.Objective, requests []witness) (out []time.Duration) {
	for _, r := range requests {
		if d, ok := r.time(o); ok {
			out = append(out, d)
		}
	}
	return out
}

// failedOf is the share of the requests of an objective that failed; ok is
// false where there are none.
func failedOf(o profiles.Objective, requests []witness) (share float64, ok bool) {
	failed, all := 0, 0
	for _, r := range requests {
		if o.Task != "" && o.Task != r.task {
			continue
		}
		if all++; r.failed {
			failed++
		}
	}
	return float64(failed) / float64(max(1, all)), all > 0
}

// partial reports whether an objective may speak of some of the requests only.
func partial(o profiles.Objective) bool { return o.Task != "" || o.Measure == profiles.FirstEvent }

// isOver reports whether a request is over the limit: too late, failed or
// never answered.
func isOver(objective profiles.Objective, took time.Duration) bool {
	return took == infinite || !objective.Holds(took.Seconds())
}

// judge sets the verdict: the worst of all objectives. A percentile is
// decided by the exact binomial test on the effective number of requests. The
// other objectives are decided by their figures: at a limit of 1 % errors a
// test would need 300 requests to pass at all.
func (o *Observation) judge(slo profiles.SLO, requests []witness) {
	if o.Requests == 0 {
		o.Short, o.Verdict, o.Why = true, model.Unsure, "no request was judged"
		return
	}
	o.Met, o.Verdict, o.Why = true, model.Pass, "meets the SLO"
	worse := func(v model.Verdict, why string) {
		if o.Verdict == model.Pass || v == model.Fail && o.Verdict == model.Unsure {
			o.Verdict, o.Why = v, why
		}
	}
	// Errors first: failed requests are slow ones too, and the reason given
	// should be the cause.
	for _, objective := range slo {
		if objective.Measure != profiles.Errors {
			continue
		}
		if v, ok := failedOf(objective, requests); ok && !objective.Holds(v) {
			o.Failing = true
			worse(model.Fail, fmt.Sprintf("%s of the requests failed, the SLO wants %s", objective.FormatValue(v), objective))
		}
	}
	missed, needs := o.Failing, 0
	for _, objective := range slo.Percentiles() {
		e := weigh(objective, timesOf(objective, requests))
		if e.requests == 0 {
			o.Met, needs = false, max(needs, min(leastLonger*o.Requests, maxSamples))
			worse(model.Unsure, fmt.Sprintf("%s speaks of none of the %d requests", objective, o.Requests))
			continue
		}
		allowed := 1 - objective.Quantile
		missed = missed || !e.met
		if !model.Likely(e.over*e.worth, e.requests*e.worth, allowed) {
			o.Met, needs = false, max(needs, e.needs(allowed, o.Requests))
		}
		worse(model.Judge(e.over*e.worth, e.requests*e.worth, allowed), e.String())
	}
	o.Met = o.Met && !missed
	if o.Short = !o.Met && !missed; o.Short {
		o.Needs = needs
	}
}

// evidence is what the times of a step say of one percentile.
type evidence struct {
	limit          string  // of the objective
	met            bool    // by the percentile itself
	over, requests float64 // over the limit, of all that it speaks of
	worth          float64 // of one request in independent ones, at most 1
}

// weigh counts the requests over the limit and what each is worth. They are no
// independent witnesses: behind a slow one others wait. What they are worth is
// taken from those over the limit and, as these may be few or none, from all
// times, whichever says less. Times are clipped where the objective looks, at
// its limit or at the percentile itself where that is lower: beyond it, how
// late they were would only make a single stall look like a habit.
func weigh(objective profiles.Objective, times []time.Duration) evidence {
	figure := quantile(slices.Sorted(slices.Values(times)), objective.Quantile).Seconds()
	e := evidence{limit: objective.FormatValue(objective.Limit), met: objective.Holds(figure), requests: float64(len(times))}
	if partial(objective) {
		e.limit += " (" + objective.Name() + ")"
	}
	if len(times) == 0 {
		return e
	}
	most := min(objective.Limit, figure)
	slow, clipped := make([]float64, len(times)), make([]float64, len(times))
	for i, d := range times {
		clipped[i] = min(d.Seconds(), most)
		if isOver(objective, d) {
			slow[i] = 1
			e.over++
		}
	}
	e.worth = min(model.EffectiveSize(slow), model.EffectiveSize(clipped)) / e.requests
	return e
}

// needs is how many requests of a step, of which there were so many, would make
// it likely that at most the allowed share of those in question is over the
// limit, and half as many again, as their share and their worth are estimates.
func (e evidence) needs(allowed float64, requests int) int {
	enough := 1.5 * model.EnoughToBeLikely(e.over/e.requests, allowed) / e.worth
	return int(min(enough*float64(requests)/e.requests, maxSamples))
}

func (e evidence) String() string {
	why := fmt.Sprintf("%.0f of %.0f requests over %s", e.over, e.requests, e.limit)
	if e.worth < 0.9 {
		why += fmt.Sprintf(", worth %.0f independent ones", e.requests*e.worth)
	}
	return why
}
