package document

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"pgregory.net/rapid"
)

// node is a random mapping or list as the tests write it.
type node struct {
	keys   []string // nil: a list
	values []any    // scalars and nodes
	flow   bool
}

func drawNode(t *rapid.T, depth int) node {
	n := node{flow: rapid.IntRange(0, 3).Draw(t, "flow") == 0}
	if rapid.Bool().Draw(t, "mapping") || depth == 0 {
		n.keys = rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "app.io/x", "é", "9", "a b"}), 1, 4, rapid.ID[string]).Draw(t, "keys")
	}
	size := len(n.keys)
	if n.keys == nil {
		size = rapid.IntRange(1, 3).Draw(t, "size")
	}
	for range size {
		if depth < 3 && rapid.IntRange(0, 2).Draw(t, "nested") == 0 {
			n.values = append(n.values, drawNode(t, depth+1))
		} else {
			n.values = append(n.values, drawScalar(t))
		}
	}
	return n
}

func drawScalar(t *rapid.T) any {
	return rapid.OneOf(
		rapid.Map(rapid.IntRange(-9, 9999), func(i int) any { return i }),
		rapid.Map(rapid.Float64Range(-9, 9), func(f float64) any { return f }),
		rapid.Map(rapid.Bool(), func(b bool) any { return b }),
		rapid.Map(rapid.String(), func(s string) any { return s }),
		rapid.SampledFrom([]any{"x", "it's", "5", "no", "a: b", "- a", "{", "", " ", "x #y", "# y", "a\nb\n", "\\", "\"", "nginx:1.2", "http://x"}),
	).Draw(t, "scalar")
}

// write is the text of a node, in the layouts that people use.
func (n node) write(t *rapid.T, indent string) string {
	if n.flow {
		return indent + n.writeFlow(t) + "\n"
	}
	var out strings.Builder
	for i, v := range n.values {
		out.WriteString(rapid.SampledFrom([]string{"", "", "\n", indent + "# above\n", "# dedented\n"}).Draw(t, "above"))
		lead := indent + "-"
		if n.keys != nil {
			lead = indent + strconv.Quote(n.keys[i]) + ":"
		}
		out.WriteString(lead + n.writeValue(t, indent, v))
	}
	return out.String()
}

// writeValue is what follows the colon or the dash.
func (n node) writeValue(t *rapid.T, indent string, v any) string {
	comment := rapid.SampledFrom([]string{"", "", " # behind", "  #x: y"}).Draw(t, "comment") + "\n"
	steps := []string{"  ", "    ", " "}
	child, ok := v.(node)
	switch {
	case v == "a\nb\n":
		header := rapid.SampledFrom([]string{" |", " |+"}).Draw(t, "header")
		return header + comment + indent + "  a\n" + indent + "  b\n"
	case !ok || child.flow:
		return " " + writeFlow(t, v) + comment
	case n.keys != nil && child.keys == nil: // a list may stand right below its key
		steps = append(steps, "")
	case n.keys == nil && rapid.Bool().Draw(t, "behind the dash"):
		text := child.write(t, indent+"  ")
		if first := strings.TrimLeft(text, " "); first[0] != '#' && first[0] != '\n' {
			return " " + first
		}
		return "\n" + text
	}
	return comment + child.write(t, indent+rapid.SampledFrom(steps).Draw(t, "step"))
}

func (n node) writeFlow(t *rapid.T) string {
	var items []string
	for i, v := range n.values {
		item := writeFlow(t, v)
		if n.keys != nil {
			item = strconv.Quote(n.keys[i]) + ": " + item
		}
		items = append(items, item)
	}
	comma := rapid.SampledFrom([]string{", ", " , ", ",\n      "}).Draw(t, "comma")
	if n.keys != nil {
		return "{" + strings.Join(items, comma) + "}"
	}
	return "[" + strings.Join(items, comma) + "]"
}

func writeFlow(t *rapid.T, v any) string {
	switch v := v.(type) {
	case node:
		return v.writeFlow(t)
	case string:
		if v == "x" && rapid.Bool().Draw(t, "unquoted") {
			return v
		}
		return strconv.Quote(v)
	case float64:
		return strconv.FormatFloat(v, 'f', 3, 64)
	}
	return fmt.Sprint(v)
}

