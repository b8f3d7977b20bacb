package advisor

import (
	"math"
	"strings"
	"testing"
)

func TestCompareCapacity(t *testing.T) {
	of := func(value, low, high float64) Capacity {
		return Capacity{Replicas: 1, SLO: Interval{Value: value, Low: low, High: high, Unit: "/s"}}
	}
	refused := of(100, 95, 105)
	refused.Refusal = &Refusal{Code: "R2", Why: "the load tester was the limit"}
	two := of(200, 190, 210)
	two.Replicas = 2
	was := of(100, 95, 105)
	for _, c := range []struct {
		name      string
		was, is   Capacity
		tolerance float64
		want      Change
		why       string
	}{
		{"twice as much", was, of(200, 190, 210), 0.05, Better, "+100 % [+86 … +115]"},
		{"half", was, of(50, 47, 52), 0.05, Worse, "50.0/s [47.0 … 52.0], it was 100/s [95.0 … 105]: -50 %"},
		{"itself, within 10 %", was, was, 0.1, Same, "+0 % [-7 … +7]"},
		{"itself, within 5 %", was, was, 0.05, CannotTell, "too wide to tell"},
		{"a little less, and nothing tolerated", was, of(97, 92, 102), 0, CannotTell, "-3 %"},
		{"clearly less, but tolerated", of(100, 99, 101), of(93, 92, 94), 0.1, Same, "-7 %"},
		{"nothing proven below", was, of(300, 0, 310), 0.05, CannotTell, "[-100 … "},
		{"no bound above", of(100, 95, math.Inf(1)), of(50, 49, 51), 0.05, Worse, "-50 % [-100 … "},
		{"refused before", refused, was, 0.05, CannotTell, "the earlier measurement was refused: the load tester"},
		{"refused now", was, refused, 0.05, CannotTell, "the later measurement was refused"},
		{"nothing measured", Capacity{}, was, 0.05, CannotTell, "missing"},
		{"of other fleets", was, two, 0.05, CannotTell, "one is of 1 replica, the other of 2 replicas"},
	} {
		got := CompareCapacity(c.was, c.is, c.tolerance)
		if got.Verdict != c.want || !strings.Contains(got.Why, c.why) {
			t.Errorf("%s: CompareCapacity = %s (%s), want %s (%s)", c.name, got.Verdict, got.Why, c.want, c.why)
		}
	}
}

func TestCompareMeasurements(t *testing.T) {
	m := Measurement{SLO: "p95<100ms", Capacity: Capacity{SLO: Interval{Value: 10, Low: 9.9, High: 10.1}}}
	slower, stricter, other := m, m, m
	slower.Capacity.SLO = Interval{Value: 5, Low: 4.9, High: 5.1}
	stricter.SLO = "p99<100ms"
	other.Tasks = []string{"chat"}
	for _, c := range []struct {
		is   Measurement
		want Change
		why  string
	}{
		{m, Same, "+0 %"},
		{slower, Worse, "-50 %"},
		{stricter, CannotTell, "one is under p95<100ms, the other under p99<100ms"},
		{other, CannotTell, "of the tasks []"},
	} {
		if got := CompareMeasurements(m, c.is, 0.05); got.Verdict != c.want || !strings.Contains(got.Why, c.why) {
			t.Errorf("CompareMeasurements = %s (%s), want %s (%s)", got.Verdict, got.Why, c.want, c.why)
		}
	}
}
