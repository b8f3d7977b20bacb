package probe

import (
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestPresenceState(t *testing.T) {
	const s = time.Second
	// served is one of two that gave half of a million answers until 10 s.
	served := func(missed, lost int64, conns int) Presence {
		return Presence{Last: 10 * s, Met: 1, Own: 5e5, Among: 1e6, Missed: missed, Lost: lost, Living: 2, Conns: conns}
	}
	atEnd := func(p Presence) Presence {
		p.Over = true
		return p
	}
	for _, c := range []struct {
		name string
		p    Presence
		now  time.Duration
		want State
	}{
		{"at the start of a load", Presence{First: 0, Last: 3 * s, Met: 1, Own: 9, Among: 9, Living: 1}, 3 * s, Serving},
		{"just behind the start", Presence{First: 9 * s, Last: 9 * s, Before: 1000, Met: 3, Own: 1, Among: 1, Living: 3}, 9 * s, Serving},
		{"later", Presence{First: 10 * s, Last: 12 * s, Before: 15, Met: 3, Own: 1, Among: 1, Living: 3}, 12 * s, New},
		{"later, but hardly asked before", Presence{First: 10 * s, Last: 12 * s, Before: 14, Met: 3, Own: 1, Among: 1, Living: 3}, 12 * s, Serving},
		{"early, but not met when there was time to", Presence{First: 3 * s, Last: 3 * s, Before: 1000, Calm: 15, Met: 3, Own: 1, Among: 1, Living: 3}, 3 * s, New},
		{"early, while the load grows", Presence{First: 3 * s, Last: 3 * s, Before: 1000, Calm: 14, Met: 3, Own: 1, Among: 1, Living: 3}, 3 * s, Serving},
		{"early, and named only since then", Presence{Began: 2 * s, First: 3 * s, Last: 3 * s, Before: 14, Calm: 1000, Met: 3, Own: 1, Among: 1, Living: 3}, 3 * s, Serving},
		{"later, but named only since then", Presence{Began: 5 * s, First: 12 * s, Last: 12 * s, Before: 1000, Met: 3, Own: 1, Among: 1, Living: 3}, 12 * s, Serving},
		{"early, while the load grows, and a source saw it become ready", Presence{Ready: new(2 * s), First: 3 * s, Last: 3 * s, Before: 1000, Met: 3, Own: 1, Among: 1, Living: 3}, 3 * s, New},
		{"early, and ready before the load", Presence{Ready: new(-s), First: 3 * s, Last: 3 * s, Before: 1000, Met: 3, Own: 1, Among: 1, Living: 3}, 3 * s, Serving},
		{"ready just before its first answer", Presence{Ready: new(2 * s), First: 12 * s, Last: 12 * s, Before: 1000, Met: 3, Own: 1, Among: 1, Living: 3}, 12 * s, New},
		{"ready long before its first answer", Presence{Ready: new(2*s - 1), First: 12 * s, Last: 12 * s, Before: 1000, Met: 3, Own: 1, Among: 1, Living: 3}, 12 * s, Serving},
		{"for a while now", Presence{First: 10 * s, Last: 20 * s, Before: 1000, Met: 3, Own: 9, Among: 9, Living: 3}, 20 * s, Serving},
		{"new, and silent since", Presence{First: 10 * s, Last: 10 * s, Before: 1000, Met: 3, Own: 1, Among: 1, Living: 3}, 20*s - 1, New},
		{"a pause, whatever the others do", served(1e6, 0, 0), 15 * s, Serving},
		{"silent", served(14, 0, 0), 15*s + 1, Quiet},
		{"silent, as chance has it", served(13, 0, 0), time.Hour, Serving},
		{"silent, and gone for all that chance has", served(1e6, 0, 0), 20 * s, Quiet},
		{"gone", served(20, 0, 0), 20*s + 1, Gone},
		{"silent for long, but so are the others", served(19, 0, 0), time.Hour, Quiet},
		{"nobody answers", served(0, 1e6, 0), time.Hour, Quiet},
		{"silent, with a connection", served(1e6, 0, 1), time.Hour, Quiet},
		{"the only one there ever was, and nobody asked", Presence{Last: 10 * s, Met: 1, Own: 100, Among: 100, Living: 1}, time.Hour, Serving},
		{"the only one there ever was, and requests fail", Presence{Last: 10 * s, Met: 1, Own: 100, Among: 100, Lost: 10, Living: 1}, 16 * s, Quiet},
		{"a pause at the end, which does not end", atEnd(served(14, 0, 0)), 11*s + 1, Quiet},
		{"nobody answers at the end", atEnd(served(0, 1e6, 0)), 11*s + 1, Quiet},
		{"the last second of a load", atEnd(served(1e6, 0, 0)), 11 * s, Serving},
		{"silent at the end, as chance has it", atEnd(served(13, 0, 0)), 15 * s, Serving},
		{"one of 20 at 2/s", Presence{Last: 10 * s, Met: 20, Own: 100, Among: 2000, Missed: 40, Living: 20}, 30 * s, Serving},
		{"a canary of 1 %", Presence{Last: 10 * s, Met: 3, Own: 1, Before: 90, Among: 1, Missed: 600, Living: 3}, 20 * s, Serving},
	} {
		if got := c.p.State(c.now); got != c.want {
			t.Errorf("%s: %+v.State(%v) = %s, want %s", c.name, c.p, c.now, got, c.want)
		}
	}
}

// A replica that is there, and gets the share that a balancer picks for it, is
// hardly ever called quiet: an even one, and one of a hundredth.
func TestPresenceRarelyErrs(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for _, share := range []float64{0.5, 0.25, 0.01} {
		silences, quiet := 0, 0
		for range 200 { // loads
			p := Presence{Met: 2, Living: 2}
			first := int64(-1)
			for n := range int64(5000) {
				if random.Float64() >= share {
					if p.Missed++; first >= 0 && p.State(time.Hour) != Serving {
						quiet++
						break
					}
					continue
				}
				if first < 0 {
					first, p.Before = n, n
				}
				silences++
				p.Own++
				p.Among, p.Missed = n+1-first, 0
			}
		}
		if quiet > 2+silences/1000 {
			t.Errorf("a share of %v: called quiet in %d of %d silences, want hardly ever", share, quiet, silences)
		}
	}
}

// A replica that says nothing more is never livelier than it was.
func TestPresenceFadesInOneDirection(t *testing.T) {
	order := map[State]int{New: 0, Serving: 0, Quiet: 1, Gone: 2}
	rapid.Check(t, func(t *rapid.T) {
		offset := rapid.Int64Range(0, int64(time.Hour))
		p := Presence{First: time.Duration(offset.Draw(t, "first")), Before: rapid.Int64Range(0, 1000).Draw(t, "before"), Living: rapid.IntRange(1, 300).Draw(t, "living")}
		p.Met, p.Own = p.Living, rapid.Int64Range(1, 1000).Draw(t, "own")
		p.Among = p.Own + rapid.Int64Range(0, 1000).Draw(t, "among")
		p.Last = p.First + time.Duration(offset.Draw(t, "served"))
		now, last := p.Last, 0
		for range 10 {
			state := p.State(now)
			if order[state] < last {
				t.Fatalf("%+v is %s at %v, and was further", p, state, now)
			}
			last = order[state]
			now += time.Duration(rapid.Int64Range(0, int64(30*time.Second)).Draw(t, "later"))
			p.Missed += rapid.Int64Range(0, 5000).Draw(t, "others")
			p.Lost += rapid.Int64Range(0, 100).Draw(t, "lost")
		}
	})
}
