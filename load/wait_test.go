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
	given := func(context.Context, time.Time) Conn { return nil }
	for _, c := range []struct {
		name    string
		options Options
		rate    float64
		want    bool
	}{
		{"100 per second", Options{}, 100, true},
		{"5000 per second", Options{}, 5000, false},
		{"virtual time", Options{NewConn: given}, 100, false},
	} {
		e, err := New(openPlan(1, profiles.Even, time.Second), c.options)
		if err != nil {
			t.Fatal(err)
		}
		e.choosePrecision(c.rate)
		if got := e.precise.Load(); got != c.want {
			t.Errorf("%s: precise = %v, want %v", c.name, got, c.want)
		}
	}
}

func TestPace(t *testing.T) {
	var p pace
	for i, c := range []struct {
		at   time.Duration
		sent int64
		want float64
	}{{0, 0, 0}, {250 * time.Millisecond, 25, 100}, {time.Second, 25, 0}, {2 * time.Second, 1025, 1000}} {
		if got := p.perSecond(c.at, c.sent); got != c.want {
			t.Errorf("look %d: perSecond(%v, %d) = %v, want %v", i, c.at, c.sent, got, c.want)
		}
	}
}
