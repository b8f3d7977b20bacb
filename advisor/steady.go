package advisor

import (
	"fmt"
	"math"
	"slices"
	"time"

	"headroom/advisor/model"
	"headroom/load"
)

// warmUp is the least share of a step of the open model that is not judged,
// while queues fill to what is usual.
const warmUp = 0.1

// coldRequests are left out at the start of a closed step, for each user: they
// pay for connections and cold caches.
const coldRequests = 3

// warmUpOf is when the warm-up of a step is over, as an offset from the start of
// the run, by MSER-5 on the latencies in their order; never before the requests
// that are cold for certain, or in the open model before warmUp. Where there is
// no such moment only those are left out, and steady is false.
func warmUpOf(t Trial, samples []load.Sample, ended time.Duration) (cut time.Duration, steady bool) {
	var latencies, at []time.Duration
	for _, s := range samples {
		if when := arrival(t, s); s.OK() && when < ended {
			latencies, at = append(latencies, s.Latency()), append(at, when)
		}
	}
	cut = time.Duration(warmUp * float64(ended))
	if t.Users > 0 && len(samples) > 2*coldRequests*t.Users {
		cut = samples[coldRequests*t.Users-1].Done
	}
	n, steady := model.WarmUp(inSeconds(latencies))
	if steady && n > 0 {
		cut = max(cut, at[n])
	}
	return cut, steady
}

// arrival is the moment of a request that decides whether it is judged: when it
// was answered, or was due in the open model.
func arrival(t Trial, s load.Sample) time.Duration {
	if t.Users > 0 {
		return s.Done
	}
	return s.Intended
}

func inSeconds(durations []time.Duration) []float64 {
	out := make([]float64, len(durations))
	for i, d := range durations {
		out[i] = d.Seconds()
	}
	return out
}

// relativeDrift is model.Drift of the latencies, as a share of the mean of the
// first half. One that failed has none.
func relativeDrift(latencies []time.Duration) float64 {
	values := inSeconds(slices.DeleteFunc(slices.Clone(latencies), func(d time.Duration) bool { return d == infinite }))
	sum := 0.0
	for _, v := range values[:len(values)/2] {
		sum += v
	}
	if sum <= 0 {
		return 0
	}
	return model.Drift(values) / (sum / float64(len(values)/2))
}

// The growth of what is in flight is looked for in so many parts of a step, and
// counts from so many requests, and so large a share of their mean, on.
const (
	growthParts = 40
	leastGrowth = 1
	growthShare = 0.2
)

// growing reports whether there were more and more requests in flight from the
// cut to the end of a step: then more came than were answered, and what their
// latency was says only for how long that went on. from and to are the means of
// the two halves.
func growing(samples []load.Sample, cut, ended time.Duration) (from, to float64, grows bool) {
	length := (ended - cut) / growthParts
	if length <= 0 {
		return 0, 0, false
	}
	inFlight := make([]float64, growthParts)
	for _, s := range samples {
		sent, done := max(s.Intended, cut), min(s.Done, ended)
		for i := int((sent - cut) / length); i < growthParts && sent < done; i++ {
			next := min(done, cut+time.Duration(i+1)*length)
			inFlight[i] += (next - sent).Seconds() / length.Seconds()
			sent = next
		}
	}
	for i, n := range inFlight {
		if i < growthParts/2 {
			from += n / (growthParts / 2)
		} else {
			to += n / (growthParts / 2)
		}
	}
	// The halves of what grows steadily lie half of the growth apart.
	return from, to, 2*model.Drift(inFlight) > 0 && 2*(to-from) > max(leastGrowth, growthShare*(from+to)/2)
}

// mostBehind is the share of its requests, over 1/√n, that a step may be behind
// with. Of so many that come by chance the number is off by half of that.
const mostBehind = 2

// behind reports whether fewer requests were answered until the end of a step
// than had been due: not counting those that came so late that, by what most of
// the first half took, they may still be under way.
func behind(samples []load.Sample, cut, ended time.Duration) (answered, due int, is bool) {
	var took []time.Duration
	for _, s := range samples {
		if s.Intended >= cut && s.Intended < cut+(ended-cut)/2 && s.Failure != load.Aborted {
			took = append(took, s.Latency())
		}
	}
	slices.Sort(took)
	last := ended - quantile(took, 0.95)
	if last < cut+(ended-cut)/2 {
		return 0, 0, false // they take too long for the step to tell
	}
	for _, s := range samples {
		if s.Intended < cut || s.Intended >= last {
			continue
		}
		if due++; s.Done <= ended && s.Failure != load.Aborted {
			answered++
		}
	}
	n := float64(due)
	return answered, due, n-float64(answered) > mostBehind*math.Sqrt(n)
}

// overload is the verdict on a step in which more came than were answered, with
// what shows it.
func (o *Observation) overload(shown string, args ...any) {
	o.Met, o.Short, o.Needs, o.Verdict = false, false, 0, model.Fail
	o.Why = fmt.Sprintf(shown, args...) + ": more came than were answered"
}

// unsteady reports whether one user alone got something else at the end of the
// step than at its beginning.
func (o Observation) unsteady() bool {
	return o.Trial.Users == 1 && math.Abs(o.Drift) > tooMuchDrift
}
