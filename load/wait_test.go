package load

import (
	"context"
	"testing"
	"time"

	"headroom/profiles"
)

func TestSleepUntilIsNeverEarly(t *testing.T) {
	for _, d := range []time.Duration{-time.Second, 0, 10 * time.Microsecond, 1500 * time.Microsecond} {
		due := time.Now().Add(d)
		sleepUntil(due)
		if early := time.Until(due); early > 0 {
			t.Errorf("sleepUntil(%v from now) came %v early", d, early)
		}
	}
}

func TestPrecision(t *testing.T) {
	closed := func(users int, low, high time.Duration) profiles.Plan {
		plan := closedPlan(users, 1e9, time.Second)
		plan.Wait = profiles.Wait{Min: low, Max: high}
		return plan
	}
	given := Options{NewConn: func(context.Context, time.Time) Conn { return nil }}
	for _, c := range []struct {
		name    string
		plan    profiles.Plan
		options Options
		want    bool
	}{
		{"100 arrivals per second", openPlan(100, profiles.Even, time.Second), Options{}, true},
		{"5000 arrivals per second", openPlan(5000, profiles.Even, time.Second), Options{}, false},
		{"10 users that think for a second", closed(10, time.Second, time.Second), Options{}, true},
		{"10,000 users that think for 5 s", closed(10_000, 5*time.Second, 5*time.Second), Options{}, false},
		{"10,000 users that think for up to 60 s", closed(10_000, 0, time.Minute), Options{}, true},
		{"users that do not wait", closed(10_000, 0, 0), Options{}, true},
		{"virtual time", openPlan(100, profiles.Even, time.Second), given, false},
	} {
		e, err := New(c.plan, c.options)
		if err != nil {
			t.Fatal(err)
		}
		ep := *e.epoch.Load()
		ep.start = time.Now()
		e.choosePrecision(&ep, ep.start.Add(time.Millisecond))
		if got := e.precise.Load(); got != c.want {
			t.Errorf("%s: precise = %v, want %v", c.name, got, c.want)
		}
	}
}
