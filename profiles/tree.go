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

// at is what a tree has at the path of a key.
func at(tree any, key string) any {
	for _, step := range steps(key) {
		if i, ok := index(step); ok {
			list, _ := tree.([]any)
			if i >= len(list) {
				return nil
			}
			tree = list[i]
			continue
		}
		tree = lookup(tree, step)
	}
	return tree
}

// steps are the parts of a key: metrics[0].target is metrics, [0] and target.
func steps(key string) []string { return strings.Split(strings.ReplaceAll(key, "[", ".["), ".") }

// lookup is the value of a key of a mapping, or nil.
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
				if t == reflect.TypeFor[Policy]() {
					names = append(names, everaiKeys()...)
				}
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
