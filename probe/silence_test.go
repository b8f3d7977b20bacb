package probe

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
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
			if got := silentBy(Missed(tt.share, step.n)); got != step.want {
				t.Errorf("%s: missed by a share of %.3f in %d answers = %s, want %s", tt.name, tt.share, step.n, got, step.want)
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
		if got := silentBy(Missed(tt.share, tt.n)); got != tt.want {
			t.Errorf("%s: missed by a share of %v in %d answers = %s, want %s", tt.name, tt.share, tt.n, got, tt.want)
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
		if silentBy(Missed(1./replicas, silent[now])) != Serving {
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

// Replicas of which some are met late and give little are not told to be lost
// more often than the chances say.
func TestWatchRarelyErrs(t *testing.T) {
	for _, tt := range []struct {
		name    string
		weights []float64 // of the replicas; they add up to 1
	}{
		{"a canary", []float64{0.33, 0.33, 0.33, 0.01}},
		{"one big, the others small", []float64{0.8, 0.1, 0.05, 0.03, 0.02}},
		{"even ones", []float64{0.2, 0.2, 0.2, 0.2, 0.2}},
	} {
		var silences, quiet, gone float64
		for seed := range uint64(10) {
			random := rand.New(rand.NewPCG(7, seed))
			var w Watch
			look := Look{Source: "json:id"}
			now := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
			for range 2000 {
				now = now.Add(time.Second / 2)
				at, rest := 0, random.Float64()
				for ; at < len(tt.weights)-1 && rest >= tt.weights[at]; at++ {
					rest -= tt.weights[at]
				}
				id := fmt.Sprint("replica-", at)
				i := slices.IndexFunc(look.Replicas, func(r Replica) bool { return r.ID == id })
				if i < 0 {
					i, look.Replicas = len(look.Replicas), append(look.Replicas, Replica{ID: id, FirstSeen: now})
				}
				look.Replicas[i].Requests++
				look.Replicas[i].LastSeen = now
				look.Requests++
				silences++
				for _, c := range w.Observe(now, look) {
					switch c.Kind {
					case ChangeQuiet:
						quiet++
					case ChangeGone:
						gone++
					}
				}
			}
		}
		// Each answer ends a silence; three standard errors are left for luck.
		if want := silences * quietChance; quiet > want+3*math.Sqrt(want) {
			t.Errorf("%s: %.0f of %.0f silences were called quiet, want about %.0f at most", tt.name, quiet, silences, want)
		}
		if want := silences * goneChance; gone > want+3*math.Sqrt(want) {
			t.Errorf("%s: %.0f of %.0f silences were called gone, want about %.2f at most", tt.name, gone, silences, want)
		}
	}
}

func TestMissedAfter(t *testing.T) {
	for _, tt := range []struct {
		given, answers, n int64
		want              float64
	}{
		{0, 0, 1, 1. / 2}, // nothing is known
		{0, 0, 9, 1. / 10},
		{5, 5, 1, 1. / 7},
		{0, 5, 1, 6. / 7},
		{1, 2, 2, 2. / 4 * 3 / 5},
		{500_000, 1_000_000, 10, math.Pow(0.5, 10)}, // much is known: as Missed
	} {
		if got := MissedAfter(tt.given, tt.answers, tt.n); math.Abs(got/tt.want-1) > 1e-3 {
			t.Errorf("MissedAfter(%d, %d, %d) = %v, want %v", tt.given, tt.answers, tt.n, got, tt.want)
		}
	}
}
