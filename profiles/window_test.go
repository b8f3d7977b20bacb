package profiles

import (
	"math/big"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// from is when every window begins: not on a whole bucket of any clock.
var from = monday.Add(1234567 * time.Nanosecond)

func after(d time.Duration) time.Time { return from.Add(d) }

// wantReading compares a reading with a number; lost stands for none.
func wantReading(t *testing.T, call string, got Reading, want float64) {
	t.Helper()
	if w := readings(want)[0]; got != w {
		t.Errorf("%s = %+v, want %+v", call, got, w)
	}
}

func TestWindowIsNotValidAtFirst(t *testing.T) {
	w := NewWindow(from)
	w.Change(from, 4)
	w.Count(from)
	for _, c := range []struct {
		at                    time.Duration
		wantAverage, wantRate float64
	}{
		{0, lost, lost},
		{100*time.Millisecond - 1, lost, lost},
		{100 * time.Millisecond, 4, 10},
		{199 * time.Millisecond, 4, 10}, // the bucket that fills does not count
		{200 * time.Millisecond, 4, 5},
		{time.Second, 4, 1},
	} {
		wantReading(t, "Average after "+c.at.String(), w.Average(after(c.at), 30*time.Second), c.wantAverage)
		wantReading(t, "Rate after "+c.at.String(), w.Rate(after(c.at), 30*time.Second), c.wantRate)
	}
	wantReading(t, "Average of an empty window", NewWindow(from).Average(after(time.Second), 30*time.Second), 0)
	wantReading(t, "Average over nothing", w.Average(after(time.Second), 0), lost)
	wantReading(t, "Rate over less than a bucket", w.Rate(after(time.Second), 99*time.Millisecond), lost)
}

func TestWindowSums(t *testing.T) {
	w := NewWindow(from)
	w.Add(after(50*time.Millisecond), 30)
	w.Count(after(150 * time.Millisecond))
	w.Add(after(950*time.Millisecond), 1000)
	for _, c := range []struct {
		at, width time.Duration
		want      int64
	}{
		{time.Second, time.Minute, 1031},
		{time.Second, 900 * time.Millisecond, 1001},
		{time.Second, 850 * time.Millisecond, 1000}, // whole buckets only
		{1950 * time.Millisecond, time.Second, 1000},
		{2 * time.Second, time.Second, 0},
		{2 * time.Second, -time.Second, 0},
	} {
		if got := w.Sum(after(c.at), c.width); got != c.want {
			t.Errorf("Sum(%s, %s) = %d, want %d", c.at, c.width, got, c.want)
		}
	}
}

func TestWindow(t *testing.T) {
	w := NewWindow(from)
	w.Change(from, 2)                           // 0..10 s: 2
	w.Change(after(10*time.Second), 8)          // ..12.5 s: 10
	w.Change(after(12500*time.Millisecond), -9) // ..: 1
	w.Change(after(12500*time.Millisecond), +1) // ..: 2
	w.Change(after(12500*time.Millisecond), -1) // ..: 1
	for i := range 60 {
		w.Count(after(15*time.Second + time.Duration(i)*50*time.Millisecond)) // 20 a second from 15 s to 18 s
	}
	if w.Level() != 1 {
		t.Errorf("Level() = %d, want 1", w.Level())
	}
	now := after(20 * time.Second)
	for _, c := range []struct {
		width         time.Duration
		average, rate float64
	}{
		{time.Second, 1, 0},
		{5 * time.Second, 1, 12},
		{10 * time.Second, 3.25, 6}, // (2.5 s x 10 + 7.5 s x 1) / 10 s
		{20 * time.Second, 2.625, 3},
		{30 * time.Second, 2.625, 3}, // no more than there is
		{MaxWindow, 2.625, 3},
		{24 * time.Hour, 2.625, 3},
	} {
		wantReading(t, "Average over "+c.width.String(), w.Average(now, c.width), c.average)
		wantReading(t, "Rate over "+c.width.String(), w.Rate(now, c.width), c.rate)
	}
}

func TestWindowForgets(t *testing.T) {
	w := NewWindow(from)
	w.Change(from, 60)
	for range 600 {
		w.Count(from)
	}
	w.Change(after(time.Second), -60)
	for range 600 {
		w.Count(after(time.Second))
	}
	for _, c := range []struct {
		at            time.Duration
		average, rate float64
	}{
		{MaxWindow, 0.1, 2}, // 60 for one of 600 s
		{MaxWindow + 500*time.Millisecond, 0.05, 1},
		{MaxWindow + time.Second, 0, 1},
		{MaxWindow + 1100*time.Millisecond, 0, 0},
		{24 * time.Hour, 0, 0},
	} {
		for _, width := range []time.Duration{MaxWindow, 24 * time.Hour} {
			wantReading(t, "Average over "+width.String()+" after "+c.at.String(), w.Average(after(c.at), width), c.average)
			wantReading(t, "Rate over "+width.String()+" after "+c.at.String(), w.Rate(after(c.at), width), c.rate)
		}
	}
	w.Change(after(24*time.Hour), 3)
	wantReading(t, "Average of what came later", w.Average(after(24*time.Hour+time.Second), time.Second), 3)
}

// A level that nothing changes for longer than the window remembers is still
// exact, wherever in a bucket the time is.
func TestWindowAfterALongRest(t *testing.T) {
	w := NewWindow(from)
	w.Change(from, 1000)
	now := after(2*MaxWindow + 50*time.Millisecond)
	wantReading(t, "Average", w.Average(now, MaxWindow), 1000)
}

// Ten minutes of a heavy load, in nanoseconds and thousandths, do not fit into
// 64 bits.
func TestWindowDoesNotOverflow(t *testing.T) {
	w := NewWindow(from)
	w.Change(from, 1_000_000)
	for b := range int64(MaxWindow / WindowResolution) {
		w.Add(after(time.Duration(b)*WindowResolution), 100_000) // a million a second
	}
	now := after(MaxWindow)
	wantReading(t, "Average", w.Average(now, MaxWindow), 1_000_000)
	wantReading(t, "Rate", w.Rate(now, MaxWindow), 1_000_000)
}

// slowWindow is what Window computes, from a list of all that ever happened.
type slowWindow struct {
	changes []slowChange
	events  []time.Duration
}

type slowChange struct {
	at    time.Duration
	delta int
}

// sum is the area and the events between two moments: a change of delta at t
// adds delta x (to - t), or delta x (to - from) when it was before.
func (s *slowWindow) sum(from, to time.Duration) (area, events int64) {
	for _, c := range s.changes {
		if c.at < to {
			area += int64(c.delta) * int64(to-max(from, c.at))
		}
	}
	for _, at := range s.events {
		if from <= at && at < to {
			events++
		}
	}
	return area, events
}

// over is n / span in thousandths, rounded half up.
func over(n *big.Int, span time.Duration) Milli {
	n = new(big.Int).Mul(n, big.NewInt(2000))
	n.Add(n, big.NewInt(int64(span)))
	return Milli(n.Div(n, big.NewInt(2*int64(span))).Int64())
}

func TestWindowMatchesSlowModel(t *testing.T) {
	const bucket = 100 * time.Millisecond
	spans := rapid.SampledFrom([]time.Duration{0, bucket, time.Second, 30 * time.Second, 5 * time.Minute, MaxWindow, 11 * time.Minute})
	parts := rapid.Int64Range(0, int64(bucket)-1)
	draw := func(t *rapid.T, label string) time.Duration {
		d := spans.Draw(t, label)
		if rapid.Bool().Draw(t, "uneven "+label) {
			d += time.Duration(parts.Draw(t, "more "+label))
		}
		return d
	}
	rapid.Check(t, func(t *rapid.T) {
		w, slow := NewWindow(from), &slowWindow{}
		now, level := time.Duration(0), 0
		for range rapid.IntRange(10, 40).Draw(t, "steps") {
			now += draw(t, "pause")
			if rapid.Bool().Draw(t, "event") {
				w.Count(after(now))
				slow.events = append(slow.events, now)
			} else {
				delta := rapid.IntRange(-level, 1000).Draw(t, "delta")
				level += delta
				w.Change(after(now), delta)
				slow.changes = append(slow.changes, slowChange{now, delta})
			}
			if w.Level() != level {
				t.Fatalf("Level() after %v = %d, want %d", now, w.Level(), level)
			}

			width := draw(t, "width")
			to := now / bucket * bucket
			span := min(min(width, MaxWindow)/bucket*bucket, to)
			var average, rate Reading
			if span > 0 {
				area, events := slow.sum(to-span, to)
				average = Reading{Total: over(big.NewInt(area), span), Valid: true}
				rate = Reading{Total: over(new(big.Int).Mul(big.NewInt(events), big.NewInt(int64(time.Second))), span), Valid: true}
			}
			if got := w.Average(after(now), width); got != average {
				t.Fatalf("Average(%v, %v) = %+v, want %+v", now, width, got, average)
			}
			if got := w.Rate(after(now), width); got != rate {
				t.Fatalf("Rate(%v, %v) = %+v, want %+v", now, width, got, rate)
			}
		}
	})
}

func TestWindowDoesNotAllocate(t *testing.T) {
	w, now := NewWindow(from), from
	got := testing.AllocsPerRun(1000, func() {
		now = now.Add(33 * time.Millisecond)
		w.Change(now, 1)
		w.Count(now)
		w.Average(now, 30*time.Second)
		w.Rate(now, 30*time.Second)
	})
	if got != 0 {
		t.Errorf("a Window allocates %v times a step, want 0", got)
	}
}

func BenchmarkWindowChange(b *testing.B) {
	w, now := NewWindow(from), from
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		now = now.Add(50 * time.Microsecond)
		w.Change(now, 1-i%2*2)
	}
}

func BenchmarkWindowCount(b *testing.B) {
	w, now := NewWindow(from), from
	b.ReportAllocs()
	for b.Loop() {
		now = now.Add(50 * time.Microsecond)
		w.Count(now)
	}
}

func BenchmarkWindowAverage(b *testing.B) {
	for _, width := range []time.Duration{30 * time.Second, MaxWindow} {
		b.Run(width.String(), func(b *testing.B) {
			w, now := NewWindow(from), after(MaxWindow)
			w.Change(from, 7)
			b.ReportAllocs()
			for b.Loop() {
				now = now.Add(time.Second)
				w.Average(now, width)
			}
		})
	}
}
