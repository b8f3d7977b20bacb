package load

import (
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"

	"headroom/profiles"
)

// tasks is what the users of a run do: the scenario of the plan, or its one
// request. It is safe for concurrent use.
type tasks struct {
	rows     []string // names of requests
	classes  []class
	turns    []int // classes of the users, by their number, over and over
	feeds    []feed
	captures int
	counter  atomic.Int64
}

type class struct {
	name           string
	onStart, tasks []task
}

type task struct {
	*request
	weight int
	wait   profiles.Wait
}

// feed hands out the rows of one.
type feed struct {
	profiles.Feed
	taken atomic.Int64
}

// newTasks prepares all requests of a valid plan.
func newTasks(plan profiles.Plan) (*tasks, error) {
	target, err := url.Parse(plan.Target)
	if err != nil {
		return nil, err
	}
	s := plan.Scenario
	if s == nil {
		r, err := newRequest(plan, target, "", planRequest(plan, target))
		if err != nil {
			return nil, err
		}
		only := task{request: r, weight: 1, wait: plan.Wait}
		return &tasks{rows: []string{r.Name}, classes: []class{{tasks: []task{only}}}, turns: []int{0}}, nil
	}
	t := &tasks{rows: s.Rows, turns: s.Turns(), feeds: make([]feed, len(s.Feeds)), captures: len(s.Captures)}
	for i, f := range s.Feeds {
		t.feeds[i].Feed = f
	}
	prefix := strings.TrimSuffix(target.EscapedPath(), "/")
	prepare := func(from []profiles.Task, wait profiles.Wait) ([]task, error) {
		out := make([]task, len(from))
		for i, f := range from {
			r, err := newRequest(plan, target, prefix, f.Request)
			if err != nil {
				return nil, err
			}
			if out[i] = (task{request: r, weight: f.Weight, wait: wait}); f.Wait != nil {
				out[i].wait = *f.Wait
			}
		}
		return out, nil
	}
	for _, from := range s.Classes {
		c := class{name: from.Name}
		if c.onStart, err = prepare(from.OnStart, profiles.Wait{}); err != nil {
			return nil, err
		}
		if c.tasks, err = prepare(from.Tasks, plan.Wait); err != nil {
			return nil, err
		}
		t.classes = append(t.classes, c)
	}
	return t, nil
}

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

// next returns the next row, or false when there is none any more.
func (f *feed) next(random *rand.Rand) ([]string, bool) {
	if f.Order == profiles.AtRandom {
		return f.Rows[random.IntN(len(f.Rows))], true
	}
	n := f.taken.Add(1) - 1
	if f.Order == profiles.Once && n >= int64(len(f.Rows)) {
		return nil, false
	}
	return f.Rows[n%int64(len(f.Rows))], true
}
