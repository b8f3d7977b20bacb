package profiles

import (
	"cmp"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestPick(t *testing.T) {
	for _, c := range []struct {
		name  string
		fleet []Slots
		want  int
	}{
		{"no replica", nil, -1},
		{"one idle", []Slots{{0, 1}}, 0},
		{"one full", []Slots{{1, 1}}, -1},
		{"all idle: the first", []Slots{{0, 1}, {0, 1}, {0, 1}}, 0},
		{"the first idle one", []Slots{{1, 1}, {0, 1}, {0, 1}}, 1},
		{"all full", []Slots{{1, 1}, {4, 4}, {2, 2}}, -1},
		{"idle before fewest", []Slots{{1, 4}, {2, 4}, {0, 4}}, 2},
		{"fewest in flight", []Slots{{3, 4}, {1, 4}, {2, 4}}, 1},
		{"a tie: the first", []Slots{{3, 4}, {2, 4}, {2, 4}}, 1},
		{"fewest, not most free", []Slots{{2, 3}, {3, 100}}, 0},
		{"the fewest is full", []Slots{{1, 1}, {3, 4}}, 1},
		{"idle but draining", []Slots{{0, 0}, {0, 1}}, 1},
		{"busy and draining", []Slots{{1, 0}, {2, 4}}, 1},
		{"all draining", []Slots{{0, 0}, {2, 0}}, -1},
		{"above its lowered limit", []Slots{{5, 4}}, -1},
	} {
		if got := Pick(c.fleet); got != c.want {
			t.Errorf("%s: Pick(%v) = %d, want %d", c.name, c.fleet, got, c.want)
		}
	}
}

// The choice is the first of those with room, sorted by what is in flight.
func TestPickMatchesSlowModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var fleet []Slots
		var room []int
		for i := range rapid.IntRange(0, 20).Draw(t, "replicas") {
			s := Slots{rapid.IntRange(0, 4).Draw(t, "in flight"), rapid.IntRange(0, 4).Draw(t, "limit")}
			fleet = append(fleet, s)
			if s.InFlight < s.Limit {
				room = append(room, i)
			}
		}
		slices.SortStableFunc(room, func(a, b int) int { return cmp.Compare(fleet[a].InFlight, fleet[b].InFlight) })
		want := -1
		if len(room) > 0 {
			want = room[0]
		}
		if got := Pick(fleet); got != want {
			t.Fatalf("Pick(%v) = %d, want %d", fleet, got, want)
		}
	})
}

// A fleet that is larger than its load keeps its last replicas idle.
func TestPickPacks(t *testing.T) {
	fleet := slices.Repeat([]Slots{{0, 1}}, 8)
	for range 100 { // at most three at once
		busy := 0
		for range 3 {
			i := Pick(fleet)
			fleet[i].InFlight++
			busy = max(busy, i)
		}
		if busy > 2 {
			t.Fatalf("three requests at once reached replica %d of %v", busy, fleet)
		}
		for i := range fleet {
			fleet[i].InFlight = 0
		}
	}
}

func TestParseDispatch(t *testing.T) {
	for _, d := range Dispatches {
		if got, err := ParseDispatch(string(d)); got != d || err != nil {
			t.Errorf("ParseDispatch(%q) = %q, %v, want itself", d, got, err)
		}
	}
	const want = `got "fair", want pack, least-connections, round-robin or random`
	if _, err := ParseDispatch("fair"); err == nil || err.Error() != want {
		t.Errorf("ParseDispatch(fair): got error %v, want %q", err, want)
	}
}

