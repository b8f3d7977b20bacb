package load

import (
	"context"
	"math"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

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

func (c *fakeConn) Do(s *Sample, _ *Message) error {
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
	identifier.Identify(&probe.Answer{Status: 200, Body: []byte(`{"hostname":"a"}`)})
	identifier.Identify(&probe.Answer{Status: 200, Body: []byte(`{"hostname":"b"}`)})
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
		name      string
		wait      profiles.Wait
		want      float64 // requests of 10 users that begin within 9.95 s, 100 ms each
		tolerance float64
	}{
		{"no think time", profiles.Wait{}, 10 * 100, 0},
		{"constant wait", profiles.Wait{Min: 400 * time.Millisecond, Max: 400 * time.Millisecond}, 10 * 20, 0},
		// Of cycles with mean m and variance v a user begins t/m + (v/m^2 + 1)/2
		// in a time t, with variance t v/m^3 (renewal theory): 20.4 and 0.27.
		{"between", profiles.Wait{Min: 300 * time.Millisecond, Max: 500 * time.Millisecond}, 10 * 20.4, 3 * 1.6},
		{"pacing", profiles.Wait{Min: 250 * time.Millisecond, Max: 250 * time.Millisecond, Pacing: true}, 10 * 40, 0},
		{"pacing faster than the answers", profiles.Wait{Min: 50 * time.Millisecond, Max: 50 * time.Millisecond, Pacing: true}, 10 * 100, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			// The load ends between two beats: on one it would be chance whether
			// the request of that moment is sent.
			plan := closedPlan(10, 1000, 9950*time.Millisecond)
			plan.Wait = c.wait
			r := run(t, plan, fake(100*time.Millisecond, nil), nil)
			within(t, "requests", float64(r.Total.Count), c.want, c.tolerance)
			if r.Total.Failed != 0 || r.Total.Aborted != 0 {
				t.Errorf("failed %d, aborted %d; want none", r.Total.Failed, r.Total.Aborted)
			}
			if q := r.Total.Latency; q.Min != 100*time.Millisecond || q.P50 != q.Min || q.Max != q.Min {
				t.Errorf("latency %+v, want 100ms for all", q)
			}
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

// Little's law: mean in flight = throughput x mean latency. What is in flight
// is counted by looking at the users, independent of the samples. It is
// Poisson of mean 100, and anew at each look: 480 looks are off by 0.5 %
// (standard deviation).
func TestLittle(t *testing.T) {
	var sum, looks float64
	r := run(t, openPlan(400, profiles.Poisson, 120*time.Second), fake(tick, nil), func(e *Engine) {
		sleep(tick / 2)
		for range 479 {
			sleep(tick)
			sum += float64(e.Snapshot().InFlight)
			looks++
		}
	})
	within(t, "L / (X R)", sum/looks/(r.Total.Rate()*r.Total.Latency.Mean.Seconds()), 1, 0.01)
}

// Little's law for users: N = X (R + Z), with the mean think time Z, which
// pacing and a constant throughput make what an answer leaves of their time.
func TestLittleWithThinkTime(t *testing.T) {
	const users, service = 50, 250 * time.Millisecond
	ms := time.Millisecond
	for _, c := range []struct {
		name  string
		wait  profiles.Wait
		think time.Duration
	}{
		{"none", profiles.Wait{}, 0},
		{"constant", profiles.Wait{Min: 750 * ms, Max: 750 * ms}, 750 * ms},
		{"between", profiles.Wait{Min: 200 * ms, Max: 1300 * ms}, 750 * ms},
		{"pacing", profiles.Wait{Min: 800 * ms, Max: 800 * ms, Pacing: true}, 550 * ms},
		{"throughput of 2/s", profiles.Wait{Min: 500 * ms, Max: 500 * ms, Pacing: true}, 250 * ms},
		{"throughput beyond reach", profiles.Wait{Min: 100 * ms, Max: 100 * ms, Pacing: true}, 0},
	} {
		plan := closedPlan(users, 1e6, 24*time.Second) // a whole number of cycles
		if plan.Wait = c.wait; c.wait.Min < c.wait.Max {
			plan.RunTime = 120 * time.Second // many of them
		}
		r := run(t, plan, fake(service, nil), nil)
		perUser := (r.Total.Latency.Mean + c.think).Seconds()
		within(t, c.name+": N / (X (R+Z))", users/(r.Total.Rate()*perUser), 1, 0.01)
	}
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

// What no plan may ask for, a hand may not either, nor what the other model has.
func TestSteeringRefusesNonsense(t *testing.T) {
	r := run(t, openPlan(10, profiles.Even, 10*time.Second), fake(time.Millisecond, nil), func(e *Engine) {
		sleep(time.Second)
		for _, rate := range []float64{math.Inf(1), math.NaN(), -1} {
			e.SetRate(rate)
		}
		e.SetUsers(500)
		e.SetSpawnRate(500)
	})
	within(t, "arrivals", float64(r.Total.Count), 100, 1)
	e, err := New(closedPlan(1, 1, 0), fake(time.Millisecond, nil))
	if err != nil {
		t.Fatal(err)
	}
	for _, perSecond := range []float64{math.Inf(1), math.NaN(), 0, -1} {
		e.SetSpawnRate(perSecond)
	}
	e.SetRate(500)
	e.SetUsers(math.MaxInt)
	if e.goal != profiles.MostUsers || e.spawnRate != 1 {
		t.Errorf("%d users, %v started per second; want %d, 1", e.goal, e.spawnRate, profiles.MostUsers)
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

// Whatever the length of a run, its history stays small, and tells of every
// stretch of time up to the present as finely as it promises.
func TestHistoryGetsCoarserWithAge(t *testing.T) {
	c := newCollector([]string{"x"}, Options{Identifier: probe.NewIdentifier(nil)}, func() []string { return nil })
	var before []Point
	for i := range 24 * 3600 {
		if before == nil && i == coarsenEvery-1 {
			before = c.points
		}
		c.endSecond(&Snapshot{Elapsed: time.Duration(i+1) * time.Second}, 0)
		if n := len(c.points); n > 4000 {
			t.Fatalf("%d points after %d s, want 4000 at most", n, i+1)
		}
	}
	now := 24 * time.Hour
	if first, last := c.points[0].At, c.points[len(c.points)-1].At; first != time.Second || last != now {
		t.Errorf("from %v to %v, want from the first second to the last", first, last)
	}
	for i := 1; i < len(c.points); i++ {
		was, is := c.points[i-1].At, c.points[i].At
		if gap, most := is-was, max(time.Second, (now-was)/Resolution); gap <= 0 || gap > most {
			t.Fatalf("%v from %v to %v, want up to %v", gap, was, is, most)
		}
	}
	for i, p := range before {
		if p.At != time.Duration(i+1)*time.Second {
			t.Fatalf("point %d of an earlier snapshot is at %v now", i, p.At)
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
