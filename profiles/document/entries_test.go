package document

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEntries(t *testing.T) {
	for _, c := range []struct {
		name, file string
		want       []Entry
		err        string
	}{
		{"in the order of the file", "b: 010\n\na: [x, 2]\nempty:\n", []Entry{{"b", 1, "010"}, {"a", 3, []any{"x", "2"}}, {"empty", 4, nil}}, ""},
		{"an alias", "a: &x 1\nb: *x\n", []Entry{{"a", 1, "1"}, {"b", 2, "1"}}, ""},
		{"a list", "- a\n", nil, "line 1: got a list, want keys with values"},
		{"an alias of nothing", "a: *x\nb: *y\n", nil, "line 1: a: got an alias of \"x\", want one of an anchor in this file\nline 2: b"},
	} {
		docs, err := Split([]byte(c.file))
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		got, err := docs[0].Entries()
		if c.err != "" {
			if err == nil || !strings.HasPrefix(err.Error(), c.err) {
				t.Errorf("%s: Entries: error %v, want %q", c.name, err, c.err)
			}
			continue
		}
		if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
			t.Errorf("%s: Entries: %v (-want +got):\n%s", c.name, err, diff)
		}
	}
}
