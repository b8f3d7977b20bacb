package profiles

import "slices"

// Scenario is what the users of a run do, instead of sending one request again
// and again. It does not change once it was read, and is safe for concurrent
// use.
//
// A user belongs to a class. It begins with the requests of OnStart in their
// order, from the first again when one of them fails, and then performs tasks
// at random by their weights, of those for which it has captured what they
// need. In the open model, arrivals are what it sends, OnStart included.
type Scenario struct {
	Target   string   // used where none is given
	Rows     []string // the names of requests, each once, in the order of the file
	Feeds    []Feed
	Captures []string // names of what is captured
	Classes  []Class  // one or more
}

// Class is a kind of user.
type Class struct {
	Name    string
	Weight  int // share of the users, by the sum of all
	OnStart []Task
	Tasks   []Task // one or more
}

// Task is a request, how often it is chosen, and what follows it.
type Task struct {
	Request
	Weight int   // share of the requests, by the sum of all
	Wait   *Wait // think time after it; nil: that of the plan, or none in OnStart
}

// WithoutWaits is a copy whose users send their next request as soon as they
// have an answer. nil stays nil.
func (s *Scenario) WithoutWaits() *Scenario {
	if s == nil {
		return nil
	}
	rested := func(tasks []Task) []Task {
		out := slices.Clone(tasks)
		for i := range out {
			out[i].Wait = nil
		}
		return out
	}
	out := *s
	out.Classes = slices.Clone(s.Classes)
	for i, c := range out.Classes {
		out.Classes[i].OnStart, out.Classes[i].Tasks = rested(c.OnStart), rested(c.Tasks)
	}
	return &out
}

// Request is what is sent, and what the answer must be.
type Request struct {
	Name   string // requests of one name share a row in the statistics
	Row    int    // index of the name among the rows of the scenario
	Method string
	Path   Template // with the query; begins with /
	Header []Field
	Body   Template
	Check  Check
	Takes  []Capture

	Needs  []int // numbers of the captures that it uses
	Feeds  []int // numbers of the feeds that give it a row
	Counts bool  // it uses the counter
}

// Field is one header of a request.
type Field struct {
	Name  string // in canonical form
	Value Template
}

// Order says which row of a feed comes next.
type Order string

// The orders of a feed.
const (
	Sequential Order = "sequential" // one after the other over all users, and from the start again
	AtRandom   Order = "random"     // each user draws
	Once       Order = "once"       // one after the other; the load ends when none is left
)

// Feed is a table from which requests take a row.
type Feed struct {
	Name    string
	Order   Order
	Columns []string
	Rows    [][]string // one or more, as long as Columns
}

// note fills in what the templates of a request refer to.
func (r *Request) note() {
	templates := []Template{r.Path, r.Body}
	for _, f := range r.Header {
		templates = append(templates, f.Value)
	}
	for _, t := range templates {
		r.Needs = t.numbers(captured, r.Needs)
		r.Feeds = t.numbers(feedColumn, r.Feeds)
		r.Counts = r.Counts || t.has(counterNumber)
	}
}

// ReadyFor reports whether a user that has captured this much can send the
// request.
func (r *Request) ReadyFor(captured []string) bool {
	return !slices.ContainsFunc(r.Needs, func(n int) bool { return captured[n] == "" })
}

// Waits reports whether every task has a think time of its own, so that none is
// left for that of the plan.
func (s *Scenario) Waits() bool {
	return !slices.ContainsFunc(s.Classes, func(c Class) bool {
		return slices.ContainsFunc(c.Tasks, func(t Task) bool { return t.Wait == nil })
	})
}

// Turns is the order in which users join classes: user n (from 0) is of class
// Turns()[n % len]. Any stretch of it holds the classes nearly by their weights
// (smooth weighted round robin, as nginx balances).
func (s *Scenario) Turns() []int {
	total := 0
	for _, c := range s.Classes {
		total += c.Weight
	}
	current, turns := make([]int, len(s.Classes)), make([]int, total)
	for n := range turns {
		best := 0
		for i, c := range s.Classes {
			if current[i] += c.Weight; current[i] > current[best] {
				best = i
			}
		}
		current[best] -= total
		turns[n] = best
	}
	return turns
}
