package load

import (
	"context"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"headroom/profiles"
)

// user sends one request after the other on its own connection. In the closed
// model it thinks between them; in the open model it takes the next arrival
// that nobody has taken, and waits until it is due.
type user struct {
	engine *Engine
	conn   Conn
	shard  *shard
	rng    *rand.Rand
	timer  *time.Timer
	actor  actor  // what to send
	sample Sample // of the request under way
	cursor cursor // open model: where in the arrivals it reads
	stream streamLog
	hold   time.Duration // closed model: the latest wait after what left nothing to go on with; 0: there was none

	behind time.Duration // closed model, pacing: by less than a beat; what adds up to one is counted

	more  context.Context // ends when this user must start nothing more
	leave context.CancelFunc
	row   atomic.Int32 // of the request under way, or of the last one
	busy  atomic.Int64 // when the request under way was due, as an offset plus 1; 0: none
	gone  atomic.Bool  // has ended

	dismissed bool // guarded by Engine.mu: no longer among the living
}

func (e *Engine) newUser(number int) *user {
	rng := rand.New(rand.NewPCG(e.plan.Seed, uint64(number)+1))
	u := &user{
		engine: e,
		actor:  e.tasks.newActor(number, rng),
		conn:   e.newConn(),
		shard:  &e.shards[number%len(e.shards)],
		rng:    rng,
		timer:  time.NewTimer(time.Hour),
	}
	if e.arrivals != nil {
		u.cursor = e.arrivals.cursor()
	}
	u.actor.message.streams = &u.stream
	u.more, u.leave = context.WithCancel(e.more)
	return u
}

// run is the life of a user.
func (u *user) run() {
	defer u.gone.Store(true)
	defer u.timer.Stop()
	defer u.conn.Close()
	if u.engine.arrivals != nil {
		u.serveArrivals()
	} else {
		u.loop()
	}
}

// loop is the closed model.
func (u *user) loop() {
	due := time.Now()
	for {
		ep, held := u.unpaused()
		if ep == nil || !u.prepare() || !u.engine.take() {
			return
		}
		if held {
			due = time.Now()
		}
		u.send(due, 0)
		wait := u.actor.task.wait
		now, pause := u.engine.started.Add(u.sample.Done), u.think(wait)
		ready := now.Add(u.holdBack())
		if !wait.Pacing {
			due = now.Add(pause)
		} else if due = due.Add(pause); due.Before(ready) {
			u.miss(ready.Sub(due), pause) // what an answer took too long is not made up for
		}
		if due.Before(ready) {
			due = ready
		}
		if !u.until(due, nil) {
			return
		}
	}
}

// A user of the closed model whose request never got to the service, or who has
// to begin its on_start again, waits before it tries: firstHold, twice as long
// each time until longestHold, less up to half of that at random. Otherwise a
// port that nobody listens on, or a login that is refused, which take
// microseconds, would turn a few users into a flood. Any answer behind on_start
// ends this, also one that is a failure.
const (
	firstHold   = 100 * time.Millisecond
	longestHold = time.Second
)

// holdBack is how long to wait after the last request for that reason.
func (u *user) holdBack() time.Duration {
	if !u.sample.Failure.unreached() && !u.actor.restarts {
		if u.actor.started() {
			u.hold = 0
		}
		return 0
	}
	u.hold = min(max(firstHold, 2*u.hold), longestHold)
	return u.hold - time.Duration(u.rng.Int64N(int64(u.hold/2)))
}

// miss notes by how much a request falls behind the rhythm of its user, and
// counts the beats that are lost when that adds up to them.
func (u *user) miss(behind, beat time.Duration) {
	if beat > 0 {
		u.behind += behind
		u.engine.missed.Add(int64(u.behind / beat))
		u.behind %= beat
	}
}

func (u *user) think(w profiles.Wait) time.Duration {
	if w.Max <= w.Min {
		return w.Min
	}
	return w.Min + time.Duration(u.rng.Int64N(int64(w.Max-w.Min)))
}

// unpaused returns the epoch once the load is not paused, and whether it had
// to wait for that; nil when this user must start nothing more.
func (u *user) unpaused() (ep *epoch, held bool) {
	for u.more.Err() == nil {
		ep := u.engine.epoch.Load()
		if !ep.paused {
			return ep, held
		}
		held = true
		u.untilOver(ep)
	}
	return nil, held
}

