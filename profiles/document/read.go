package document

import (
	"bytes"
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Mode says what to do with keys that the Go type does not have.
type Mode bool

// Strict refuses them, Lax leaves them alone.
const (
	Strict Mode = true
	Lax    Mode = false
)

// Decode reads the only document of a YAML file over the values that the
// struct out holds, by the names in its yaml tags. Types that read text read
// the scalar as it is written, a TreeUnmarshaler reads the whole value. Keys
// without a value change nothing. The error
// lists all problems in the order of the file.
//
// Merge keys are not understood; anchors and aliases are.
func Decode(data []byte, out any, mode Mode) (Lines, error) {
	docs, err := Split(data)
	switch {
	case err != nil:
		return nil, err
	case len(docs) == 0:
		return nil, errors.New("the file is empty")
	case len(docs) > 1:
		return nil, Problem{Line: docs[1].line(), Text: "a second document, want one"}
	}
	return docs[0].Decode(out, mode)
}

// Document is one document of a file.
type Document struct {
	Index   int // among all documents of the file, empty ones included
	node    ast.Node
	anchors map[string]ast.Node
	size    int // of its text
}

// Split parses a file and returns its documents without the empty ones.
func Split(data []byte) (docs []Document, err error) {
	defer func() { // the library panics on some malformed input, such as a lone tag
		if recover() != nil {
			docs, err = nil, errors.New("the file is not valid YAML")
		}
	}()
	for i, part := range documents(data) {
		// Empty lines in front keep the line numbers, and the library
		// miscounts lines that end in CR LF.
		text := strings.Repeat("\n", bytes.Count(data[:part.start], []byte("\n"))) + string(data[part.start:part.end])
		file, err := parser.ParseBytes([]byte(strings.ReplaceAll(text, "\r\n", "\n")), 0)
		if err != nil {
			return nil, syntax(text, err)
		}
		body := file.Docs[len(file.Docs)-1].Body // any before it is a directive
		switch body.(type) {
		case nil, *ast.CommentGroupNode, *ast.NullNode:
			continue
		}
		anchors := anchors{}
		ast.Walk(anchors, body)
		docs = append(docs, Document{Index: i, node: body, anchors: anchors, size: len(text)})
	}
	return docs, nil
}

func (d Document) line() int { return line(d.node) }

// budget is how much reading the document may cost, in values and in bytes of
// text: more than there is to read in it, but not much more, as aliases of
// lists of aliases let a few lines stand for billions of values.
func (d Document) budget() int { return 10_000 + 4*d.size }

// Decode is the function Decode for this document.
func (d Document) Decode(out any, mode Mode) (Lines, error) {
	r, err := d.read(out, mode)
	return r.lines, err
}

// Unknown are the keys of the document that the struct out, over which it is
// read, does not have, in the order of the file. What is below one of them is
// not looked at.
func (d Document) Unknown(out any) []string {
	r, _ := d.read(out, Lax)
	return r.unknown
}

func (d Document) read(out any, mode Mode) (r *reader, err error) {
	r = &reader{mode: mode, anchors: d.anchors, left: d.budget(), lines: Lines{}}
	defer func() {
		if recover() != nil {
			err = errors.New("the file is not valid YAML")
		}
	}()
	r.value(d.node, "", reflect.ValueOf(out).Elem())
	return r, errors.Join(r.problems...)
}

// anchors collects the anchors of a document by their names.
type anchors map[string]ast.Node

func (a anchors) Visit(n ast.Node) ast.Visitor {
	if n, ok := n.(*ast.AnchorNode); ok {
		a[n.Name.GetToken().Value] = n.Value
	}
	return a
}

// syntax turns an error of the parser into one line.
func syntax(text string, err error) error {
	var located yaml.Error
	if !errors.As(err, &located) || located.GetToken() == nil {
		return fmt.Errorf("the file is not valid YAML: %s", excerpt(err.Error()))
	}
	t := located.GetToken()
	p := Problem{Line: t.Position.Line, Text: fmt.Sprintf("got %q: %s", Excerpt(strings.TrimSpace(t.Value)), excerpt(located.GetMessage()))}
	lines := strings.Split(text, "\n")
	at := lines[min(max(p.Line, 1), len(lines))-1]
	if strings.Contains(at[:len(at)-len(strings.TrimLeft(at, " \t"))], "\t") { // the parser blames what is next to it
		p.Text = "got a tab, want spaces"
	}
	return p
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func line(n ast.Node) int { return n.GetToken().Position.Line }

// reader fills Go values from nodes.
type reader struct {
	mode     Mode
	anchors  map[string]ast.Node
	depth    int // of aliases within aliases
	left     int // of the budget; below 0: it has been said that nothing is
	lines    Lines
	unknown  []string
	problems []error
}

func (r *reader) bad(n ast.Node, key, format string, args ...any) {
	r.problems = append(r.problems, Problem{Line: line(n), Key: key, Text: fmt.Sprintf(format, args...)})
}

var textType = reflect.TypeFor[encoding.TextUnmarshaler]()

// spend takes the cost of a value from the budget, and reports whether there
// was enough of it.
func (r *reader) spend(n ast.Node, key string) bool {
	if r.left < 0 {
		return false
	}
	text, _ := Text(n)
	if r.left -= 1 + len(text); r.left < 0 {
		r.bad(n, key, "got aliases that stand for too much")
		return false
	}
	return true
}

func (r *reader) value(n ast.Node, key string, v reflect.Value) {
	n, ok := r.resolve(n, key)
	if !ok || !r.spend(n, key) {
		return
	}
	if _, null := n.(*ast.NullNode); null {
		return
	}
	if v.Addr().Type().Implements(textType) {
		r.text(n, key, v)
		return
	}
	if u, ok := v.Addr().Interface().(TreeUnmarshaler); ok {
		if err := u.UnmarshalTree(r.tree(n, key)); err != nil {
			r.bad(n, key, "%s", err)
		}
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		fresh := reflect.New(v.Type().Elem())
		r.value(n, key, fresh.Elem())
		v.Set(fresh)
	case reflect.Struct:
		r.structure(n, key, v)
	case reflect.Slice:
		r.list(n, key, v)
	case reflect.Map, reflect.Interface:
		r.opaque(n, key, v)
	default:
		r.scalar(n, key, v)
	}
}

// maxAliases is how deep aliases may refer to aliases.
const maxAliases = 16

// resolve goes through anchors, aliases and tags to what they stand for.
func (r *reader) resolve(n ast.Node, key string) (ast.Node, bool) {
	for range maxAliases {
		switch t := n.(type) {
		case *ast.AnchorNode:
			n = t.Value
		case *ast.TagNode:
			n = t.Value
		case *ast.AliasNode:
			name := t.Value.GetToken().Value
			to, ok := r.anchors[name]
			if !ok {
				r.bad(n, key, "got an alias of %q, want one of an anchor in this file", Excerpt(name))
				return nil, false
			}
			n = to
		case nil:
			return nil, false
		default:
			return n, true
		}
	}
	r.bad(n, key, "got an alias that leads nowhere")
	return nil, false
}

// structure reads a mapping into a struct.
func (r *reader) structure(n ast.Node, key string, v reflect.Value) {
	entries, ok := n.(ast.MapNode)
	if !ok {
		r.bad(n, key, "got %s, want keys with values", describe(n))
		return
	}
	if r.depth++; r.depth > 100 {
		r.bad(n, key, "nested too deeply")
		return
	}
	defer func() { r.depth-- }()
	fields := map[string]reflect.Value{}
	names := fieldsOf(v, fields)
	for it := entries.MapRange(); it.Next(); {
		name := it.Key().GetToken().Value
		path := join(key, name)
		r.lines[path] = line(it.Key())
		if field, ok := fields[name]; ok {
			r.value(it.Value(), path, field)
			continue
		}
		r.unknown = append(r.unknown, path)
		if r.mode == Strict {
			r.bad(it.Key(), join(key, Excerpt(name)), "unknown key, want %s", oneOf(names))
		}
	}
}

func join(key, name string) string {
	if key == "" {
		return name
	}
	return key + "." + name
}

// fieldsOf adds the fields of a struct by their names in a file, those of
// embedded structs marked inline among them, and returns the names in order.
func fieldsOf(v reflect.Value, to map[string]reflect.Value) (names []string) {
	for i := range v.NumField() {
		name, options, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
		switch {
		case options == "inline":
			names = append(names, fieldsOf(v.Field(i), to)...)
		case name != "" && name != "-":
			names = append(names, name)
			to[name] = v.Field(i)
		}
	}
	return names
}

// oneOf lists words as a sentence does.
func oneOf(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

func (r *reader) list(n ast.Node, key string, v reflect.Value) {
	items, ok := n.(*ast.SequenceNode)
	if !ok {
		r.bad(n, key, "got %s, want a list", describe(n))
		return
	}
	out := reflect.MakeSlice(v.Type(), len(items.Values), len(items.Values))
	for i, item := range items.Values {
		path := fmt.Sprintf("%s[%d]", key, i)
		r.lines[path] = line(item)
		r.value(item, path, out.Index(i))
	}
	v.Set(out)
}

// opaque takes over whatever there is.
func (r *reader) opaque(n ast.Node, key string, v reflect.Value) {
	if _, ok := n.(ast.MapNode); !ok && v.Kind() == reflect.Map {
		r.bad(n, key, "got %s, want keys with values", describe(n))
		return
	}
	// The library goes through all that aliases stand for, without a limit.
	found := len(r.problems)
	if r.tree(n, key); len(r.problems) > found {
		return
	}
	if err := yaml.NodeToValue(n, v.Addr().Interface()); err != nil {
		r.bad(n, key, "%s", excerpt(err.Error()))
	}
}

// text reads a scalar as it is written: the library would take a number
// through a float64.
func (r *reader) text(n ast.Node, key string, v reflect.Value) {
	s, ok := Text(n)
	if !ok {
		r.bad(n, key, "got %s, want a single value", describe(n))
		return
	}
	if err := v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(s)); err != nil {
		r.bad(n, key, "%s", err)
	}
}

// Text is a scalar as it is written, without its quotes.
func Text(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, true
	}
	return "", false
}

func (r *reader) scalar(n ast.Node, key string, v reflect.Value) {
	s, ok := Text(n)
	want := "a single value"
	switch v.Kind() {
	case reflect.String:
		if ok {
			v.SetString(s)
			return
		}
	case reflect.Int, reflect.Int32, reflect.Int64:
		want = "a whole number"
		if i, err := strconv.ParseInt(s, 10, v.Type().Bits()); ok && err == nil {
			v.SetInt(i)
			return
		}
	case reflect.Float64:
		want = "a number"
		if f, err := strconv.ParseFloat(s, 64); ok && err == nil {
			v.SetFloat(f)
			return
		}
	case reflect.Bool:
		want = "true or false"
		if b, err := strconv.ParseBool(s); ok && err == nil {
			v.SetBool(b)
			return
		}
	}
	r.bad(n, key, "got %s, want %s", describe(n), want)
}

// describe is a node as an error names it.
func describe(n ast.Node) string {
	if s, ok := Text(n); ok {
		return strconv.Quote(Excerpt(s))
	}
	switch n.(type) {
	case ast.MapNode:
		return "keys with values"
	case *ast.SequenceNode:
		return "a list"
	}
	return strconv.Quote(Excerpt(n.GetToken().Value))
}
