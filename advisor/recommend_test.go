package advisor

import (
	"strings"
	"testing"
	"time"

	"headroom/profiles"
)

func traffic(low, high profiles.Milli) profiles.Traffic {
	return profiles.Traffic{Low: low * 1000, High: high * 1000}
}

func TestRecommend(t *testing.T) {
	for _, c := range []struct {
		name      string
		needs     Needs
		min, max  int
		target    string
		interval  time.Duration
		applied   int // max that is applied here
		saysAbout string
	}{
		{"seed 002: 10 rps per replica, 50..200, no headroom",
			Needs{Capacity: 10_000, Traffic: traffic(50, 200)}, 5, 20, "10", 10 * time.Second, 20, "all of it is used"},
		{"the same with 30 % kept free",
			Needs{Capacity: 10_000, Traffic: traffic(50, 200), Sizing: Sizing{Headroom: 300}}, 8, 29, "7", 10 * time.Second, 29, "30% of it is kept free"},
		{"exact where floats are not: 21 / (3 x 0.7)",
			Needs{Capacity: 700, Traffic: profiles.Traffic{Low: 700, High: 2100}}, 1, 3, "0.7", 10 * time.Second, 3, ""},
		{"three significant digits, rounded down",
			Needs{Capacity: 16_489, Traffic: traffic(10, 40), Sizing: Sizing{Headroom: 200}}, 1, 4, "13.1", 10 * time.Second, 4, "up to 16.4/s"},
		{"a start-up of 40 s is looked at every 10 s",
			Needs{Capacity: 10_000, Traffic: traffic(50, 200), StartUp: 40 * time.Second}, 5, 20, "10", 10 * time.Second, 20, ""},
		{"a slow start: at most 30 s",
			Needs{Capacity: 10_000, Traffic: traffic(50, 200), StartUp: 10 * time.Minute}, 5, 20, "10", 30 * time.Second, 20, ""},
		{"start-up not known: that is said, not 0 s",
			Needs{Capacity: 10_000, Traffic: traffic(50, 200), Sizing: Sizing{Headroom: 300}}, 8, 29, "7", 10 * time.Second, 29, "15 s (interval 10 s + half the window 5.0 s) and its start-up, which is not known"},
		{"start-up known",
			Needs{Capacity: 10_000, Traffic: traffic(50, 200), Sizing: Sizing{Headroom: 300}, StartUp: 40 * time.Second}, 8, 29, "7", 10 * time.Second, 29, "in the 55 s until a new replica answers (interval 10 s + half the window 5.0 s + start-up 40 s)"},
		{"a start-up of an hour: a lull is waited for no longer than that",
			Needs{Capacity: 10_000, Traffic: traffic(50, 200), StartUp: time.Hour}, 5, 20, "10", 30 * time.Second, 20, ""},
		{"decisions every ten minutes",
			Needs{Capacity: 10_000, Traffic: traffic(50, 200), Sizing: Sizing{Interval: 10 * time.Minute}}, 5, 20, "10", 10 * time.Minute, 20, ""},
		{"a given interval",
			Needs{Capacity: 10_000, Traffic: traffic(50, 200), Sizing: Sizing{Interval: time.Second}}, 5, 20, "10", time.Second, 20, ""},
		{"replicas elsewhere are not capped",
			Needs{Capacity: 10_000, Traffic: traffic(50, 200), Host: HostUse{Known: true, Cores: 2, Replicas: 1, Load: 0.1}}, 5, 20, "10", 10 * time.Second, 20, ""},
		{"local replicas that compute: 2 cores carry 1 of 0.9 + 0.2 cores",
			Needs{Capacity: 10_000, Traffic: traffic(50, 200), Local: 1, Host: HostUse{Known: true, Cores: 2, Replicas: 0.9, Load: 0.2}}, 5, 20, "10", 10 * time.Second, 1, ""},
		{"at 70 % of its capacity a replica takes less: 2 cores carry 2",
			Needs{Capacity: 10_000, Traffic: traffic(50, 200), Sizing: Sizing{Headroom: 300}, Local: 1, Host: HostUse{Known: true, Cores: 2, Replicas: 0.9, Load: 0.2}}, 8, 29, "7", 10 * time.Second, 2, ""},
		{"local replicas that wait: no cap",
			Needs{Capacity: 10_000, Traffic: traffic(50, 200), Local: 1, Host: HostUse{Known: true, Cores: 2, Replicas: 0.01, Load: 0.02}}, 5, 20, "10", 10 * time.Second, 20, ""},
		{"what other programs use is not to be had",
			Needs{Capacity: 10_000, Traffic: traffic(50, 200), Local: 1, Host: HostUse{Known: true, Cores: 8, Busy: 4.3, Replicas: 0.9, Load: 0.2}}, 5, 20, "10", 10 * time.Second, 4, ""},
		{"one is always carried",
			Needs{Capacity: 10_000, Traffic: traffic(50, 200), Local: 1, Host: HostUse{Known: true, Cores: 2, Busy: 3, Replicas: 0.9, Load: 0.2}}, 5, 20, "10", 10 * time.Second, 1, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.needs.SLO = mustSLO(t, "p95<300ms")
			r, err := Recommend(c.needs)
			if err != nil {
				t.Fatal(err)
			}
			p := r.Policy
			if p.Replicas.Min != c.min || int(p.Replicas.Max) != c.max || p.Metrics[0].Target.String() != c.target || p.Interval.Std() != c.interval {
				t.Errorf("min %d, max %s, target %s, interval %s; want %d, %d, %s, %v",
					p.Replicas.Min, p.Replicas.Max, p.Metrics[0].Target, p.Interval, c.min, c.max, c.target, c.interval)
			}
			if got := int(r.Applied.Replicas.Max); got != c.applied || (r.Capped != "") != (c.applied != c.max) {
				t.Errorf("applied max %d (%q), want %d", got, r.Capped, c.applied)
			}
			if r.Applied.Replicas.Min > int(r.Applied.Replicas.Max) {
				t.Errorf("applied min %d over max %s", r.Applied.Replicas.Min, r.Applied.Replicas.Max)
			}
			for _, policy := range []profiles.Policy{r.Policy, r.Applied} {
				if err := policy.Validate(); err != nil {
					t.Errorf("the advice is not a valid policy: %v", err)
				}
			}
			said := ""
			for _, v := range r.Values {
				if v.Formula == "" || v.Why == "" || v.Unit == "" || strings.Contains(v.Formula+v.Why, "start-up 0.0 s") {
					t.Errorf("value %+v lacks its formula, unit or reason", v)
				}
				said += v.Why + "\n"
			}
			if !strings.Contains(said, c.saysAbout) {
				t.Errorf("the reasons do not say %q:\n%s", c.saysAbout, said)
			}
		})
	}
}

