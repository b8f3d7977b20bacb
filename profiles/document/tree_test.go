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

// A few lines with aliases of aliases may stand for more than there is memory.
func TestAliasesThatStandForTooMuch(t *testing.T) {
	bomb := "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
	for _, name := range []string{"b", "c", "d", "e", "f", "g", "h", "i"} {
		last := string(name[0] - 1)
		bomb += name + ": &" + name + " [" + strings.Repeat("*"+last+", ", 9) + "*" + last + "]\n"
	}
	const want = "got aliases that stand for too much"
	if _, err := treeOf(bomb); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("Tree = %.100v, want %s", err, want)
	}
	opaque := "extra:\n  " + strings.ReplaceAll(strings.TrimSpace(bomb), "\n", "\n  ") + "\n"
	if _, err := Decode([]byte(opaque), new(file), Strict); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("Decode of an opaque value = %.100v, want %s", err, want)
	}
	for _, round := range []string{"a: &a [*a]\n", "extra: &a {b: *a}\n"} {
		if _, err := treeOf(round); err == nil {
			t.Errorf("Tree of %q: got no error", round)
		}
		if _, err := Decode([]byte(round), new(file), Lax); strings.HasPrefix(round, "extra") && err == nil {
			t.Errorf("Decode of %q: got no error", round)
		}
	}

	// Nothing that stands there itself is too much.
	plain := "a: [" + strings.Repeat("x, ", 100_000) + strings.Repeat("y", 1<<20) + "]\n"
	if _, err := treeOf(plain); err != nil {
		t.Errorf("Tree of a large file = %v", err)
	}
}
