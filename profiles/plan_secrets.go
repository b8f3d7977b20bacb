package profiles

import (
	"encoding/base64"
	"net/url"
	"slices"
)

// Protect finds out what of a plan is secret, by the usual names and these, and
// takes it out of the names of its requests. A name of the environment stands
// for the value there.
func (p *Plan) Protect(names []string, getenv func(string) string) {
	s := NewSecrets(names...)
	for _, name := range names {
		s.Learn(getenv(name))
	}
	s.learnURL(p.Target)
	for name, values := range p.Header {
		for _, value := range values {
			s.LearnFrom(name + ": " + value)
		}
	}
	s.LearnFrom(string(p.Body))
	if p.Scenario != nil {
		p.Scenario = p.Scenario.protect(s)
	}
	p.Secrets = s
}

// learnURL learns what a URL tells in its query, and its password.
func (s *Secrets) learnURL(text string) {
	s.LearnFrom(text)
	u, err := url.Parse(text)
	if err != nil || u.User == nil {
		return
	}
	if secret, ok := u.User.Password(); ok {
		s.Learn(secret)
		s.Learn(base64.StdEncoding.EncodeToString([]byte(u.User.Username() + ":" + secret)))
	}
}

// protect is the scenario with no secret in the names of its requests, which s
// learns. Requests whose names are then the same share a row.
func (s *Scenario) protect(secrets *Secrets) *Scenario {
	out := *s
	out.Rows, out.Classes = nil, slices.Clone(s.Classes)
	for _, c := range s.Classes {
		for _, t := range slices.Concat(c.OnStart, c.Tasks) {
			secrets.LearnFrom(t.Path.String())
			secrets.LearnFrom(t.Body.String())
			for _, h := range t.Header {
				secrets.LearnFrom(h.Name + ": " + h.Value.String())
			}
		}
	}
	rename := func(tasks []Task) []Task {
		tasks = slices.Clone(tasks)
		for i := range tasks {
			t := &tasks[i]
			t.Name = secrets.Hide(t.Name)
			if t.Row = slices.Index(out.Rows, t.Name); t.Row < 0 {
				t.Row = len(out.Rows)
				out.Rows = append(out.Rows, t.Name)
			}
		}
		return tasks
	}
	for i, c := range out.Classes {
		out.Classes[i].OnStart, out.Classes[i].Tasks = rename(c.OnStart), rename(c.Tasks)
	}
	return &out
}

// ShownTarget is the target without what is secret in it.
func (p Plan) ShownTarget() string { return p.Secrets.Hide(p.Target) }
