package tui

import (
	"strings"
	"testing"

	"headroom/advisor"
)

// What held in a replay that ends below the high rate did so in part; what did
// not hold there did not.
func TestComparisonInPart(t *testing.T) {
	const far = "the load came to 28.0 of the 60.0 requests/s"
	for _, c := range []struct {
		name   string
		change func(*advisor.State)
		wants  []string
		not    string
	}{
		{"all of it", func(*advisor.State) {}, []string{"✗ no", "✓ yes"}, "in part"},
		{"in part", func(st *advisor.State) {
			st.Before.Short, st.After.Short = "28.0 of the 60.0 requests/s", "28.0 of the 60.0 requests/s"
		}, []string{"✗ no", "? in part", far}, "✓ yes"},
		{"the load before alone", func(st *advisor.State) { st.Before.Short, st.After = "28.0 of the 60.0 requests/s", nil }, []string{"✗ no", far}, "✓ yes"},
	} {
		st := verifiedState()
		c.change(&st)
		got := strings.Join(comparison(st, plainStyles(), 120), "\n")
		for _, want := range c.wants {
			if !strings.Contains(got, want) {
				t.Errorf("%s: comparison is\n%s\nwant %q", c.name, got, want)
			}
		}
		if strings.Contains(got, c.not) {
			t.Errorf("%s: comparison is\n%s\nwant no %q", c.name, got, c.not)
		}
	}
}
