package load

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestLifetimeDraws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := lifetime{
			age:      time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "age")),
			requests: rapid.IntRange(0, 1e6).Draw(t, "requests"),
		}
		got := l.draw(rapid.Float64Range(0, 0.999).Draw(t, "random"))
		if got.age > l.age || got.age < l.age*8/10-1 {
			t.Fatalf("age %v of %v, want 80 to 100 %%", got.age, l.age)
		}
		if got.requests > l.requests || got.requests < min(l.requests, 1) || float64(got.requests) < 0.8*float64(l.requests)-1 {
			t.Fatalf("%d requests of %d, want 80 to 100 %%, and 0 for 0", got.requests, l.requests)
		}
		if (lifetime{}).over(time.Hour, 1e6) {
			t.Fatal("a connection without a lifetime has lived")
		}
	})
}
