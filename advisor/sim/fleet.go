package sim

import (
	"slices"
	"time"

	"headroom/profiles"
)

// stage is a part of the life of a replica.
type stage uint8

const (
	starting stage = iota
	serving
	draining // it was to go, and finishes what it has
	gone
)

// replica is one from its order to its end.
type replica struct {
	number   int32
	stage    stage
	index    int // into simulation.serving and slots while it is serving or draining
	inFlight int
	own      queue // requests that wait for it, and for no other
	free     bool  // serving, and has nothing to do
	since    time.Time
}

// scale orders replicas, or has some go, until so many are wanted.
func (s *simulation) scale(n int, down profiles.Behavior) {
	for len(s.wanted) < n {
		r, takes := s.order()
		s.agenda.push(event{at: s.now + takes, arrived: s.now, replica: r.number, kind: started})
	}
	rested := s.clock.Add(-down.Idle.Std())
	for len(s.wanted) > n {
		s.candidates = s.candidates[:0]
		for _, r := range s.wanted {
			s.candidates = append(s.candidates, profiles.Candidate{Use: r.use(rested), Number: int(r.number)})
		}
		i := profiles.Dispensable(s.candidates, down.Order)
		r := s.wanted[i]
		s.wanted = slices.Delete(s.wanted, i, i+1)
		s.dismiss(r)
	}
}

// use is what would be lost without the replica.
func (r *replica) use(rested time.Time) profiles.Use {
	switch {
	case r.stage == starting:
		return profiles.Launching
	case !r.free:
		return profiles.Working
	case r.since.After(rested):
		return profiles.Resting
	}
	return profiles.Rested
}

// order has a replica started, and returns it with the time that it takes.
func (s *simulation) order() (r *replica, takes time.Duration) {
	r = &replica{number: int32(len(s.replicas))}
	s.replicas = append(s.replicas, r)
	s.wanted = append(s.wanted, r)
	s.exist(1)
	if n := len(s.StartUp); n > 0 {
		takes = s.StartUp[s.startUps.IntN(n)]
	}
	return r, takes
}

// enter puts a replica into service that was ordered at some time.
func (s *simulation) enter(r *replica, ordered time.Duration) {
	if r.stage != starting {
		return // it was not wanted any more
	}
	r.stage = serving
	if len(s.took) == profiles.KeptStartUps {
		s.took = slices.Delete(s.took, 0, 1)
	}
	s.took = append(s.took, s.now-ordered)
	s.startUp = profiles.MedianStartUp(s.took)
	at, _ := slices.BinarySearchFunc(s.serving, r.number, func(e *replica, n int32) int { return int(e.number - n) })
	s.serving = slices.Insert(s.serving, at, r)
	s.slots = slices.Insert(s.slots, at, profiles.Slots{})
	s.reindex(at)
	s.ready++
	s.meters.Resize(s.clock)
	s.update(r)
	s.dispatch()
}

// dismiss takes a replica away: at once if it has nothing to do.
func (s *simulation) dismiss(r *replica) {
	if r.stage == starting {
		r.stage = gone
		s.exist(-1)
		return
	}
	r.stage = draining
	s.ready--
	s.meters.Resize(s.clock)
	s.update(r)
	s.leave(r)
}

// leave takes a draining replica out of service once it has nothing to do.
func (s *simulation) leave(r *replica) {
	if r.inFlight > 0 || r.own.n > 0 {
		return
	}
	r.stage = gone
	s.serving = slices.Delete(s.serving, r.index, r.index+1)
	s.slots = slices.Delete(s.slots, r.index, r.index+1)
	s.reindex(r.index)
	s.agenda.push(event{at: s.now + s.Stop, kind: stopped})
}

// reindex tells the replicas from index i on where they are.
func (s *simulation) reindex(i int) {
	for ; i < len(s.serving); i++ {
		s.serving[i].index = i
	}
}

// update brings what dispatch and the meters see of a replica in line with it.
func (s *simulation) update(r *replica) {
	limit := 0
	if r.stage == serving {
		limit = s.room
	}
	s.slots[r.index] = profiles.Slots{InFlight: r.inFlight + r.own.n, Limit: limit}
	if free := r.stage == serving && r.inFlight == 0; free != r.free {
		r.free, r.since = free, s.clock
		if free {
			s.meters.Spare(r.since, 1)
		} else {
			s.meters.Spare(r.since, -1)
		}
	}
}

// exist notes that there is one replica more, or less, to be paid for.
func (s *simulation) exist(delta int) {
	s.settle()
	s.existing += delta
	s.out.Most = max(s.out.Most, s.existing)
}

// settle adds up what was there until now, or until the end of the load.
func (s *simulation) settle() {
	now := min(s.now, s.Length)
	s.replicaTime += time.Duration(s.existing) * (now - s.settled)
	s.settled = now
}
