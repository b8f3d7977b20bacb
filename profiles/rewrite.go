package profiles

import (
	"bytes"
	"fmt"
	"reflect"
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
		edits, err := differences(have, want)
		if err != nil {
			return nil, err
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
	edits, err := differences(have, want)
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

// differences are the edits that make one document of another.
func differences(from, to []byte) ([]document.Edit, error) {
	var a, b any
	if err := yaml.UnmarshalWithOptions(from, &a, yaml.UseOrderedMap()); err != nil {
		return nil, err
	}
	if err := yaml.UnmarshalWithOptions(to, &b, yaml.UseOrderedMap()); err != nil {
		return nil, err
	}
	return differ(nil, "", a, b), nil
}

// differ appends the edits that make the value b of a at a path. Mappings are
// gone through key by key, and lists of one length element by element.
func differ(edits []document.Edit, path string, a, b any) []document.Edit {
	if reflect.DeepEqual(a, b) {
		return edits
	}
	below := func(key string) string {
		return strings.TrimPrefix(path+"/"+strings.NewReplacer("~", "~0", "/", "~1").Replace(key), "/")
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
				edits = append(edits, document.Edit{Path: below(fmt.Sprint(item.Key))})
			}
		}
		for _, item := range b {
			edits = differ(edits, below(fmt.Sprint(item.Key)), had[item.Key], item.Value)
		}
		return edits
	case []any:
		old, ok := a.([]any)
		if !ok || len(old) != len(b) {
			break
		}
		for i := range b {
			edits = differ(edits, below(strconv.Itoa(i)), old[i], b[i])
		}
		return edits
	}
	return append(edits, document.Edit{Path: path, Value: b})
}
