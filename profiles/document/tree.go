package document

import (
	"encoding/json"
	"errors"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

// Tree is the document as plain values: a mapping is a yaml.MapSlice in the
// order of the file, a list is a []any, and a scalar is the text as it is
// written, so that no number loses a digit. What has no value is nil.
func (d Document) Tree() (tree any, err error) {
	r := &reader{anchors: d.anchors, left: d.budget()}
	defer func() {
		if recover() != nil {
			err = errors.New("the file is not valid YAML")
		}
	}()
	tree = r.tree(d.node, "")
	return tree, errors.Join(r.problems...)
}

// TreeUnmarshaler is a type that reads a value of any form from its Tree.
type TreeUnmarshaler interface {
	UnmarshalTree(tree any) error
}

func (r *reader) tree(n ast.Node, key string) any {
	n, ok := r.resolve(n, key)
	if !ok || !r.spend(n, key) {
		return nil
	}
	if r.depth++; r.depth > 100 {
		r.bad(n, key, "nested too deeply")
		return nil
	}
	defer func() { r.depth-- }()
	switch n := n.(type) {
	case *ast.NullNode:
		return nil
	case ast.MapNode:
		out := yaml.MapSlice{}
		for it := n.MapRange(); it.Next(); {
			name := it.Key().GetToken().Value
			out = append(out, yaml.MapItem{Key: name, Value: r.tree(it.Value(), join(key, name))})
		}
		return out
	case *ast.SequenceNode:
		out := make([]any, len(n.Values))
		for i, item := range n.Values {
			out[i] = r.tree(item, key)
		}
		return out
	}
	text, ok := Text(n)
	if !ok {
		r.bad(n, key, "got %s, want a single value, a list or keys with values", describe(n))
	}
	return text
}

// Flow writes a tree on one line, which reads back as the same tree.
func Flow(tree any) string {
	switch v := tree.(type) {
	case yaml.MapSlice:
		parts := make([]string, len(v))
		for i, item := range v {
			parts[i] = inQuotes(item.Key.(string)) + ": " + Flow(item.Value)
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case []any:
		parts := make([]string, len(v))
		for i, item := range v {
			parts[i] = Flow(item)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case string:
		return inQuotes(v)
	}
	return "null"
}

// inQuotes is what JSON quotes, since YAML reads that in every case.
func inQuotes(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // strings always can be
	return strings.TrimSuffix(b.String(), "\n")
}
