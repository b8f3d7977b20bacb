package load

import (
	"time"

	"headroom/profiles"
)

// epoch is a stretch of a run between two changes of its schedule: pausing,
// resuming and steering begin a new one.
type epoch struct {
	course profiles.Course // users of the closed model, arrivals per second of the open one
	end    time.Duration   // of the course; 0: none
	start  time.Time       // what the course counts from; zero before the run
	paused bool
	since  time.Time     // begin of the pause
	over   chan struct{} // closed when the next epoch begins
}

// pause is one that is over.
type pause struct {
	at, length time.Duration // at is in the time of the course, which stood still
}

// at is how far the course is.
func (ep *epoch) at(now time.Time) time.Duration {
	switch {
	case ep.start.IsZero():
		return 0
	case ep.paused:
		now = ep.since
	}
	return now.Sub(ep.start)
}

// due is when the arrival at an area is due; ok is false when the load ends
// before.
func (ep *epoch) due(area float64) (offset time.Duration, ok bool) {
	offset, ok = ep.course.OffsetOf(area)
	return offset, ok && (ep.end == 0 || offset < ep.end)
}

// users is how many there are to be.
func (ep *epoch) users(now time.Time) int {
	const rounding = 1e-6 // of a load that has just reached a whole number
	return int(ep.course.At(ep.at(now)) + rounding)
}

// ends is when the load ends at the latest, as an offset from the start of the
// run; 0: not known. A pause moves the course, not the plan's RunTime.
func (e *Engine) ends(ep *epoch, now time.Time) time.Duration {
	if ep.end == 0 {
		return 0
	}
	end := now.Sub(e.started) + ep.end - ep.at(now)
	if e.plan.RunTime > 0 {
		end = min(end, e.plan.RunTime)
	}
	return end
}

// change begins another epoch, unless the load has ended. It holds mu
// meanwhile.
func (e *Engine) change(edit func(next *epoch, now time.Time)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	old := e.epoch.Load()
	if !old.start.IsZero() && e.more.Err() != nil {
		return
	}
	next := *old
	next.over = make(chan struct{})
	edit(&next, time.Now())
	e.epoch.Store(&next)
	close(old.over)
}

// record is the load as it was for the time of the load, pauses included,
// where it was steered; else nothing.
func (e *Engine) record(loaded time.Duration) []profiles.Stage {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.steered {
		return nil
	}
	ep := e.epoch.Load()
	course, pauses := ep.course, e.pauses
	if ep.paused {
		began := ep.since.Sub(e.started)
		pauses = append(pauses[:len(pauses):len(pauses)], pause{ep.at(ep.since), loaded - began})
	}
	for i := len(pauses) - 1; i >= 0; i-- {
		course = course.Hold(pauses[i].at, pauses[i].length)
	}
	return course.Stages(loaded)
}

// followEvery is how closely the number of users follows a load that changes.
const followEvery = 10 * time.Millisecond

// conduct keeps as many users as are planned in the closed model, starts the
// first ones of the open model, which then call for others, and ends the load
// at the end of its course.
func (e *Engine) conduct() {
	if e.plan.Open() {
		for range spareUsers + 1 {
			e.addUser()
		}
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		ep, now := e.epoch.Load(), time.Now()
		wait, ended := e.step(ep, now)
		if ended {
			e.stopMore()
			return
		}
		timer.Stop()
		if wait > 0 {
			timer.Reset(wait)
		}
		select {
		case <-timer.C:
		case <-ep.over:
		case <-e.more.Done():
			return
		}
	}
}

// step does what the schedule asks for now, and says how long until it asks
// for more; 0 if that takes another epoch.
func (e *Engine) step(ep *epoch, now time.Time) (wait time.Duration, ended bool) {
	if ep.paused {
		return 0, false
	}
	at := ep.at(now)
	if ep.end > 0 {
		if wait = ep.end - at; wait <= 0 {
			return 0, true
		}
	}
	if e.plan.Open() {
		return wait, false
	}
	e.keepUsers(ep.users(now))
	if next := at.Truncate(followEvery) + followEvery - at; !ep.course.Settled(at) && (wait == 0 || next < wait) {
		wait = next
	}
	return wait, false
}

// keepUsers starts users, or tells the newest to leave after their present
// request, until there are n.
func (e *Engine) keepUsers(n int) {
	e.mu.Lock()
	missing := n - e.living
	var leave []*user
	for i := len(e.users) - 1; i >= 0 && e.living-len(leave) > n; i-- {
		if !e.users[i].dismissed {
			leave = append(leave, e.users[i])
		}
	}
	e.mu.Unlock()
	for _, u := range leave {
		e.dismiss(u)
	}
	for range missing {
		e.addUser()
	}
}
