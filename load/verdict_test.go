package load

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"headroom/probe"
	"headroom/profiles"
)

// slowConn is a generator that takes its time before it sends.
type slowConn struct {
	*fakeConn
	before, until time.Duration
}

func (c slowConn) Do(s *Sample, m *Message) error {
	if time.Since(c.start) < c.until {
		sleep(c.before)
	}
	return c.fakeConn.Do(s, m)
}

// slow is a generator that needs 50 ms until an offset for what a target
// answers in 1 ms.
func slow(until time.Duration) Options {
	o := fake(0, nil)
	o.NewConn = func(ctx context.Context, start time.Time) Conn {
		return slowConn{&fakeConn{ctx: ctx, start: start, service: time.Millisecond, turn: new(atomic.Int32)}, 50 * time.Millisecond, until}
	}
	return o
}

// localConn finds no descriptor for a user in two.
type localConn struct{ Conn }

func (c localConn) Do(s *Sample, _ *Message) error {
	s.Sent = s.Intended
	s.Done, s.Failure, s.Replica = s.Sent, Local, probe.Unknown
	return errors.New("out of file descriptors")
}

// The same 95 % of arrivals is not sent, because 10 users are busy. Whether the
// run can be believed depends on with what: with a target of 100 ms, or with a
// generator that takes 50 ms to send.
func TestWhoKeptTheUsersBusy(t *testing.T) {
	plan := openPlan(2000, profiles.Even, 10*time.Second)
	plan.MaxUsers = 10
	for _, c := range []struct {
		name    string
		options Options
		want    Verdict
		share   float64
		lag     time.Duration
	}{
		{"the target", fake(100*time.Millisecond, nil), Strained, 0.05, 0},
		{"the generator", slow(time.Hour), Limited, 0.098, 50 * time.Millisecond},
	} {
		h := run(t, plan, c.options, nil).Health
		if h.Verdict != c.want {
			t.Errorf("%s: %s (%s), want %s", c.name, h.Verdict, h.Reason, c.want)
		}
		within(t, c.name+": lag p50 (ms)", h.LagP50.Seconds()*1e3, c.lag.Seconds()*1e3, 1)
		share, ok := h.Achieved()
		if within(t, c.name+": achieved", share, c.share, 0.002); !ok || h.Late < h.Sent*9/10 {
			t.Errorf("%s: achieved %v (%v), %d late of %d; want nearly all late", c.name, share, ok, h.Late, h.Sent)
		}
	}
}

// A freeze of the target is in the latency, and no fault of the generator.
func TestAFreezeIsNotTheGenerators(t *testing.T) {
	frozen := fake(2*time.Millisecond, func(c *fakeConn) { c.freezeFrom, c.freezeTo = 3*time.Second, 5*time.Second })
	open := openPlan(200, profiles.Even, 10*time.Second)
	open.MaxUsers = 10
	for name, plan := range map[string]profiles.Plan{"open": open, "closed": closedPlan(5, 100, 10*time.Second)} {
		r := run(t, plan, frozen, nil)
		if h := r.Health; h.Verdict != Sound || h.LagP99 > time.Millisecond || h.Hiccup > time.Millisecond {
			t.Errorf("%s: %+v, want sound", name, h)
		}
		within(t, name+": longest (s)", r.Total.Latency.Max.Seconds(), 2, 0.02)
	}
}

// A reset forgets a warm-up in which the generator was the limit.
func TestResetForgetsTheLag(t *testing.T) {
	r := run(t, openPlan(100, profiles.Even, 10*time.Second), slow(5*time.Second), func(e *Engine) {
		sleep(5*time.Second + tick/2)
		if h := e.Snapshot().Health; h.Verdict != Limited {
			t.Errorf("before the reset: %s (%s), want limited", h.Verdict, h.Reason)
		}
		e.ResetStats()
	})
	if h := r.Health; h.Verdict != Sound || h.LagP99 > time.Millisecond {
		t.Errorf("after it: %+v, want sound without lag", h)
	}
}

func TestHiccups(t *testing.T) {
	start := time.Now()
	h := newHiccups(start)
	for n := 1; n <= 400; n++ {
		h.beat(start.Add(time.Duration(n) * hiccupEvery))
	}
	if at, p99 := h.at(0.95); at > time.Millisecond || p99 > time.Millisecond {
		t.Errorf("on time: p95 %v, p99 %v, want nothing", at, p99)
	}
	next := h.beat(start.Add(6 * time.Second)) // held up for 2 s
	if want := start.Add(6*time.Second + hiccupEvery); !next.Equal(want) {
		t.Errorf("next beat in %v, want %v", next.Sub(start), want.Sub(start))
	}
	for n := 601; n <= 1000; n++ {
		h.beat(start.Add(time.Duration(n) * hiccupEvery))
	}
	at, p99 := h.at(0.95)
	within(t, "p95 (s)", at.Seconds(), 1.5, 0.03)
	within(t, "p99 (s)", p99.Seconds(), 1.9, 0.03)
}

