package load

import (
	"context"
	"math"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"weak"

	"headroom/profiles"
)

func TestOpenModel(t *testing.T) {
	t.Run("constant arrivals are exact", func(t *testing.T) {
		r := run(t, openPlan(50, profiles.Even, 20*time.Second), fake(100*time.Millisecond, nil), nil)
		within(t, "requests", float64(r.Total.Count), 1000, 1)
		for i, s := range r.Samples {
			if s.Latency() != 100*time.Millisecond {
				t.Fatalf("sample %d has latency %v, want 100ms", i, s.Latency())
			}
		}
		if r.Health.Late != 0 {
			t.Errorf("%d late arrivals, want none", r.Health.Late)
		}
	})
	t.Run("Poisson arrivals", func(t *testing.T) {
		r := run(t, openPlan(50, profiles.Poisson, 100*time.Second), fake(20*time.Millisecond, nil), nil)
		within(t, "requests", float64(r.Total.Count), 5000, 4*math.Sqrt(5000))
		// Counts in windows of 1 s have variance equal to their mean.
		counts := make([]float64, 100)
		for _, s := range r.Samples {
			counts[min(99, int(s.Intended/time.Second))]++
		}
		var sum, squares float64
		for _, n := range counts {
			sum += n
			squares += n * n
		}
		mean := sum / 100
		within(t, "index of dispersion", (squares/100-mean*mean)/mean, 1, 0.45)
	})
	t.Run("the same seed gives the same arrivals", func(t *testing.T) {
		a := run(t, openPlan(50, profiles.Poisson, 5*time.Second), fake(20*time.Millisecond, nil), nil)
		b := run(t, openPlan(50, profiles.Poisson, 5*time.Second), fake(20*time.Millisecond, nil), nil)
		other := openPlan(50, profiles.Poisson, 5*time.Second)
		other.Seed = 2
		c := run(t, other, fake(20*time.Millisecond, nil), nil)
		sum := func(r Result) (d time.Duration) {
			for _, s := range r.Samples {
				d += s.Intended
			}
			return d
		}
		if sum(a) != sum(b) || sum(a) == sum(c) {
			t.Errorf("sums of intended times: %v and %v with one seed, %v with another", sum(a), sum(b), sum(c))
		}
	})
	t.Run("a ramp", func(t *testing.T) {
		plan := openPlan(0, profiles.Even, 0)
		plan.Shape = profiles.Ramp{From: 0, Stages: []profiles.Stage{{For: 10 * time.Second, To: 20}, {For: 5 * time.Second, To: 20}}}
		r := run(t, plan, fake(10*time.Millisecond, nil), nil)
		within(t, "requests", float64(r.Total.Count), 200, 1)
		within(t, "length (s)", r.Elapsed.Seconds(), 15, 0.3)
	})
}

// A target that freezes for 2 s in a 10 s run at 100/s keeps 200 requests
// waiting for 2..0 s: p90 is 1.0 s, p95 1.5 s and p99 1.9 s, even when there
// are only 10 connections.
func TestFreezeIsNotHidden(t *testing.T) {
	for _, users := range []int{10, 1000} {
		plan := openPlan(100, profiles.Even, 10*time.Second)
		plan.MaxUsers = users
		r := run(t, plan, fake(time.Millisecond, func(c *fakeConn) { c.freezeFrom, c.freezeTo = 5*time.Second, 7*time.Second }), nil)
		q := r.Total.Latency
		within(t, "p90", q.P90.Seconds(), 1.0, 0.06)
		within(t, "p95", q.P95.Seconds(), 1.5, 0.06)
		within(t, "p99", q.P99.Seconds(), 1.9, 0.06)
		within(t, "requests", float64(q.Count), 1000, 1)
		if users == 10 && (r.Health.Late < 150 || r.Total.Service.P95 > 10*time.Millisecond) {
			t.Errorf("10 users: %d late, service p95 %v; want about 190 late and a short service time", r.Health.Late, r.Total.Service.P95)
		}
		if users == 1000 && r.Health.Late != 0 {
			t.Errorf("1000 users: %d late, want none", r.Health.Late)
		}
	}
}

// After a moment in which nobody could send, arrivals are sent late but sent:
// the pool of users grows again.
func TestPoolOutlivesAStall(t *testing.T) {
	plan := openPlan(400, profiles.Even, 3*time.Second)
	e, err := New(plan, Options{Keep: 1 << 16, NewConn: func(ctx context.Context, start time.Time) Conn {
		return &fakeConn{ctx: ctx, start: start, service: 50 * time.Millisecond, turn: new(atomic.Int32)}
	}, Identifier: fake(0, nil).Identifier})
	if err != nil {
		t.Fatal(err)
	}
	stall := time.AfterFunc(time.Second, func() {
		e.mu.Lock() // nobody can be added meanwhile
		defer e.mu.Unlock()
		sleep(60 * time.Millisecond)
	})
	defer stall.Stop()
	r, err := e.Run(t.Context()) // in real time: virtual timers are never late
	if err != nil {
		t.Fatal(err)
	}
	if r.Total.Count < 1190 || r.Health.Unsent > 10 {
		t.Errorf("%d of 1200 arrivals sent, %d unsent", r.Total.Count, r.Health.Unsent)
	}
}

