package advisor

import (
	"math"
	"slices"
	"testing"
	"time"

	"headroom/profiles"
)

func TestReplayPlan(t *testing.T) {
	plan := profiles.DefaultPlan()
	same := ReplayPlan(plan, profiles.Traffic{}, Sizing{}, time.Minute)
	if same.Open() || same.RunTime != time.Minute || same.Users != plan.Users {
		t.Errorf("ReplayPlan without traffic = %+v, want the plan for a minute", same)
	}
	plan.UserShape, plan.OnBusy = profiles.Spike(1, 5, time.Second, time.Second), profiles.Dropped
	if p := ReplayPlan(plan, profiles.Traffic{}, Sizing{}, time.Minute); p.Open() || p.Length() != 3*time.Second {
		t.Errorf("ReplayPlan of a spike of users = %+v, want the spike", p)
	}
	ramp := ReplayPlan(plan, traffic(10, 40), Sizing{}, 100*time.Second)
	if ramp.UserShape != nil || ramp.OnBusy != profiles.Queued {
		t.Errorf("ReplayPlan with traffic = %+v, want nothing but the traffic, every arrival of it", ramp)
	}
	for _, c := range []struct {
		at   time.Duration
		want float64
	}{{0, 10}, {20 * time.Second, 25}, {40 * time.Second, 40}, {79 * time.Second, 40}, {90 * time.Second, 25}, {100 * time.Second, 0}} {
		if got := ramp.Load().At(c.at); got != c.want {
			t.Errorf("rate at %v = %v, want %v", c.at, got, c.want)
		}
	}
	if got := steepest(ramp); math.Abs(got-0.75) > 1e-9 || steepest(same) != 0 {
		t.Errorf("steepest = %v, and %v of users; want 30 requests/s in 40 s, and none", got, steepest(same))
	}
}

// A replay tries what the advice is for, and says what it does not try.
func TestReplayTries(t *testing.T) {
	h := mustHistory(t, counted(monday, time.Hour, time.Minute, func(at time.Time) float64 { return 10 + float64(at.Minute())/2 }), time.UTC)
	const rose = "the load rose by "
	for _, c := range []struct {
		name   string
		sizing Sizing
		length time.Duration
		top    float64
		tried  []string
	}{
		{"its range", Sizing{}, 100 * time.Second, 40, []string{rose + "0.75 requests/s each second at most: for traffic that rises more steeply give advice --rise"}},
		{"steeper than the time asks for", Sizing{Rise: 3000}, 100 * time.Second, 40, []string{rose + "3.00 requests/s each second at most"}},
		{"no steeper than was said", Sizing{Rise: 500}, 100 * time.Second, 30, []string{rose + "0.50 requests/s each second at most",
			"it did not come to more than 30.0 of the 40.0 requests/s, which take longer to reach at that rise: --verify 3m would do"}},
		{"after a jump", Sizing{Rise: 500, Jump: 50_000}, 100 * time.Second, 60, []string{rose + "0.50 requests/s each second at most, after 50 had come at once",
			"it did not come to more than 26.0 of the 40.0 requests/s, which take longer to reach at that rise: --verify 4m would do"}},
		{"with growth", Sizing{Growth: 250}, 100 * time.Second, 50, []string{rose + "1.00 requests/s each second at most: for traffic that rises more steeply give advice --rise"}},
		{"doubling", Sizing{Doubles: 20 * time.Second}, 100 * time.Second, 40, []string{rose + "1.39 requests/s each second at most"}},
		{"a trace", Sizing{History: h}, 100 * time.Second, 40, []string{rose + "0.75 requests/s each second at most: for traffic that rises more steeply give advice --rise",
			"the trace lasts for 1h and rose by 0.01 requests/s each second at most: the replay has its range, up and down within 1m40s, and not its course"}},
	} {
		p := ReplayPlan(profiles.DefaultPlan(), traffic(10, 40), c.sizing, c.length)
		top := 0.0
		for at := time.Duration(0); at < c.length; at += time.Second {
			top = max(top, p.Load().At(at))
		}
		if got := tried(p, traffic(10, 40), c.sizing); !slices.Equal(got, c.tried) || math.Abs(top-c.top) > 0.1 || p.Length() != c.length {
			t.Errorf("%s: it comes to %.1f requests/s within %s, and tried says %q; want %.1f, %s and %q", c.name, top, p.Length(), got, c.top, c.length, c.tried)
		}
	}
	users := profiles.DefaultPlan()
	users.RunTime = time.Minute
	if got := tried(users, profiles.Traffic{}, Sizing{}); got != nil {
		t.Errorf("tried of users says %q, want nothing", got)
	}
}
