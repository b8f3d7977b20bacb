package load

import (
	"runtime"
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
// is over with that; the run still ends when it would have.
func (e *Engine) SetUsers(n int) {
	e.change(func(next *epoch, now time.Time) {
		e.goal, e.shaped, e.steered = max(0, n), false, true
		next.course = next.course.Spawn(next.at(now), e.goal, e.spawnRate)
	})
}

// SetSpawnRate changes how many users start per second.
func (e *Engine) SetSpawnRate(perSecond float64) {
	e.change(func(next *epoch, now time.Time) {
		e.spawnRate = perSecond
		if at := next.at(now); !e.shaped && !next.course.Settled(at) {
			e.steered = true
			next.course = next.course.Spawn(at, e.goal, perSecond)
		}
	})
}

// SetRate changes how many arrivals come per second, from the next one on. A
// shape is over with that; the run still ends when it would have.
func (e *Engine) SetRate(perSecond float64) {
	e.change(func(next *epoch, now time.Time) {
		e.shaped, e.steered = false, true
		next.course = next.course.Change(next.at(now), profiles.Constant(perSecond))
	})
}

// TogglePause stops sending without ending the run, or goes on. A pause shifts
// the rest of the schedule.
func (e *Engine) TogglePause() {
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
	})
}

// Recycle replaces every connection before its next request.
func (e *Engine) Recycle() { e.wire.generation.Add(1) }

// ResetStats forgets the totals; the history stays.
func (e *Engine) ResetStats() { e.resets.Add(1) }

// publisher is what the goroutine of Run makes snapshots from.
type publisher struct {
	*collector
	cpu     *cpuMeter
	machine *machineMeter
	queue   arrivalQueue // open model
	pace    pace
	loaded  time.Duration // how long there was load; 0 while there still is
	waits   []wait        // of this tick

	before arrivalCounts // at the last reset
}

// arrivalCounts are what became of the arrivals of a run.
type arrivalCounts struct {
	due, sent, dropped int64
}

// publish gathers all shards and makes the next snapshot.
func (e *Engine) publish(p *publisher, phase Phase) {
	for i := range e.shards {
		p.gather(&e.shards[i])
	}
	now := time.Now()
	s := Snapshot{Phase: phase, Started: e.started, Elapsed: now.Sub(e.started), Open: e.plan.Open()}
	reset := e.resets.Swap(0) > 0
	if reset {
		p.reset(s.Elapsed)
	}
	if p.loaded == 0 && p.cpu.read(now) {
		p.machine.read(now)
	}
	s.Loaded = s.Elapsed
	if p.loaded > 0 {
		s.Loaded = p.loaded
	}
	ep := e.epoch.Load()
	if s.Open {
		e.choosePrecision(ep.course.At(ep.at(now)))
	} else {
		e.choosePrecision(p.pace.perSecond(s.Elapsed, e.taken.Load()))
	}
	switch {
	case phase == Running && ep.paused:
		s.Phase = Paused
	case phase == Running:
		s.Planned = ep.course.At(ep.at(now))
	}
	shape := ep.users(now)
	if p.loaded > 0 {
		shape = ep.users(e.started.Add(p.loaded - 1)) // what it ended with
	}
	p.waits = e.countUsers(&s, shape, append(p.waits[:0], p.cutOff...))
	lag := p.lag.quantiles()
	s.Health = Health{LagP50: lag.P50, LagP99: lag.P99, CPU: p.cpu.highest, Late: p.late, Lacked: p.failures.lacked()}
	p.machine.fill(&s.Health)
	if s.Open {
		e.countArrivals(p, ep, &s, reset)
	}
	s.Health.judge(float64(runtime.GOMAXPROCS(0)), p.scale(), e.plan.MaxUsers, p.total.count)
	p.endSecond(&s, ep.course.Area(ep.at(e.started.Add(s.Loaded))))
	p.fill(&s, p.waits)
	if phase == Done {
		s.Stages = profiles.FormatStages(e.record(s.Loaded), s.Open)
	}
	e.latest.Store(&s)
}

// countArrivals fills in what became of the arrivals since the last reset. In
// a pause none is due. Those that will be dropped wait for nothing.
func (e *Engine) countArrivals(p *publisher, ep *epoch, s *Snapshot, reset bool) {
	h, taken, dropped := &s.Health, e.taken.Load(), e.dropped.Load()
	if !ep.paused {
		p.queue.full = p.queue.full || p.late > 0 || dropped > 0 || s.InFlight >= e.plan.MaxUsers
		unsent, waits := p.queue.look(e.arrivals, ep, taken+dropped, s.Loaded-ep.start.Sub(e.started), p.waits)
		if e.plan.OnBusy == profiles.Dropped {
			h.Dropped = unsent
		} else {
			h.Unsent, p.waits = unsent, waits
		}
	}
	counts := arrivalCounts{p.queue.n, min(taken, p.queue.n), dropped}
	if reset {
		p.before = counts
	}
	h.Due, h.Sent = counts.due-p.before.due, max(0, counts.sent-p.before.sent-h.Lacked)
	h.Dropped += dropped - p.before.dropped
}

// countUsers fills in the users, those that a shape asks for included, and
// what they have under way, adds that to what waits, and forgets the users
// that have ended.
func (e *Engine) countUsers(s *Snapshot, shape int, waits []wait) []wait {
	e.mu.Lock()
	defer e.mu.Unlock()
	s.Wanted, s.Users, s.SpawnRate, s.Shaped = e.goal, e.living, e.spawnRate, e.shaped
	switch {
	case s.Open:
		s.Wanted = e.plan.MaxUsers
	case s.Shaped:
		s.Wanted = shape
	}
	keep := e.users[:0]
	for _, u := range e.users {
		if u.gone.Load() {
			continue
		}
		keep = append(keep, u)
		if busy := time.Duration(u.busy.Load()); busy > 0 {
			age := s.Elapsed - (busy - 1)
			s.InFlight++
			s.Oldest = max(s.Oldest, age)
			waits = append(waits, wait{age: age, count: 1, task: u.row.Load() + 1, streaming: u.streaming()})
		}
	}
	clear(e.users[len(keep):])
	e.users = keep
	return waits
}
