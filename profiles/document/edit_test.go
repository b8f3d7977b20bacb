package document

import (
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
)

var editTests = []struct {
	name  string
	text  string
	path  string
	value any
	want  string
}{
	// scalars
	{"number", "a: 1\nb: 2\n", "a", 5, "a: 5\nb: 2\n"},
	{"trailing comment", "spec:\n  replicas: 1   # of many\n  b: x\n", "spec/replicas", 12, "spec:\n  replicas: 12   # of many\n  b: x\n"},
	{"comment without space", "a: 1 #x\n", "a", 2, "a: 2 #x\n"},
	{"tabs", "a:\t1\t# x\nb:\t2\n", "b", 3, "a:\t1\t# x\nb:\t3\n"},
	{"unicode", "é: \"ü\" # ö\nb: {é: 1, c: 2}\n", "b/c", 3, "é: \"ü\" # ö\nb: {é: 1, c: 3}\n"},
	{"escapes", `{a: "\x41\u00e9\"\\", b: 'it''s', c: 1}`, "c", 2, `{a: "\x41\u00e9\"\\", b: 'it''s', c: 2}`},
	{"after an escaped backslash", `{a: "\\", b: "\"", c: ''''}`, "b", "x", `{a: "\\", b: "x", c: ''''}`},
	{"equal", "a:  'x'\nb: 0x10\n", "a", "x", "a:  'x'\nb: 0x10\n"},
	{"equal in other words", "b: 0x10\n", "b", 16, "b: 0x10\n"},
	{"equal mapping", "a: {y: 1,   x: [2]}\n", "a", map[string]any{"x": []int{2}, "y": 1}, "a: {y: 1,   x: [2]}\n"},
	{"equal alias", "a: &x 5\nb: *x\n", "b", 5, "a: &x 5\nb: *x\n"},
	{"single quotes stay", "a: 'x'\n", "a", "it's", "a: 'it''s'\n"},
	{"double quotes stay", "a: \"x\"\n", "a", "y", "a: \"y\"\n"},
	{"single quotes cannot hold a line break", "a: 'x'\n", "a", "y\nz", "a: \"y\\nz\"\n"},
	{"quotes go with the string", "a: \"1\"\n", "a", 2, "a: 2\n"},
	{"a string like a number", "a: x\n", "a", "5", "a: \"5\"\n"},
	{"a string like a bool", "a: x\n", "a", "yes", "a: \"yes\"\n"},
	{"a string like a comment", "a: x\n", "a", "y #z", "a: \"y #z\"\n"},
	{"a plain string", "a: 1\n", "a", "my-app v1.2", "a: my-app v1.2\n"},
	{"float", "a: 1\n", "a", 1e21, "a: 1000000000000000000000.0\n"},
	{"bool", "a: 1\n", "a", true, "a: true\n"},
	{"folded plain", "a: one\n  two\n  three # x\nb: 1\n", "a", "w", "a: w # x\nb: 1\n"},
	{"quoted over lines", "a: \"one\n  two\"\nb: 1\n", "a", "y", "a: \"y\"\nb: 1\n"},
	{"value on the next line", "a:\n  one # x\nb: 1\n", "a", 2, "a:\n  2 # x\nb: 1\n"},
	{"literal", "a: |\n  one\n  # two\n\nb: 1\n", "a", "w", "a: w\n\nb: 1\n"},
	{"after literals", "a: |\n  one\n\n  two\nb: >- # x\n  é\n  y\nc: |\nd: 1\n", "d", 2, "a: |\n  one\n\n  two\nb: >- # x\n  é\n  y\nc: |\nd: 2\n"},
	{"null", "a:\nb:   # x\nc: ~\n", "b", 1, "a:\nb: 1   # x\nc: ~\n"},
	{"written null", "a: ~ # x\n", "a", 1, "a: 1 # x\n"},
	{"null at the end", "a:", "a", 1, "a: 1"},
	{"list element", "a:\n- 1 # x\n- 2\n", "a/0", 3, "a:\n- 3 # x\n- 2\n"},
	{"null element", "a:\n-\n- 2\n", "a/0", 3, "a:\n- 3\n- 2\n"},
	{"in a list of mappings", "a:\n  - n: 1\n    m: 2\n  - n: 3\n", "a/0/m", 5, "a:\n  - n: 1\n    m: 5\n  - n: 3\n"},
	{"list in a list", "- - a\n  - b\n-\n- c\n", "0/1", "x", "- - a\n  - x\n-\n- c\n"},
	{"explicit key", "? a\n: 1\n? b\n: 2\n", "b", 3, "? a\n: 1\n? b\n: 3\n"},
	{"keys with slashes and dots", "a:\n  k8s.io/x~y: 1\n", "a/k8s.io~1x~0y", 2, "a:\n  k8s.io/x~y: 2\n"},
	{"quoted key", "\"a b\": 1\n", "a b", 2, "\"a b\": 2\n"},
	{"flow", "a: { b: 1 , c: [2, 3] } # x\n", "a/c/1", 4, "a: { b: 1 , c: [2, 4] } # x\n"},
	{"flow null", "a: {b: , c, d: }\n", "a/b", 1, "a: {b: 1 , c, d: }\n"},
	{"flow key alone", "a: {b: , c, d: }\n", "a/c", 1, "a: {b: , c: 1, d: }\n"},
	{"alias", "a: &x 5\nb: *x # y\n", "b", 6, "a: &x 5\nb: 6 # y\n"},
	{"anchor without alias", "a: &x 5\nb: 1\n", "a", 6, "a: &x 6\nb: 1\n"},
	{"anchored null", "a: &x\nb: 1\n", "a", 6, "a: &x 6\nb: 1\n"},
	{"tagged scalar", "a: !!int 5 # x\n", "a", 6, "a: 6 # x\n"},
	{"tag of a reference", "a: !Ref T # x\n", "a", 6, "a: 6 # x\n"},
	{"between tags", "a: !Ref T\nb: !Sub |\n  x\nc: !If [a, !GetAtt b.c]\nd: 1\ne: !Foo\n  f: 2\n", "d", 2,
		"a: !Ref T\nb: !Sub |\n  x\nc: !If [a, !GetAtt b.c]\nd: 2\ne: !Foo\n  f: 2\n"},
	{"below a tag", "e: !Foo\n  f: 2\n", "e/f", 3, "e: !Foo\n  f: 3\n"},
	{"below an anchor", "e: &x\n  f: 2\ng: 1\n", "e/f", 3, "e: &x\n  f: 3\ng: 1\n"},
	{"over a merge key", "a: &x {b: 1}\nc:\n  <<: *x\n", "c/b", 2, "a: &x {b: 1}\nc:\n  <<: *x\n  b: 2\n"},

	// mappings and lists
	{"scalar to mapping", "a: 1 # x\nb: 2\n", "a", yaml.MapSlice{{Key: "z", Value: 1}, {Key: "w", Value: []any{}}}, "a: # x\n  z: 1\n  w: []\nb: 2\n"},
	{"scalar to list", "a: 1\n", "a", []any{1, map[string]any{"x": 2, "z": []int{3}}}, "a:\n  - 1\n  - x: 2\n    z:\n      - 3\n"},
	{"flow to block", "a: {b: 1,\n  c: 2} # x\nd: 1\n", "a", map[string]any{"e": 1}, "a: # x\n  e: 1\nd: 1\n"},
	{"block to block", "a:\n    # x\n    b: 1 # y\n    c: 2\nd: 1\n", "a", map[string]any{"e": 1}, "a:\n    # x\n    e: 1\nd: 1\n"},
	{"list to list", "a:\n- 1\n- 2\nd: 1\n", "a", []int{3}, "a:\n- 3\nd: 1\n"},
	{"list to mapping", "a:\n- 1\n- 2\nd: 1\n", "a", map[string]int{"b": 3}, "a:\n  b: 3\nd: 1\n"},
	{"block to scalar", "a: # x\n  # y\n  b: 1 # z\nd: 1\n", "a", 5, "a: 5 # x\n  # y\nd: 1\n"},
	{"block to scalar at the end", "a:\n  b: 1", "a", 5, "a: 5\n"},
	{"block to empty", "a:\n  b: 1\n", "a", map[string]any{}, "a: {}\n"},
	{"literal to mapping", "a: |\n  x\nb: 1\n", "a", map[string]any{"e": 1}, "a:\n  e: 1\nb: 1\n"},
	{"element to mapping", "- 1 # x\n- 2\n", "0", yaml.MapSlice{{Key: "z", Value: 1}, {Key: "w", Value: 2}}, "- z: 1\n  w: 2 # x\n- 2\n"},
	{"element mapping to mapping", "- a: 1\n  b: 2\n- 2\n", "0", yaml.MapSlice{{Key: "z", Value: 1}, {Key: "w", Value: 2}}, "- z: 1\n  w: 2\n- 2\n"},
	{"element below its dash", "-\n  a: 1\n- 2\n", "0", map[string]int{"z": 1}, "-\n  z: 1\n- 2\n"},
	{"element to scalar", "- a: 1\n  b: 2\n- 2\n", "0", "x", "- x\n- 2\n"},
	{"within flow", "{a: 1, b: [x]}\n", "a", map[string]any{"c": []any{1, "a:b"}}, "{a: {c: [1, \"a:b\"]}, b: [x]}\n"},
	{"tagged mapping", "a: !Foo\n  b: 1\n", "a", map[string]int{"c": 1}, "a: !Foo\n  c: 1\n"},
	{"null in a list", "a: 1\n", "a", []any{nil}, "a:\n  - null\n"},
	{"struct", "a: 1\n", "a", struct {
		Min int    `yaml:"minReplicas"`
		Not string `yaml:"not,omitempty"`
	}{Min: 2}, "a:\n  minReplicas: 2\n"},

	// absent keys
	{"new key", "a: 1\n", "b", 2, "a: 1\nb: 2\n"},
	{"new key that needs quotes", "a: 1\n", "8080", "x", "a: 1\n\"8080\": x\n"},
	{"no final newline", "a: 1", "b", 2, "a: 1\nb: 2"},
	{"new parents", "a: 1\n", "b/c/d", 2, "a: 1\nb:\n  c:\n    d: 2\n"},
	{"siblings' indentation", "a:\n    b: 1 # x\n\n# about c\nc: 1\n", "a/d", 2, "a:\n    b: 1 # x\n    d: 2\n\n# about c\nc: 1\n"},
	{"behind a nested block", "a:\n  b:\n    c: 1\n  # end\nd: 1\n", "a/e", 2, "a:\n  b:\n    c: 1\n  e: 2\n  # end\nd: 1\n"},
	{"behind a list without indentation", "a:\n- x\n- y\n", "b", 2, "a:\n- x\n- y\nb: 2\n"},
	{"behind a literal", "a: |\n  x\n\n# y\n", "b", 2, "a: |\n  x\nb: 2\n\n# y\n"},
	{"behind a literal that keeps its line breaks", "c:\n  a: |+\n    x\n\n\nd: 1\n", "c/b", 2, "c:\n  a: |+\n    x\n\n\n  b: 2\nd: 1\n"},
	{"behind such a literal at the end", "a: |+\n  x\n\n", "b", 2, "a: |+\n  x\n\nb: 2\n"},
	{"behind an empty value", "a:\n  b:\n  # x\nc: 1\n", "a/d", 2, "a:\n  b:\n  d: 2\n  # x\nc: 1\n"},
	{"null parent", "spec: # x\nb: 1\n", "spec/replicas", 2, "spec: # x\n  replicas: 2\nb: 1\n"},
	{"null parent at the end", "a:\n  spec:", "a/spec/replicas", 2, "a:\n  spec:\n    replicas: 2"},
	{"anchored null parent", "spec: &x\nb: 1\n", "spec/replicas", 2, "spec: &x\n  replicas: 2\nb: 1\n"},
	{"empty parent", "spec: {} # x\nb: 1\n", "spec/replicas", 2, "spec: # x\n  replicas: 2\nb: 1\n"},
	{"tagged empty parent", "spec: !Foo {}\n", "spec/replicas", 2, "spec: !Foo\n  replicas: 2\n"},
	{"in an element", "a:\n  - n: 1\n  - n: 2\n", "a/0/m", 3, "a:\n  - n: 1\n    m: 3\n  - n: 2\n"},
	{"element without value", "a:\n  -\n  - n: 2\n", "a/0/m", 3, "a:\n  - m: 3\n  - n: 2\n"},
	{"new element", "a:\n- 1 # x\n# y\nb: 1\n", "a/1", 2, "a:\n- 1 # x\n- 2\n# y\nb: 1\n"},
	{"new element of mappings", "a:\n  - k: 1\n    m: 2\n", "a/1/k", 2, "a:\n  - k: 1\n    m: 2\n  - k: 2\n"},
	{"first element", "a: []\n", "a/0", "x", "a:\n  - x\n"},
	{"flow key", "{a: 1}\n", "b", 2, "{a: 1, b: 2}\n"},
	{"flow key behind a comma", "{a: 1,}\n", "b", 2, "{a: 1, b: 2,}\n"},
	{"flow key behind null", "x: {a: }\n", "x/b/c", "w", "x: {a:, b: {c: w} }\n"},
	{"flow over lines", "{\n  a: 1,\n  b: 2\n}\n", "c", 3, "{\n  a: 1,\n  b: 2,\n  c: 3\n}\n"},
	{"flow element", "a: [1, 2] # x\n", "a/2", []int{3}, "a: [1, 2, [3]] # x\n"},
	{"empty in flow", "a: [{}]\n", "a/0/b", 1, "a: [{b: 1}]\n"},
	{"JSON", "{\"a\": {\"b\": 1}}", "a/c", map[string]any{"d": "x"}, "{\"a\": {\"b\": 1, \"c\": {\"d\": \"x\"}}}"},
	{"JSON scalar", "{\"a\": 1}", "a", "x", "{\"a\": \"x\"}"},

	// documents
	{"empty", "", "a/b", 1, "a:\n  b: 1\n"},
	{"only comments", "# x\n\n# y", "a", 1, "# x\n\n# y\na: 1\n"},
	{"only a header", "---\n# x\n", "a", 1, "---\n# x\na: 1\n"},
	{"null document", "---\nnull # x\n", "a", 1, "---\na: 1 # x\n"},
	{"empty mapping", "# x\n{}\n", "a", 1, "# x\na: 1\n"},
	{"empty mapping behind the header", "--- {}\n", "a", 1, "--- \na: 1\n"},
	{"header and end", "# x\n---\n# y\na: 1\n...\n", "b", 2, "# x\n---\n# y\na: 1\nb: 2\n...\n"},
	{"directive", "%YAML 1.2\n---\na: 1\n", "a", 2, "%YAML 1.2\n---\na: 2\n"},
	{"byte order mark", "\ufeffa: 1\n", "a", 2, "\ufeffa: 2\n"},

	// removal
	{"remove", "a: 1\n# b\nb: 2 # x\n# c\nc: 3\n", "b", nil, "a: 1\n# b\n# c\nc: 3\n"},
	{"remove a block", "a: 1\nb:\n  # x\n  c: 2\n  d: |\n    y\ne: 3\n", "b", nil, "a: 1\ne: 3\n"},
	{"remove the last key", "a:\n  b: 1 # x\nc: 1\n", "a/b", nil, "a: {}\nc: 1\n"},
	{"remove the only key", "a: 1\n", "a", nil, "{}\n"},
	{"remove below a tag", "a: !Foo\n  b: 1\n", "a/b", nil, "a: !Foo {}\n"},
	{"remove nothing", "a: 1\n", "b/c", nil, "a: 1\n"},
	{"remove null", "a:\nb: 1\n", "a", nil, "b: 1\n"},
	{"remove at the end", "a: 1\nb: 2", "b", nil, "a: 1\n"},
	{"remove behind a dash", "- a: 1 # x\n  # about b\n  b: 2\n", "0/a", nil, "- # about b\n  b: 2\n"},
	{"remove second behind a dash", "- a: 1\n  b: 2\n- c\n", "0/b", nil, "- a: 1\n- c\n"},
	{"remove element", "a:\n- 1\n- 2 # x\n- 3\n", "a/1", nil, "a:\n- 1\n- 3\n"},
	{"remove element of elements", "- - a\n  - b\n", "0/0", nil, "- - b\n"},
	{"remove the last element", "a:\n- 1\nb: 1\n", "a/0", nil, "a: []\nb: 1\n"},
	{"remove in flow", "{a: 1, b: 2, c: 3}\n", "b", nil, "{a: 1, c: 3}\n"},
	{"remove last in flow", "{a: 1, b: [2, 3] , }\n", "b/1", nil, "{a: 1, b: [2] , }\n"},
	{"remove only in flow", "{a: { b: 1 }}\n", "a/b", nil, "{a: {}}\n"},
}

