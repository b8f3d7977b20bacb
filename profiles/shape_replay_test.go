package profiles

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestPart(t *testing.T) {
	counts := NewCounts([]time.Duration{2 * sec, 3 * sec, 5 * sec}, []float64{20, 0, 6})
	stamps := Stamps{0, 500 * ms, sec, 1500 * ms, 3 * sec}
	for _, c := range []struct {
		name         string
		of           Replay
		from, length time.Duration
		want         Replay
	}{
		{"counts from within an interval into another", counts, sec, 3 * sec, NewCounts([]time.Duration{sec, 2 * sec, 3 * sec}, []float64{10, 0, 3})},
		{"whole intervals", counts, 2 * sec, sec, NewCounts([]time.Duration{sec}, []float64{0})},
		{"counts to the end, and beyond it", counts, 3 * sec, time.Minute, NewCounts([]time.Duration{2 * sec}, []float64{6})},
		{"stamps, the last left out", stamps, 500 * ms, sec, Stamps{0, 500 * ms}},
		{"stamps to the end", stamps, 1600 * ms, time.Minute, Stamps{1400 * ms}},
	} {
		got := c.of.Part(c.from, c.length)
		if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(Counts{})); diff != "" {
			t.Errorf("%s: Part(%s, %s) (-want +got)\n%s", c.name, c.from, c.length, diff)
		}
	}
}
