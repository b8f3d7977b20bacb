package load

import (
	"context"
	"math"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"headroom/probe"
	"headroom/profiles"
)

// fakeConn is a target without sockets: it answers after service, and not
// between freezeFrom and freezeTo. Two names answer in turn.
type fakeConn struct {
	ctx                  context.Context
	start                time.Time
	service              time.Duration
	freezeFrom, freezeTo time.Duration
	turn                 *atomic.Int32
	fail                 bool
}

func (c *fakeConn) Do(s *Sample) error {
	s.Sent = time.Since(c.start)
	begin := s.Sent
	if begin >= c.freezeFrom && begin < c.freezeTo {
		begin = c.freezeTo
	}
	timer := time.NewTimer(begin + c.service - s.Sent)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-c.ctx.Done():
		s.Done, s.Failure, s.Replica = time.Since(c.start), Aborted, probe.Unknown
		return errAborted
	}
	s.Done, s.Status, s.Bytes = time.Since(c.start), 200, 10
	s.Replica = c.turn.Add(1) % 2
	if c.fail {
		s.Status, s.Failure = 503, Status
	}
	return nil
}

func (c *fakeConn) Close() {}

// fake returns options with a target of that service time.
func fake(service time.Duration, edit func(*fakeConn)) Options {
	identifier := probe.NewIdentifier(nil)
	identifier.Identify(200, nil, []byte(`{"hostname":"a"}`))
	identifier.Identify(200, nil, []byte(`{"hostname":"b"}`))
	turn := new(atomic.Int32)
	return Options{Identifier: identifier, Keep: 1 << 20, NewConn: func(ctx context.Context, start time.Time) Conn {
		c := &fakeConn{ctx: ctx, start: start, service: service, turn: turn}
		if edit != nil {
			edit(c)
		}
		return c
	}}
}

func closedPlan(users int, spawn float64, length time.Duration) profiles.Plan {
	p := profiles.DefaultPlan()
	p.Target, p.Users, p.SpawnRate, p.RunTime = "http://127.0.0.1:1/x", users, spawn, length
	return p
}

func openPlan(rate float64, process profiles.Arrivals, length time.Duration) profiles.Plan {
	p := profiles.DefaultPlan()
	p.Target, p.Rate, p.Arrivals, p.RunTime = "http://127.0.0.1:1/x", rate, process, length
	return p
}

// run performs a plan in virtual time; during runs beside it.
func run(t *testing.T, plan profiles.Plan, o Options, during func(*Engine)) (result Result) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		e, err := New(plan, o)
		if err != nil {
			t.Fatal(err)
		}
		if during != nil {
			go during(e)
		}
		if result, err = e.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
	return result
}

func sleep(d time.Duration) { <-time.After(d) }

func within(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if math.Abs(got-want) > tolerance {
		t.Errorf("%s = %v, want %v ± %v", what, got, want, tolerance)
	}
}

func TestClosedModel(t *testing.T) {
	for _, c := range []struct {
		name string
		wait profiles.Wait
		want float64 // requests of 10 users in 10 s after a spawn of 1 s, 100 ms each
	}{
		{"no think time", profiles.Wait{}, 10 * 100},
		{"constant wait", profiles.Wait{Min: 400 * time.Millisecond, Max: 400 * time.Millisecond}, 10 * 20},
		{"between", profiles.Wait{Min: 300 * time.Millisecond, Max: 500 * time.Millisecond}, 10 * 20},
		{"pacing", profiles.Wait{Min: 250 * time.Millisecond, Max: 250 * time.Millisecond, Pacing: true}, 10 * 40},
		{"pacing faster than the answers", profiles.Wait{Min: 50 * time.Millisecond, Max: 50 * time.Millisecond, Pacing: true}, 10 * 100},
	} {
		t.Run(c.name, func(t *testing.T) {
			plan := closedPlan(10, 1000, 10*time.Second)
			plan.Wait = c.wait
			r := run(t, plan, fake(100*time.Millisecond, nil), nil)
			within(t, "requests", float64(r.Total.Count), c.want, c.want*0.03)
			if r.Total.Failed != 0 || r.Total.Aborted != 0 {
				t.Errorf("failed %d, aborted %d; want none", r.Total.Failed, r.Total.Aborted)
			}
			within(t, "latency p50 (ms)", float64(r.Total.Latency.P50.Milliseconds()), 100, 1)
		})
	}
}

func TestSpawnRate(t *testing.T) {
	r := run(t, closedPlan(20, 4, 10*time.Second), fake(time.Millisecond, nil), nil)
	for _, p := range r.Points[:9] {
		want := min(20, 4*p.At.Seconds()+1)
		within(t, "users at "+p.At.String(), float64(p.Users), want, 1)
	}
}

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

