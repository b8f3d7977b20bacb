package advisor

import (
	"errors"
	"strings"
	"testing"
	"time"

	"headroom/profiles"
)

// Four workers of 250 ms hold 16 requests/s, and bend at four users.
func workedConcurrency(t *testing.T) {
	c := Capacity{Saturation: Interval{Value: 16}, Service: 250 * time.Millisecond, Replicas: 1}
	if got := c.Concurrency(); got != 4 {
		t.Errorf("Concurrency = %d, want 4", got)
	}
}

// A service that sleeps: its CPU is at 6 % when the SLO is about to be missed.
func workedSleep(t *testing.T) {
	for _, c := range []struct {
		name   string
		varies float64 // coefficient of variation of the service time
		asked  profiles.Kind
		want   profiles.Kind // empty: R8
	}{
		{"by CPU", 0, profiles.CPU, ""},
		{"requests that are alike", 0.4, "", profiles.RPS},
		{"a mix", 0.6, "", profiles.InFlight},
	} {
		s := service{takes: 25 * time.Millisecond, varies: c.varies, slope: 0.06 / 28}.measured() // 28 requests/s under the SLO
		r, err := Recommend(Needs{
			Sizing: Sizing{Metric: c.asked}, Capacity: s.PerReplica(), Evidence: s, SLO: mustSLO(t, "p95<300ms"),
			Traffic: traffic(50, 200), StartUp: 20 * time.Second, Managed: true, Service: s.Service,
		})
		var refusal *Refusal
		if c.want == "" {
			if !errors.As(err, &refusal) || refusal.Code != "R8" || !strings.Contains(refusal.Why, "it is at 6 % when the SLO is about to be missed") {
				t.Errorf("%s: Recommend = %v, want R8, as it is at 6 %%", c.name, err)
			}
			continue
		}
		if err != nil || r.Policy.Metrics[0].Kind != c.want {
			t.Errorf("%s: scales on %+v, %v; want %s", c.name, r.Policy.Metrics, err, c.want)
		}
	}
}

// From 9 to 21 on working days: 60 of the 168 hours of a week. With a lag of two
// minutes they begin at 8:57 or before.
func workedHours(t *testing.T) {
	h := mustHistory(t, counted(time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC), 14*24*time.Hour, 10*time.Minute, office), time.UTC)
	s := sized{Needs: Needs{Sizing: Sizing{History: h}}, timing: timing{lag: 2 * time.Minute}, target: 10_000}
	p := profiles.DefaultPolicy()
	p.Replicas = profiles.Bounds{Min: 1, Max: 20}
	values, note := s.schedule(&p)
	if len(values) != 1 || len(p.Schedules) != 1 || p.Schedules[0].Start != "57 8 * * 1-5" || p.Schedules[0].End != "0 21 * * 1-5" {
		t.Fatalf("schedule = %+v, %q; want one from 57 8 * * 1-5 to 0 21 * * 1-5", p.Schedules, note)
	}
	if want := "60 of the 168 hours of a week (35.7 %)"; !strings.Contains(strings.Join(values[0].Inputs, "\n"), want) {
		t.Errorf("inputs %q, want %q", values[0].Inputs, want)
	}
}

// On a platform of queues and free workers: what may wait for a second, and for a
// minute, while a replica answers after 25 s.
func workedPatience(t *testing.T) {
	for _, c := range []struct {
		slo    string
		takes  time.Duration
		want   profiles.Kind
		target profiles.Milli // 0: whatever it is
	}{
		{"p95<3s", 2 * time.Second, profiles.FreeWorkers, 0},
		{"p95<1250ms", 250 * time.Millisecond, profiles.FreeWorkers, 0},
		{"p95<60250ms", 250 * time.Millisecond, profiles.Queue, 560_000}, // four replicas of 2.8 requests/s for the quiet hours
	} {
		s := service{takes: c.takes}.measured()
		n := Needs{
			Sizing:   Sizing{Interval: 5 * time.Second, Within: &Ability{Name: "everai", Metrics: []profiles.Kind{profiles.Queue, profiles.FreeWorkers}}},
			Capacity: s.PerReplica(), Evidence: s, SLO: mustSLO(t, c.slo), Traffic: traffic(10, 40), StartUp: 20 * time.Second, Service: c.takes,
		}
		r, err := Recommend(n)
		if err != nil || r.Policy.Metrics[0].Kind != c.want || c.target != 0 && r.Policy.Metrics[0].Target != c.target {
			t.Errorf("%s of %s: scales on %+v, %v; want %s %s", c.slo, c.takes, r.Policy.Metrics, err, c.want, c.target)
		}
		if c.want == profiles.Queue {
			continue
		}
		n.Metric = profiles.Queue
		var refusal *Refusal
		if _, err := Recommend(n); !errors.As(err, &refusal) || refusal.Code != "R8" {
			t.Errorf("%s of %s by the queue: %v, want R8", c.slo, c.takes, err)
		}
	}
}
