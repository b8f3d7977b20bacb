package probe

import (
	"math/rand/v2"
	"testing"
)

func TestSilence(t *testing.T) {
	for _, tt := range []struct {
		name        string
		share       float64
		quiet, gone int64 // the answers without it from which on it is called so
	}{
		{"one of two", 1. / 2, 14, 20},
		{"one of three", 1. / 3, 23, 35},
		{"one of four", 1. / 4, 33, 49},
		{"one of ten", 1. / 10, 88, 132},
		{"a canary", 0.01, 917, 1375},
	} {
		if quiet, gone := QuietAfter(tt.share), GoneAfter(tt.share); quiet != tt.quiet || gone != tt.gone {
			t.Errorf("%s: QuietAfter, GoneAfter(%.3f) = %d, %d, want %d, %d", tt.name, tt.share, quiet, gone, tt.quiet, tt.gone)
		}
		for _, step := range []struct {
			n    int64
			want State
		}{{0, Serving}, {tt.quiet - 1, Serving}, {tt.quiet, Quiet}, {tt.gone - 1, Quiet}, {tt.gone, Gone}} {
			if got := Silence(tt.share, step.n); got != step.want {
				t.Errorf("%s: Silence(%.3f, %d) = %s, want %s", tt.name, tt.share, step.n, got, step.want)
			}
		}
	}
	for _, tt := range []struct {
		name  string
		share float64
		n     int64
		want  State
	}{
		{"of a share of nothing nothing follows", 0, 1_000_000, Serving},
		{"what gives all answers, before any", 1, 0, Serving},
		{"what gave all answers, and another one came", 1, 1, Gone},
	} {
		if got := Silence(tt.share, tt.n); got != tt.want {
			t.Errorf("%s: Silence(%v, %d) = %s, want %s", tt.name, tt.share, tt.n, got, tt.want)
		}
	}
}

// A balancer that picks at random is not told to have lost a replica more often
// than the chances say.
func TestSilenceRarelyErrs(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	const replicas, answers = 4, 500_000
	var silent [replicas]int64
	var wrong int
	for range answers {
		now := random.IntN(replicas)
		if Silence(1./replicas, silent[now]) != Serving {
			wrong++
		}
		for r := range silent {
			silent[r]++
		}
		silent[now] = 0
	}
	// Each answer ends a silence.
	if share := float64(wrong) / answers; share > 1.5*quietChance || share < 0.1*quietChance {
		t.Errorf("%d of %d silences were called quiet before they ended, want about 1 in 10,000", wrong, answers)
	}
}