func TestEdit(t *testing.T) {
	for _, tt := range editTests {
		t.Run(tt.name, func(t *testing.T) {
			before := strings.Clone(tt.text)
			checkEdit(t, tt.text, 0, Edit{Path: tt.path, Value: tt.value}, tt.want)
			if tt.text != before {
				t.Errorf("the text itself became %q", tt.text)
			}
		})
	}
}

// TestEditLineBreaks does the same with CR LF, to texts that have lines.
func TestEditLineBreaks(t *testing.T) {
	crlf := strings.NewReplacer("\n", "\r\n")
	for _, tt := range editTests {
		if first, _, ok := strings.Cut(tt.text, "\n"); !ok || first == "" {
			continue
		}
		t.Run(tt.name, func(t *testing.T) {
			checkEdit(t, crlf.Replace(tt.text), 0, Edit{Path: tt.path, Value: tt.value}, crlf.Replace(tt.want))
		})
	}
}

// TestEditOtherDocuments does the same between documents that are empty or
// that nobody can read.
func TestEditOtherDocuments(t *testing.T) {
	placed := 0
	for _, tt := range editTests {
		text, want, ok := within(tt.text, tt.want)
		if !ok {
			continue
		}
		placed++
		t.Run(tt.name, func(t *testing.T) {
			const before, after = "a: [\n---\n# nothing\n", "\n---\n---\nb: *none\n"
			checkEdit(t, before+"---\n"+text+after, 2, Edit{Path: tt.path, Value: tt.value}, before+"---\n"+want+after)
		})
	}
	if placed < len(editTests)*3/4 {
		t.Errorf("%d of %d rows can stand between other documents, want nearly all", placed, len(editTests))
	}
}

