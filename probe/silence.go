package probe

import "math"

// A silent replica counts as quiet, and later as gone, when chance would keep
// a serving one out of so many answers only once in 10,000 and once in
// 1,000,000 silences.
const (
	quietChance = 1e-4
	goneChance  = 1e-6
)

// Missed is the chance that a replica which gives a share p of the answers, 0
// to 1, gives none of n of them, where each comes from any replica whatever the
// ones before did: (1-p)^n. A balancer that takes turns misses it less often.
func Missed(p float64, n int64) float64 { return math.Pow(1-p, float64(n)) }

// Silence is the state of a replica that gave a share of the answers, 0 to 1,
// and none of the latest n: Serving, Quiet or Gone.
func Silence(share float64, n int64) State {
	switch chance := Missed(share, n); {
	case chance < goneChance:
		return Gone
	case chance < quietChance:
		return Quiet
	}
	return Serving
}

// QuietAfter is the number of answers after which Silence calls a replica
// quiet, and GoneAfter gone; 0 for a share of 0, of which nothing can be said.
func QuietAfter(share float64) int64 { return answersUntil(quietChance, share) }

// GoneAfter is described at QuietAfter.
func GoneAfter(share float64) int64 { return answersUntil(goneChance, share) }

// answersUntil is the least n with (1-p)^n < chance.
func answersUntil(chance, p float64) int64 {
	switch {
	case p <= 0:
		return 0
	case p >= 1:
		return 1
	}
	return 1 + int64(math.Log(chance)/math.Log1p(-p))
}
