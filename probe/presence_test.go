package probe

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestPresenceState(t *testing.T) {
	const s = time.Second
	for _, c := range []struct {
		name string
		p    Presence
		now  time.Duration
		want State
	}{
		{"at the start of a load", Presence{First: 0, Last: 3 * s, Known: 1}, 3 * s, Serving},
		{"just behind the start", Presence{First: 9 * s, Last: 9 * s, Before: 1000, Known: 3}, 9 * s, Serving},
		{"later", Presence{First: 10 * s, Last: 12 * s, Before: 12, Known: 3}, 12 * s, New},
		{"later, but hardly asked before", Presence{First: 10 * s, Last: 12 * s, Before: 11, Known: 3}, 12 * s, Serving},
		{"for a while now", Presence{First: 10 * s, Last: 20 * s, Before: 1000, Known: 3}, 20 * s, Serving},
		{"new, and silent since", Presence{First: 10 * s, Last: 10 * s, Before: 1000, Known: 3}, 20*s - 1, New},
		{"silent", Presence{Last: 10 * s, Missed: 1e6, Known: 2}, 20*s + 1, Quiet},
		{"silent for long", Presence{Last: 10 * s, Missed: 20, Known: 2}, 70*s + 1, Gone},
		{"silent, but so are the others", Presence{Last: 10 * s, Missed: 19, Known: 2}, time.Hour, Quiet},
		{"silent, with a connection", Presence{Last: 10 * s, Missed: 1e6, Conns: 1, Known: 2}, time.Hour, Quiet},
		{"the only one there ever was", Presence{Last: 10 * s, Known: 1}, time.Hour, Quiet},
	} {
		if got := c.p.State(c.now); got != c.want {
			t.Errorf("%s: %+v.State(%v) = %s, want %s", c.name, c.p, c.now, got, c.want)
		}
	}
}

// A replica that says nothing more is never livelier than it was.
func TestPresenceFadesInOneDirection(t *testing.T) {
	order := map[State]int{New: 0, Serving: 0, Quiet: 1, Gone: 2}
	rapid.Check(t, func(t *rapid.T) {
		offset := rapid.Int64Range(0, int64(time.Hour))
		p := Presence{First: time.Duration(offset.Draw(t, "first")), Before: rapid.Int64Range(0, 1000).Draw(t, "before"), Known: rapid.IntRange(1, 300).Draw(t, "known")}
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
		}
	})
}