// untilOver waits for the end of an epoch, or until this user must start
// nothing more.
func (u *user) untilOver(ep *epoch) {
	select {
	case <-ep.over:
	case <-u.more.Done():
	}
}

// serveArrivals is the open model.
func (u *user) serveArrivals() {
	e := u.engine
	for {
		due, queued, ok := u.awaitArrival(e.arrivals.claim(&u.cursor))
		switch {
		case !ok:
			return
		case e.plan.OnBusy == profiles.Dropped && mostly(queued, time.Since(due)):
			e.dropped.Add(1)
			continue
		case !u.prepare(), !e.take():
			return
		}
		u.send(due, queued)
	}
}

// lateAfter is how much later than due an arrival must find its user to be of
// concern; less is the work of the scheduler, which the lag shows.
const lateAfter = time.Millisecond

// awaitArrival waits until the arrival at an area under the load is due, and
// before the user goes on to send sees to it that enough others wait for the
// arrivals behind its own. queued is for how long the arrival had been due
// before any user was free, where there may be no more users: it waited for its
// turn. Where there may be more, the generator was slow to start one, and the
// lag shows it. So it does where a user had been free and overslept: until it
// woke the fault was the generator's.
func (u *user) awaitArrival(area float64) (due time.Time, queued time.Duration, ok bool) {
	e := u.engine
	for first := true; ; first = false {
		ep, _ := u.unpaused()
		if ep == nil {
			return due, 0, false
		}
		offset, planned := ep.due(area)
		due = ep.start.Add(offset)
		if now := time.Now(); planned && first && now.Sub(due) > lateAfter {
			if !e.addUser() {
				queued = queuedFor(now, due, e.started.Add(time.Duration(e.overslept.Load())))
			}
			return due, queued, true
		}
		e.waiting.Add(1)
		if planned {
			ok = u.until(due, ep.over)
		} else {
			u.untilOver(ep) // the load ends before it, unless a hand changes that
		}
		if left := e.waiting.Add(-1); ok {
			if now := time.Now(); now.Sub(due) > lateAfter {
				e.overslept.Store(int64(now.Sub(e.started)))
			}
			if left < spareUsers {
				e.addUser()
			}
			return due, 0, true
		}
	}
}

// queuedFor is for how long users that were busy kept an arrival waiting until
// now, which was due at a time and when a user last overslept until another.
func queuedFor(now, due, overslept time.Time) time.Duration {
	if due.Before(overslept) {
		due = overslept
	}
	return max(0, now.Sub(due))
}

// prepare gets the next request ready. Where a feed that is read once has run
// out, it ends the load.
func (u *user) prepare() bool {
	ok := u.actor.next()
	if !ok {
		u.engine.spent.CompareAndSwap(nil, &u.actor.spent)
		u.engine.stopMore()
	}
	return ok
}

// send performs the request that is ready, and should have left at the intended time.
// Of its delay it was queued so long.
func (u *user) send(intended time.Time, queued time.Duration) {
	u.sample = Sample{Intended: intended.Sub(u.engine.started), Queued: queued, Task: int32(u.actor.task.Row)}
	u.stream.expect(u.sample.Task, u.sample.Intended)
	if u.row.Load() != u.sample.Task { // a store costs more than a look
		u.row.Store(u.sample.Task)
	}
	u.busy.Store(int64(u.sample.Intended) + 1)
	err := u.conn.Do(&u.sample, &u.actor.message)
	u.busy.Store(0)
	u.actor.done(u.sample.OK())
	u.shard.add(&u.sample, err, u.engine.plan.Timeout)
}

// underWay is the request under way, as seen from outside at an offset; ok is
// false without one. What came of streams is moved to p. The order matters:
// whatever the user does meanwhile, a request is never taken for older or less
// answered than it is, but for one that has just begun.
func (u *user) underWay(p *publisher, at time.Duration) (w wait, ok bool) {
	row := u.row.Load()
	marks, opened, found := u.stream.take(p.marks)
	p.marks = marks
	busy := time.Duration(u.busy.Load())
	w = wait{row: row, age: at - (busy - 1), count: 1}
	w.heard(opened, found, at)
	return w, busy > 0
}
