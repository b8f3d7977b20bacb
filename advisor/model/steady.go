package model

import (
	"math"

	"gonum.org/v1/gonum/stat"
)

// batchSize is that of MSER-5.
const batchSize = 5

// fewestBatches are as many as say anything of a warm-up.
const fewestBatches = 8

// WarmUp is how many values at the beginning of a sequence are not yet like the
// rest, by MSER-5 (White, Cobb and Spratt 2000): of the means Z of batches of
// five it leaves out the first d that make the standard error of the others
// smallest, the d that minimises sum over i > d of (Z_i - mean)² / (m-d)². The
// last few batches never decide: their variance is small by chance. steady is
// false where more than half would have to go: then the sequence has no steady
// part, or it is too short to show it. Of few values nothing is left out.
//
// What is left out must differ from the rest by more than chance, which is not
// part of MSER: else each busy while at the beginning would be called a warm-up,
// and no quiet one. Of a queue at 70 % of its capacity that hid 1 to 2 % of what
// waits.
func WarmUp(values []float64) (cut int, steady bool) {
	z := batchMeans(values, batchSize)
	m := len(z)
	if m < fewestBatches {
		return 0, true
	}
	// From the back, with the running mean and sum of squares of Welford.
	best, least := 0, math.Inf(1)
	n, mean, squares := 0.0, 0.0, 0.0
	for d := m - 1; d >= 0; d-- {
		n++
		off := z[d] - mean
		mean += off / n
		squares += off * (z[d] - mean)
		if mser := squares / (n * n); d <= m-max(batchSize, m/4) && mser <= least {
			best, least = d, mser
		}
	}
	switch cut = best * batchSize; {
	case best > 0 && !differs(values[:cut], values[cut:]):
		return 0, true
	case best > m/2:
		return cut, false
	}
	return cut, true
}

// Standard errors that are left to chance: of a drift, and of a beginning that
// was picked because it is unlike the rest.
const (
	chances       = 3
	pickedChances = 5
)

// differs reports whether the mean of what comes before a steady sequence is
// beyond chance for a mean of as many values of that.
func differs(before, steady []float64) bool {
	mean, variance := stat.MeanVariance(steady, nil)
	n := float64(len(steady))
	worth := EffectiveSize(steady) / n
	chance := pickedChances * math.Sqrt(variance/worth*(1/float64(len(before))+1/n))
	return math.Abs(stat.Mean(before, nil)-mean) > chance
}

// Drift is by how much the mean of the second half of a sequence lies above
// that of the first, less what chance may have done: three standard errors of
// the difference, from what lies around a line through all of it, with as many
// values as that is worth. It is negative where the second half lies below, and
// 0 where it may be chance.
func Drift(values []float64) float64 {
	half := len(values) / 2
	if half < 2 {
		return 0
	}
	at, around := make([]float64, len(values)), make([]float64, len(values))
	for i := range at {
		at[i] = float64(i)
	}
	base, slope := stat.LinearRegression(at, values, nil, false)
	for i, v := range values {
		around[i] = v - base - slope*at[i]
	}
	n := EffectiveSize(around)
	chance := chances * math.Sqrt(stat.Variance(around, nil)*4/n) // each half is worth n/2
	apart := stat.Mean(values[half:], nil) - stat.Mean(values[:half], nil)
	return math.Copysign(max(0, math.Abs(apart)-chance), apart)
}
