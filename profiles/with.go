package profiles

import (
	"fmt"
	"maps"
	"slices"

	"github.com/goccy/go-yaml"

	"headroom/profiles/document"
)

// With returns the policy with settings made, or all problems at once, each
// with the key as it was given, what was found and what is allowed. The
// settings are made together: whether the order in which they are given leads
// through a policy that is not valid does not matter. p stays as it is.
//
// min_free_workers and max_queue_size are the targets of the metrics
// free_workers and queue, which a policy gets with them, and loses where they
// are empty. A fixed size becomes a policy as EverAI has it: it looks at the
// present moment, and what is idle for long enough goes at once.
func (p Policy) With(settings ...Setting) (Policy, error) {
	out, lines, err := p.with(settings)
	if err = out.check(lines, err); err != nil {
		return Policy{}, p.asGiven(err, settings)
	}
	return out, nil
}

// with makes settings without a look at whether the policy still makes sense.
// Those that cannot be made are left out.
func (p Policy) with(settings []Setting) (out Policy, lines document.Lines, err error) {
	platforms := p.Platforms
	p.Platforms = nil // opaque, and none of a setting's business
	tree, err := p.tree()
	if err != nil {
		return p, nil, err
	}
	if len(p.Metrics) == 0 && slices.ContainsFunc(settings, func(s Setting) bool { return everaiMetrics[s.Key] != "" }) {
		settings = append([]Setting{{"down.stabilization", "0s"}}, settings...)
	}
	var problems []document.Problem
	for _, s := range settings {
		next, err := set(tree, s)
		if err != nil {
			problems = append(problems, document.Problem{Key: document.Excerpt(s.Key), Text: err.Error()})
			continue
		}
		tree = next
	}
	out = DefaultPolicy()
	lines, err = document.Decode([]byte(document.Flow(tree)), &out, document.Strict)
	out.normalize()
	out.Platforms = platforms
	return out, lines, document.Join(append(problems, document.Problems(err)...))
}

// asGiven names the keys of problems as the settings do, and the lines of no
// file.
func (p Policy) asGiven(err error, settings []Setting) error {
	problems := document.Problems(err)
	for i := range problems {
		problems[i].Line = 0
		for _, s := range settings {
			if problems[i].Key == p.path(s.Key) {
				problems[i].Key = s.Key
			}
		}
	}
	return document.Join(problems)
}

// rewrite replaces the keys of settings by paths, and their values by how the
// policy writes them, where they can be made.
func (p *Policy) rewrite(settings Settings) {
	if len(settings) == 0 {
		return
	}
	base := *p
	base.Schedules = nil
	made, _, err := base.with(settings)
	if err != nil {
		return
	}
	tree, _ := made.tree()
	for i := range settings {
		s := &settings[i]
		s.Key = p.path(s.Key)
		if text, ok := at(tree, s.Key).(string); ok && s.Value != "" {
			s.Value = text
		}
	}
}

// tree is the policy as a file says it.
func (p Policy) tree() (any, error) {
	text, err := p.YAML()
	if err != nil {
		return nil, err
	}
	docs, err := document.Split(text)
	if err != nil {
		return nil, err
	}
	return docs[0].Tree()
}

// everaiNames are EverAI's names of what a policy says at one place, and
// everaiMetrics of the kinds whose targets they are.
var (
	everaiNames = map[string]string{
		"min_workers":   "replicas.min",
		"max_workers":   "replicas.max",
		"scale_up_step": "up.step",
		"max_idle_time": "down.idle",
	}
	everaiMetrics = map[string]Kind{
		"min_free_workers": FreeWorkers,
		"max_queue_size":   Queue,
	}
)

// everaiKeys are the names of both.
func everaiKeys() []string {
	return slices.Concat(slices.Sorted(maps.Keys(everaiNames)), slices.Sorted(maps.Keys(everaiMetrics)))
}

// path is a key in the words of a policy: the target of a metric that is not
// there stands behind the others.
func (p Policy) path(key string) string {
	if path, ok := everaiNames[key]; ok {
		return path
	}
	kind, ok := everaiMetrics[key]
	if !ok {
		return key
	}
	i := slices.IndexFunc(p.Metrics, func(m Metric) bool { return m.Kind == kind })
	if i < 0 {
		i = len(p.Metrics)
	}
	return fmt.Sprintf("metrics[%d].target", i)
}

// set is the tree of a policy with a setting made.
func set(tree any, s Setting) (any, error) {
	if kind, ok := everaiMetrics[s.Key]; ok {
		return setTarget(tree, kind, s.Value)
	}
	key := s.Key
	if path, ok := everaiNames[key]; ok {
		key = path
	}
	path := steps(key)
	single, err := find(path)
	if err != nil {
		return tree, err
	}
	if s.Value == "" {
		return assign(tree, path, nil)
	}
	if single {
		return assign(tree, path, s.Value)
	}
	docs, err := document.Split([]byte(s.Value))
	if err != nil || len(docs) != 1 {
		return tree, badValue(s.Value, "a list or keys with values, as in a policy file")
	}
	value, err := docs[0].Tree()
	if err != nil {
		return tree, err
	}
	return assign(tree, path, value)
}

// setTarget sets the target of the first metric of a kind, which it adds where
// there is none, and removes where the value is empty.
func setTarget(tree any, kind Kind, value string) (any, error) {
	metrics, _ := lookup(tree, "metrics").([]any)
	i := slices.IndexFunc(metrics, func(m any) bool { return lookup(m, "kind") == string(kind) })
	element := fmt.Sprintf("[%d]", max(i, 0))
	switch {
	case value == "" && i < 0:
		return tree, nil
	case value == "":
		return assign(tree, []string{"metrics", element}, nil)
	case i < 0:
		metric := yaml.MapSlice{{Key: "kind", Value: string(kind)}, {Key: "target", Value: value}, {Key: "window", Value: "1s"}}
		return assign(tree, []string{"metrics", fmt.Sprintf("[%d]", len(metrics))}, metric)
	}
	return assign(tree, []string{"metrics", element, "target"}, value)
}
