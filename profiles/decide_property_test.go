package profiles

import (
	"fmt"
	"math"
	"math/big"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// remembered is what was recommended at a moment.
type remembered struct {
	at time.Time
	n  int
}

// reference decides as decide.go documents, slowly: with big rationals, and
// by looking through all that it ever recommended.
type reference struct {
	p       Policy
	low     int
	high    int // below 0: none
	began   time.Time
	advised []remembered
}

func (r *reference) decide(now time.Time, m Metrics) int {
	if r.began.IsZero() {
		r.began = now
	}
	cur := m.Replicas
	if cur < r.low {
		return r.low
	}
	if r.high > 0 && cur > r.high {
		return r.high
	}

	rat := func(n int64) *big.Rat { return new(big.Rat).SetInt64(n) }
	times := func(a *big.Rat, b int64) *big.Rat { return new(big.Rat).Mul(a, rat(b)) }
	want, missing := -1, false
	for i, metric := range r.p.Metrics {
		if i >= len(m.Readings) || !m.Readings[i].Valid {
			missing = true
			continue
		}
		demand := big.NewRat(int64(m.Readings[i].Total), int64(metric.Target)) // replicas
		tolerance := big.NewRat(int64(r.p.Tolerance), 1000)
		off := new(big.Rat).Sub(demand, rat(int64(cur)))
		if off.Abs(off).Cmp(times(tolerance, int64(cur))) <= 0 {
			want = max(want, cur)
		} else {
			want = max(want, ceil(demand))
		}
	}
	if want < 0 || missing && want < cur {
		r.advised = append(r.advised, remembered{now, cur})
		return cur
	}

	if up := r.p.Up; want > cur {
		if up.Step > 0 {
			want = min(want, cur+up.Step)
		}
		if up.Factor > 0 {
			want = min(want, max(cur+1, ceil(times(big.NewRat(int64(up.Factor), 1000), int64(cur)))))
		}
	}
	if down := r.p.Down; want < cur {
		if down.Step > 0 {
			want = max(want, cur-down.Step)
		}
		if down.Factor > 0 {
			want = max(want, min(cur-1, ceil(times(big.NewRat(int64(down.Factor), 1000), int64(cur)))))
		}
	}
	want = max(want, r.low)
	if r.high > 0 {
		want = min(want, r.high)
	}

	r.advised = append(r.advised, remembered{now, want})
	lowest, highest := want, want
	for _, a := range r.advised {
		if now.Sub(a.at) < r.p.Up.Stabilization.Std() {
			lowest = min(lowest, a.n)
		}
		if now.Sub(a.at) < r.p.Down.Stabilization.Std() {
			highest = max(highest, a.n)
		}
	}
	if now.Sub(r.began) < r.p.Up.Stabilization.Std() {
		lowest = min(lowest, cur)
	}
	if now.Sub(r.began) < r.p.Down.Stabilization.Std() {
		highest = max(highest, cur)
	}
	return min(max(cur, lowest), highest) // the clamp form
}

func ceil(r *big.Rat) int {
	q, rest := new(big.Int).QuoRem(r.Num(), r.Denom(), new(big.Int))
	if rest.Sign() > 0 {
		q.Add(q, big.NewInt(1))
	}
	return int(q.Int64())
}

func drawBehavior(t *rapid.T, label string, factors *rapid.Generator[int64]) Behavior {
	return Behavior{
		Step:          rapid.SampledFrom([]int{0, 0, 1, 2, 5}).Draw(t, label+" step"),
		Factor:        Milli(rapid.OneOf(rapid.Just(int64(0)), factors).Draw(t, label+" factor")),
		Stabilization: Duration(rapid.SampledFrom([]time.Duration{0, 0, 10 * second, time.Minute, 5 * time.Minute}).Draw(t, label+" window")),
	}
}

// drawDecidable draws a policy without schedules.
func drawDecidable(t *rapid.T) Policy {
	p := DefaultPolicy()
	p.Replicas.Min = rapid.IntRange(1, 10).Draw(t, "min")
	p.Replicas.Max = Unlimited
	if rapid.IntRange(0, 4).Draw(t, "bounded") > 0 {
		p.Replicas.Max = Limit(p.Replicas.Min + rapid.IntRange(0, 40).Draw(t, "room"))
	}
	for range rapid.IntRange(1, 3).Draw(t, "metrics") {
		p.Metrics = append(p.Metrics, Metric{
			Kind:   rapid.SampledFrom([]Kind{RPS, InFlight}).Draw(t, "kind"),
			Target: Milli(rapid.SampledFrom([]int64{1, 70, 700, 1000, 2100, 10000}).Draw(t, "target")),
			Window: p.Interval,
		})
	}
	p.Tolerance = Ratio(rapid.SampledFrom([]int64{0, 50, 100, 333, 1000}).Draw(t, "tolerance"))
	p.Up = drawBehavior(t, "up", rapid.Int64Range(1001, 4000))
	down := drawBehavior(t, "down", rapid.Int64Range(1, 999))
	p.Down.Step, p.Down.Factor, p.Down.Stabilization = down.Step, down.Factor, down.Stabilization
	return p
}

func TestDecideProperties(t *testing.T) {
	pauses := rapid.SampledFrom([]time.Duration{0, second - 1, 10 * second, 30 * second, 290 * second})
	rapid.Check(t, func(t *rapid.T) {
		p := drawDecidable(t)
		d, err := p.Decider()
		if err != nil {
			t.Fatal(err)
		}
		twin, _ := p.Decider()
		ref := &reference{p: p, low: p.Replicas.Min, high: int(p.Replicas.Max)}
		low, high := ref.low, ref.high
		if high == int(Unlimited) {
			high = math.MaxInt
		}
		now, cur := monday, p.Initial()
		for range rapid.IntRange(10, 40).Draw(t, "ticks") {
			now = now.Add(pauses.Draw(t, "pause"))
			if rapid.IntRange(0, 9).Draw(t, "by hand") == 0 {
				cur = rapid.IntRange(0, 60).Draw(t, "replicas")
			}
			m, complete, known := Metrics{Replicas: cur}, true, false
			for _, metric := range p.Metrics {
				r := Reading{Valid: rapid.IntRange(0, 9).Draw(t, "readable") > 0}
				if r.Valid {
					// Often a whole number of targets, where rounding would show.
					r.Total = metric.Target * Milli(rapid.IntRange(0, 60).Draw(t, "targets"))
					r.Total += Milli(rapid.SampledFrom([]int64{0, 0, 1, int64(metric.Target) / 2}).Draw(t, "rest"))
				}
				complete, known = complete && r.Valid, known || r.Valid
				m.Readings = append(m.Readings, r)
			}

			got := d.Decide(now, m)
			call := fmt.Sprintf("Decide(%v, %+v)", now.Sub(monday), m)
			if diff := cmp.Diff(got, twin.Decide(now, m)); diff != "" {
				t.Fatalf("%s of two deciders differ:\n%s", call, diff)
			}
			if want := ref.decide(now, m); got.Desired != want {
				t.Fatalf("%s = %+v, want %d", call, got, want)
			}
			if got.Desired < low || got.Desired > high {
				t.Fatalf("%s = %+v, want it within %d..%d", call, got, low, high)
			}
			if low <= cur && cur <= high {
				move := got.Desired - cur
				switch {
				case !complete && move < 0:
					t.Fatalf("%s = %+v: shrinks on missing data", call, got)
				case !known && (move != 0 || got.Valid):
					t.Fatalf("%s = %+v: decides without data", call, got)
				case move*(got.Raw-cur) < 0:
					t.Fatalf("%s = %+v: goes against the metric", call, got)
				case move > 0 && p.Up.Step > 0 && move > p.Up.Step, move < 0 && p.Down.Step > 0 && -move > p.Down.Step:
					t.Fatalf("%s = %+v: more than a step", call, got)
				case got.Desired != got.Raw && got.LimitedBy == "":
					t.Fatalf("%s = %+v: does not say what limits it", call, got)
				}
			}
			cur = got.Desired
		}
	})
}
