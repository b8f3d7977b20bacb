package scaler

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"headroom/profiles"
)

// rpsPolicy has a target of 10 per replica, decides every 10 s and follows the
// metric at once.
func rpsPolicy(low, high int) profiles.Policy {
	p := profiles.DefaultPolicy()
	p.Replicas = profiles.Bounds{Min: low, Max: profiles.Limit(high)}
	p.Interval = profiles.Duration(10 * time.Second)
	p.Metrics = []profiles.Metric{{Kind: profiles.RPS, Target: 10_000, Window: p.Interval}}
	p.Down.Stabilization = 0
	return p
}

// withLoop runs a loop in a bubble.
func withLoop(t *testing.T, p profiles.Policy, f func(t *testing.T, l *loop, pool *fakePool, g *gauge)) {
	synctest.Test(t, func(t *testing.T) {
		pool, g := &fakePool{start: time.Now()}, &gauge{arrived: make(chan struct{}, 1)}
		l, err := newLoop(Config{Policy: p, Log: pool.note}, p.Initial(), pool, g.sense, g.arrived)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { l.run(ctx) })
		synctest.Wait()
		f(t, l, pool, g)
		cancel()
		running.Wait()
	})
}

func at(seconds int, n int) sized { return sized{time.Duration(seconds) * time.Second, n} }

// pass lets virtual time pass, and everything happen that is due by then.
func pass(d time.Duration) {
	wait(context.Background(), d)
	synctest.Wait()
}

func TestLoopFollowsTheMetric(t *testing.T) {
	withLoop(t, rpsPolicy(1, 5), func(t *testing.T, l *loop, pool *fakePool, g *gauge) {
		pass(15 * time.Second)
		g.set(28)
		pass(10 * time.Second)
		g.set(1000)
		pass(10 * time.Second)
		g.set(11) // within the tolerance of one replica, but there are five
		pass(10 * time.Second)
		pool.expect(t, at(0, 1), at(20, 3), at(30, 5), at(40, 2))
		if pool.order != profiles.Newest {
			t.Errorf("order: got %q, want %q", pool.order, profiles.Newest)
		}
	})
}

func TestLoopWithoutDataHolds(t *testing.T) {
	p := rpsPolicy(1, 5)
	p.Replicas.Initial = 3
	withLoop(t, p, func(t *testing.T, l *loop, pool *fakePool, _ *gauge) {
		pass(time.Minute)
		pool.expect(t, at(0, 3))
		if d := l.state().last; d.Valid || d.Reason != profiles.NoData {
			t.Errorf("decision: got %+v, want one that is not valid for want of data", d)
		}
	})
}

func TestLoopPinExpires(t *testing.T) {
	withLoop(t, rpsPolicy(2, 8), func(t *testing.T, l *loop, pool *fakePool, g *gauge) {
		g.set(40)
		pass(15 * time.Second)
		l.hold(1, 20*time.Second) // below min: a measurement may
		pass(19 * time.Second)
		if s := l.state(); s.pin.size != 1 || s.last.Reason != profiles.Pinned || s.last.Desired != 1 {
			t.Errorf("while pinned: got %+v, want a decision for 1 that says so", s)
		}
		pass(2 * time.Second)
		if s := l.state(); s.pin.size != 0 {
			t.Errorf("after the pin: got %+v, want none", s.pin)
		}
		pool.expect(t, at(0, 2), at(10, 4), at(15, 1), at(35, 4))
		g.set(60)
		pass(10 * time.Second)
		pool.expect(t, at(0, 2), at(10, 4), at(15, 1), at(35, 4), at(45, 6))
	})
}

// What the policy wanted before the pin is restored, also where the metric
// alone would not bring it back.
func TestLoopUnpinRestores(t *testing.T) {
	p := rpsPolicy(1, 8)
	p.Down.Stabilization = profiles.Duration(5 * time.Minute)
	withLoop(t, p, func(t *testing.T, l *loop, pool *fakePool, g *gauge) {
		g.set(40)
		pass(15 * time.Second)
		l.hold(7, time.Hour)
		g.set(5)
		pass(10 * time.Second)
		l.unpin()
		pool.expect(t, at(0, 1), at(10, 4), at(15, 7), at(25, 4))
		l.unpin()
		pass(time.Minute)
		pool.expect(t, at(0, 1), at(10, 4), at(15, 7), at(25, 4))
	})
}

func TestLoopPinReplacesPin(t *testing.T) {
	withLoop(t, rpsPolicy(1, 8), func(t *testing.T, l *loop, pool *fakePool, g *gauge) {
		l.hold(3, 10*time.Second)
		pass(5 * time.Second)
		l.hold(5, 10*time.Second)
		pass(9 * time.Second)
		pool.expect(t, at(0, 1), at(0, 3), at(5, 5))
		pass(2 * time.Second)
		pool.expect(t, at(0, 1), at(0, 3), at(5, 5), at(15, 1))
	})
}

