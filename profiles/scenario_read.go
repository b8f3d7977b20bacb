package profiles

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"headroom/profiles/document"
)

// Surroundings are what a scenario refers to besides itself.
type Surroundings struct {
	Getenv   func(name string) (string, bool)
	ReadFile func(name string) ([]byte, error) // a name as the scenario gives it
}

// ReadScenario reads a file. Files that it names are beside it. Each line of
// the error names the file.
func ReadScenario(path string) (*Scenario, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	s, err := ParseScenario(data, Surroundings{
		Getenv: os.LookupEnv,
		ReadFile: func(name string) ([]byte, error) {
			if !filepath.IsAbs(name) {
				name = filepath.Join(filepath.Dir(path), name)
			}
			return os.ReadFile(name)
		},
	})
	if err != nil {
		return nil, errors.New(path + ": " + strings.ReplaceAll(err.Error(), "\n", "\n"+path+": "))
	}
	return s, nil
}

// ParseScenario decodes a scenario strictly. The error lists all problems,
// each with its line and key, what was found and what is allowed.
func ParseScenario(data []byte, around Surroundings) (*Scenario, error) {
	var f scenarioFile
	lines, err := document.Decode(data, &f, document.Strict)
	if lines == nil {
		return nil, err
	}
	b := scenarioBuilder{file: f, around: around}
	b.build()
	if err := lines.Check(err, b.problems.found); err != nil {
		return nil, err
	}
	return &b.scenario, nil
}

// scenarioBuilder makes a scenario of what its file says, collecting what is
// wrong with it.
type scenarioBuilder struct {
	file     scenarioFile
	around   Surroundings
	scenario Scenario
	words    vocabulary
	problems checker
}

// mostWeight bounds weights, and with them the turns of classes.
const mostWeight = 1000

var placeName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// reserved are the places that are no feeds and no captures.
var reserved = []string{"env", "user", "counter", "random"}

func (b *scenarioBuilder) build() {
	f, s := &b.file, &b.scenario
	bad := b.problems.bad
	if f.Version != Version {
		bad("version", "got %q, want %q", f.Version, Version)
	}
	if f.Kind != "" && f.Kind != "scenario" {
		bad("kind", "got %q, want %q", f.Kind, "scenario")
	}
	if f.Target != "" {
		if err := ValidateTarget(f.Target); err != nil {
			bad("target", "%s", strings.TrimPrefix(err.Error(), "target: "))
		}
	}
	s.Target = f.Target
	b.feeds()
	b.captures()
	b.words = vocabulary{feeds: s.Feeds, captures: s.Captures, getenv: b.around.Getenv}
	if len(f.Tasks) == 0 {
		bad("tasks", "got none, want one or more")
	}
	onStart := b.tasks("on_start", f.OnStart, false)
	tasks := b.tasks("tasks", f.Tasks, true)
	b.classes(tasks, onStart)
	for _, c := range s.Classes {
		b.reachable(c)
	}
}

// feeds reads the tables.
func (b *scenarioBuilder) feeds() {
	for i, f := range b.file.Feeds {
		key := fmt.Sprintf("feeds[%d]", i)
		feed := Feed{Name: f.Name, Order: f.Order}
		b.checkPlace(key+".name", f.Name)
		if slices.ContainsFunc(b.scenario.Feeds, func(other Feed) bool { return other.Name == f.Name }) {
			b.problems.bad(key+".name", "got %q twice, want a name of its own", f.Name)
		}
		switch f.Order {
		case "":
			feed.Order = Sequential
		case Sequential, AtRandom, Once:
		default:
			b.problems.bad(key+".order", "got %q, want %s, %s or %s", f.Order, Sequential, AtRandom, Once)
		}
		if data, ok := b.read(key+".file", f.File); ok {
			b.table(key+".file", data, &feed)
		}
		b.scenario.Feeds = append(b.scenario.Feeds, feed)
	}
}

// table reads CSV whose first line names the columns.
func (b *scenarioBuilder) table(key string, data []byte, feed *Feed) {
	rows, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(data, []byte("\ufeff")))).ReadAll()
	switch {
	case err != nil:
		b.problems.bad(key, "want CSV: %s", err)
	case len(rows) < 2:
		b.problems.bad(key, "got %s, want one with the names of the columns and one or more below", Plural(len(rows), "line", "lines"))
	default:
		feed.Columns, feed.Rows = rows[0], rows[1:]
	}
}

// read is the content of a file that the scenario names.
func (b *scenarioBuilder) read(key, name string) ([]byte, bool) {
	if name == "" {
		b.problems.bad(key, "got nothing, want the name of a file")
		return nil, false
	}
	data, err := b.around.ReadFile(name)
	if err != nil {
		b.problems.bad(key, "%s", err)
	}
	return data, err == nil
}

// captures collects the names of all captures before any template is read.
func (b *scenarioBuilder) captures() {
	note := func(key string, tasks []taskFile) {
		for i, t := range tasks {
			for j, c := range t.Capture {
				b.checkPlace(fmt.Sprintf("%s[%d].capture[%d].name", key, i, j), c.Name)
				if !slices.Contains(b.scenario.Captures, c.Name) {
					b.scenario.Captures = append(b.scenario.Captures, c.Name)
				}
			}
		}
	}
	note("on_start", b.file.OnStart)
	note("tasks", b.file.Tasks)
	for i, c := range b.file.Users {
		note(fmt.Sprintf("users[%d].on_start", i), c.OnStart)
	}
}

