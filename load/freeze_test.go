package load

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"headroom/profiles"
)

func mustSLO(t *testing.T, s string) profiles.SLO {
	t.Helper()
	slo, err := profiles.ParseSLO(s)
	if err != nil {
		t.Fatal(err)
	}
	return slo
}

// hung is a target that answers within 10 ms, and from 4 s on never again.
func hung(t *testing.T, slo string) Options {
	o := fake(10*time.Millisecond, func(c *fakeConn) { c.freezeFrom, c.freezeTo = 4*time.Second, time.Hour })
	o.SLO = mustSLO(t, slo)
	return o
}

// Of 50 arrivals a second for 8 s the second half gets no answer. With enough
// users they are sent, and 2 to 6 s old when the run ends after a grace of 2
// s. With 20 users 20 are sent, 5.6 to 6 s old, and the rest, 0 to 3.6 s old,
// waits for a user until the load ends.
func TestAHungServiceMissesItsSLO(t *testing.T) {
	const slo = "p49<5ms,p95<100ms,p96<100ms,max<100ms,mean<100ms,errors<8%,rps>20,p95<7s"
	for _, c := range []struct {
		name       string
		maxUsers   int
		want       [4]float64 // p49, p95, p96, max
		mean       float64
		unanswered float64
		unsent     float64
		errors     float64
	}{
		{"sent", 1000, [4]float64{0.01, 5.6, 5.68, 6}, 2, 200, 0, 0.5},
		{"without a user", 20, [4]float64{0.01, 3.6, 5.64, 6}, 1.12, 195, 180, 20. / 220},
	} {
		plan := openPlan(50, profiles.Even, 8*time.Second)
		plan.StopGrace, plan.MaxUsers = 2*time.Second, c.maxUsers
		r := run(t, plan, hung(t, slo), nil)
		for i, want := range append(c.want[:], c.mean) {
			o := r.SLO[i]
			if !o.Valid || o.Holds || o.AtLeast != (want > 0.01) {
				t.Errorf("%s: %+v, want it missed, by an unknown amount beyond the answers", c.name, o)
			}
			within(t, c.name+": "+o.Name, o.Value, want, 0.05)
		}
		within(t, c.name+": over 100 ms without an answer", float64(r.SLO[1].Unanswered), c.unanswered, 2)
		within(t, c.name+": unsent", float64(r.Health.Unsent), c.unsent, 1)
		if o := r.SLO[5]; !o.Valid || o.Holds {
			t.Errorf("%s: %+v, want too many errors", c.name, o)
		}
		within(t, c.name+": errors", r.SLO[5].Value, c.errors, 0.005)
		for _, o := range r.SLO[6:] {
			if !o.Holds || o.Unanswered > 0 {
				t.Errorf("%s: %+v, want it met: nothing failed, nothing was older than 7 s", c.name, o)
			}
		}
		if got, want := r.SLO[3].Format(), "over 6s"; got != want {
			t.Errorf("%s: max is %q, want %q", c.name, got, want)
		}
		within(t, c.name+": cut off and unsent", float64(r.Total.Aborted+r.Health.Unsent), 200, 1)
		within(t, c.name+": age of the oldest", r.Total.AbortedAge.Seconds(), 6, 0.02)
	}
}

// The figures turn during a freeze, not after it, and come back: 2 s of an
// open run, and all of the last seconds of a closed one, in which each user
// has a single request.
func TestAFreezeShowsWhileItLasts(t *testing.T) {
	for name, plan := range map[string]profiles.Plan{
		"open":   openPlan(50, profiles.Even, 30*time.Second),
		"closed": closedPlan(4, 100, 30*time.Second),
	} {
		o := fake(10*time.Millisecond, func(c *fakeConn) { c.freezeFrom, c.freezeTo = 10*time.Second, 17*time.Second })
		o.SLO = mustSLO(t, "p95<100ms")
		run(t, plan, o, func(e *Engine) {
			sleep(9*time.Second + tick/2)
			for _, at := range []struct {
				after time.Duration
				holds bool
			}{{0, true}, {7 * time.Second, false}, {10 * time.Second, true}} {
				sleep(at.after)
				s := e.Snapshot()
				if now := s.RecentSLO[0]; now.Holds != at.holds || now.AtLeast == at.holds {
					t.Errorf("%s, after %v: %+v, want holds %v", name, s.Elapsed, now, at.holds)
				}
				if waiting, _, ok := s.Stalled(); ok == at.holds || ok && waiting < 4 {
					t.Errorf("%s, after %v: Stalled() = %d, %v; want %v", name, s.Elapsed, waiting, ok, !at.holds)
				}
				if want := s.Elapsed - 10*time.Second; !at.holds {
					within(t, name+": the oldest (s)", s.Oldest.Seconds(), want.Seconds(), 0.05)
				}
			}
		})
	}
}

