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

// MissedAfter is the chance that a replica which gave given of so many answers,
// and of which nothing else is known, gives none of the next n. Each answer that
// it does not give makes the next one less likely by the rule of succession
// (Laplace): with a = answers - given, it is the product over i = 1..n of
// (a + i) / (answers + 1 + i).
func MissedAfter(given, answers, n int64) float64 {
	away, all := float64(answers-given), float64(answers)
	return math.Exp(logGamma(away+1+float64(n)) - logGamma(away+1) + logGamma(all+2) - logGamma(all+2+float64(n)))
}

func logGamma(x float64) float64 {
	g, _ := math.Lgamma(x)
	return g
}

// Silence is the state that n answers without a replica speak for: Serving,
// Quiet or Gone. The replica gave given of so many answers before; living is how
// many are there, itself included. The chance is that of the share that it gave,
// and not below that of an even one, which becomes less when others join.
func Silence(given, answers int64, living int, n int64) State {
	return silentBy(max(MissedAfter(given, answers, n), Missed(1/float64(max(1, living)), n)))
}

// silentBy is the state of a replica whose silence has a chance.
func silentBy(chance float64) State {
	switch {
	case chance < goneChance:
		return Gone
	case chance < quietChance:
		return Quiet
	}
	return Serving
}

// QuietAfter is the number of answers after which a replica that surely gives a
// share of them counts as quiet, and GoneAfter as gone; 0 for a share of 0, of
// which nothing can be said.
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
