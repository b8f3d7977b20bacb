package document

import (
	"reflect"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"pgregory.net/rapid"
)

func treeOf(text string) (any, error) {
	docs, err := Split([]byte(text))
	if err != nil || len(docs) == 0 {
		return nil, err
	}
	return docs[0].Tree()
}

// Scalars stay as they are written, and mappings in their order.
func TestTree(t *testing.T) {
	const text = "b: 0.10\na: [010, 1e3, 'x y', ~, {c: &n 5, d: *n}]\ne:\n"
	got, err := treeOf(text)
	want := yaml.MapSlice{
		{Key: "b", Value: "0.10"},
		{Key: "a", Value: []any{"010", "1e3", "x y", nil, yaml.MapSlice{{Key: "c", Value: "5"}, {Key: "d", Value: "5"}}}},
		{Key: "e", Value: nil},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Tree of %s = %#v, %v, want %#v", text, got, err, want)
	}
	const flow = `{"b": "0.10", "a": ["010", "1e3", "x y", null, {"c": "5", "d": "5"}], "e": null}`
	if got := Flow(want); got != flow {
		t.Errorf("Flow(%v) = %s, want %s", want, got, flow)
	}
	deep := strings.Repeat("[", 200) + strings.Repeat("]", 200)
	if _, err := treeOf(deep); err == nil || !strings.Contains(err.Error(), "nested too deeply") {
		t.Errorf("Tree of 200 lists within each other: %v, want an error", err)
	}
}

// What Flow writes reads back as the same tree.
func TestFlowComesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := drawNode(t, 0).write(t, "")
		want, err := treeOf(text)
		if err != nil {
			t.Fatalf("Tree of %q: %v", text, err)
		}
		got, err := treeOf(Flow(want))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("Tree of %s = %#v, %v, want %#v as of %q", Flow(want), got, err, want, text)
		}
	})
}
