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
	actor  actor         // what to send
	sample Sample        // of the request under way
	cursor cursor        // open model: where in the arrivals it reads
	hold   time.Duration // closed model: the latest wait for a service out of reach; 0: it was reached

	more  context.Context // ends when this user must start nothing more
	leave context.CancelFunc
	busy  atomic.Int64 // when the request under way was due, as an offset plus 1; 0: none
	row   atomic.Int32 // of that request among the names of the run
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
		if ep == nil || !u.engine.take() || !u.prepare() {
			return
		}
		if held {
			due = time.Now()
		}
		u.send(due, false)
		wait := u.actor.task.wait
		now, pause := u.engine.started.Add(u.sample.Done), u.think(wait)
		if !wait.Pacing {
			due = now.Add(pause)
		} else if due = due.Add(pause); due.Before(now) {
			due = now // what an answer took too long is not made up for
		}
		if again := now.Add(u.holdBack()); due.Before(again) {
			due = again
		}
		if !u.until(due, nil) {
			return
		}
	}
}

// A user of the closed model whose request never got to the service waits
// before it tries again: firstHold, twice as long each time until longestHold,
// less up to half of that at random. Otherwise a port that nobody listens on,
// which refuses in microseconds, would turn a few users into a flood. Any
// answer ends this, also one that is a failure.
const (
	firstHold   = 100 * time.Millisecond
	longestHold = time.Second
)

// holdBack is how long to wait after the last request for that reason.
func (u *user) holdBack() time.Duration {
	if !u.sample.Failure.unreached() {
		u.hold = 0
		return 0
	}
	u.hold = min(max(firstHold, 2*u.hold), longestHold)
	return u.hold - time.Duration(u.rng.Int64N(int64(u.hold/2)))
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
		due, late, ok := u.awaitArrival(e.arrivals.claim(&u.cursor))
		switch {
		case !ok:
			return
		case late && e.plan.OnBusy == profiles.Dropped:
			e.dropped.Add(1)
			continue
		case !e.take(), !u.prepare():
			return
		}
		u.send(due, late)
	}
}

// lateAfter is how much later than due an arrival must find its user to be of
// concern; less is the work of the scheduler, which the lag shows.
const lateAfter = time.Millisecond

// awaitArrival waits until the arrival at an area under the load is due, and
// before the user goes on to send sees to it that enough others wait for the
// arrivals behind its own. late means that the arrival had been due before any
// user was free, and that there may be no more users: it waited for its turn.
// Where there may be more, the generator was slow to start one, and the lag
// shows it.
func (u *user) awaitArrival(area float64) (due time.Time, late, ok bool) {
	e := u.engine
	for first := true; ; first = false {
		ep, _ := u.unpaused()
		if ep == nil {
			return due, false, false
		}
		offset, planned := ep.due(area)
		due = ep.start.Add(offset)
		if planned && first && time.Since(due) > lateAfter {
			return due, !e.addUser(), true
		}
		e.waiting.Add(1)
		if planned {
			ok = u.until(due, ep.over)
		} else {
			u.untilOver(ep) // the load ends before it, unless a hand changes that
		}
		if left := e.waiting.Add(-1); ok {
			if left < spareUsers {
				e.addUser()
			}
			return due, false, true
		}
	}
}

// prepare gets the next request ready. Where a feed that is read once has run
// out, it ends the load.
func (u *user) prepare() bool {
	ok := u.actor.next()
	if !ok {
		u.engine.stopMore()
	}
	return ok
}

// send performs the request that is ready, and should have left at the intended time.
func (u *user) send(intended time.Time, late bool) {
	u.sample = Sample{Intended: intended.Sub(u.engine.started), Late: late, Task: int32(u.actor.task.Row)}
	if u.row.Load() != u.sample.Task { // a store costs more than a look
		u.row.Store(u.sample.Task)
	}
	u.busy.Store(int64(u.sample.Intended) + 1)
	err := u.conn.Do(&u.sample, &u.actor.message)
	u.busy.Store(0)
	u.actor.done(u.sample.OK())
	u.shard.add(&u.sample, err, u.engine.plan.Timeout)
}

// streaming reports whether the answer under way is a stream whose first event
// has come. It may be asked from outside.
func (u *user) streaming() bool {
	c, ok := u.conn.(interface{ streaming() bool })
	return ok && c.streaming()
}
