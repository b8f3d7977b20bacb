package advisor

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"headroom/profiles"
)

func TestCourse(t *testing.T) {
	traffic := profiles.Traffic{Low: 50_000, High: 200_000}
	up := func(rise time.Duration, high float64) []profiles.Stage {
		return []profiles.Stage{{For: rise, To: high}, {For: 48*time.Minute - rise, To: high}, {For: 12 * time.Minute, To: 50}}
	}
	for _, tt := range []struct {
		name string
		of   Sizing
		want []profiles.Stage
	}{
		{"its range", Sizing{}, up(24*time.Minute, 200)},
		{"a rise of 1/s each second", Sizing{Rise: 1000}, up(150*time.Second, 200)},
		{"one that would take for ever", Sizing{Rise: 1}, up(24*time.Minute, 200)},
		{"twice as much in a minute", Sizing{Doubles: time.Minute}, up(64921276*time.Microsecond, 200)},
		{"growth", Sizing{Rise: 1000, Growth: 250}, up(200*time.Second, 250)},
		{"a jump first", Sizing{Rise: 1000, Jump: 60_000}, []profiles.Stage{
			{For: 6 * time.Minute, To: 50}, {To: 110}, {For: 6 * time.Minute, To: 110}, {To: 50},
			{For: 150 * time.Second, To: 200}, {For: 48*time.Minute*4/5 - 150*time.Second, To: 200}, {For: 12 * time.Minute * 4 / 5, To: 50},
		}},
	} {
		got := tt.of.Course(traffic, time.Hour)
		for i := range got.Stages {
			got.Stages[i].For = got.Stages[i].For.Round(time.Microsecond)
		}
		if diff := cmp.Diff(profiles.Ramp{From: 50, Stages: tt.want}, got, cmp.Comparer(near)); diff != "" {
			t.Errorf("%s: Course() (-want +got)\n%s", tt.name, diff)
		}
		if got.Length() != time.Hour {
			t.Errorf("%s: it lasts for %s, want 1h", tt.name, got.Length())
		}
	}
}

// near compares times to the millisecond.
func near(a, b time.Duration) bool { return (a - b).Abs() < time.Millisecond }
