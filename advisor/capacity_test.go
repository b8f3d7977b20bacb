package advisor

import (
	"math"
	"strings"
	"testing"

	"headroom/profiles"
)

func TestGrade(t *testing.T) {
	inf := math.Inf(1)
	for _, c := range []struct {
		name                   string
		passed, failed, missed float64 // passed 0: nothing did
		confirmed              bool
		doubt                  string
		want                   Grade
		why                    string
	}{
		{"proven and confirmed", 95, 105, 103, true, "", GradeB, "proven within 11 % and confirmed"},
		{"proven, not confirmed", 95, 105, 103, false, "", GradeC, "within 3 % but it was not confirmed"},
		{"confirmed, not proven", 0, inf, 110, true, "", GradeC, "within 10 % but are too short to prove it"},
		{"neither", 0, inf, 110, false, "", GradeC, "within 10 % but it was not confirmed"},
		{"a wide bracket", 0, inf, 150, true, "", GradeD, "known only within 50 %; a longer --budget"},
		{"a wide bracket, and the reason", 0, inf, 150, true, "the generator was the limit", GradeD, "50 %; the generator was the limit"},
		{"failed below what passed", 98, 96, 96, true, "", GradeC, "98.0/s passed and 96.0/s failed"},
		{"missed below what is settled on", 0, inf, 97, true, "", GradeC, "100/s met the SLO and 97.0/s missed it: the steps contradict each other"},
		{"the same, though it is proven", 95, 105, 97, true, "", GradeC, "the steps contradict each other"},
		{"the same, and far below", 0, inf, 50, false, "", GradeC, "50.0/s missed it"},
	} {
		capacity := Capacity{SLO: Interval{Value: 100}, passed: c.passed, failed: c.failed, missed: c.missed, Confirmed: c.confirmed, Doubt: c.doubt}
		capacity.grade()
		if capacity.Grade != c.want || !strings.Contains(capacity.GradeWhy, c.why) {
			t.Errorf("%s: grade %s (%s), want %s with %q", c.name, capacity.Grade, capacity.GradeWhy, c.want, c.why)
		}
	}
}

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
