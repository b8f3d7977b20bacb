package profiles

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestConstant(t *testing.T) {
	for _, at := range []time.Duration{0, time.Second, 100 * time.Hour} {
		if got := Constant(12.5).At(at); got != 12.5 {
			t.Errorf("Constant(12.5).At(%v) = %v, want 12.5", at, got)
		}
	}
	for _, c := range []struct {
		load Constant
		n    float64
		want time.Duration
		ok   bool
	}{
		{10, 0, 0, true},
		{10, 1, 100 * time.Millisecond, true},
		{10, 2.5, 250 * time.Millisecond, true},
		{0.5, 3, 6 * time.Second, true},
		{20000, 1, 50 * time.Microsecond, true},
		{20000, 72e6, time.Hour, true},
		{0, 0, 0, false},
		{0, 1, 0, false},
		{-1, 1, 0, false},
	} {
		if got, ok := c.load.OffsetOf(c.n); got != c.want || ok != c.ok {
			t.Errorf("Constant(%v).OffsetOf(%v) = %v, %v, want %v, %v", float64(c.load), c.n, got, ok, c.want, c.ok)
		}
	}
}

// climb goes up, holds, jumps, and comes down to 0.
var climb = Ramp{From: 2, Stages: []Stage{
	{For: 10 * time.Second, To: 10}, // area 60
	{For: 5 * time.Second, To: 10},  // 50
	{For: 0, To: 40},
	{For: 2 * time.Second, To: 40}, // 80
	{For: 20 * time.Second, To: 0}, // 400
}}

// gap has a rest of 5 s without load at its start and in its middle.
var gap = Ramp{Stages: []Stage{
	{For: 5 * time.Second, To: 0},
	{For: 0, To: 10},
	{For: time.Second, To: 10}, // area 10
	{For: 0, To: 0},
	{For: 5 * time.Second, To: 0},
	{For: 2 * time.Second, To: 10}, // 10
}}

func TestRampAt(t *testing.T) {
	for _, c := range []struct {
		name string
		ramp Ramp
		at   time.Duration
		want float64
	}{
		{"start", climb, 0, 2},
		{"rising", climb, 5 * time.Second, 6},
		{"reached", climb, 10 * time.Second, 10},
		{"held", climb, 15*time.Second - 1, 10},
		{"jumped", climb, 15 * time.Second, 40},
		{"falling", climb, 22 * time.Second, 30},
		{"nearly over", climb, 36 * time.Second, 2},
		{"over", climb, 37 * time.Second, 0},
		{"long over", climb, time.Hour, 0},
		{"rest", gap, 8 * time.Second, 0},
		{"after the rest", gap, 12 * time.Second, 5},
		{"a jump at the start", Ramp{From: 1, Stages: []Stage{{0, 5}, {time.Second, 5}}}, 0, 5},
		{"ends high", Ramp{From: 5, Stages: []Stage{{time.Second, 5}}}, time.Second, 0},
		{"a jump at the end", Ramp{From: 5, Stages: []Stage{{time.Second, 5}, {0, 9}}}, time.Second, 0},
		{"no stages", Ramp{From: 5}, 0, 0},
	} {
		if got := c.ramp.At(c.at); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%s: %v.At(%v) = %v, want %v", c.name, c.ramp, c.at, got, c.want)
		}
	}
	if got := climb.Length(); got != 37*time.Second {
		t.Errorf("%v.Length() = %v, want 37s", climb, got)
	}
}

func TestRampOffsetOf(t *testing.T) {
	rise := Ramp{Stages: []Stage{{10 * time.Second, 10}}} // area t²/2
	fall := Ramp{From: 10, Stages: []Stage{{10 * time.Second, 0}}}
	flat := Ramp{From: 10, Stages: []Stage{{time.Hour, 10.000000001}}}
	for _, c := range []struct {
		name string
		ramp Ramp
		n    float64
		want time.Duration
		ok   bool
	}{
		{"first of a rise", rise, 0, 0, true},
		{"half way up", rise, 12.5, 5 * time.Second, true},
		{"just below the top", rise, 50 - 1e-12, 10 * time.Second, true},
		{"the top", rise, 50, 0, false},
		{"half way down", fall, 37.5, 5 * time.Second, true},
		{"just above the bottom", fall, 50 - 1e-13, 10 * time.Second, true},
		{"the bottom", fall, 50, 0, false},
		{"hardly any slope", flat, 20000, 2000 * time.Second, true},
		{"end of the first stage", climb, 60, 10 * time.Second, true},
		{"second stage", climb, 85, 12500 * time.Millisecond, true},
		{"before a jump", climb, 110, 15 * time.Second, true},
		{"after a jump", climb, 150, 16 * time.Second, true},
		{"nearly the last", climb, 589, 36 * time.Second, true},
		{"one too many", climb, 590, 0, false},
		{"first after a rest", gap, 0, 5 * time.Second, true},
		{"last before a rest", gap, 9, 5900 * time.Millisecond, true},
		{"first after the second rest", gap, 10, 11 * time.Second, true},
		{"half way up after it", gap, 12.5, 12 * time.Second, true},
		{"first of a rise after a rest", Ramp{Stages: []Stage{{5 * time.Second, 0}, {10 * time.Second, 10}}}, 0, 5 * time.Second, true},
		{"no load at all", Ramp{Stages: []Stage{{time.Hour, 0}}}, 0, 0, false},
		{"only a jump", Ramp{Stages: []Stage{{0, 10}}}, 1, 0, false},
		{"no stages", Ramp{From: 10}, 1, 0, false},
	} {
		got, ok := c.ramp.OffsetOf(c.n)
		if (got-c.want).Abs() > time.Microsecond || ok != c.ok {
			t.Errorf("%s: %v.OffsetOf(%v) = %v, %v, want %v, %v", c.name, c.ramp, c.n, got, ok, c.want, c.ok)
		}
	}
}

