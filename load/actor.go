package load

import (
	"math/rand/v2"
	"slices"

	"headroom/profiles"
)

// actor is what one user does.
type actor struct {
	tasks   *tasks
	class   *class
	begun   int // requests of onStart that have succeeded
	task    *task
	message Message

	restarts bool   // onStart has failed and begins again
	spent    string // name of the feed that has no row left
}

// newActor is that of the user with this number, from 0, and random numbers.
func (t *tasks) newActor(number int, random *rand.Rand) actor {
	a := actor{tasks: t, class: &t.classes[t.turns[number%len(t.turns)]]}
	a.message.values = profiles.Values{User: number + 1, Random: random}
	if t.captures > 0 {
		a.message.values.Captured = make([]string, t.captures)
	}
	if len(t.feeds) > 0 {
		a.message.values.Rows = make([][]string, len(t.feeds))
	}
	return a
}

// started reports whether all of onStart has succeeded.
func (a *actor) started() bool { return a.begun == len(a.class.onStart) }

// next prepares the message of the next request. It returns false when a feed
// has run out, which ends the load.
func (a *actor) next() bool {
	if !a.started() {
		return a.prepare(&a.class.onStart[a.begun])
	}
	return a.prepare(a.choose())
}

// choose draws a task by the weights, of those that have what they need. There
// is one, as the reader of scenarios sees to.
func (a *actor) choose() *task {
	tasks := a.class.tasks
	if len(tasks) == 1 {
		return &tasks[0]
	}
	total := 0
	for i := range tasks {
		if tasks[i].ReadyFor(a.message.values.Captured) {
			total += tasks[i].weight
		}
	}
	at := a.message.values.Random.IntN(total)
	i := slices.IndexFunc(tasks, func(t task) bool {
		if t.ReadyFor(a.message.values.Captured) {
			at -= t.weight
		}
		return at < 0
	})
	return &tasks[i]
}

func (a *actor) prepare(t *task) bool {
	v := &a.message.values
	for _, n := range t.Feeds {
		row, ok := a.tasks.feeds[n].next(v.Random)
		if !ok {
			a.spent = a.tasks.feeds[n].Name
			return false
		}
		v.Rows[n] = row
	}
	if t.Counts {
		v.Counter = a.tasks.counter.Add(1)
	}
	a.task = t
	a.message.fill(t.request)
	return true
}

// done notes what came of the request.
func (a *actor) done(ok bool) {
	a.restarts = !ok && !a.started()
	switch {
	case a.started():
	case ok:
		a.begun++
	default:
		a.begun = 0
	}
}
