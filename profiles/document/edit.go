package document

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
)

// Edit is one assignment to a key of a document.
type Edit struct {
	// Path are the keys from the top, joined by "/"; within a key "/" is
	// written ~1 and "~" is ~0. An element of a list goes by its index, and
	// the length of the list stands for a new element: spec/metrics/0/type.
	Path string
	// Value is anything that yaml can encode; a yaml.MapSlice keeps its order.
	// nil removes the key, if it is there.
	Value any
	// Units says that whoever reads the document takes 5s and 10% for strings
	// without quotes, as our own decoder does. They are such in YAML, but not
	// every program that a value is handed on to sees the difference.
	Units bool
}

// Apply returns text with the edits made one after the other; text itself
// stays as it is. Of the documents in text, doc is the index of the one that
// is meant; empty ones count.
//
// Only the bytes of what changes are touched: comments, blank lines, order,
// quotes and line ends elsewhere stay. A value that is equal already is left
// alone. Missing mappings on the way are created, whatever their keys look
// like; new text is in block style with two spaces, except within { } and [ ].
// Comments inside a block that is replaced go with it, comments above a key
// that is removed stay.
//
// The result is read again after each edit. It is an error if anything but
// the one value reads differently, as when an alias refers to that value or a
// merge key supplies it; so is a path through a scalar or an alias. An error
// is one line and comes without a text.
func Apply(text []byte, doc int, edits ...Edit) ([]byte, error) {
	s, err := load(text, doc)
	if err != nil {
		return nil, err
	}
	for _, e := range edits {
		if s, err = s.apply(e); err != nil {
			return nil, err
		}
	}
	return s.text, nil
}

func (s *source) apply(e Edit) (*source, error) {
	keys, err := splitPath(e.Path)
	if err != nil {
		return nil, err
	}
	ordered, value, err := normalize(e.Value)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", nameOf(e.Path), err)
	}
	if old, ok := lookup(s.value, keys); ok == (value != nil) && reflect.DeepEqual(old, value) {
		return s, nil
	}
	if e.Units {
		s.quote = unlessUnits
	}
	text, err := s.edited(keys, ordered)
	if err != nil {
		return nil, err
	}
	next, err := load(text, s.doc)
	if err != nil {
		return nil, fmt.Errorf("%s: cannot be edited here: %w", nameOf(e.Path), err)
	}
	if next.count != s.count || !reflect.DeepEqual(next.value, assign(s.value, keys, value)) {
		return nil, fmt.Errorf("%s: cannot be set without another change, as an anchor, alias or merge key is in the way", nameOf(e.Path))
	}
	return next, nil
}

func splitPath(path string) ([]string, error) {
	keys := strings.Split(path, "/")
	for i, key := range keys {
		if key == "" {
			return nil, fmt.Errorf("path %q: got an empty key", path)
		}
		keys[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(key)
	}
	return keys, nil
}

func joinPath(path, key string) string {
	return strings.TrimPrefix(path+"/"+strings.NewReplacer("~", "~0", "/", "~1").Replace(key), "/")
}

// normalize turns a value into what decoding gives: once with its mappings in
// order, to write it, and once with maps, to compare it.
func normalize(v any) (ordered, plain any, err error) {
	text, err := yaml.MarshalWithOptions(v, yaml.JSON(), yaml.CustomMarshaler(encodeFloat))
	if err != nil {
		return nil, nil, errors.New(excerpt(err.Error()))
	}
	err = errors.Join(yaml.UnmarshalWithOptions(text, &ordered, yaml.UseOrderedMap()), yaml.Unmarshal(text, &plain))
	if err != nil {
		return nil, nil, errors.New(excerpt(err.Error()))
	}
	return ordered, plain, nil
}

// encodeFloat avoids exponents: the library does not read them back.
func encodeFloat(f float64) ([]byte, error) {
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return nil, fmt.Errorf("got %v, want a finite number", f)
	}
	text := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return []byte(text), nil
}

// lookup is the decoded value at a path.
func lookup(v any, keys []string) (any, bool) {
	for _, key := range keys {
		ok := false
		switch parent := v.(type) {
		case map[string]any:
			v, ok = parent[key]
		case []any:
			if i, err := strconv.Atoi(key); err == nil && 0 <= i && i < len(parent) {
				v, ok = parent[i], true
			}
		}
		if !ok {
			return nil, false
		}
	}
	return v, true
}

// assign is the decoded value v with another value at a path; nil removes it.
// v itself stays as it is, for anchors and aliases share what they stand for.
func assign(v any, keys []string, value any) any {
	if len(keys) == 0 {
		return value
	}
	if list, ok := v.([]any); ok {
		return assignElement(list, keys, value)
	}
	parent, _ := v.(map[string]any)
	parent = maps.Clone(parent)
	if parent == nil {
		parent = map[string]any{}
	}
	if len(keys) == 1 && value == nil {
		delete(parent, keys[0])
	} else {
		parent[keys[0]] = assign(parent[keys[0]], keys[1:], value)
	}
	return parent
}

func assignElement(list []any, keys []string, value any) []any {
	list = slices.Clone(list)
	i, err := strconv.Atoi(keys[0])
	switch {
	case err != nil || i < 0 || i > len(list):
		return list
	case i == len(list):
		return append(list, assign(nil, keys[1:], value))
	case len(keys) == 1 && value == nil:
		return slices.Delete(list, i, i+1)
	}
	list[i] = assign(list[i], keys[1:], value)
	return list
}

// nested wraps a value into mappings for the keys.
func nested(keys []string, v any) any {
	for _, key := range slices.Backward(keys) {
		v = yaml.MapSlice{{Key: key, Value: v}}
	}
	return v
}