// area integrates At from 0 to end, at the midpoints of a grid that has a
// line at each of the cuts.
func area(s Shape, end time.Duration, cuts []time.Duration) (sum float64) {
	const cells = 100
	from := time.Duration(0)
	for _, to := range append(cuts, end) {
		to = min(to, end)
		width := float64(to-from) / cells
		for i := range cells {
			sum += s.At(from+time.Duration((float64(i)+0.5)*width)) * width / 1e9
		}
		from = to
	}
	return sum
}

func drawRamp(t *rapid.T) (r Ramp, cuts []time.Duration) {
	load := rapid.OneOf(rapid.Just(0.0), rapid.Float64Range(0.001, 1000))
	span := rapid.OneOf(rapid.Just(int64(0)), rapid.Int64Range(int64(time.Millisecond), int64(time.Minute)))
	r.From = load.Draw(t, "from")
	for range rapid.IntRange(0, 5).Draw(t, "stages") {
		s := Stage{For: time.Duration(span.Draw(t, "for")), To: load.Draw(t, "to")}
		if rapid.Bool().Draw(t, "level") && len(r.Stages) > 0 {
			s.To = r.Stages[len(r.Stages)-1].To
		}
		r.Stages = append(r.Stages, s)
		cuts = append(cuts, r.Length())
	}
	return r, cuts
}

// OffsetOf is the inverse of the area under At.
func TestRampOffsetOfInvertsTheArea(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, cuts := drawRamp(t)
		whole := area(r, r.Length(), cuts)
		n := rapid.Float64Range(0, 1.1).Draw(t, "share") * whole
		near := 5e-6 + 1e-7*whole // times are whole nanoseconds

		offset, ok := r.OffsetOf(n)
		switch {
		case n > whole+near && ok:
			t.Fatalf("%v.OffsetOf(%v) = %v, want none: the area is %v", r, n, offset, whole)
		case n < whole-near && !ok:
			t.Fatalf("%v.OffsetOf(%v): none, want one: the area is %v", r, n, whole)
		case !ok:
			return
		case offset < 0 || offset > r.Length()+1:
			t.Fatalf("%v.OffsetOf(%v) = %v, want it within %v", r, n, offset, r.Length())
		}
		if got := r.Area(r.Length()); math.Abs(got-whole) > near {
			t.Fatalf("%v.Area(%v) = %v, want %v", r, r.Length(), got, whole)
		}
		if got := area(r, offset, cuts); math.Abs(got-n) > near {
			t.Fatalf("%v.OffsetOf(%v) = %v, but the area up to there is %v", r, n, offset, got)
		}
		more := n + rapid.Float64Range(0, 1).Draw(t, "more")
		if later, ok := r.OffsetOf(more); ok && later < offset {
			t.Fatalf("%v.OffsetOf(%v) = %v, before OffsetOf(%v) = %v", r, more, later, n, offset)
		}
	})
}

// A ramp without slope is a Constant that ends.
func TestLevelRampIsConstant(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := rapid.Float64Range(0.01, 1e5).Draw(t, "load")
		r := Ramp{From: c, Stages: []Stage{{time.Minute, c}, {time.Minute, c}}}
		n := rapid.Float64Range(0, 119).Draw(t, "seconds") * c
		want, _ := Constant(c).OffsetOf(n)
		if got, ok := r.OffsetOf(n); !ok || (got-want).Abs() > 10 {
			t.Fatalf("%v.OffsetOf(%v) = %v, %v, want %v", r, n, got, ok, want)
		}
	})
}

func BenchmarkRampOffsetOf(b *testing.B) {
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		climb.OffsetOf(float64(i % 590))
	}
}