func TestUnsentArrivalsAreSaid(t *testing.T) {
	plan := openPlan(1000, profiles.Poisson, 10*time.Second)
	plan.MaxUsers = 10
	r := run(t, plan, fake(100*time.Millisecond, nil), nil)
	within(t, "requests", float64(r.Total.Count), 1000, 20)
	within(t, "unsent", float64(r.Health.Unsent), 9000, 400)
	if r.Health.Verdict == Sound || !strings.Contains(r.Health.Reason, "--max-users") {
		t.Errorf("health %+v, want it to say why", r.Health)
	}
}

// With 10 users of 100 ms each, 100 of 1000 arrivals a second find a free
// one. The rest is not sent, waits for nothing, and is said.
func TestArrivalsAreDroppedWhenToldTo(t *testing.T) {
	plan := openPlan(1000, profiles.Poisson, 10*time.Second)
	plan.MaxUsers, plan.OnBusy = 10, profiles.Dropped
	o := fake(100*time.Millisecond, nil)
	o.SLO = mustSLO(t, "p99<150ms")
	half := Snapshot{}
	r := run(t, plan, o, func(e *Engine) {
		sleep(5*time.Second + tick/2)
		half = e.Snapshot()
		e.ResetStats()
	})
	within(t, "dropped after 5 s", float64(half.Health.Dropped), 4500, 300)
	within(t, "dropped since", float64(r.Health.Dropped), 4500, 300)
	within(t, "sent since", float64(r.Total.Count), 500, 30)
	if h := r.Health; h.Late != 0 || h.Unsent != 0 || h.Verdict != Strained || !strings.Contains(h.Reason, "dropped: 10 users were busy") {
		t.Errorf("health %+v, want nobody to have waited, and that it says so", h)
	}
	if r.Total.Latency.Max > 102*time.Millisecond || !r.SLO[0].Holds {
		t.Errorf("latency of up to %v, SLO %+v; want those that were sent to be on time", r.Total.Latency.Max, r.SLO[0])
	}
}

// A freeze costs the arrivals in it, no more: afterwards every one is sent.
func TestDropsEndWithTheFreeze(t *testing.T) {
	plan := openPlan(100, profiles.Even, 10*time.Second)
	plan.MaxUsers, plan.OnBusy = 10, profiles.Dropped
	frozen := Snapshot{}
	r := run(t, plan, fake(time.Millisecond, func(c *fakeConn) { c.freezeFrom, c.freezeTo = 5*time.Second, 7*time.Second }), func(e *Engine) {
		sleep(6*time.Second + tick/2)
		frozen = e.Snapshot()
	})
	within(t, "dropped in the midst of it", float64(frozen.Health.Dropped), 90, 2)
	within(t, "dropped", float64(r.Health.Dropped), 190, 1)
	within(t, "sent and dropped", float64(r.Total.Count+r.Health.Dropped), 1000, 0)
}

// What waits when a shape ends has the grace to finish, no more.
func TestShapeEndsWithAGrace(t *testing.T) {
	plan := openPlan(0, profiles.Even, 0)
	plan.Shape = profiles.Ramp{From: 20, Stages: []profiles.Stage{{For: 10 * time.Second, To: 20}}}
	plan.MaxUsers, plan.StopGrace = 1, 5*time.Second
	r := run(t, plan, fake(time.Second, nil), nil)
	if r.Elapsed > 15*time.Second+tick || r.Total.Count > 12 {
		t.Errorf("%d requests in %v, want about 11 in at most 15 s", r.Total.Count, r.Elapsed)
	}
}

// Nothing keeps the arrivals that every user has left behind.
func TestArrivalsAreForgotten(t *testing.T) {
	a := newArrivals(profiles.Poisson, 1)
	first := weak.Make(a.newest.Load())
	c := a.cursor()
	for range 10 * chunkSize {
		a.claim(&c)
	}
	runtime.GC()
	if first.Value() != nil {
		t.Error("the first chunk is still there after ten")
	}
	late := a.cursor()
	if n := late.at.number; n < 9 {
		t.Errorf("a new user starts to look at chunk %d, want the newest", n)
	}
	runtime.KeepAlive(c)
}

func TestPauseShiftsTheSchedule(t *testing.T) {
	for name, plan := range map[string]profiles.Plan{
		"closed": closedPlan(1, 1, 10*time.Second),
		"open":   openPlan(10, profiles.Even, 10*time.Second),
	} {
		r := run(t, plan, fake(100*time.Millisecond, nil), func(e *Engine) {
			sleep(3050 * time.Millisecond)
			e.TogglePause()
			sleep(4 * time.Second)
			if p := e.Snapshot().Phase; p != Paused {
				t.Errorf("%s: phase %q, want %q", name, p, Paused)
			}
			e.TogglePause()
			e.TogglePause()
			e.TogglePause()
		})
		within(t, name+": requests", float64(r.Total.Count), 60, 3)
		if max := r.Total.Latency.Max; max > 200*time.Millisecond {
			t.Errorf("%s: the pause shows as a latency of %v", name, max)
		}
	}
}
