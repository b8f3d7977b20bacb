package load

import (
	"math/rand/v2"
	"testing"
	"time"

	"headroom/probe"
)

// beginning is the first seconds of a load as its tracker sees them: ticks of a
// quarter of a second, in each of which every user gets five answers over a
// connection of its own.
type beginning struct {
	users  func(tick int) int                   // alive
	choose func(tick, user int) int             // the replica of an answer, or of a connection
	stays  bool                                 // connections stay with their replica
	took   func(replica, nth int) time.Duration // what the nth answer of a replica takes
}

// play returns the last snapshot, and the names that were new in any.
func (b beginning) play(ticks int) (s Snapshot, fresh map[string]bool) {
	names := make([]string, 32)
	for i := range names {
		names[i] = string(rune('A' + i))
	}
	c, fresh := tracked(names...), map[string]bool{}
	c.remotes = func() []string { return []string{"192.0.2.1:80"} }
	number, last, given := map[int]int32{}, map[int]int{}, map[int]int{}
	for tick := range ticks {
		for user := range b.users(tick) {
			for n := range 5 {
				at := time.Duration(tick)*tickLength + time.Duration(n+1)*tickLength/6
				before, old := last[user]
				replica := before
				if !old || !b.stays {
					replica = b.choose(tick, user)
				}
				if _, known := number[replica]; !known {
					number[replica] = int32(len(number))
				}
				took := time.Millisecond
				if b.took != nil {
					took = b.took(replica, given[replica])
				}
				sample := Sample{Intended: at - took, Sent: at - took, Done: at, Status: 200, Replica: number[replica], Remote: 1, Switched: old && replica != before, Split: probe.Unsplit}
				if !old {
					sample.Dial = 1
				}
				c.add(&sample)
				last[user] = replica
				given[replica]++
			}
		}
		s = Snapshot{Phase: Running, Elapsed: time.Duration(tick+1) * tickLength, Users: b.users(tick)}
		c.fill(&s, nil)
		for _, r := range s.Replicas {
			if r.State == probe.New {
				fresh[r.Name] = true
			}
		}
	}
	return s, fresh
}

const tickLength = 250 * time.Millisecond

// ramp is one user more in each tick, up to so many.
func ramp(most int) func(int) int { return func(tick int) int { return min(tick+1, most) } }

// Replicas that are there from the start are not new, however they are met: at
// random, in turn, connection by connection, or more of them for more users.
func TestNobodyIsNewAtTheStart(t *testing.T) {
	const loads, ticks = 60, 30
	random := rand.New(rand.NewPCG(3, 4))
	turn := 0
	for _, c := range []struct {
		name     string
		replicas int
		b        beginning
	}{
		{"two at random", 2, beginning{users: ramp(8), choose: func(int, int) int { return random.IntN(2) }}},
		{"twenty at random", 20, beginning{users: ramp(8), choose: func(int, int) int { return random.IntN(20) }}},
		{"twenty at random for one user", 20, beginning{users: ramp(1), choose: func(int, int) int { return random.IntN(20) }}},
		{"in turn", 20, beginning{users: ramp(1), choose: func(int, int) int { turn++; return turn % 20 }}},
		{"five by connections", 5, beginning{users: ramp(20), stays: true, choose: func(int, int) int { return random.IntN(5) }}},
		{"five by many connections at once", 5, beginning{users: func(int) int { return 60 }, stays: true, choose: func(int, int) int { return random.IntN(5) }}},
		{"one more for each four users", 5, beginning{users: ramp(20), choose: func(tick, _ int) int { return random.IntN(ramp(20)(tick)/4 + 1) }}},
	} {
		wrong := 0
		for range loads {
			s, fresh := c.b.play(ticks)
			if len(fresh) > 0 {
				wrong++
			}
			if len(s.Replicas) < min(2, c.replicas) {
				t.Fatalf("%s: %d replicas answer, want more", c.name, len(s.Replicas))
			}
		}
		if wrong > 3*loads/100 {
			t.Errorf("%s: a replica is called new in %d of %d loads, want hardly ever", c.name, wrong, loads)
		}
	}
}

// A replica that comes a few seconds after the start is new, and its cold start
// is said, as soon as chance does not explain that nobody met it before.
func TestScaleOutAtTheStart(t *testing.T) {
	const added = 16 // ticks
	random := rand.New(rand.NewPCG(5, 6))
	cold := func(replica, nth int) time.Duration {
		if nth < 10 {
			return 400 * time.Millisecond
		}
		return 10 * time.Millisecond
	}
	steady := func(int) int { return 8 }
	for _, c := range []struct {
		name string
		b    beginning
		want bool
	}{
		{"a second one", beginning{users: steady, choose: func(tick, _ int) int { return random.IntN(1 + tick/added) }}, true},
		{"one more of three", beginning{users: steady, choose: func(tick, _ int) int { return random.IntN(3 + tick/added) }}, true},
		{"for users that were all there before", beginning{users: ramp(8), choose: func(tick, _ int) int { return random.IntN(1 + tick/added) }}, true},
		{"while users come", beginning{users: ramp(60), choose: func(tick, _ int) int { return random.IntN(1 + tick/added) }}, false},
	} {
		c.b.took = cold
		s, fresh := c.b.play(2*added - 1)
		newest := s.Replicas[len(s.Replicas)-1]
		if newest.First >= 10*time.Second || fresh[newest.Name] != c.want || (newest.ColdStart != nil) != c.want || len(fresh) > 1 {
			t.Errorf("%s: %s first answered after %v, new are %v, cold start %+v; want it within 10 s, new and cold %v, and nobody else",
				c.name, newest.Name, newest.First, fresh, newest.ColdStart, c.want)
		}
		if first := s.Replicas[0]; first.ColdStart != nil {
			t.Errorf("%s: %s was there from the start and has a cold start: %+v", c.name, first.Name, first.ColdStart)
		}
	}
}
