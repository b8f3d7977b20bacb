package probe

import "math"

// Unseen is how many replicas there are in all, judged by how often those that
// were seen came again. The interval holds with 95 % where every replica is as
// likely as any other to get the next draw; with an uneven balancer there may
// be more.
type Unseen struct {
	Seen  int `json:"seen"`
	Total int `json:"total"` // most likely, at least Seen
	Low   int `json:"low"`
	High  int `json:"high"` // 0: not known, as nothing came twice
}

// mostUnseen is where the search for the upper end stops.
const mostUnseen = 1 << 14

// EstimateUnseen judges the number of replicas from seen different ones in so
// many independent draws: answers where each goes to any replica, else
// connections. It is the classical occupancy problem: the number of boxes, given
// how many of them draws balls have hit (Feller, An Introduction to Probability
// Theory and Its Applications I, section II.5).
func EstimateUnseen(seen int, draws int64) Unseen {
	out := Unseen{Seen: seen, Total: seen, Low: seen, High: seen}
	if seen == 0 || draws < int64(seen) {
		return Unseen{Seen: seen, Total: seen, Low: seen}
	}
	const tail = 0.025
	// With so many draws even one box more would have been hit: (1-1/m)^n < tail.
	if float64(draws)*-math.Log1p(-1/float64(seen+1)) > -math.Log(tail)+math.Log(float64(seen+1)) {
		return out
	}
	n := int(draws)
	// Fewer than that, and so many would hardly all have been hit.
	out.Low = 1 + largest(seen-1, func(m int) bool { return m < seen || 1-hitAtMost(n, m, seen-1) < tail })
	if n == seen { // nothing came twice: there may be any number
		out.Total, out.High = out.Low, 0
		return out
	}
	out.High = largest(seen, func(m int) bool { return hitAtMost(n, m, seen) >= tail })
	out.Total = largest(seen, func(m int) bool { return m == seen || logLikelihood(n, m, seen) > logLikelihood(n, m-1, seen) })
	return out
}

// largest is the largest m from low on for which ok holds, where it holds up
// to there and not beyond.
func largest(low int, ok func(m int) bool) int {
	good, bad := low, low+1
	for bad < mostUnseen && ok(bad) {
		good, bad = bad, 2*bad
	}
	for bad-good > 1 {
		if mid := (good + bad) / 2; ok(mid) {
			good = mid
		} else {
			bad = mid
		}
	}
	return good
}

// logLikelihood is, but for what does not depend on m, the logarithm of the
// probability that n balls hit exactly d of m boxes: m!/(m-d)! / m^n.
func logLikelihood(n, m, d int) float64 {
	a, _ := math.Lgamma(float64(m + 1))
	b, _ := math.Lgamma(float64(m - d + 1))
	return a - b - float64(n)*math.Log(float64(m))
}

// hitAtMost is the probability that n balls hit at most d of m boxes, ball by
// ball: a box is new with probability 1 - hit/m.
func hitAtMost(n, m, d int) float64 {
	p := make([]float64, d+1) // by boxes hit; more than d are lost
	p[0] = 1
	for range n {
		for k := d; k > 0; k-- {
			p[k] = p[k]*float64(k)/float64(m) + p[k-1]*(1-float64(k-1)/float64(m))
		}
		p[0] = 0
	}
	sum := 0.0
	for _, v := range p {
		sum += v
	}
	return sum
}

// Imbalance is how much more the busiest of several gets than its even share: 0
// where all get the same, 1 where it gets twice its share. What is less than
// three standard deviations of what chance brings, sqrt((m-1)/n) with n answers
// of m replicas, is 0. ok is false for fewer than two.
func Imbalance(counts []int64) (excess float64, ok bool) {
	var sum, most int64
	for _, n := range counts {
		sum += n
		most = max(most, n)
	}
	m, n := float64(len(counts)), float64(sum)
	if m < 2 || n == 0 {
		return 0, false
	}
	if excess = float64(most)*m/n - 1; excess < 3*math.Sqrt((m-1)/n) {
		excess = 0
	}
	return excess, true
}
