package profiles

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

const (
	ms  = time.Millisecond
	sec = time.Second
)

// drawShape draws one of every kind, and moments at which it may jump or bend.
func drawShape(t *rapid.T) (Shape, []time.Duration) {
	load := rapid.OneOf(rapid.Just(0.0), rapid.Float64Range(0.01, 500))
	switch rapid.IntRange(0, 3).Draw(t, "kind") {
	case 0:
		return Constant(load.Draw(t, "load")), nil
	case 1:
		low := load.Draw(t, "low")
		s := Sine{Low: low, High: low + load.Draw(t, "swing"), Period: time.Duration(rapid.Int64Range(int64(sec), int64(time.Minute)).Draw(t, "period"))}
		var turns []time.Duration
		for at := s.Period; at < 2*time.Minute; at += s.Period {
			turns = append(turns, at)
		}
		return s, turns
	case 2:
		var ends []time.Duration
		var counts []float64
		end := time.Duration(0)
		for range rapid.IntRange(1, 6).Draw(t, "intervals") {
			end += time.Duration(rapid.Int64Range(int64(100*ms), int64(20*sec)).Draw(t, "interval"))
			ends, counts = append(ends, end), append(counts, load.Draw(t, "count"))
		}
		return NewCounts(ends, counts), slices.Clone(ends)
	default:
		return drawRamp(t)
	}
}

// checkAreas compares a shape until end with the sum of many thin slices.
func checkAreas(t *rapid.T, s Shape, end time.Duration, cuts []time.Duration) {
	var kept []time.Duration
	for _, cut := range cuts {
		if cut < end {
			kept = append(kept, cut)
		}
	}
	slices.Sort(kept)
	whole := area(s, end, kept)
	near := 1e-5 + 2e-3*whole // of the slices, for a sine
	if got := s.Area(end); math.Abs(got-whole) > near {
		t.Fatalf("%+v.Area(%v) = %v, want %v", s, end, got, whole)
	}
	n := rapid.Float64Range(0, 0.999).Draw(t, "share") * s.Area(end)
	offset, ok := s.OffsetOf(n)
	if s.Area(end) > 1e-6 && (!ok || offset < 0 || offset > end) {
		t.Fatalf("%+v.OffsetOf(%v) = %v, %v, want it within %v, whose area is %v", s, n, offset, ok, end, s.Area(end))
	}
	if ok && math.Abs(s.Area(offset)-n) > 1e-5 {
		t.Fatalf("%+v.OffsetOf(%v) = %v, whose area is %v", s, n, offset, s.Area(offset))
	}
}

func TestShapesAgainstThinSlices(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, cuts := drawShape(t)
		checkAreas(t, s, time.Duration(rapid.Int64Range(int64(sec), int64(time.Minute)).Draw(t, "end")), cuts)
	})
}

// A course of anything, changed and held at any time.
func TestCourseAgainstThinSlices(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, cuts := drawShape(t)
		c := NewCourse(s)
		at := time.Duration(0)
		for range rapid.IntRange(0, 4).Draw(t, "changes") {
			at += time.Duration(rapid.Int64Range(0, int64(10*sec)).Draw(t, "after"))
			if rapid.Bool().Draw(t, "hold") {
				length := time.Duration(rapid.Int64Range(int64(ms), int64(10*sec)).Draw(t, "length"))
				before, later := c, at+time.Duration(rapid.Int64Range(0, int64(10*sec)).Draw(t, "later"))
				c = c.Hold(at, length)
				if got, want := c.Area(later+length), before.Area(later); math.Abs(got-want) > 1e-6 {
					t.Fatalf("%+v: area %v, and %v with a hold of %v at %v before", before, want, got, length, at)
				}
				for i := range cuts {
					if cuts[i] >= at {
						cuts[i] += length
					}
				}
				cuts = append(cuts, at, at+length)
				at += length
				continue
			}
			area := c.Area(at)
			next, bends := drawShape(t)
			c = c.Change(at, next)
			if got := c.Area(at); got != area {
				t.Fatalf("the area is %v after a change at %v, want %v", got, at, area)
			}
			var kept []time.Duration
			for _, cut := range cuts {
				if cut < at {
					kept = append(kept, cut)
				}
			}
			cuts = append(kept, at)
			for _, bend := range bends {
				cuts = append(cuts, at+bend)
			}
		}
		checkAreas(t, c, at+10*sec, cuts)
	})
}

