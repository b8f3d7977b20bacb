package probe

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// ColdStart is how much slower the first answers of a replica were than its
// later ones.
type ColdStart struct {
	Answers int           `json:"answers"` // that were the first
	First   time.Duration `json:"first"`   // mean of those, nanoseconds
	Later   time.Duration `json:"later"`   // mean of the later ones
}

// Penalty is what a first answer took longer on average.
func (c ColdStart) Penalty() time.Duration { return c.First - c.Later }

// The first firstAnswers of a replica are compared with the later ones when
// there are laterAnswers of those. They were slower where their mean is
// slowerBy times that of the later ones or more, and surelySlower standard
// errors above it: SE² = s² (1/n + 1/m), with s the standard deviation of the
// later ones, n first and m later answers (Welch's test for means, but with the
// spread of the later ones for both: that of ten answers is not known).
const (
	firstAnswers = 10
	laterAnswers = 100
	slowerBy     = 1.2
	surelySlower = 5
)

// Warmup compares the first answers of a replica with its later ones. Answers
// may be added a little out of order. It is not safe for concurrent use.
type Warmup struct {
	first []timed // in the order of at
	later moments
}

type timed struct {
	at, took time.Duration
}

// Add takes an answer into account that came at an offset and took so long.
func (w *Warmup) Add(at, took time.Duration) {
	n := len(w.first)
	if n == firstAnswers && at >= w.first[n-1].at {
		w.later.add(took)
		return
	}
	if w.first == nil {
		w.first = make([]timed, 0, firstAnswers)
	}
	if n == firstAnswers {
		w.later.add(w.first[n-1].took)
		w.first = w.first[:n-1]
	}
	i, _ := slices.BinarySearchFunc(w.first, at, func(t timed, at time.Duration) int { return cmp.Compare(t.at, at) })
	w.first = slices.Insert(w.first, i, timed{at, took})
}

// ColdStart is what the first answers were slower by; nil where there are too
// few answers to tell, and where chance may explain it.
func (w *Warmup) ColdStart() *ColdStart {
	if len(w.first) < firstAnswers || w.later.n < laterAnswers {
		return nil
	}
	var sum time.Duration
	for _, t := range w.first {
		sum += t.took
	}
	mean := float64(sum) / firstAnswers
	se := w.later.deviation() * math.Sqrt(1./firstAnswers+1/float64(w.later.n))
	if mean < slowerBy*w.later.mean || mean-w.later.mean < surelySlower*se {
		return nil
	}
	return &ColdStart{Answers: firstAnswers, First: time.Duration(mean), Later: time.Duration(w.later.mean)}
}

// moments are the mean and the spread of times, kept up to date one by one
// (Welford, Technometrics 4, 1962).
type moments struct {
	n       int64
	mean    float64 // nanoseconds
	squares float64 // of the distances to the mean
}

func (m *moments) add(d time.Duration) {
	m.n++
	distance := float64(d) - m.mean
	m.mean += distance / float64(m.n)
	m.squares += distance * (float64(d) - m.mean)
}

// deviation is the standard deviation, of two or more.
func (m *moments) deviation() float64 { return math.Sqrt(m.squares / float64(m.n-1)) }
