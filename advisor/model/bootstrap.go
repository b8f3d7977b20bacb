package model

import (
	"math/rand/v2"
	"slices"
)

// Tally counts the requests of a while, and the hits among them: those that
// the question is about. Counts are fractional so that sums of them may be
// scaled.
type Tally struct {
	Hits, All float64
	Seconds   float64
}

// Rate is all requests per second.
func (t Tally) Rate() float64 { return t.All / t.Seconds }

// Share is that of the hits, 0..1.
func (t Tally) Share() float64 { return t.Hits / t.All }

// Blocks are the tallies of one step, one after the other. Each block is long
// against what one request does to the next.
type Blocks []Tally

// Total is the tally of the whole step.
func (b Blocks) Total() Tally {
	var sum Tally
	for _, t := range b {
		sum.add(t)
	}
	return sum
}

func (t *Tally) add(other Tally) {
	t.Hits += other.Hits
	t.All += other.All
	t.Seconds += other.Seconds
}

const (
	replicates = 500
	outside    = 0.05 // of the replicates, on either side of the interval
)

// Spread is the middle nine tenths of what an estimate from the totals of
// several steps comes to when they are measured again, by the block bootstrap
// (Künsch 1989): each replicate draws as many steps with replacement, which
// shows how much hangs on single ones, and puts each together from blocks of
// its own, which keeps requests together that waited in one line. The same
// seed gives the same interval. ok is false where a replicate in ten yields no
// estimate: then there is too little to say how sure it is.
func Spread(steps []Blocks, seed uint64, estimate func([]Tally) (float64, bool)) (low, high float64, ok bool) {
	totals := make([]Tally, len(steps))
	return Resample(seed, func(draw func(n int) int) (float64, bool) {
		for i := range totals {
			blocks := steps[draw(len(steps))]
			totals[i] = Tally{}
			for range blocks {
				totals[i].add(blocks[draw(len(blocks))])
			}
		}
		return estimate(totals)
	})
}

// Resample is the middle nine tenths of what replicates come to. Each draws
// with draw, which gives a number of 0 to n-1, what it takes from what was
// measured. ok is false where a replicate in ten yields no estimate.
func Resample(seed uint64, replicate func(draw func(n int) int) (float64, bool)) (low, high float64, ok bool) {
	rng := rand.New(rand.NewPCG(seed, replicates))
	found := make([]float64, 0, replicates)
	for range replicates {
		if v, ok := replicate(rng.IntN); ok {
			found = append(found, v)
		}
	}
	if len(found) <= replicates*9/10 {
		return 0, 0, false
	}
	slices.Sort(found)
	cut := int(outside * float64(len(found)))
	return found[cut], found[len(found)-1-cut], true
}