// Little's law: mean in flight = throughput x mean latency. What is in flight
// is counted by looking at the users, independent of the samples.
func TestLittle(t *testing.T) {
	var sum, looks float64
	r := run(t, openPlan(40, profiles.Poisson, 60*time.Second), fake(250*time.Millisecond, nil), func(e *Engine) {
		for range 235 {
			sleep(tick)
			sum += float64(e.Snapshot().InFlight)
			looks++
		}
	})
	within(t, "L / (X R)", sum/looks/(r.Total.Rate()*r.Total.Latency.Mean.Seconds()), 1, 0.1)
}

func TestRequestLimit(t *testing.T) {
	plan := closedPlan(7, 100, 0)
	plan.Requests = 100
	if r := run(t, plan, fake(10*time.Millisecond, nil), nil); r.Total.Count != 100 {
		t.Errorf("closed model sent %d, want 100", r.Total.Count)
	}
	plan = openPlan(20, profiles.Poisson, 0)
	plan.Requests = 100
	if r := run(t, plan, fake(10*time.Millisecond, nil), nil); r.Total.Count != 100 {
		t.Errorf("open model sent %d, want 100", r.Total.Count)
	}
}

// The last of a limited number ends the run, not the think time behind it.
func TestRequestLimitDoesNotWait(t *testing.T) {
	plan := closedPlan(1, 1, 0)
	plan.Requests, plan.Wait = 3, profiles.Wait{Min: time.Minute, Max: time.Minute}
	r := run(t, plan, fake(time.Second, nil), nil)
	if r.Total.Count != 3 || r.Elapsed > 2*time.Minute+4*time.Second {
		t.Errorf("%d requests in %v, want 3 in two minutes", r.Total.Count, r.Elapsed)
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

// Rates are taken over the load, not over the wait for the last answer.
func TestDrainDoesNotDiluteRates(t *testing.T) {
	slo, _ := profiles.ParseSLO("rps>95")
	o := fake(100*time.Millisecond, func(c *fakeConn) { c.freezeFrom, c.freezeTo = 9990*time.Millisecond, 25*time.Second })
	o.SLO = slo
	r := run(t, openPlan(100, profiles.Even, 10*time.Second), o, nil)
	if r.Elapsed < 20*time.Second {
		t.Fatalf("the run ended after %v, before the late answer", r.Elapsed)
	}
	within(t, "length of the load (s)", r.Loaded.Seconds(), 10, 0.1)
	within(t, "rate", r.Total.Rate(), 100, 1)
	if !r.SLO[0].Holds {
		t.Errorf("rps is %v, want the SLO met", r.SLO[0].Value)
	}
}

// Nothing keeps the arrivals that every user has left behind.
func TestArrivalsAreForgotten(t *testing.T) {
	a := newArrivals(profiles.Constant(1), profiles.Poisson, 1)
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

func TestSetUsers(t *testing.T) {
	var seen []int
	run(t, closedPlan(10, 1000, 12*time.Second), fake(100*time.Millisecond, nil), func(e *Engine) {
		for _, n := range []int{10, 25, 3} {
			e.SetUsers(n)
			sleep(3 * time.Second)
			seen = append(seen, e.Snapshot().Users)
		}
		e.SetSpawnRate(1)
		e.SetUsers(10)
		sleep(2 * time.Second)
		seen = append(seen, e.Snapshot().Users)
	})
	want := []int{10, 25, 3, 5}
	for i, n := range want {
		within(t, "users", float64(seen[i]), float64(n), 1)
	}
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

func TestStopDrainsThenCutsOff(t *testing.T) {
	plan := closedPlan(4, 100, 0)
	plan.StopGrace = 2 * time.Second
	r := run(t, plan, fake(time.Second, nil), func(e *Engine) {
		sleep(2500 * time.Millisecond)
		e.Stop()
	})
	if r.Total.Aborted != 0 || r.Total.Count != 12 {
		t.Errorf("drained run: %d requests, %d aborted; want 12, 0", r.Total.Count, r.Total.Aborted)
	}
	r = run(t, plan, fake(time.Minute, nil), func(e *Engine) {
		sleep(3 * time.Second)
		e.Stop()
		e.Stop()
	})
	if r.Total.Aborted != 4 || r.Total.Count != 0 {
		t.Errorf("stuck run: %d requests, %d aborted; want 0, 4", r.Total.Count, r.Total.Aborted)
	}
	within(t, "age of the oldest aborted request (s)", r.Total.AbortedAge.Seconds(), 5, 0.1)
	within(t, "length (s)", r.Elapsed.Seconds(), 5, 0.1)
}

func TestCancelEndsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		e, err := New(closedPlan(3, 100, 0), fake(time.Minute, nil))
		if err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(time.Second, cancel)
		r, err := e.Run(ctx)
		if err != nil || r.Total.Aborted != 3 || r.Elapsed != time.Second {
			t.Errorf("Run = %d aborted after %v, %v; want 3 after 1s", r.Total.Aborted, r.Elapsed, err)
		}
		if _, err := e.Run(t.Context()); err == nil {
			t.Error("a second Run succeeded, want an error")
		}
	})
}

func TestSnapshotFigures(t *testing.T) {
	slo, err := profiles.ParseSLO("p95<50ms,errors<1%,rps>100,max<1s,mean<=100ms")
	if err != nil {
		t.Fatal(err)
	}
	o := fake(100*time.Millisecond, nil)
	o.SLO = slo
	r := run(t, openPlan(50, profiles.Even, 10*time.Second), o, nil)
	if len(r.Replicas) != 2 || r.Replicas[0].Name != "a" || r.Replicas[1].Name != "b" {
		t.Fatalf("replicas %+v, want a and b", r.Replicas)
	}
	within(t, "share of a", r.Replicas[0].Share, 0.5, 0.01)
	within(t, "rate of a", r.Replicas[0].Rate, 25, 2)
	for i, want := range []bool{false, true, false, true, true} {
		if got := r.SLO[i]; got.Holds != want || !got.Valid {
			t.Errorf("objective %s holds %v (value %v), want %v", got.Name, got.Holds, got.Value, want)
		}
	}
	if r.Health.Verdict != Sound || r.Health.LagP99 > time.Microsecond {
		t.Errorf("health %+v, want sound without lag", r.Health)
	}
}

func TestFailuresAreKeptApart(t *testing.T) {
	slo, _ := profiles.ParseSLO("p95<500ms,errors<1%")
	o := fake(100*time.Millisecond, func(c *fakeConn) { c.fail = c.turn.Add(1)%10 == 0 })
	o.SLO = slo
	plan := closedPlan(100, 1000, 10*time.Second)
	r := run(t, plan, o, nil)
	if r.Total.Failed == 0 || r.Total.Latency.Count+r.Total.Failed != r.Total.Count {
		t.Fatalf("%d failed and %d successes of %d", r.Total.Failed, r.Total.Latency.Count, r.Total.Count)
	}
	if len(r.Failures) != 1 || r.Failures[0].Count != r.Total.Failed || r.Failures[0].Example != "503 Service Unavailable" {
		t.Errorf("failures %+v, want one row of %d", r.Failures, r.Total.Failed)
	}
	if !math.IsInf(r.SLO[0].Value, 1) || r.SLO[0].Holds {
		t.Errorf("with 10 %% failed, p95 = %v; want infinite", r.SLO[0].Value)
	}
}

func TestResetStatsKeepsTheHistory(t *testing.T) {
	r := run(t, closedPlan(1, 1, 10*time.Second), fake(100*time.Millisecond, nil), func(e *Engine) {
		sleep(5 * time.Second)
		e.ResetStats()
	})
	within(t, "requests after the reset", float64(r.Total.Count), 50, 5)
	within(t, "time covered (s)", r.Total.Over.Seconds(), 5, 0.3)
	if len(r.Points) < 9 {
		t.Errorf("%d points, want all 9", len(r.Points))
	}
}

func TestHistoryIsThinned(t *testing.T) {
	c := newCollector("x", probe.NewIdentifier(nil), nil, 0)
	for i := range 3 * 3600 {
		c.endSecond(time.Duration(i+1)*time.Second, Point{})
	}
	if n := len(c.points); n < maxPoints/2 || n > maxPoints {
		t.Errorf("%d points after 3 h, want %d..%d", n, maxPoints/2, maxPoints)
	}
	if last := c.points[len(c.points)-1].At; last < 3*time.Hour-10*time.Second {
		t.Errorf("the last point is at %v, want the end", last)
	}
	for i := 1; i < len(c.points); i++ {
		if c.points[i].At <= c.points[i-1].At {
			t.Fatalf("point %d is at %v, after one at %v", i, c.points[i].At, c.points[i-1].At)
		}
	}
}

func TestNewRefusesABadPlan(t *testing.T) {
	plan := closedPlan(-1, 0, 0)
	plan.Target = "ftp://x"
	if _, err := New(plan, Options{}); err == nil {
		t.Error("New accepted a bad plan")
	}
}

// Samples that did not fit are told of: figures made from the rest would be
// wrong.
func TestFullStoreOfSamples(t *testing.T) {
	for keep, full := range map[int]bool{0: false, 9: true, 10: false, 1 << 10: false} {
		plan, o := closedPlan(2, 100, 0), fake(10*time.Millisecond, nil)
		plan.Requests, o.Keep = 10, keep
		r := run(t, plan, o, nil)
		if r.Full != full || len(r.Samples) != min(keep, 10) {
			t.Errorf("of 10 requests %d are kept with room for %d, full %v; want %v", len(r.Samples), keep, r.Full, full)
		}
	}
}