func (b *scenarioBuilder) checkPlace(key, name string) {
	switch {
	case !placeName.MatchString(name):
		b.problems.bad(key, "got %q, want letters, digits and underscores", document.Excerpt(name))
	case slices.Contains(reserved, name):
		b.problems.bad(key, "got %q, want another name: ${%s} has a meaning already", name, name)
	}
}

// weight is 1 where none is given.
func (b *scenarioBuilder) weight(key string, given *int) int {
	switch {
	case given == nil:
		return 1
	case *given < 1 || *given > mostWeight:
		b.problems.bad(key+".weight", "got %d, want 1 to %d", *given, mostWeight)
	}
	return *given
}

func (b *scenarioBuilder) tasks(key string, files []taskFile, chosen bool) []Task {
	out := make([]Task, 0, len(files))
	for i, f := range files {
		at := fmt.Sprintf("%s[%d]", key, i)
		t := Task{Request: b.request(at, f), Wait: f.Wait}
		if chosen {
			t.Weight = b.weight(at, f.Weight)
		} else if f.Weight != nil {
			b.problems.bad(at+".weight", "got %d, want none: all of on_start is sent", *f.Weight)
		}
		if t.Row = slices.Index(b.scenario.Rows, t.Name); t.Row < 0 {
			t.Row = len(b.scenario.Rows)
			b.scenario.Rows = append(b.scenario.Rows, t.Name)
		}
		out = append(out, t)
	}
	return out
}

// classes makes the kinds of users; one of all tasks where none are given.
func (b *scenarioBuilder) classes(tasks, onStart []Task) {
	if len(b.file.Users) == 0 {
		b.scenario.Classes = []Class{{Name: "user", Weight: 1, OnStart: onStart, Tasks: waiting(tasks, b.file.Wait)}}
		return
	}
	used := map[string]bool{}
	for i, f := range b.file.Users {
		key := fmt.Sprintf("users[%d]", i)
		c := Class{Name: f.Name, Weight: b.weight(key, f.Weight), OnStart: onStart}
		if f.Name == "" {
			b.problems.bad(key+".name", "got nothing, want a name")
		}
		if f.OnStart != nil {
			c.OnStart = b.tasks(key+".on_start", f.OnStart, false)
		}
		for j, name := range f.Tasks {
			before := len(c.Tasks)
			for _, t := range tasks {
				if t.Name == name {
					c.Tasks = append(c.Tasks, t)
				}
			}
			if used[name] = true; len(c.Tasks) == before {
				b.problems.bad(fmt.Sprintf("%s.tasks[%d]", key, j), "got %q, want the name of a task", document.Excerpt(name))
			}
		}
		if f.Tasks == nil {
			c.Tasks = tasks
			for _, t := range tasks {
				used[t.Name] = true
			}
		} else if len(f.Tasks) == 0 {
			b.problems.bad(key+".tasks", "got none, want one or more")
		}
		wait := f.Wait
		if wait == nil {
			wait = b.file.Wait
		}
		c.Tasks = waiting(c.Tasks, wait)
		b.scenario.Classes = append(b.scenario.Classes, c)
	}
	for i, t := range tasks {
		if !used[t.Name] {
			b.problems.bad(fmt.Sprintf("tasks[%d]", i), "got %q, which no users perform", t.Name)
		}
	}
}

// waiting are the tasks with a wait where they have none of their own.
func waiting(tasks []Task, wait *Wait) []Task {
	tasks = slices.Clone(tasks)
	for i := range tasks {
		if tasks[i].Wait == nil {
			tasks[i].Wait = wait
		}
	}
	return tasks
}

// reachable finds what a class of users can never send.
func (b *scenarioBuilder) reachable(c Class) {
	has := map[int]bool{}
	open := func(r Request) bool { return !slices.ContainsFunc(r.Needs, func(n int) bool { return !has[n] }) }
	take := func(r Request) {
		for _, t := range r.Takes {
			has[t.Number] = true
		}
	}
	for _, t := range c.OnStart {
		if !open(t.Request) {
			b.lacks("on_start", c, t.Request, has)
		}
		take(t.Request)
	}
	if !slices.ContainsFunc(c.Tasks, func(t Task) bool { return open(t.Request) }) && len(c.Tasks) > 0 {
		b.lacks("tasks", c, c.Tasks[0].Request, has)
		return
	}
	for before := -1; before < len(has); {
		before = len(has)
		for _, t := range c.Tasks {
			if open(t.Request) {
				take(t.Request)
			}
		}
	}
	for _, t := range c.Tasks {
		if !open(t.Request) {
			b.lacks("tasks", c, t.Request, has)
		}
	}
}

func (b *scenarioBuilder) lacks(key string, c Class, r Request, has map[int]bool) {
	for _, n := range r.Needs {
		if !has[n] {
			b.problems.bad(key, "got %q with ${%s}, which nothing that users of class %q send before captures", r.Name, b.scenario.Captures[n], c.Name)
			return
		}
	}
}

// methods are the keys that are a method with its path.
func (f taskFile) methods() map[string]string {
	all := map[string]string{"get": f.Get, "head": f.Head, "post": f.Post, "put": f.Put, "patch": f.Patch, "delete": f.Delete, "options": f.Options}
	maps.DeleteFunc(all, func(_, path string) bool { return path == "" })
	return all
}

// canonical is the name of a header as it is compared.
func canonical(name string) string { return http.CanonicalHeaderKey(strings.TrimSpace(name)) }
