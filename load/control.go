package load

import (
	"runtime"
	"time"

	"golang.org/x/time/rate"
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
// the spawn rate; the newest leave first, after their present request.
func (e *Engine) SetUsers(n int) {
	e.mu.Lock()
	e.wanted = max(0, n)
	var leave []*user
	for i := len(e.users) - 1; i >= 0 && e.living-len(leave) > e.wanted; i-- {
		if !e.users[i].dismissed {
			leave = append(leave, e.users[i])
		}
	}
	e.mu.Unlock()
	for _, u := range leave {
		e.dismiss(u)
	}
	e.nudge()
}

// SetSpawnRate changes how many users start per second.
func (e *Engine) SetSpawnRate(perSecond float64) {
	e.limiter.SetLimit(rate.Limit(perSecond))
	e.limiter.SetBurst(burst(perSecond))
	e.nudge()
}

// TogglePause stops sending without ending the run, or goes on. In the open
// model a pause shifts the rest of the schedule.
func (e *Engine) TogglePause() {
	e.mu.Lock()
	defer e.mu.Unlock()
	old := e.epoch.Load()
	if old == nil {
		return
	}
	now := time.Now()
	next := &epoch{start: old.start, paused: !old.paused, since: now, over: make(chan struct{})}
	if old.paused {
		next.start = old.start.Add(now.Sub(old.since))
	}
	e.epoch.Store(next)
	close(old.over)
}

// Recycle replaces every connection before its next request.
func (e *Engine) Recycle() { e.wire.generation.Add(1) }

// ResetStats forgets the totals; the history stays.
func (e *Engine) ResetStats() { e.resets.Add(1) }

// publisher is what the goroutine of Run makes snapshots from.
type publisher struct {
	*collector
	cpu    *cpuMeter
	queue  arrivalQueue  // open model
	loaded time.Duration // how long there was load; 0 while there still is
	waits  []wait        // of this tick
}

// publish gathers all shards and makes the next snapshot.
func (e *Engine) publish(p *publisher, phase Phase) {
	for i := range e.shards {
		p.gather(&e.shards[i])
	}
	now := time.Now()
	s := Snapshot{Phase: phase, Started: e.started, Elapsed: now.Sub(e.started), Open: e.plan.Open(), SpawnRate: float64(e.limiter.Limit())}
	if e.resets.Swap(0) > 0 {
		p.reset(s.Elapsed)
	}
	if p.loaded == 0 {
		p.cpu.read(now)
	}
	s.Loaded = s.Elapsed
	if p.loaded > 0 {
		s.Loaded = p.loaded
	}
	p.waits = e.countUsers(&s, append(p.waits[:0], p.cutOff...))
	ep := e.epoch.Load()
	switch {
	case phase == Running && ep.paused:
		s.Phase = Paused
	case phase == Running && s.Open:
		s.Planned = e.plan.Load().At(now.Sub(ep.start))
	}
	lag := p.lag.quantiles()
	s.Health = Health{LagP50: lag.P50, LagP99: lag.P99, CPU: p.cpu.highest, Late: p.late}
	if s.Open && !ep.paused {
		p.queue.full = p.queue.full || p.late > 0 || s.InFlight >= e.plan.MaxUsers
		s.Health.Unsent, p.waits = p.queue.look(e.arrivals, e.taken.Load(), s.Loaded-ep.start.Sub(e.started), p.waits)
	}
	s.Health.judge(float64(runtime.GOMAXPROCS(0)), p.scale(), e.plan.MaxUsers)
	p.endSecond(s.Elapsed, Point{Users: s.Users, InFlight: s.InFlight, Planned: s.Planned})
	p.fill(&s, p.waits)
	e.latest.Store(&s)
}

// countUsers fills in the users and what they have under way, adds that to
// what waits, and forgets the users that have ended.
func (e *Engine) countUsers(s *Snapshot, waits []wait) []wait {
	e.mu.Lock()
	defer e.mu.Unlock()
	s.Wanted, s.Users = e.wanted, e.living
	if s.Open {
		s.Wanted = e.plan.MaxUsers
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
			waits = append(waits, wait{age: age, count: 1})
		}
	}
	clear(e.users[len(keep):])
	e.users = keep
	return waits
}
