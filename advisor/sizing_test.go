package advisor

import (
	"testing"
	"time"

	"headroom/profiles"
)

func TestCeilProduct(t *testing.T) {
	ms := time.Millisecond
	for _, c := range []struct {
		name  string
		rate  profiles.Milli
		times []time.Duration
		want  int
	}{
		{"nothing", 0, []time.Duration{70 * ms}, 0},
		{"the float trap 100 x 0.07", 100_000, []time.Duration{70 * ms}, 7},
		{"the float trap 200 x 0.07", 200_000, []time.Duration{70 * ms}, 14},
		{"just above", 100_001, []time.Duration{70 * ms}, 8},
		{"just below", 99_999, []time.Duration{70 * ms}, 7},
		{"two times", 20, []time.Duration{5 * time.Second, 30 * time.Second}, 3},
		{"more than an int64 of nanoseconds", 1e12, []time.Duration{time.Hour}, 3_600_000_000_000},
	} {
		if got := ceilProduct(c.rate, c.times...); got != c.want {
			t.Errorf("%s: ceilProduct(%s, %v) = %d, want %d", c.name, c.rate, c.times, got, c.want)
		}
	}
	if rate, seconds := 100.0, 0.07; rate*seconds == 7 {
		t.Error("float64 gives 7 for 100 x 0.07 too: the rows of the float trap prove nothing")
	}
}
