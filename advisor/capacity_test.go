package advisor

import (
	"testing"

	"headroom/profiles"
)

func TestSettle(t *testing.T) {
	for _, c := range []struct {
		name           string
		passed, failed float64
		want           Interval
	}{
		{"nothing proven", 0, 20, Interval{Value: 10, Low: 0, High: 20}},
		{"proven on both sides", 9, 12, Interval{Value: 10, Low: 9, High: 12}},
		{"more passed than is settled on", 11, 12, Interval{Value: 10, Low: 10, High: 12}},
		{"less failed than is settled on", 8, 9, Interval{Value: 10, Low: 8, High: 10}},
		{"contradicted: nothing is proven", 12, 11, Interval{Value: 10, Low: 0, High: 12}},
	} {
		capacity := Capacity{passed: c.passed, failed: c.failed}
		c.want.Unit = "/s"
		if capacity.settle(10); capacity.SLO != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, capacity.SLO, c.want)
		}
	}
}

func TestPerReplica(t *testing.T) {
	for _, c := range []struct {
		value    float64
		replicas int
		want     profiles.Milli
	}{{10, 0, 10_000}, {10, 1, 10_000}, {10, 4, 2_500}, {10, 3, 3_333}} {
		if got := (Capacity{SLO: Interval{Value: c.value}, Replicas: c.replicas}).PerReplica(); got != c.want {
			t.Errorf("%v/s of %d replicas = %s for one, want %s", c.value, c.replicas, got, c.want)
		}
	}
}