// paths are those of all values in a node; those of scalars are true.
func (n node) paths() map[string]bool {
	out := map[string]bool{}
	for i, v := range n.values {
		key := strconv.Itoa(i)
		if n.keys != nil {
			key = strings.ReplaceAll(n.keys[i], "/", "~1")
		}
		child, ok := v.(node)
		out[key] = !ok
		for path, scalar := range child.paths() {
			out[key+"/"+path] = scalar
		}
	}
	return out
}

// with is a decoded value with another one at keys; v may be changed.
func with(v any, keys []string, value any) any {
	if len(keys) == 0 {
		return value
	}
	switch parent := v.(type) {
	case []any:
		i, _ := strconv.Atoi(keys[0])
		if i == len(parent) {
			parent = append(parent, nil)
		}
		parent[i] = with(parent[i], keys[1:], value)
		return parent
	case map[string]any:
		parent[keys[0]] = with(parent[keys[0]], keys[1:], value)
		return parent
	}
	return map[string]any{keys[0]: with(nil, keys[1:], value)}
}

func TestEditProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := drawNode(t, 0)
		text := n.write(t, "")
		paths := n.paths()
		path := rapid.SampledFrom(slices.Sorted(maps.Keys(paths))).Draw(t, "path")
		exists := rapid.Bool().Draw(t, "exists")
		if !exists {
			path += rapid.SampledFrom([]string{"", "/new", "/new/newer"}).Draw(t, "below")
		}
		value := drawScalar(t)
		got, err := Apply([]byte(text), 0, Edit{Path: path, Value: value})
		if err != nil {
			if !exists && strings.Contains(err.Error(), ", want ") {
				return // through a scalar or past a list
			}
			t.Fatalf("Apply(%q, 0, %q = %#v): got error %v", text, path, value, err)
		}
		checkProperty(t, text, string(got), path, value)
		if exists && paths[path] {
			checkOtherLines(t, text, string(got))
		}
	})
}

func checkProperty(t *rapid.T, text, got, path string, value any) {
	t.Helper()
	var before, after any
	if err := yaml.Unmarshal([]byte(text), &before); err != nil {
		t.Fatalf("decode %q: %v", text, err)
	}
	if err := yaml.Unmarshal([]byte(got), &after); err != nil {
		t.Fatalf("decode %q, from %q: %v", got, text, err)
	}
	switch v := value.(type) {
	case int:
		value = uint64(v)
		if v < 0 {
			value = int64(v)
		}
	}
	keys := strings.Split(path, "/")
	for i := range keys {
		keys[i] = strings.ReplaceAll(keys[i], "~1", "/")
	}
	if want := with(before, keys, value); !reflect.DeepEqual(after, want) {
		t.Errorf("%s = %#v in %q:\n got %q, which is %v\nwant %v", path, value, text, got, after, want)
	}
}

// checkOtherLines finds that one scalar has changed: a line, or those
// of a literal.
func checkOtherLines(t *rapid.T, text, got string) {
	t.Helper()
	was, is := strings.Split(text, "\n"), strings.Split(got, "\n")
	for len(was) > 0 && len(is) > 0 && was[0] == is[0] {
		was, is = was[1:], is[1:]
	}
	for len(was) > 0 && len(is) > 0 && was[len(was)-1] == is[len(is)-1] {
		was, is = was[:len(was)-1], is[:len(is)-1]
	}
	literal := len(was) >= 3 && strings.Contains(was[0], " |")
	if len(is) > 1 || len(was) > 1 && !literal {
		t.Errorf("from %q:\n got %q,\nwhere %q became %q, want one scalar to change", text, got, was, is)
	}
}

func FuzzEdit(f *testing.F) {
	for _, tt := range editTests {
		f.Add(tt.text, tt.path, "x", 0)
		f.Add("a: 1\n---\n"+tt.text, tt.path, "5", 1)
	}
	f.Fuzz(func(t *testing.T, text, path, value string, doc int) {
		for _, v := range []any{value, len(value), []any{value}, map[string]any{"k": value}, nil} {
			e := Edit{Path: path, Value: v}
			got, err := Apply([]byte(text), doc, e)
			if err != nil {
				if strings.Contains(err.Error(), "\n") || got != nil {
					t.Fatalf("Apply(%q, %d, %v): got %q, error %q", text, doc, e, got, err)
				}
				continue
			}
			checkAgain(t, got, doc, e)
			if before, after := documents([]byte(text)), documents(got); len(before) != len(after) {
				t.Fatalf("Apply(%q, %d, %v): got %q, which is %d documents, want %d", text, doc, e, got, len(after), len(before))
			}
		}
	})
}
