package probe

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

func TestEstimateUnseen(t *testing.T) {
	for _, tt := range []struct {
		seen  int
		draws int64
		want  Unseen
	}{
		{0, 0, Unseen{}},
		{1, 1, Unseen{Seen: 1, Total: 1, Low: 1}},
		{10, 10, Unseen{Seen: 10, Total: 16, Low: 16}},
		{1, 1000, Unseen{1, 1, 1, 1}},
		{3, 1 << 40, Unseen{3, 3, 3, 3}},
	} {
		if got := EstimateUnseen(tt.seen, tt.draws); got != tt.want {
			t.Errorf("EstimateUnseen(%d, %d) = %+v, want %+v", tt.seen, tt.draws, got, tt.want)
		}
	}
}

// The interval covers the truth as often as it says, whatever that is.
func TestEstimateUnseenCovers(t *testing.T) {
	for _, tt := range []struct{ replicas, draws int }{{1, 5}, {2, 4}, {3, 10}, {5, 8}, {10, 12}, {10, 60}, {50, 60}, {50, 300}, {100, 120}} {
		t.Run(fmt.Sprintf("%d replicas, %d draws", tt.replicas, tt.draws), func(t *testing.T) {
			random := rand.New(rand.NewPCG(uint64(tt.replicas), uint64(tt.draws)))
			covered, near := 0, 0
			const trials = 1000
			for range trials {
				hit := map[int]bool{}
				for range tt.draws {
					hit[random.IntN(tt.replicas)] = true
				}
				u := EstimateUnseen(len(hit), int64(tt.draws))
				if u.Low <= tt.replicas && (u.High == 0 || tt.replicas <= u.High) {
					covered++
				}
				if len(hit) <= u.Low && u.Low <= u.Total && (u.High == 0 || u.Total <= u.High) {
					near++
				}
			}
			if covered < 900 {
				t.Errorf("covered in %d of %d trials, want 900", covered, trials)
			}
			if near != trials {
				t.Errorf("the estimate is in its interval in %d of %d trials, want all", near, trials)
			}
		})
	}
}

func TestImbalance(t *testing.T) {
	for _, tt := range []struct {
		counts []int64
		want   float64
		ok     bool
	}{
		{nil, 0, false},
		{[]int64{7}, 0, false},
		{[]int64{0, 0}, 0, false},
		{[]int64{5, 5}, 0, true},
		{[]int64{10, 0}, 1, true},
		{[]int64{60, 20, 20}, 0.8, true},
		{[]int64{14, 8, 8}, 0, true}, // as chance brings it
		{[]int64{1400, 800, 800}, 0.4, true},
	} {
		if got, ok := Imbalance(tt.counts); got < tt.want-1e-9 || got > tt.want+1e-9 || ok != tt.ok {
			t.Errorf("Imbalance(%v) = %v, %v; want %v, %v", tt.counts, got, ok, tt.want, tt.ok)
		}
	}
}