// A process that stood still is the limit in either model, whatever its users
// did; a reset forgets that.
func TestHiccupsDecide(t *testing.T) {
	for name, plan := range map[string]profiles.Plan{"open": openPlan(10, profiles.Even, 0), "closed": closedPlan(1, 1, 0)} {
		synctest.Test(t, func(t *testing.T) {
			e, err := New(plan, fake(time.Millisecond, nil))
			if err != nil {
				t.Fatal(err)
			}
			ended := make(chan error)
			go func() { _, err := e.Run(t.Context()); ended <- err }()
			sleep(10*time.Second + tick/2)
			h := newHiccups(e.started)
			h.beat(time.Now())
			e.hiccups.mu.Lock()
			if e.hiccups.late.merge(h.late); e.hiccups.late.h.TotalCount() < 1900 {
				t.Errorf("%s: %d beats in 10 s besides 1000", name, e.hiccups.late.h.TotalCount())
			}
			e.hiccups.mu.Unlock()
			sleep(tick)
			if got := e.Snapshot().Health; got.Verdict != Limited {
				t.Errorf("%s, after 10 s of standing still: %+v, want limited", name, got)
			}
			e.ResetStats()
			sleep(2 * tick)
			if got := e.Snapshot().Health; got.Verdict != Sound {
				t.Errorf("%s, after a reset: %+v, want sound", name, got)
			}
			e.Stop()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
	}
}

func TestQueuedFor(t *testing.T) {
	start := time.Now()
	at := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
	for _, c := range []struct {
		name                string
		now, due, overslept int
		want                int
		late                bool // of a request that leaves now
	}{
		{"users were busy", 10, 4, 0, 6, true},
		{"a user overslept long before", 10, 4, 3, 6, true},
		{"a user overslept, and then all were busy", 10, 4, 6, 4, true},
		{"a user overslept until just now", 10, 4, 9, 1, false},
		{"a user overslept since", 10, 4, 11, 0, false},
	} {
		got := queuedFor(at(c.now), at(c.due), at(c.overslept))
		if want := time.Duration(c.want) * time.Second; got != want {
			t.Errorf("%s: queuedFor = %v, want %v", c.name, got, want)
		}
		s := Sample{Intended: at(c.due).Sub(start), Sent: at(c.now).Sub(start), Queued: got}
		if lag := at(c.now).Sub(at(c.due)) - got; s.Late() != c.late || s.Lag() != lag {
			t.Errorf("%s: late %v, lag %v; want %v, %v", c.name, s.Late(), s.Lag(), c.late, lag)
		}
	}
}

// 5 users that keep a beat of 100 ms miss 2 s of it in a freeze, and say so.
func TestMissedBeats(t *testing.T) {
	plan := closedPlan(5, 1000, 10*time.Second)
	plan.Wait = profiles.Wait{Min: 100 * time.Millisecond, Max: 100 * time.Millisecond, Pacing: true}
	frozen := fake(time.Millisecond, func(c *fakeConn) { c.freezeFrom, c.freezeTo = 3*time.Second, 5*time.Second })
	r := run(t, plan, frozen, nil)
	within(t, "missed", float64(r.Health.Missed), 5*19, 5)
	within(t, "sent and missed", float64(r.Total.Count+r.Health.Missed), 500, 5)
	if r = run(t, plan, fake(time.Millisecond, nil), nil); r.Health.Missed != 0 {
		t.Errorf("%d beats missed without a freeze", r.Health.Missed)
	}
}

// What fails on this machine decides nothing about the target.
func TestLocalFailures(t *testing.T) {
	o := fake(time.Millisecond, nil)
	o.SLO = mustSLO(t, "errors<1%,p95<100ms")
	connect := o.NewConn
	for _, c := range []struct {
		name  string
		every int // user that has no descriptor
		valid bool
	}{{"half of the users", 2, true}, {"all", 1, false}} {
		users := 0
		o.NewConn = func(ctx context.Context, start time.Time) Conn {
			if users++; users%c.every == 0 {
				return localConn{connect(ctx, start)}
			}
			return connect(ctx, start)
		}
		r := run(t, closedPlan(10, 1000, 5*time.Second), o, nil)
		if h := r.Health; h.Verdict != Limited || h.Local == 0 || h.Local != r.Total.Failed {
			t.Errorf("%s: %+v with %d failures, want limited", c.name, h, r.Total.Failed)
		}
		for _, slo := range r.SLO {
			if slo.Valid != c.valid || slo.Holds != c.valid {
				t.Errorf("%s: %+v, want valid and met %v", c.name, slo, c.valid)
			}
		}
	}
}