func TestLoopFollowsAnotherPolicy(t *testing.T) {
	withLoop(t, rpsPolicy(1, 5), func(t *testing.T, l *loop, pool *fakePool, g *gauge) {
		pass(3 * time.Second)
		if err := l.follow(rpsPolicy(4, 6), "a test", false); err != nil {
			t.Fatal(err)
		}
		pool.expect(t, at(0, 1), at(3, 4)) // bounds act at once
		bad := rpsPolicy(3, 2)
		if err := l.follow(bad, "a test", false); err == nil {
			t.Error("follow a policy with min above max: got no error")
		}
		if got := l.state().policy.Replicas.Min; got != 4 {
			t.Errorf("after the refusal: got min %d, want 4", got)
		}
		g.set(55)
		pass(10 * time.Second) // the interval counts from the change
		pool.expect(t, at(0, 1), at(3, 4), at(13, 6))
	})
}

func TestLoopReports(t *testing.T) {
	withLoop(t, rpsPolicy(1, 5), func(t *testing.T, l *loop, pool *fakePool, g *gauge) {
		g.set(28)
		pass(10 * time.Second)
		l.hold(1, 5*time.Second)
		pass(5 * time.Second)
		l.hold(2, time.Minute)
		l.unpin()
		if err := l.follow(rpsPolicy(4, 5), "a test", false); err != nil {
			t.Fatal(err)
		}
		want := []string{
			"decision: 1 -> 3",
			"pin: pinned to 1 for 5s",
			"pin: the pin has expired, from 3 on",
			"pin: pinned to 2 for 1m",
			"pin: unpinned, from 3 on",
			"policy: a test: replicas.min 1 -> 4",
			"decision: 3 -> 4",
		}
		if diff := cmp.Diff(want, pool.events); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
}

// A policy that ends a pin begins with the fleet as it was pinned, not with what
// the policy before it had wanted.
func TestLoopFollowsFromThePin(t *testing.T) {
	withLoop(t, rpsPolicy(1, 5), func(t *testing.T, l *loop, pool *fakePool, g *gauge) {
		g.set(28)
		pass(10 * time.Second)
		l.hold(1, time.Minute)
		if err := l.follow(rpsPolicy(1, 4), "a test", true); err != nil {
			t.Fatal(err)
		}
		if got := l.state().last; got.Current != 1 {
			t.Errorf("the decision after the pin: got %v, want one that begins with 1", got)
		}
	})
}

// A change decides once. Deciding again when the loop wakes would take a
// second step in the same moment.
func TestLoopChangeIsOneDecision(t *testing.T) {
	withLoop(t, profiles.FixedPolicy(1), func(t *testing.T, l *loop, pool *fakePool, g *gauge) {
		g.set(100)
		p := rpsPolicy(1, 10)
		p.Up.Step = 2
		if err := l.follow(p, "a test", false); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		pool.expect(t, at(0, 1), at(0, 3))
		pass(10 * time.Second)
		pool.expect(t, at(0, 1), at(0, 3), at(10, 5))
	})
}

// toZeroPolicy is an rpsPolicy that lets an idle fleet go after a minute.
func toZeroPolicy(high int) profiles.Policy {
	p := rpsPolicy(0, high)
	p.ToZero = &profiles.ToZero{After: profiles.Duration(time.Minute)}
	return p
}

func TestLoopEndsARestAtOnce(t *testing.T) {
	withLoop(t, toZeroPolicy(5), func(t *testing.T, l *loop, pool *fakePool, g *gauge) {
		g.set(0)
		pass(73 * time.Second)
		pool.expect(t, at(0, 1), at(60, 0))
		g.arrive(7)
		synctest.Wait()
		pool.expect(t, at(0, 1), at(60, 0), at(73, 1))
		g.set(28)
		pass(9 * time.Second) // the interval counts from the arrival
		pool.expect(t, at(0, 1), at(60, 0), at(73, 1))
		pass(time.Second)
		pool.expect(t, at(0, 1), at(60, 0), at(73, 1), at(83, 3))
	})
}

// Where replicas are wanted, a request that finds none in service changes
// nothing: one more decision would take one more step.
func TestLoopArrivalsTakeNoStep(t *testing.T) {
	p := rpsPolicy(1, 10)
	p.Up.Step = 1
	withLoop(t, p, func(t *testing.T, l *loop, pool *fakePool, g *gauge) {
		pass(5 * time.Second)
		for range 3 {
			g.arrive(1)
			synctest.Wait()
		}
		g.set(100)
		pool.expect(t, at(0, 1))
		pass(5 * time.Second)
		pool.expect(t, at(0, 1), at(10, 2))
	})
}

// A pin of a fleet at rest ends where it was, and a request wakes it then.
func TestLoopPinAtRest(t *testing.T) {
	withLoop(t, toZeroPolicy(5), func(t *testing.T, l *loop, pool *fakePool, g *gauge) {
		g.set(0)
		pass(65 * time.Second)
		l.hold(2, 10*time.Second)
		pass(11 * time.Second)
		pool.expect(t, at(0, 1), at(60, 0), at(65, 2), at(75, 0))
		g.arrive(1)
		synctest.Wait()
		pool.expect(t, at(0, 1), at(60, 0), at(65, 2), at(75, 0), at(76, 1))
	})
}

// What the policy saw before a pin is old when it ends: nothing is taken away
// by it.
func TestLoopUnpinBeginsAnew(t *testing.T) {
	p := toZeroPolicy(8)
	p.Down.Stabilization = profiles.Duration(5 * time.Minute)
	for _, load := range []int{0, 5} {
		withLoop(t, p, func(t *testing.T, l *loop, pool *fakePool, g *gauge) {
			g.set(40)
			pass(15 * time.Second)
			l.hold(7, 10*time.Minute)
			pass(10*time.Minute - 2*time.Second)
			g.set(load)
			pass(2 * time.Second)
			pool.expect(t, at(0, 1), at(10, 4), at(15, 7), at(615, 4))
			pass(59 * time.Second)
			pool.expect(t, at(0, 1), at(10, 4), at(15, 7), at(615, 4))
			pass(5 * time.Minute)
			last := at(675, 0) // a minute without load
			if load > 0 {
				last = at(915, 1) // the window of five
			}
			pool.expect(t, at(0, 1), at(10, 4), at(15, 7), at(615, 4), last)
		})
	}
}

// A pin that has expired is not unpinned, whoever comes first.
func TestLoopUnpinsOnce(t *testing.T) {
	withLoop(t, rpsPolicy(1, 8), func(t *testing.T, l *loop, pool *fakePool, g *gauge) {
		l.hold(3, time.Minute)
		l.mu.Lock()
		l.due = l.due.Add(time.Hour) // the loop is late
		l.mu.Unlock()
		notify(l.wake)
		pass(time.Minute)
		l.unpin()
		want := []string{"pin: pinned to 3 for 1m", "pin: the pin has expired, from 1 on"}
		if diff := cmp.Diff(want, pool.events); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		pool.expect(t, at(0, 1), at(0, 3), at(60, 1))
	})
}

// A schedule acts when it begins and ends, however long the interval is.
func TestLoopKeepsTheHours(t *testing.T) {
	p := rpsPolicy(1, 9)
	p.Interval = profiles.Duration(30 * time.Minute)
	p.Schedules = []profiles.Schedule{{Start: "5 * * * *", End: "25 * * * *", Min: 8}}
	withLoop(t, p, func(t *testing.T, l *loop, pool *fakePool, g *gauge) { // from midnight on
		g.set(0)
		pass(time.Hour)
		pool.expect(t, at(0, 1), at(5*60, 8), at(25*60, 1))
	})
}

// Without a max of its own, a policy has that of the machine.
func TestLoopOfAPolicyWithoutALimit(t *testing.T) {
	withLoop(t, rpsPolicy(1, int(profiles.Unlimited)), func(t *testing.T, l *loop, pool *fakePool, g *gauge) {
		g.set(1_000_000)
		pass(10 * time.Second)
		pool.expect(t, at(0, 1), at(10, maxReplicas))
		if s := l.state(); s.last.LimitedBy != profiles.MaxLimit || s.policy.Replicas.Max != profiles.Unlimited {
			t.Errorf("got %+v, want it limited, and the policy as it was given", s)
		}
	})
}

// Interval, windows and order are those of the hour.
func TestLoopFollowsTheTimetable(t *testing.T) {
	p := rpsPolicy(1, 5)
	p.Schedules = []profiles.Schedule{{Match: "1 * * * *", Set: profiles.Settings{{Key: "interval", Value: "30s"}, {Key: "down.order", Value: "oldest"}}}}
	withLoop(t, p, func(t *testing.T, l *loop, pool *fakePool, g *gauge) { // from midnight on
		g.set(8)
		pass(65 * time.Second)
		g.set(28)
		pass(20 * time.Second)
		pool.expect(t, at(0, 1))
		pass(5 * time.Second)
		pool.expect(t, at(0, 1), at(90, 3))
		if pool.order != profiles.Oldest {
			t.Errorf("order: got %q, want that of the schedule, %q", pool.order, profiles.Oldest)
		}
		g.set(8)
		pass(30 * time.Second)
		pool.expect(t, at(0, 1), at(90, 3), at(120, 1))
		if pool.order != profiles.Newest {
			t.Errorf("order: got %q, want %q again", pool.order, profiles.Newest)
		}
	})
}
