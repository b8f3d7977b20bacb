package platform

import "math"

// hpaFleet is what a calculator sees of the pods, summed up. Pods that have
// failed or are being deleted are in none of the groups.
type hpaFleet struct {
	level, request int64 // of those measured; milli-units of the metric, and what they request of it

	measured int // ready, and with a sample
	unready  int // pending, or for cpu not ready yet: their samples do not count
	missing  int // without a sample

	unreadyRequest, missingRequest int64
}

// tolerances are the shares of the target within which nothing changes.
type tolerances struct{ up, down float64 }

// within includes both ends.
func (t tolerances) within(ratio float64) bool { return 1-t.down <= ratio && ratio <= 1+t.up }

// The calculators follow pkg/controller/podautoscaler/replica_calculator.go of
// Kubernetes in the order of their operations, since that decides about the
// rounding: ceil(56/50 x 25) is 29 in float64.
//
//	r        level/target, of the pods that are measured
//	cur      the present size
//	n        how many there should be
//
// A calculator that returns false has no metric.

// utilization compares what the pods use with a percentage of what they
// request, cut to whole percents.
func (f hpaFleet) utilization(cur int, target int64, t tolerances) (n int, ok bool) {
	if f.measured == 0 || f.request == 0 {
		return 0, false
	}
	ratio := func(level, request int64) float64 { return float64(level*100/request) / float64(target) }
	fill := f.missingRequest * max(100, target) / 100
	return f.decide(cur, t, ratio(f.level, f.request), func(full bool) float64 {
		level, request := f.level, f.request+f.missingRequest
		if full {
			level += fill
		} else {
			request += f.unreadyRequest
		}
		return ratio(level, request)
	}), true
}

// average compares the mean of the pods, cut to whole milli-units, with what
// each should have.
func (f hpaFleet) average(cur int, target int64, t tolerances) (n int, ok bool) {
	if f.measured == 0 {
		return 0, false
	}
	ratio := func(level int64, pods int) float64 { return float64(level/int64(pods)) / float64(target) }
	return f.decide(cur, t, ratio(f.level, f.measured), func(full bool) float64 {
		if full {
			return ratio(f.level+int64(f.missing)*target, f.measured+f.missing)
		}
		return ratio(f.level, f.measured+f.missing+f.unready)
	}), true
}

// decide is common to both. Where pods are missing or not ready, the ratio is
// taken again with the guess that speaks against a change: those missing carry
// all they should when the fleet shrinks, and nothing when it grows, and those
// unready nothing when it grows. A guess never turns the direction.
func (f hpaFleet) decide(cur int, t tolerances, r float64, guess func(full bool) float64) int {
	unready := f.unready > 0 && r > 1
	if !unready && f.missing == 0 {
		if t.within(r) {
			return cur
		}
		return int(math.Ceil(r * float64(f.measured)))
	}
	pods := f.measured + f.missing
	if unready {
		pods += f.unready
	}
	again := r
	if f.missing > 0 && r < 1 || r > 1 {
		again = guess(r < 1)
	}
	if t.within(again) || r < 1 && again > 1 || r > 1 && again < 1 {
		return cur
	}
	n := int(math.Ceil(again * float64(pods)))
	if again < 1 && n > cur || again > 1 && n < cur {
		return cur
	}
	return n
}

// hpaLevel compares a level as it is (Object and External, type Value). The
// quotient multiplies the ready pods, so that a total instead of a level runs
// away.
func hpaLevel(cur, ready int, level, target int64, t tolerances) int {
	r := float64(level) / float64(target)
	switch {
	case cur == 0:
		return int(math.Ceil(r))
	case t.within(r):
		return cur
	}
	return int(math.Ceil(r * float64(ready)))
}

// hpaPerPod divides a total by what each pod should have (Object and External,
// type AverageValue). existing are all pods, ready or not.
func hpaPerPod(existing int, level, target int64, t tolerances) int {
	if t.within(float64(level) / (float64(target) * float64(existing))) {
		return existing
	}
	return int(math.Ceil(float64(level) / float64(target)))
}
