package profiles

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestShortNames(t *testing.T) {
	for _, c := range []struct {
		names, want []string
	}{
		{[]string{"short", "just ten c"}, []string{"short", "just ten c"}},
		{[]string{"GET /a/long/path", "GET /"}, []string{"GET /…path", "GET /"}},
		{[]string{"GET /ä/longer/path"}, []string{"GET /…path"}},
		{[]string{"GET /items/17/abcd", "GET /items/18/abcd", "GET /items/17/abcd"}, []string{"GET…7/abcd", "GET…8/abcd", "GET…7/abcd"}},
		{[]string{"GET /1/items/abcd", "GET /2/items/abcd"}, []string{"GET /1…bcd", "GET /2…bcd"}},
		{[]string{"GET /abcdef/1/ghijklmn", "short", "GET /abcdef/2/ghijklmn"}, []string{"GET …lmn~1", "short", "GET …lmn~2"}},
	} {
		if diff := cmp.Diff(c.want, ShortNames(c.names, 10)); diff != "" {
			t.Errorf("ShortNames(%q, 10) (-want +got):\n%s", c.names, diff)
		}
	}
}

// Names fit, stay what they are where they do, and differ as they did.
func TestShortNamesStayDistinct(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		width := rapid.IntRange(8, 30).Draw(t, "width")
		name := rapid.StringOfN(rapid.RuneFrom([]rune("aä/")), 0, 40, -1)
		stem := name.Draw(t, "stem")
		var names []string
		for range rapid.IntRange(0, 40).Draw(t, "names") {
			names = append(names, stem+name.Draw(t, "name")+stem)
		}
		short := ShortNames(names, width)
		for i, s := range short {
			n := utf8.RuneCountInString(names[i])
			if utf8.RuneCountInString(s) > width || n <= width && s != names[i] || n > width && !strings.Contains(s, "…") {
				t.Fatalf("%q became %q in %d characters", names[i], s, width)
			}
			for j := range i {
				if (s == short[j]) != (names[i] == names[j]) {
					t.Fatalf("%q and %q became %q and %q", names[i], names[j], s, short[j])
				}
			}
		}
	})
}