func TestWindow(t *testing.T) {
	for _, c := range []struct {
		traffic  profiles.Traffic
		interval time.Duration
		want     time.Duration
		why      string // its end
	}{
		{traffic(200, 200), 2 * time.Second, 2 * time.Second, "at most 20 %"},
		{traffic(10, 10), 2 * time.Second, 10 * time.Second, "at most 20 %"},
		{traffic(10, 10), 30 * time.Second, 30 * time.Second, "at most 20 %"},
		{traffic(20, 80), 3 * time.Second, 3 * time.Second, "at most 20 %; in the quiet ones, at 20/s, by up to 25 %"},
		{traffic(5, 10), 30 * time.Second, 30 * time.Second, "at most 20 %"},
		{traffic(1, 1), 10 * time.Second, time.Minute, "up to 25 %, but a longer one would be too slow"},
		{traffic(1, 1), 90 * time.Second, 90 * time.Second, "up to 21 %, but a longer one would be too slow"},
	} {
		n := Needs{Traffic: c.traffic}
		got := n.averageOver(c.interval)
		why := sized{Needs: n, timing: timing{window: got}}.windowValue().Why
		if got != c.want || !strings.HasSuffix(why, c.why) {
			t.Errorf("window of %s/s with an interval of %v = %v because %q, want %v, %q", c.traffic, c.interval, got, why, c.want, c.why)
		}
	}
}

func TestRecommendRefusesWhatMakesNoSense(t *testing.T) {
	for _, c := range []struct {
		name  string
		needs Needs
		want  string
	}{
		{"no traffic", Needs{Capacity: 10_000}, "--traffic: got nothing"},
		{"decisions too often", Needs{Capacity: 10_000, Traffic: traffic(1, 2), Sizing: Sizing{Interval: 500 * time.Millisecond}}, "--interval: got 500ms, want 1s to 10m"},
		{"decisions too seldom", Needs{Capacity: 10_000, Traffic: traffic(1, 2), Sizing: Sizing{Interval: 20 * time.Minute}}, "--interval: got 20m0s"},
		{"a policy that no scaler takes", Needs{Capacity: 1e15, Traffic: traffic(1, 2)}, "metrics[0].target"},
		{"a rise, and no start-up time", Needs{Capacity: 10_000, Traffic: traffic(1, 2), Sizing: Sizing{Rise: 500}}, "--rise: got 0.5 while the start-up time is not known, want --start-up too"},
		{"a jump, and no start-up time", Needs{Capacity: 10_000, Traffic: traffic(1, 2), Sizing: Sizing{Jump: 5000}}, "--jump: got 5 while"},
		{"all kept free", Needs{Capacity: 10_000, Traffic: traffic(1, 2), Sizing: Sizing{Headroom: 1000}}, "--headroom: got 100%"},
		{"no capacity", Needs{Traffic: traffic(1, 2)}, "too small"},
	} {
		if _, err := Recommend(c.needs); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: Recommend = %v, want an error with %q", c.name, err, c.want)
		}
	}
}

// What is added up on the screen comes out: 3.0 s, 1.5 s and 10 s are 14.5 s.
func TestSeconds(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0.0 s", 3 * time.Second: "3.0 s", 9_960 * time.Millisecond: "10 s", 10 * time.Second: "10 s",
		14_500 * time.Millisecond: "14.5 s", 99_960 * time.Millisecond: "100 s", 100_500 * time.Millisecond: "100 s", time.Hour: "3600 s",
	} {
		if got := seconds(d); got != want {
			t.Errorf("seconds(%v) = %q, want %q", d, got, want)
		}
	}
}