func TestObjectiveWithRequestsThatWait(t *testing.T) {
	p90 := mustSLO(t, "p90<100ms")[0]
	ms := time.Millisecond
	for _, c := range []struct {
		name   string
		ok     int // at 10 ms
		slow   int // at 3 s
		failed int64
		waits  []wait
		want   Objective
	}{
		{"nothing at all", 0, 0, 0, nil, Objective{}},
		{"nothing but young ones", 0, 0, 0, []wait{{age: 100 * ms, count: 50}}, Objective{}},
		{"nothing but old ones", 0, 0, 0, []wait{{age: 200 * ms, count: 50}}, Objective{Value: 0.2, AtLeast: true, Unanswered: 50, Valid: true}},
		{"few old ones", 90, 0, 0, []wait{{age: time.Second, count: 10}}, Objective{Value: 0.01, Unanswered: 10, Valid: true, Holds: true}},
		{"one too many", 89, 0, 0, []wait{{age: time.Second, count: 1}, {age: 2 * time.Second, count: 10}}, Objective{Value: 1, AtLeast: true, Unanswered: 11, Valid: true}},
		{"younger than an answer", 80, 15, 0, []wait{{age: time.Second, count: 5}}, Objective{Value: 3, AtLeast: true, Unanswered: 5, Valid: true}},
		{"older than an answer", 80, 20, 0, []wait{{age: 4 * time.Second, count: 5}}, Objective{Value: 3, Unanswered: 5, Valid: true}},
		{"beside failures", 80, 0, 5, []wait{{age: time.Second, count: 15}}, Objective{Value: 1, AtLeast: true, Unanswered: 15, Valid: true}},
		{"too many failures", 80, 0, 15, []wait{{age: time.Second, count: 5}}, Objective{Value: math.Inf(1), Unanswered: 5, Valid: true}},
	} {
		tl := newTally(3)
		tl.count, tl.failed = int64(c.ok+c.slow)+c.failed, c.failed
		tl.latency.recordMany(10*ms, int64(c.ok))
		tl.latency.recordMany(3*time.Second, int64(c.slow))
		got := tl.objective(p90, time.Second, c.waits)
		c.want.Objective, c.want.Name = p90, "p90<100ms"
		if math.Abs(got.Value-c.want.Value) < 0.01*c.want.Value {
			got.Value = c.want.Value
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
		text, err := json.Marshal(got)
		var back Objective
		if err == nil {
			err = json.Unmarshal(text, &back)
		}
		if diff := cmp.Diff(got, back); err != nil || diff != "" {
			t.Errorf("%s: %s read back: %v\n%s", c.name, text, err, diff)
		}
	}
}

// A long queue is looked through in steps, and loses nobody.
func TestArrivalQueueIsSampled(t *testing.T) {
	for _, process := range []profiles.Arrivals{profiles.Even, profiles.Poisson} {
		a := newArrivals(process, 1)
		ep := &epoch{course: profiles.NewCourse(profiles.Constant(1000))}
		q := arrivalQueue{full: true, due: a.cursor(), taken: a.cursor()}
		n, waits := q.look(a, ep, 500, 60*time.Second, nil)
		var sum int64
		for i, w := range waits {
			sum += w.count
			if w.age < 0 || i > 0 && w.age > waits[i-1].age {
				t.Fatalf("%s: wait %d is %v after %v, want the oldest first", process, i, w.age, waits[i-1].age)
			}
		}
		within(t, string(process)+": queue", float64(n), 59_500, 1000)
		if sum != n || len(waits) > maxWaits {
			t.Errorf("%s: %d waits of %d arrivals, want at most %d of %d", process, len(waits), sum, maxWaits, n)
		}
		within(t, string(process)+": oldest (s)", waits[0].age.Seconds(), 59.5, 0.2)
		if n, waits = q.look(a, ep, q.n, 60*time.Second, nil); n != 0 || len(waits) != 0 {
			t.Errorf("%s: %d wait, %v, after all were taken", process, n, waits)
		}
	}
}