// within is a document and what an edit makes of it without the header and the
// end, which others provide; ok is false where it can only stand at the
// beginning or the end of a file.
func within(text, want string) (_, _ string, ok bool) {
	if strings.HasPrefix(text, "\ufeff") || strings.HasSuffix(text, "...\n") || strings.HasPrefix(text, "%") || text == "" {
		return "", "", false
	}
	if _, body, found := strings.Cut(text, "---\n"); found {
		text = body
		_, want, _ = strings.Cut(want, "---\n")
	}
	text, ended := strings.CutSuffix(text, "\n")
	want, ends := strings.CutSuffix(want, "\n")
	return text, want, ended == ends && !strings.HasPrefix(text, "--- ")
}

func checkEdit(t *testing.T, text string, doc int, e Edit, want string) {
	t.Helper()
	got, err := Apply([]byte(text), doc, e)
	if err != nil {
		t.Fatalf("Apply(%q, %d, %v): got error %v", text, doc, e, err)
	}
	if string(got) != want {
		t.Errorf("Apply(%q, %d, %v):\n got %q\nwant %q", text, doc, e, got, want)
	}
	checkAgain(t, got, doc, e)
}

// checkAgain finds that an edit that has been made changes nothing. Without
// an element, however, the next one has its index.
func checkAgain(t *testing.T, text []byte, doc int, e Edit) {
	t.Helper()
	if e.Value == nil {
		return
	}
	again, err := Apply(text, doc, e)
	if err != nil || string(again) != string(text) {
		t.Errorf("Apply(%q, %d, %v), once more: got %q, error %v", text, doc, e, again, err)
	}
}

