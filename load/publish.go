package load

import (
	"headroom/profiles"
	"runtime"
	"time"
)

// publisher is what the goroutine of Run makes snapshots from.
type publisher struct {
	*collector
	cpu     *cpuMeter
	machine *machineMeter
	queue   arrivalQueue // open model
	pace    pace
	loaded  time.Duration // how long there was load; 0 while there still is
	waits   []wait        // of this tick
	marks   []mark        // of streams, of this tick

	before counts // at the last reset
}

// counts are what became of the arrivals of a run, and of the beats of users
// that pace their requests.
type counts struct {
	due, sent, dropped, missed int64
}

// publish gathers all shards and makes the next snapshot.
func (e *Engine) publish(p *publisher, phase Phase) {
	for i := range e.shards {
		p.gather(&e.shards[i])
	}
	if ready := e.ready.Load(); ready != nil {
		p.replicas.ready = *ready
	}
	now := time.Now()
	s := Snapshot{Phase: phase, Started: e.started, Elapsed: now.Sub(e.started), Open: e.plan.Open()}
	reset := e.resets.Swap(0) > 0
	if reset {
		e.hiccups.reset()
		p.cpu = newCPUMeter(now)
		p.machine = newMachineMeter(now, p.machine.sources)
	}
	if p.loaded == 0 && p.cpu.read(now) {
		p.machine.read(now)
	}
	s.Loaded = s.Elapsed
	if p.loaded > 0 {
		s.Loaded = p.loaded
	}
	ep := e.epoch.Load()
	s.Ends = e.ends(ep, now)
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
	e.countUsers(p, &s, shape)
	p.hear(p.marks)
	p.endSecond(&s, ep.course.Area(ep.at(e.started.Add(s.Loaded))))
	if reset {
		p.reset(s.Elapsed)
	}
	p.waits = append(p.waits, p.cutOff...)
	typical, quantile := p.scale()
	lag := p.lag.quantiles()
	s.Health = Health{LagP50: lag.P50, LagP99: lag.P99, CPU: p.cpu.highest, Late: p.late, Local: p.total.local}
	var hiccup time.Duration
	hiccup, s.Health.Hiccup = e.hiccups.at(quantile)
	p.machine.fill(&s.Health)
	e.countLost(p, ep, &s, reset)
	s.Health.judge(grounds{
		cores: float64(runtime.GOMAXPROCS(0)), used: p.cpu.mean(), typical: typical, lag: p.lag.at(quantile), hiccup: hiccup, maxUsers: e.plan.MaxUsers,
		opened: p.conns.opened, local: p.failures.example(Local),
	})
	p.holding = e.conns.held.look(s.Elapsed)
	p.fill(&s, p.waits)
	if s.EndedBy = p.crossed(&s); s.EndedBy != "" {
		e.stopMore()
	}
	if feed := e.spent.Load(); feed != nil {
		s.Spent = *feed
	}
	if phase == Done {
		s.Stages = profiles.FormatStages(e.record(s.Loaded), s.Open)
	}
	e.latest.Store(&s)
}

// countLost fills in what became of the arrivals, and which beats were missed,
// since the last reset.
func (e *Engine) countLost(p *publisher, ep *epoch, s *Snapshot, reset bool) {
	h, now := &s.Health, counts{dropped: e.dropped.Load(), missed: e.missed.Load()}
	if s.Open {
		taken := e.taken.Load()
		e.countWaiting(p, ep, s, taken+now.dropped)
		now.due, now.sent = p.queue.n, min(taken, p.queue.n)
	}
	if reset {
		p.before = now
	}
	h.Due, h.Sent = now.due-p.before.due, now.sent-p.before.sent
	h.Dropped += now.dropped - p.before.dropped
	h.Missed = now.missed - p.before.missed
}

// countWaiting fills in the arrivals that are due, of which so many were taken.
// In a pause none is due. Those that will be dropped wait for nothing.
func (e *Engine) countWaiting(p *publisher, ep *epoch, s *Snapshot, taken int64) {
	if ep.paused {
		return
	}
	p.queue.full = p.queue.full || p.late > 0 || e.dropped.Load() > 0 || s.InFlight >= e.plan.MaxUsers
	unsent, waits := p.queue.look(e.arrivals, ep, taken, s.Loaded-ep.start.Sub(e.started), p.waits)
	if e.plan.OnBusy == profiles.Dropped {
		s.Health.Dropped = unsent
	} else {
		s.Health.Unsent, p.waits = unsent, waits
	}
}

// countUsers fills in the users, those that a shape asks for included, and
// what they have under way, notes that as what waits, takes what came of
// streams, and forgets the users that have ended.
func (e *Engine) countUsers(p *publisher, s *Snapshot, shape int) {
	p.waits, p.marks = p.waits[:0], p.marks[:0]
	e.mu.Lock()
	defer e.mu.Unlock()
	s.Wanted, s.Users, s.Spawned, s.SpawnRate, s.Shaped = e.goal, e.living, e.number, e.spawnRate, e.shaped
	switch {
	case s.Open:
		s.Wanted = e.plan.MaxUsers
	case s.Shaped:
		s.Wanted = shape
	}
	keep := e.users[:0]
	for _, u := range e.users {
		gone := u.gone.Load()
		if w, ok := u.underWay(p, s.Elapsed); ok {
			s.InFlight++
			if w.begun && w.silence <= flowing {
				s.Flowing++
			}
			s.Oldest = max(s.Oldest, w.since())
			p.waits = append(p.waits, w)
		}
		if !gone {
			keep = append(keep, u)
		}
	}
	clear(e.users[len(keep):])
	e.users = keep
}
