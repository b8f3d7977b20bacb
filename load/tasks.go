package load

import (
	"net/url"
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
