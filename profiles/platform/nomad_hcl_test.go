package platform

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"pgregory.net/rapid"
)

// Whatever the text looks like, a change makes that change and no other.
func TestHCLTextChangesNothingElse(t *testing.T) {
	layouts := []string{
		"outer {\n  inner {\n    a = 1 # one\n    b = \"x\"\n  }\n}\n",
		"outer {\n  inner { a = 1 }\n}\n",
		"outer {\n\tinner {}\n}",
		"outer {\n  inner {\n  }\n  after = 2\n}\n",
		"# top\r\nouter {\r\n  inner {\r\n    a = 1\r\n  }\r\n}\r\n",
		"outer {\n  inner {\n    a = <<EOT\ntext\nEOT\n  }\n}\n",
		"outer {\n  inner {\n    a = [\n      1,\n    ] // list\n    deeper { c = 3 }\n  }\n}\n",
	}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SampledFrom(layouts).Draw(t, "text")
		body, err := parseHCL([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		inner := blocks(blocks(body, "outer")[0].Body, "inner")[0]
		want := constants(inner)
		out := hclText{text: []byte(text)}
		for _, name := range rapid.SliceOfDistinct(rapid.SampledFrom([]string{"a", "b", "c"}), func(s string) string { return s }).Draw(t, "names") {
			if rapid.Bool().Draw(t, "remove") {
				if len(inner.Body.Attributes) != 1 || inner.OpenBraceRange.Start.Line != inner.CloseBraceRange.Start.Line {
					out.unset(inner, name)
					delete(want, name)
				}
				continue
			}
			n := rapid.IntRange(0, 99).Draw(t, "value")
			out.set(inner, name, cty.NumberIntVal(int64(n)))
			want[name] = fmt.Sprint(n)
		}
		if rapid.Bool().Draw(t, "with a block") {
			out.add(inner, newBlock("more", []setting{{name: "x", value: cty.StringVal("${y}")}}))
		}
		changed := out.bytes()
		body, err = parseHCL(changed)
		if err != nil {
			t.Fatalf("%v\n%s", err, changed)
		}
		if diff := cmp.Diff(want, constants(blocks(blocks(body, "outer")[0].Body, "inner")[0])); diff != "" {
			t.Fatalf("(-want +got)\n%s\n%s", diff, changed)
		}
	})
}

// constants are the attributes of a block, as they are written.
func constants(b *hclsyntax.Block) map[string]string {
	out := map[string]string{}
	for name, a := range b.Body.Attributes {
		v, _ := a.Expr.Value(nil)
		out[name] = v.GoString()
		if v.Type() == cty.Number {
			out[name] = v.AsBigFloat().String()
		}
	}
	return out
}
