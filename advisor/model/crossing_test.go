package model

import (
	"math"
	"math/rand/v2"
	"testing"
)

// steps of so many requests whose share of hits is a logistic curve that
// crosses 5 % at 100 requests per second.
func logisticSteps(rng *rand.Rand, blocks int, loads ...float64) []Blocks {
	out := make([]Blocks, len(loads))
	for i, load := range loads {
		share := 1 / (1 + math.Exp(-math.Log(0.05/0.95)-20*(load/100-1)))
		for range blocks {
			t := Tally{Seconds: 2, All: 2 * load}
			for range int(t.All) {
				if rng.Float64() < share {
					t.Hits++
				}
			}
			out[i] = append(out[i], t)
		}
	}
	return out
}

func TestCrossing(t *testing.T) {
	exact := func(load float64) Tally {
		share := 1 / (1 + math.Exp(-math.Log(0.05/0.95)-20*(load/100-1)))
		return Tally{Hits: 1e6 * share, All: 1e6, Seconds: 1e6 / load}
	}
	for _, c := range []struct {
		name     string
		totals   []Tally
		low, top float64 // 0, 0: nothing crosses
	}{
		{"on the curve", []Tally{exact(80), exact(95), exact(110)}, 99.9, 100.1},
		{"all below: it is extrapolated", []Tally{exact(70), exact(80)}, 99, 101},
		{"no hit at all: up to saturation at most", []Tally{{0, 500, 10}, {0, 600, 10}}, 60, 130},
		{"hits become fewer", []Tally{{300, 500, 10}, {0, 1200, 10}}, 0, 0},
		{"nothing at all", nil, 1, 129},
	} {
		got, ok := Crossing(c.totals, 130, 0.05)
		if ok != (c.top > 0) || got < c.low || got > c.top {
			t.Errorf("%s: Crossing = %.2f, %v; want %.1f..%.1f", c.name, got, ok, c.low, c.top)
		}
	}
}

// The interval covers the truth about as often as it says, and is as wide as
// the estimates scatter.
func TestSpreadCovers(t *testing.T) {
	const runs = 100
	covered := 0
	cross := func(totals []Tally) (float64, bool) { return Crossing(totals, 130, 0.05) }
	for seed := range uint64(runs) {
		steps := logisticSteps(rand.New(rand.NewPCG(seed, 1)), 10, 70, 90, 95, 100, 105, 110)
		low, high, ok := Spread(steps, seed, cross)
		if !ok || high-low > 15 {
			t.Fatalf("seed %d: Spread = %.1f..%.1f, %v", seed, low, high, ok)
		}
		if low <= 100 && 100 <= high {
			covered++
		}
		if again, _, _ := Spread(steps, seed, cross); again != low {
			t.Fatalf("the same seed gave %v and %v", low, again)
		}
	}
	if covered < 85 {
		t.Errorf("%d of %d intervals cover the truth, want 85", covered, runs)
	}
}

func TestSpreadNeedsEnough(t *testing.T) {
	steps := logisticSteps(rand.New(rand.NewPCG(1, 1)), 5, 90, 110)
	tried := 0
	_, _, ok := Spread(steps, 1, func([]Tally) (float64, bool) {
		tried++
		return 1, tried%5 != 0
	})
	if ok {
		t.Error("an estimate that fails for a fifth of the replicates has an interval")
	}
}
