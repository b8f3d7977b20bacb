package document

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// lasting reads text.
type lasting struct{ time.Duration }

func (s *lasting) UnmarshalText(b []byte) (err error) {
	if s.Duration, err = time.ParseDuration(string(b)); err != nil {
		return fmt.Errorf("got %q, want a duration", b)
	}
	return nil
}

type part struct {
	Name string `yaml:"name"`
	Size *int   `yaml:"size,omitempty"`
}

type head struct {
	Kind string `yaml:"kind"`
}

type file struct {
	head   `yaml:",inline"`
	Count  int            `yaml:"count"`
	Small  int32          `yaml:"small"`
	Share  float64        `yaml:"share"`
	On     bool           `yaml:"on"`
	For    lasting        `yaml:"for"`
	Parts  []part         `yaml:"parts"`
	Extra  map[string]any `yaml:"extra"`
	Any    any            `yaml:"any"`
	Hidden string         `yaml:"-"`
}

func TestUnknown(t *testing.T) {
	docs, err := Split([]byte("kind: x\nkidn: {a: 1}\nparts:\n  - nam: y\n"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"kidn", "parts[0].nam"}, docs[0].Unknown(new(file))); diff != "" {
		t.Errorf("Unknown (-want +got)\n%s", diff)
	}
}

func TestDecode(t *testing.T) {
	got := file{Count: 7, Share: 0.5}
	lines, err := Decode([]byte(`kind: x
count: 010
share: 1e3
on: true
for: 90s
parts:
- name: &n one
- {name: *n, size: 3}
extra: {a: [1, b]}
any: text
`), &got, Strict)
	if err != nil {
		t.Fatal(err)
	}
	three := 3
	want := file{head: head{"x"}, Count: 10, Share: 1000, On: true, For: lasting{90 * time.Second},
		Parts: []part{{Name: "one"}, {"one", &three}}, Extra: map[string]any{"a": []any{uint64(1), "b"}}, Any: "text"}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(file{}, head{})); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	for key, line := range map[string]int{"count": 2, "parts": 6, "parts[1].size": 8, "parts[1].other": 8, "extra.a": 9, "parts[7]": 6, "nothing": 0, "": 0} {
		if got := lines.Of(key); got != line {
			t.Errorf("Of(%q) = %d, want %d", key, got, line)
		}
	}
}

func TestDecodeFindsAllProblems(t *testing.T) {
	const text = `kind: [x]
count: 1.5
small: 4294967296
share: much
on: perhaps
for: ever
parts: {name: one}
extra: 3
hidden: 1
any: *nowhere
`
	want := []string{
		`line 1: kind: got a list, want a single value`,
		`line 2: count: got "1.5", want a whole number`,
		`line 3: small: got "4294967296", want a whole number`,
		`line 4: share: got "much", want a number`,
		`line 5: on: got "perhaps", want true or false`,
		`line 6: for: got "ever", want a duration`,
		`line 7: parts: got keys with values, want a list`,
		`line 8: extra: got "3", want keys with values`,
		`line 9: hidden: unknown key, want kind, count, small, share, on, for, parts, extra or any`,
		`line 10: any: got an alias of "nowhere", want one of an anchor in this file`,
	}
	var f file
	_, err := Decode([]byte(text), &f, Strict)
	if diff := cmp.Diff(want, strings.Split(fmt.Sprint(err), "\n")); diff != "" {
		t.Errorf("strict (-want +got)\n%s", diff)
	}
	_, err = Decode([]byte(text), &f, Lax)
	if n := len(Problems(err)); n != len(want)-1 {
		t.Errorf("lax: %d problems, want all but the unknown key: %v", n, err)
	}
}

// Values that could not be read are not judged as well, nor is anything inside
// of them.
// However long a value is, an error shows its beginning; and a tab by its name.
func TestErrorsAreShort(t *testing.T) {
	long := strings.Repeat("é", 2000)
	shown := strings.Repeat("é", 60) + "..."
	for text, want := range map[string]string{
		"count: " + long:        `line 1: count: got "` + shown + `", want a whole number`,
		long:                    `line 1: got "` + shown + `", want keys with values`,
		"count: *" + long:       `line 1: count: got an alias of "` + shown + `", want one of an anchor in this file`,
		"parts:\n\t- name: a\n": "line 2: got a tab, want spaces",
		"\tcount: 1\n":          "line 1: got a tab, want spaces",
	} {
		if _, err := Decode([]byte(text), new(file), Strict); err == nil || err.Error() != want {
			t.Errorf("Decode(%.20q...) = %v, want %s", text, err, want)
		}
	}
	_, err := Decode([]byte(long+": 1"), new(file), Strict)
	if err == nil || !strings.HasPrefix(err.Error(), "line 1: "+shown+": unknown key, want ") {
		t.Errorf("Decode of a long key = %v, want its beginning", err)
	}
}

func TestCheck(t *testing.T) {
	var f file
	lines, err := Decode([]byte("count: x\nparts: 1\nshare: 2\n"), &f, Strict)
	err = lines.Check(err, []Problem{
		{Key: "share", Text: "b"}, {Key: "count", Text: "a"}, {Key: "parts[0].name", Text: "c"}, {Key: "partsize", Text: "d"},
		{Key: "share", Text: "e", Beside: []string{"count"}}, {Key: "share", Text: "f", Beside: []string{"parts[0]"}},
	})
	want := []Problem{
		{Line: 1, Key: "count", Text: `got "x", want a whole number`}, {Line: 2, Key: "parts", Text: `got "1", want a list`},
		{Line: 3, Key: "share", Text: "b"}, {Key: "partsize", Text: "d"},
	}
	if diff := cmp.Diff(want, Problems(err)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if err := (Lines{}).Check(nil, nil); err != nil {
		t.Errorf("Check of nothing = %v", err)
	}
}

func TestSplit(t *testing.T) {
	docs, err := Split([]byte("# only a comment\n---\nkind: a\n---\n---\nkind: b\nanchor: &x 3\ncount: *x\n"))
	if err != nil || len(docs) != 2 {
		t.Fatalf("Split = %d documents, %v, want 2", len(docs), err)
	}
	for i, want := range []file{{head: head{"a"}}, {head: head{"b"}, Count: 3}} {
		var got file
		if _, err := docs[i].Decode(&got, Lax); err != nil || got.Kind != want.Kind || got.Count != want.Count {
			t.Errorf("document %d = %+v, %v, want %+v", i, got, err, want)
		}
	}
	if docs[0].Index != 0 || docs[1].Index != 2 {
		t.Errorf("indices %d and %d, want 0 and 2: empty documents count, comments before the first do not", docs[0].Index, docs[1].Index)
	}
	var f file
	if _, err := Decode([]byte("kind: a\n---\nkind: b\n"), &f, Lax); err == nil || err.Error() != "line 3: a second document, want one" {
		t.Errorf("Decode of two documents = %v", err)
	}
}
