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

func BenchmarkPick(b *testing.B) {
	fleet := slices.Repeat([]Slots{{3, 4}}, 100)
	b.ReportAllocs()
	for b.Loop() {
		Pick(fleet)
	}
}
