package probe

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

const ms = time.Millisecond

// warmed are answers that came one after the other and took so long each.
func warmed(n int, took func(i int) time.Duration) *ColdStart {
	var w Warmup
	for i := range n {
		w.Add(time.Duration(i)*ms, took(i))
	}
	return w.ColdStart()
}

func TestColdStart(t *testing.T) {
	around := func(d time.Duration, i int) time.Duration { return d + time.Duration(i%5)*ms }
	for _, c := range []struct {
		name string
		n    int
		took func(i int) time.Duration
		want *ColdStart
	}{
		{"none yet", 0, nil, nil},
		{"too few later ones", 109, func(i int) time.Duration { return 500 * ms / time.Duration(i+1) }, nil},
		{"the first ten are slow", 110, func(i int) time.Duration {
			if i < 10 {
				return 500 * ms
			}
			return around(48*ms, i)
		}, &ColdStart{10, 500 * ms, 50 * ms}},
		{"the very first is", 1000, func(i int) time.Duration {
			if i == 0 {
				return 3 * time.Second
			}
			return 50 * ms
		}, &ColdStart{10, 345 * ms, 50 * ms}},
		{"all alike", 1000, func(int) time.Duration { return 50 * ms }, nil},
		{"a little slower", 1000, func(i int) time.Duration {
			if i < 10 {
				return 59 * ms
			}
			return 50 * ms
		}, nil},
		{"faster", 1000, func(i int) time.Duration { return time.Duration(i) * ms }, nil},
		{"slower, as others later are", 1000, func(i int) time.Duration {
			if i%10 < 3 {
				return time.Second
			}
			return 50 * ms
		}, nil},
	} {
		got := warmed(c.n, c.took)
		if (got == nil) != (c.want == nil) || got != nil && (got.Answers != c.want.Answers || got.First != c.want.First || (got.Later-c.want.Later).Abs() > ms/2) {
			t.Errorf("%s: ColdStart() = %+v, want %+v", c.name, got, c.want)
		}
	}
	if got := (ColdStart{10, 500 * ms, 50 * ms}).Penalty(); got != 450*ms {
		t.Errorf("Penalty() = %v, want 450ms", got)
	}
}

// What comes in another order than it happened in is put in order.
func TestWarmupSorts(t *testing.T) {
	var w Warmup
	for i := 999; i >= 0; i-- {
		took := 50 * ms
		if i < 10 {
			took = 500 * ms
		}
		w.Add(time.Duration(i)*ms, took)
	}
	if got := w.ColdStart(); got == nil || *got != (ColdStart{10, 500 * ms, 50 * ms}) {
		t.Errorf("backwards: %+v, want 500ms against 50ms", got)
	}
}

// Where the first answers are as the others, that is said in more than 99 of
// 100 replicas, however uneven times are; where they are three times as slow,
// it is found.
func TestColdStartIsNoNoise(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for name, draw := range map[string]func() float64{
		"uniform":                  func() float64 { return 0.5 + random.Float64() },
		"exponential":              random.ExpFloat64,
		"lognormal":                func() float64 { return math.Exp(random.NormFloat64()) },
		"one in 25 takes 20 times": func() float64 { return 1 + 19*math.Floor(random.Float64()+0.04) },
	} {
		const replicas = 2000
		wrong := 0
		for range replicas {
			if warmed(300, func(int) time.Duration { return time.Duration(draw() * 50 * float64(ms)) }) != nil {
				wrong++
			}
		}
		if wrong > replicas/100 {
			t.Errorf("%s: %d of %d replicas are said to start cold, want at most 1 in 100", name, wrong, replicas)
		}
	}
	found := 0
	for range 1000 {
		if warmed(300, func(i int) time.Duration {
			took := 50 + 10*random.NormFloat64()
			if i < 10 {
				took *= 3
			}
			return time.Duration(took * float64(ms))
		}) != nil {
			found++
		}
	}
	if found < 999 {
		t.Errorf("three times as slow: found in %d of 1000", found)
	}
}

func TestWarmupAllocatesOnce(t *testing.T) {
	var w Warmup
	if n := testing.AllocsPerRun(100, func() { w.Add(0, ms) }); n > 0 {
		t.Errorf("%v allocations for an answer, want none", n)
	}
}
