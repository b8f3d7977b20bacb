package advisor

import (
	"fmt"

	"headroom/profiles"
)

// A rise of g requests/s each second adds J = g x lag before another replica
// answers. At a rate λ there are max(m, ceil(λ/τ)) replicas of capacity x, where m
// is min and τ the target. They carry λ + J wherever λ lies if they do at the two
// rates that are worst for them: at low, which takes m x >= low + J, and at m τ,
// the most that m replicas are left alone with, which takes m x >= m τ + J. So min
// and target are one choice: any m from ceil((low + J)/x) on, with τ = x - J/m.
// Nothing rises above high: ceil(high/x) carry all that ever comes, and need keep
// nothing free for a rise.

// balance is one such choice.
type balance struct {
	least  int            // replicas, m
	share  profiles.Ratio // of the capacity, kept free for the rise: J/(m x), 0 where m carry all that comes
	target profiles.Milli // requests/s that one replica is given, after all that is kept free
	mean   float64        // replicas, over rates that are spread evenly from low to high
}

// balances are the choices that there are.
type balances struct {
	best, fewest, most balance // the cheapest, and those with the smallest and the largest min
}

// mostBalances bounds how many choices are looked at.
const mostBalances = 10_000

// balances looks for the cheapest choice at a capacity while a share of it is
// kept free for other reasons. Each leaves leastReach of a replica to be used.
func (n Needs) balances(capacity, rise profiles.Milli, other profiles.Ratio) balances {
	const usable = int64(1000 - 1000*leastReach)
	high := n.busiest(n.Traffic)
	last := max(n.floor(capacity), ceilDiv(high, capacity))
	first := min(last, max(n.floor(capacity), ceilDiv(n.Traffic.Low+rise, capacity), int(profiles.CeilDiv(1000*int64(rise), usable*int64(capacity)))))
	most := max(last, ceilDiv(high, n.filled(capacity, n.Headroom)))
	at := func(m int) balance {
		b := balance{least: m}
		if m < last {
			b.share = profiles.Ratio(profiles.CeilDiv(1000*int64(rise), int64(m)*int64(capacity)))
		}
		b.target = n.eachGets(capacity, max(b.share, other))
		b.mean = meanReplicas(n.Traffic, b.target, m, most)
		return b
	}
	out := balances{best: at(first), fewest: at(first), most: at(last)}
	stride := 1 + (last-first)/mostBalances
	for m := first + stride; m < last; m += stride {
		if b := at(m); b.mean < out.best.mean {
			out.best = b
		}
	}
	if out.most.mean < out.best.mean {
		out.best = out.most
	}
	return out
}

// floor is what min is for other reasons than the rate and its rise: what comes
// at once, and the loss of one.
func (n Needs) floor(capacity profiles.Milli) int {
	least := 1
	if n.Jump > 0 {
		least = ceilDiv(n.Traffic.Low+n.Jump, capacity)
	}
	if n.Spare {
		least = max(least, ceilDiv(n.Traffic.Low, capacity)+1)
	}
	return least
}

// meanReplicas is the mean of min(most, max(least, ceil(λ/target))) over rates λ
// that are spread evenly over the traffic: those that are always there, and of
// each further one the share of the rates that call for it.
func meanReplicas(t profiles.Traffic, target profiles.Milli, least, most int) float64 {
	always := min(most, max(least, ceilDiv(t.Low, target)))
	last := min(most-1, int((t.High-1)/target)) // beyond so many replicas' targets there are rates
	if t.High <= t.Low || last < always {
		return float64(always)
	}
	more := float64(last - always + 1)
	beyond := more * (t.High.Float() - target.Float()*float64(always+last)/2)
	return float64(always) + beyond/(t.High-t.Low).Float()
}

// riseMin is min where the rise decides.
func (s sized) riseMin(v Value, rise profiles.Milli) Value {
	b, least, most := s.balances.best, s.balances.fewest, s.balances.most
	v.Formula = fmt.Sprintf("min = %d of %d … %d, each with a target of %s - %s / min at most", b.least, least.least, most.least-1, s.Capacity, rise)
	how := "with this target so many carry that wherever it begins, and are the cheapest that do"
	if b.share == 0 {
		v.Formula = fmt.Sprintf("ceil(%s / %s) = %d", s.busiest(s.Traffic), s.Capacity, b.least)
		how = "so many carry all that ever comes, and none that are fewer carry the rise for less"
	}
	v.Why = fmt.Sprintf("%s requests/s may come on top in the %s until a new replica answers: %s, with %.1f replicas in the mean of rates from %s",
		rise, seconds(s.lag), how, b.mean, s.Traffic)
	v.Inputs = append(v.Inputs, fmt.Sprintf("%d carry what may come in the quiet hours, %d all that ever comes", least.least, most.least))
	v.Rejected = nil
	for _, other := range []balance{least, most} {
		if other.least != b.least {
			v.Rejected = append(v.Rejected, Rejection{fmt.Sprintf("%d, with a target of %s", other.least, other.target), fmt.Sprintf("it carries the same rise, with %.1f replicas in the mean", other.mean)})
		}
	}
	if usual := ceilDiv(s.Traffic.Low, s.target); usual < least.least {
		v.Rejected = append(v.Rejected, Rejection{fmt.Sprint(usual), s.shortWait(usual)})
	}
	if len(v.Rejected) == 0 {
		v.Rejected = []Rejection{{"any other", "no other number carries the rise"}}
	}
	return v
}
