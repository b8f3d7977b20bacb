package load

import (
	"math"
	"time"

	"headroom/profiles"
)

// Snapshot is the latest picture of the run, renewed four times a second.
func (e *Engine) Snapshot() Snapshot { return *e.latest.Load() }

// Stop ends the run in peace: nothing new is sent, answers may still come for
// the plan's StopGrace.
func (e *Engine) Stop() {
	select {
	case e.stop <- struct{}{}:
	default:
	}
}

// SetUsers changes the number of users of the closed model. New ones start at
// the spawn rate; the newest leave first, after their present request. A shape
// is over with that; the run still ends when it would have. n is taken as 0 to
// profiles.MostUsers. In the open model nothing happens.
func (e *Engine) SetUsers(n int) {
	if e.plan.Open() {
		return
	}
	e.change(func(next *epoch, now time.Time) {
		e.goal, e.shaped, e.steered = min(max(0, n), profiles.MostUsers), false, true
		next.course = next.course.Spawn(next.at(now), e.goal, e.spawnRate)
	})
}

// SetSpawnRate changes how many users start per second, which is more than 0 and
// finite. Otherwise, and in the open model, nothing happens.
func (e *Engine) SetSpawnRate(perSecond float64) {
	if e.plan.Open() || !(perSecond > 0) || math.IsInf(perSecond, 1) {
		return
	}
	e.change(func(next *epoch, now time.Time) {
		e.spawnRate = perSecond
		if at := next.at(now); !e.shaped && !next.course.Settled(at) {
			e.steered = true
			next.course = next.course.Spawn(at, e.goal, perSecond)
		}
	})
}

// SetRate changes how many arrivals come per second, from the next one on. A
// shape is over with that; the run still ends when it would have. The rate is 0
// or more and finite. Otherwise, and in the closed model, nothing happens.
func (e *Engine) SetRate(perSecond float64) {
	if !e.plan.Open() || !(perSecond >= 0) || math.IsInf(perSecond, 1) {
		return
	}
	e.change(func(next *epoch, now time.Time) {
		e.shaped, e.steered = false, true
		next.course = next.course.Change(next.at(now), profiles.Constant(perSecond))
	})
}

// TogglePause stops sending without ending the run, or goes on, and says which.
// A pause shifts the rest of the schedule. ok is false before the load has begun
// and when it is over: nothing happens then.
func (e *Engine) TogglePause() (paused, ok bool) {
	e.change(func(next *epoch, now time.Time) {
		if next.start.IsZero() {
			return // there is nothing to pause
		}
		e.steered = true
		if next.paused {
			length := now.Sub(next.since)
			e.pauses = append(e.pauses, pause{next.at(now), length})
			next.start = next.start.Add(length)
		}
		next.paused, next.since = !next.paused, now
		paused, ok = next.paused, true
	})
	return paused, ok
}

// Recycle replaces every connection before its next request.
func (e *Engine) Recycle() { e.conns.generation.Add(1) }

// ResetStats forgets the totals; the history stays.
func (e *Engine) ResetStats() { e.resets.Add(1) }