// Stages repeat a course of constants, ramps and counts exactly.
func TestStagesRepeatTheCourse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var c Course
		var at time.Duration
		for range rapid.IntRange(1, 4).Draw(t, "changes") {
			s, _ := drawShape(t)
			if _, curved := s.(Sine); curved {
				s = Constant(7)
			}
			c = c.Change(at, s)
			at += time.Duration(rapid.Int64Range(int64(ms), int64(20*sec)).Draw(t, "after"))
		}
		again := Ramp{Stages: c.Stages(at)}
		if again.Length() != at {
			t.Fatalf("%+v.Stages(%v) = %v, which last %v", c, at, again.Stages, again.Length())
		}
		moment := time.Duration(rapid.Int64Range(0, int64(at)-1).Draw(t, "moment"))
		if got, want := again.At(moment), c.At(moment); math.Abs(got-want) > 0.002 {
			t.Fatalf("%+v.Stages(%v) = %v, %v at %v, want %v", c, at, again.Stages, got, moment, want)
		}
	})
}

func TestStageFlags(t *testing.T) {
	spawned := NewCourse(Constant(0)).Spawn(0, 5, 2)
	for _, c := range []struct {
		name   string
		course Course
		end    time.Duration
		want   string
	}{
		{"nothing", Course{}, sec, ""},
		{"level", NewCourse(Constant(5)), 10 * sec, "--step 10s:5"},
		{"spawned", spawned, 10 * sec, "--stage 0s:1 --stage 2s:5 --stage 8s:5"},
		{"cut while it rises", spawned, sec, "--stage 0s:1 --stage 1s:3"},
		{"by hand", spawned.Spawn(4*sec, 9, 2).Spawn(8500*ms, 3, 2), 10 * sec, "--stage 0s:1 --stage 2s:5 --stage 2s:5 --stage 2s:9 --stage 2.5s:9 --step 1.5s:3"},
		{"changed while it rises", spawned.Spawn(sec, 2, 1), 2 * sec, "--stage 0s:1 --stage 1s:3 --step 1s:2"},
		{"paused", NewCourse(Constant(5)).Hold(2*sec, 3*sec), 10 * sec, "--step 2s:5 --step 3s:0 --step 5s:5"},
		{"of steps", NewCourse(Spike(1, 4, sec, 2*sec)), 4 * sec, "--step 1s:1 --step 2s:4 --step 1s:1"},
		{"of counts", NewCourse(NewCounts([]time.Duration{sec, 3 * sec}, []float64{4, 2})), 3 * sec, "--step 1s:4 --step 2s:1"},
	} {
		if got := strings.Join(StageFlags(FormatStages(c.course.Stages(c.end), false)), " "); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	stages := NewCourse(Sine{Low: 1, High: 3, Period: 4 * sec}).Stages(4 * sec)
	if got, want := strings.Join(StageFlags(FormatStages(stages, true)), " "), "--stage 0s:1/s --stage 1s:2/s --stage 1s:3/s --stage 1s:2/s --stage 1s:1/s"; got != want {
		t.Errorf("a sine: %s, want %s", got, want)
	}
	for i, text := range FormatStages(stages, true) {
		if got, err := ParseStage(text); err != nil || got.Value != stages[i] || !got.Rate {
			t.Errorf("ParseStage(%q) = %+v, %v, want %+v", text, got, err, stages[i])
		}
	}
}

// A change of rate neither repeats nor leaves out an arrival.
func TestCourseChangesWithoutAJump(t *testing.T) {
	c := NewCourse(Constant(10)).Change(3050*ms, Constant(20)).Change(4*sec, Constant(1))
	for n, want := range map[float64]time.Duration{0: 0, 30: 3 * sec, 31: 3075 * ms, 32: 3125 * ms, 49: 3975 * ms, 50: 4500 * ms, 51: 5500 * ms} {
		if got, ok := c.OffsetOf(n); !ok || (got-want).Abs() > 2 {
			t.Errorf("OffsetOf(%v) = %v, %v, want %v", n, got, ok, want)
		}
	}
	if _, ok := (Course{}).OffsetOf(0); ok || (Course{}).At(0) != 0 || (Course{}).Area(sec) != 0 || !(Course{}).Settled(0) {
		t.Error("an empty course is not without load")
	}
}

func TestStamps(t *testing.T) {
	s := Stamps{0, 0, 500 * ms, 1500 * ms, 3 * sec}
	for n, want := range map[float64]time.Duration{0: 0, 1: 0, 2: 500 * ms, 3: 1500 * ms, 4: 3 * sec} {
		if got, ok := s.OffsetOf(n); !ok || got != want {
			t.Errorf("OffsetOf(%v) = %v, %v, want %v", n, got, ok, want)
		}
	}
	if _, ok := s.OffsetOf(5); ok {
		t.Error("OffsetOf(5): there is one, want none of five")
	}
	for at, want := range map[time.Duration]float64{0: 3, 999 * ms: 3, sec: 1, 2 * sec: 0, 3 * sec: 1, 4 * sec: 0} {
		if got := s.At(at); got != want {
			t.Errorf("At(%v) = %v, want %v", at, got, want)
		}
	}
	c := NewCourse(s).Change(sec, Constant(10))
	if got, ok := c.OffsetOf(4); !ok || got != 1100*ms {
		t.Errorf("a rate that takes over: OffsetOf(4) = %v, %v, want 1.1s", got, ok)
	}
}

func TestParseShape(t *testing.T) {
	for _, c := range []struct {
		in   string
		want Shape
		rate bool
	}{
		{"sine:10..50,period=5m", Sine{10, 50, 5 * time.Minute}, false},
		{"sine:0..1.5k/s,period=30", Sine{0, 1500, 30 * sec}, true},
		{"spike:1..9,after=1m,for=30s", Spike(1, 9, time.Minute, 30*sec), false},
		{"spike:60/m..9/s, for=30s, after=1m", Spike(1, 9, time.Minute, 30*sec), true},
	} {
		got, err := ParseShape(c.in)
		if err != nil || got.Rate != c.rate || got.Value.At(90*sec) != c.want.At(90*sec) || got.Value.Area(time.Hour) != c.want.Area(time.Hour) {
			t.Errorf("ParseShape(%q) = %+v, %v, want %+v, rate %v", c.in, got, err, c.want, c.rate)
		}
	}
}

func TestParseShapeRefuses(t *testing.T) {
	const grammar = "want sine:LOW..HIGH,period=5m or spike:LOW..HIGH,after=1m,for=30s"
	for in, want := range map[string]string{
		"":                                grammar,
		"ramp:1..9,period=5m":             grammar,
		"sine:9,period=5m":                grammar,
		"sine:x..9,period=5m":             grammar,
		"sine:50..10,period=5m":           `got "50..10", want the lower load first`,
		"sine:0..0,period=5m":             `got "0..0", want more than 0 at the upper end`,
		"sine:10..50":                     grammar,
		"sine:10..50,after=1m":            `got "after=1m", want period=1m, each once`,
		"sine:10..50,period=0":            `got "period=0", want a time of more than 0`,
		"sine:10..50,period=5m,period=5m": "want period=1m, each once",
		"spike:1..9,after=1m":             `got "after=1m", want after=1m,for=1m, each once`,
		"spike:1..9,after=1m,for=0s":      `got "for=0s", want a time of more than 0, such as for=1m`,
	} {
		if got, err := ParseShape(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseShape(%q) = %+v, %v, want an error with %q", in, got, err, want)
		}
	}
}

func TestParseStage(t *testing.T) {
	for _, c := range []struct {
		in   string
		want Written[Stage]
		ok   bool
	}{
		{"30s:10", Written[Stage]{Stage{30 * sec, 10}, false}, true},
		{"1h30m:2.5k", Written[Stage]{Stage{90 * time.Minute, 2500}, false}, true},
		{"0:0", Written[Stage]{Stage{0, 0}, false}, true},
		{"30:10/s", Written[Stage]{Stage{30 * sec, 10}, true}, true},
		{"30s:600/1m", Written[Stage]{Stage{30 * sec, 10}, true}, true},
		{"30s", Written[Stage]{}, false},
		{"30s:", Written[Stage]{}, false},
		{"30s:-1", Written[Stage]{}, false},
		{"30s:NaN", Written[Stage]{}, false},
		{"30s:1/x", Written[Stage]{}, false},
		{"-1s:1", Written[Stage]{}, false},
		{":1", Written[Stage]{}, false},
	} {
		got, err := ParseStage(c.in)
		if (err == nil) != c.ok || err == nil && got != c.want {
			t.Errorf("ParseStage(%q) = %+v, %v; want %+v, ok %v", c.in, got, err, c.want, c.ok)
		}
	}
}

func BenchmarkCourseOffsetOf(b *testing.B) {
	for name, s := range map[string]Shape{"constant": Constant(5000), "ramp": climb, "sine": Sine{Low: 1, High: 9, Period: time.Minute}} {
		c := NewCourse(s)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				c.OffsetOf(float64(i % 590))
			}
		})
	}
}
