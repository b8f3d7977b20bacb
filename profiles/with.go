package profiles

import (
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

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
	if lines != nil {
		err = lines.Check(err, out.problems())
	}
	if err != nil {
		return Policy{}, p.asGiven(err, settings)
	}
	return out, nil
}

// with makes settings without a look at whether the policy still makes sense.
// Without lines some could not be made at all.
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
	if len(problems) > 0 {
		return p, nil, document.Join(append(problems, document.Problems(err)...))
	}
	out.normalize()
	out.Platforms = platforms
	return out, lines, err
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
	path := strings.Split(strings.ReplaceAll(key, "[", ".["), ".")
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

func lookup(tree any, key string) any {
	items, _ := tree.(yaml.MapSlice)
	for _, item := range items {
		if item.Key == key {
			return item.Value
		}
	}
	return nil
}

var (
	textType = reflect.TypeFor[encoding.TextUnmarshaler]()
	treeType = reflect.TypeFor[document.TreeUnmarshaler]()
)

// find reports whether what a policy has at a path is a single value, and not
// a list or a section. The error is for what a policy does not have.
func find(path []string) (single bool, err error) {
	t := reflect.TypeFor[Policy]()
	for _, step := range path {
		_, indexed := index(step)
		switch {
		case isText(t) || reflect.PointerTo(t).Implements(treeType) || t.Kind() == reflect.Map:
			return false, fmt.Errorf("unknown key, want %s as a whole", strings.TrimSuffix(strings.Join(path, "."), "."+step))
		case t.Kind() == reflect.Slice && indexed:
			t = t.Elem()
		case t.Kind() == reflect.Struct && !indexed:
			names, field := fieldOf(t, step)
			if field == nil {
				return false, fmt.Errorf("unknown key, want %s", strings.Join(names, ", "))
			}
			t = field
		default:
			return false, fmt.Errorf("unknown key, want one such as replicas.max or metrics[0].target")
		}
		if t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
	}
	return isText(t) || t.Kind() != reflect.Struct && t.Kind() != reflect.Slice, nil
}

func isText(t reflect.Type) bool { return reflect.PointerTo(t).Implements(textType) }

// fieldOf is the type of the field that a file calls by a name; what other
// programs and people write into a policy is not for settings.
func fieldOf(t reflect.Type, name string) (names []string, field reflect.Type) {
	for i := range t.NumField() {
		f := t.Field(i)
		tag, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if tag == "platforms" {
			continue
		}
		if names = append(names, tag); tag == name {
			field = f.Type
		}
	}
	return names, field
}

// index reads a step such as [0].
func index(step string) (int, bool) {
	digits, ok := strings.CutPrefix(step, "[")
	digits, closed := strings.CutSuffix(digits, "]")
	n, err := strconv.ParseUint(digits, 10, 16)
	return int(n), ok && closed && err == nil
}

// assign is a tree with a value at a path; nil removes it. The tree itself
// stays as it is.
func assign(tree any, path []string, value any) (any, error) {
	if len(path) == 0 {
		return value, nil
	}
	remove := len(path) == 1 && value == nil
	if i, ok := index(path[0]); ok {
		list, _ := tree.([]any)
		list = slices.Clone(list)
		switch {
		case i > len(list) || i == len(list) && value == nil:
			return tree, fmt.Errorf("got index %d, want less than %d", i, max(1, len(list)))
		case remove:
			return slices.Delete(list, i, i+1), nil
		case i == len(list):
			list = append(list, nil)
		}
		inner, err := assign(list[i], path[1:], value)
		list[i] = inner
		return list, err
	}
	items, _ := tree.(yaml.MapSlice)
	items = slices.Clone(items)
	i := slices.IndexFunc(items, func(m yaml.MapItem) bool { return m.Key == path[0] })
	switch {
	case i < 0 && value == nil:
		return items, nil
	case remove:
		return slices.Delete(items, i, i+1), nil
	case i < 0:
		items = append(items, yaml.MapItem{Key: path[0]})
		i = len(items) - 1
	}
	inner, err := assign(items[i].Value, path[1:], value)
	items[i].Value = inner
	return items, err
}