func TestEditErrors(t *testing.T) {
	tests := []struct {
		name  string
		text  string
		doc   int
		path  string
		value any
		want  string
	}{
		{"through a scalar", "spec:\n  # x\n  replicas: 5\n", 0, "spec/replicas/min", 1, "spec/replicas: got 5 on line 3, want a mapping"},
		{"through a string", "a: \"x y\"\n", 0, "a/b", 1, `a: got "x y" on line 1, want a mapping`},
		{"through a literal", "a: |\n  x\n  y\n", 0, "a/b", 1, "a: got | x y on line 1, want a mapping"},
		{"through an alias", "a: &x {b: 1}\nc: *x\n", 0, "c/b", 2, "c: got *x on line 2, want a mapping"},
		{"line break in the path", "\"a\\nb\": 1\n", 0, "a\nb/c", 1, "a b: got 1 on line 1, want a mapping"},
		{"scalar document", "# x\nhello\n", 0, "a", 1, "document: got hello on line 2, want a mapping"},
		{"line in a later document", "a: 1\n---\nb: 2\n", 1, "b/c", 1, "b: got 2 on line 3, want a mapping"},
		{"index too high", "a:\n- 1\n", 0, "a/2", 1, `a: got "2" for the list on line 2, want an index 0..1`},
		{"index below zero", "a: [1]\n", 0, "a/-1", 1, `a: got "-1" for the list on line 1, want an index 0..1`},
		{"no index", "- 1\n", 0, "x", 1, `document: got "x" for the list on line 1, want an index 0..1`},
		{"empty path", "a: 1\n", 0, "", 1, `path "": got an empty key`},
		{"path from a root", "a: 1\n", 0, "/a", 1, `path "/a": got an empty key`},
		{"no such document", "a: 1\n---\n", 2, "a", 1, "document 2: got 2 in the file"},
		{"negative document", "a: 1\n", -1, "a", 1, "document -1: got 1 in the file"},
		{"not YAML", "b: 1\n---\n# x\na: [1\n", 1, "b", 1, "line 4: not valid YAML: sequence end token ']' not found"},
		{"not YAML with CR LF", "# x\r\n# y\r\na: [1\r\n", 0, "b", 1, "line 3: not valid YAML: sequence end token ']' not found"},
		{"tag without a value at the end", "a: 1\nb: !x", 0, "a", 2, "line 2: got !x, which cannot be edited"},
		{"not UTF-8", "a: 1\nb: \xff\n", 0, "a", 2, "line 2: got \ufffd, which cannot be edited"},
		{"long scalar", "a: " + strings.Repeat("x", 100), 0, "a/b", 2, "a: got " + strings.Repeat("x", 60) + "... on line 1, want a mapping"},
		{"value with aliases", "a: &x 5\nb: *x\n", 0, "a", 6, "a: cannot be set without another change, as an anchor, alias or merge key is in the way"},
		{"anchor that is used", "a: {c: &x 5}\nb: *x\n", 0, "a", 6, `a: cannot be edited here: line 2: not valid YAML: could not find alias "x"`},
		{"removal below a merge key", "a: &x {b: 1}\nc:\n  <<: *x\n", 0, "c/b", nil, "c/b: cannot be set without another change, as an anchor, alias or merge key is in the way"},
		{"not a number", "a: 1\n", 0, "a", []any{zero() / zero()}, "a: got NaN, want a finite number"},
		{"not a value", "a: 1\n", 0, "a", func() {}, "a: unknown value type func()"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Apply([]byte(tt.text), tt.doc, Edit{Path: tt.path, Value: tt.value})
			if err == nil || err.Error() != tt.want || got != nil {
				t.Errorf("Apply(%q, %d, %q): got %q, error\n     %v\nwant %s", tt.text, tt.doc, tt.path, got, err, tt.want)
			}
		})
	}
}

func zero() float64 { return 0 }

func TestEditSeveral(t *testing.T) {
	text := "# autoscaling\nspec:\n  minReplicas: 1 # low\n  maxReplicas: 3\n---\nother: 1\n"
	want := "# autoscaling\nspec:\n  minReplicas: 2 # low\n  metrics:\n    - type: Resource\n      resource:\n        name: cpu\n---\nother: 1\n"
	got, err := Apply([]byte(text), 0,
		Edit{Path: "spec/minReplicas", Value: 2},
		Edit{Path: "spec/metrics", Value: []any{}},
		Edit{Path: "spec/metrics/0/type", Value: "Resource"},
		Edit{Path: "spec/metrics/0/resource/name", Value: "cpu"},
		Edit{Path: "spec/maxReplicas", Value: nil})
	if diff := cmp.Diff(want, string(got)); err != nil || diff != "" {
		t.Errorf("got error %v, difference to want:\n%s", err, diff)
	}
	if got, err := Apply([]byte(text), 0, Edit{Path: "spec/minReplicas", Value: 2}, Edit{Path: "spec/minReplicas/x", Value: 2}); err == nil || got != nil {
		t.Errorf("second edit through a scalar: got %q and no error", got)
	}
}