// Each row is picked from several times in a row; what is picked stays busy
// only where the row says so.
func TestPicker(t *testing.T) {
	idle := []Slots{{0, 2}, {0, 2}, {0, 2}}
	for _, c := range []struct {
		name  string
		order Dispatch
		fleet []Slots
		stays bool
		want  []int
	}{
		{"pack", Pack, idle, false, []int{0, 0, 0, 0}},
		{"pack, busy", Pack, idle, true, []int{0, 1, 2, 0, 1, 2, -1}},
		{"round-robin", RoundRobin, idle, false, []int{0, 1, 2, 0}},
		{"round-robin does not look at the load", RoundRobin, []Slots{{3, 4}, {0, 4}, {1, 4}}, false, []int{0, 1, 2, 0}},
		{"round-robin leaves full ones out", RoundRobin, []Slots{{0, 2}, {2, 2}, {0, 0}, {1, 2}}, false, []int{0, 3, 0, 3}},
		{"round-robin, all full", RoundRobin, []Slots{{1, 1}, {2, 2}}, false, []int{-1, -1}},
		{"least-connections: ties in turn", LeastConnections, idle, false, []int{0, 1, 2, 0}},
		{"least-connections: the fewest", LeastConnections, []Slots{{2, 4}, {1, 4}, {2, 4}}, false, []int{1, 1}},
		{"least-connections, not the most free", LeastConnections, []Slots{{2, 3}, {3, 100}}, false, []int{0, 0}},
		{"least-connections, busy", LeastConnections, []Slots{{1, 2}, {0, 2}}, true, []int{1, 0, 1, -1}},
		{"least-connections, none", LeastConnections, nil, false, []int{-1}},
		{"random, one left", Random, []Slots{{1, 1}, {0, 1}, {0, 0}}, true, []int{1, -1}},
	} {
		fleet := slices.Clone(c.fleet)
		p := NewPicker(c.order, 1)
		var got []int
		for range c.want {
			i := p.Pick(fleet)
			got = append(got, i)
			if c.stays && i >= 0 {
				fleet[i].InFlight++
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: Pick(%v) in a row: got %v, want %v", c.name, c.fleet, got, c.want)
		}
	}
}

// A fleet may shrink below whose turn it is.
func TestPickerAfterFewer(t *testing.T) {
	p := NewPicker(RoundRobin, 1)
	fleet := slices.Repeat([]Slots{{0, 1}}, 5)
	for range 5 {
		p.Pick(fleet)
	}
	p.Pick(fleet[:4])
	for want := range 2 {
		if got := p.Pick(fleet[:2]); got != (want+1)%2 {
			t.Errorf("of two, after the first of four: got %d, want %d", got, (want+1)%2)
		}
	}
}

// Random picks every replica with room equally often: with 3,000 picks of 3,
// each count has a standard deviation of 26.
func TestPickerRandomIsFair(t *testing.T) {
	p := NewPicker(Random, 7)
	fleet := []Slots{{0, 4}, {1, 1}, {3, 4}, {0, 0}, {1, 4}}
	counts := make([]int, len(fleet))
	for range 3000 {
		counts[p.Pick(fleet)]++
	}
	for i, n := range counts {
		if open := !fleet[i].full(); open != (n > 850) || open != (n > 0) || n > 1150 {
			t.Errorf("Pick(%v) 3000 times: got %v, want about 1000 of each with room", fleet, counts)
			break
		}
	}
}

// Whatever the order, nobody waits while there is room, and nothing full is
// chosen.
func TestPickerFindsRoom(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		order := rapid.SampledFrom(Dispatches).Draw(t, "order")
		p := NewPicker(order, rapid.Uint64().Draw(t, "seed"))
		for range rapid.IntRange(1, 20).Draw(t, "picks") {
			fleet := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Slots {
				return Slots{rapid.IntRange(0, 3).Draw(t, "in flight"), rapid.IntRange(0, 3).Draw(t, "limit")}
			}), 0, 6).Draw(t, "fleet")
			open := slices.ContainsFunc(fleet, func(s Slots) bool { return !s.full() })
			got := p.Pick(fleet)
			if open != (got >= 0) || got >= 0 && fleet[got].full() {
				t.Fatalf("%s: Pick(%v) = %d, want one with room, or -1", order, fleet, got)
			}
		}
	})
}

func BenchmarkPick(b *testing.B) {
	fleet := slices.Repeat([]Slots{{3, 4}}, 100)
	for _, order := range Dispatches {
		b.Run(string(order), func(b *testing.B) {
			p := NewPicker(order, 1)
			b.ReportAllocs()
			for b.Loop() {
				p.Pick(fleet)
			}
		})
	}
}
