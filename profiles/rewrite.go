package profiles

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"

	"headroom/profiles/document"
)

// Rewrite returns the text of a policy file, changed so that ParsePolicy reads
// p from it. Only what differs is touched: comments, order and what the file
// leaves out stay. A text that is no policy is an error.
func (p Policy) Rewrite(text []byte) ([]byte, error) {
	want, err := p.YAML()
	if err != nil {
		return nil, err
	}
	// One value may be the default of another, which an edit then changes too:
	// the next look mends that.
	for range 3 {
		present, err := ParsePolicy(text)
		if err != nil {
			return nil, err
		}
		have, err := present.YAML()
		if err != nil {
			return nil, err
		}
		if bytes.Equal(have, want) {
			return text, nil
		}
		edits, err := differences(have, want, byElement)
		if err != nil {
			return nil, err
		}
		for i := range edits {
			edits[i].Units = true
			edits[i].Value = p.terse(edits[i].Path, edits[i].Value)
		}
		if text, err = document.Apply(text, 0, edits...); err != nil {
			return nil, fmt.Errorf("cannot be changed where it stands: %w", err)
		}
	}
	return nil, fmt.Errorf("cannot be changed where it stands: it would not say %s", p.Summary())
}

// Rebase returns what the changes that lead from another policy to p make of
// the policy onto.
func (p Policy) Rebase(from, onto Policy) (Policy, error) {
	have, err := from.YAML()
	if err != nil {
		return Policy{}, err
	}
	want, err := p.YAML()
	if err != nil {
		return Policy{}, err
	}
	edits, err := differences(have, want, asWhole)
	if err != nil {
		return Policy{}, err
	}
	text, err := onto.YAML()
	if err != nil {
		return Policy{}, err
	}
	if text, err = document.Apply(text, 0, edits...); err != nil {
		return Policy{}, err
	}
	return ParsePolicy(text)
}

// lists says how an edit changes a list that becomes longer or shorter.
type lists bool

const (
	byElement lists = true
	asWhole   lists = false // so that it can be made where that list is another one
)

// differences are the edits that make one document of another.
func differences(from, to []byte, how lists) ([]document.Edit, error) {
	var a, b any
	if err := yaml.UnmarshalWithOptions(from, &a, yaml.UseOrderedMap()); err != nil {
		return nil, err
	}
	if err := yaml.UnmarshalWithOptions(to, &b, yaml.UseOrderedMap()); err != nil {
		return nil, err
	}
	return how.differ(nil, "", a, b), nil
}

// differ appends the edits that make the value b of a at a path. Mappings are
// gone through key by key.
func (l lists) differ(edits []document.Edit, path string, a, b any) []document.Edit {
	if reflect.DeepEqual(a, b) {
		return edits
	}
	switch b := b.(type) {
	case yaml.MapSlice:
		old, ok := a.(yaml.MapSlice)
		if !ok {
			break
		}
		had, has := old.ToMap(), b.ToMap()
		for _, item := range old {
			if _, stays := has[item.Key]; !stays {
				edits = append(edits, document.Edit{Path: below(path, fmt.Sprint(item.Key))})
			}
		}
		for _, item := range b {
			edits = l.differ(edits, below(path, fmt.Sprint(item.Key)), had[item.Key], item.Value)
		}
		return edits
	case []any:
		if old, ok := a.([]any); ok && (len(old) == len(b) || l == byElement) {
			return l.differInList(edits, path, old, b)
		}
	}
	return append(edits, document.Edit{Path: path, Value: b})
}

// differInList drops the elements that are too many where the next one wanted
// is of another kind, so that each of the others keeps its comments; new ones
// come at the end.
func (l lists) differInList(edits []document.Edit, path string, a, b []any) []document.Edit {
	tooMany, n := len(a)-len(b), 0 // n elements are done
	for _, old := range a {
		at := below(path, strconv.Itoa(n))
		if tooMany > 0 && (n == len(b) || !alike(old, b[n])) {
			edits = append(edits, document.Edit{Path: at})
			tooMany--
			continue
		}
		edits = l.differ(edits, at, old, b[n])
		n++
	}
	for ; n < len(b); n++ {
		edits = append(edits, document.Edit{Path: below(path, strconv.Itoa(n)), Value: b[n]})
	}
	return edits
}

// alike reports whether two elements begin with the same, as metrics do with
// their kind and schedules with their start.
func alike(a, b any) bool {
	x, _ := a.(yaml.MapSlice)
	y, _ := b.(yaml.MapSlice)
	return len(x) > 0 && len(y) > 0 && reflect.DeepEqual(x[0], y[0])
}

// below is the path of a key within another one.
func below(path, key string) string {
	return strings.TrimPrefix(path+"/"+strings.NewReplacer("~", "~0", "/", "~1").Replace(key), "/")
}

// terse is a new value at a path, in which metrics do not say the window that
// they have without.
func (p Policy) terse(path string, value any) any {
	switch v := value.(type) {
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = p.terse(below(path, strconv.Itoa(i)), v[i])
		}
		return out
	case yaml.MapSlice:
		if index, ok := strings.CutPrefix(path, "metrics/"); ok && !strings.Contains(index, "/") {
			usual := Metric{}.normal(p.Interval).Window.String()
			return slices.DeleteFunc(slices.Clone(v), func(item yaml.MapItem) bool { return item.Key == "window" && item.Value == usual })
		}
	}
	return value
}
