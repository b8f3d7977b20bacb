package document

import (
	"errors"

	"github.com/goccy/go-yaml/ast"
)

// Entry is a key of a document, at its outermost level.
type Entry struct {
	Key   string
	Line  int
	Value any // its Tree
}

// Entries reads a document whose keys the caller knows better than a Go type
// could say, in the order of the file. The error lists all problems.
func (d Document) Entries() (entries []Entry, err error) {
	r := &reader{anchors: d.anchors, left: d.budget()}
	defer func() {
		if recover() != nil {
			err = errors.New("the file is not valid YAML")
		}
	}()
	keys, ok := d.node.(ast.MapNode)
	if !ok {
		return nil, Problem{Line: d.line(), Text: "got " + describe(d.node) + ", want keys with values"}
	}
	for it := keys.MapRange(); it.Next(); {
		key := it.Key().GetToken().Value
		entries = append(entries, Entry{Key: key, Line: line(it.Key()), Value: r.tree(it.Value(), key)})
	}
	return entries, errors.Join(r.problems...)
}
