package scaler

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"headroom/profiles"
)

// metrics are one of each kind that the balancer measures, over 10 s.
func metrics(edit func(*profiles.Metric), kinds ...profiles.Kind) []profiles.Metric {
	out := make([]profiles.Metric, len(kinds))
	for i, k := range kinds {
		out[i] = profiles.Metric{Kind: k, Window: profiles.Duration(10 * time.Second)}
		if edit != nil {
			edit(&out[i])
		}
	}
	return out
}

func valid(total profiles.Milli) profiles.Reading { return profiles.Reading{Total: total, Valid: true} }

func expectReadings(t *testing.T, what string, got []profiles.Reading, want ...profiles.Reading) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %+v, want %+v", what, got, want)
	}
}

func TestBalancerMeasuresTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBalancer(time.Now(), Config{})
		kinds := metrics(nil, profiles.Queue, profiles.FreeWorkers)
		b.add(1, "a", "")
		b.add(2, "b", "")
		pass(5 * time.Second)
		first, second := arrive(t, b), arrive(t, b)
		arrive(t, b)
		arrive(t, b)
		pass(5 * time.Second)
		expectReadings(t, "two free for half of 10 s, then two waiting", b.read(time.Now(), kinds), valid(1010), valid(990))
		first.release(b)
		second.release(b)
		pass(10 * time.Second)
		expectReadings(t, "10 s after the queue was empty", b.read(time.Now(), kinds), valid(0), valid(0))

		// A level of the fleet before a replica was added says nothing about
		// the fleet with it; that of each replica does.
		waiting := []*client{arrive(t, b), arrive(t, b)}
		pass(10 * time.Second)
		c := b.add(3, "c", "")
		perReplica := metrics(func(m *profiles.Metric) { m.Scope = profiles.PerReplica }, profiles.Queue)
		expectReadings(t, "in the moment of the change", b.read(time.Now(), kinds), profiles.Reading{}, profiles.Reading{})
		expectReadings(t, "of each replica, over all 10 s", b.read(time.Now(), perReplica), valid(2000))
		pass(time.Second)
		expectReadings(t, "1 s later", b.read(time.Now(), kinds), valid(1000), valid(0))
		b.drain(c)
		pass(100 * time.Millisecond)
		expectReadings(t, "just after one was taken away", b.read(time.Now(), kinds[:1]), profiles.Reading{})
		for _, w := range waiting {
			w.cancel()
		}
	})
}

func TestBalancerMeasuresLatency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBalancer(time.Now(), Config{})
		kinds := metrics(nil, profiles.Latency)
		b.add(1, "a", "")
		pass(time.Second)
		expectReadings(t, "before any answer", b.read(time.Now(), kinds), profiles.Reading{})
		first, second := arrive(t, b), arrive(t, b)
		pass(time.Second)
		first.release(b) // after 1 s
		pass(500 * time.Millisecond)
		second.release(b) // after 1 s in the queue and 500 ms
		broke := arrive(t, b)
		pass(2 * time.Second)
		expectReadings(t, "two answers", b.read(time.Now(), kinds), valid(1_250_000))
		b.release(&broke.lease, abandoned)
		pass(time.Second)
		expectReadings(t, "one more that is no answer", b.read(time.Now(), kinds), valid(1_250_000))
		pass(10 * time.Second)
		expectReadings(t, "10 s without one", b.read(time.Now(), kinds), profiles.Reading{})
	})
}

func TestBalancerMeasuresBursts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBalancer(time.Now(), Config{})
		kinds := metrics(func(m *profiles.Metric) { m.Panic = &profiles.Panic{Window: profiles.Duration(time.Second)} },
			profiles.RPS, profiles.InFlight, profiles.CPU)
		pass(9 * time.Second)
		for range 5 {
			arrive(t, b)
		}
		pass(time.Second)
		burst := func(total, burst profiles.Milli) profiles.Reading {
			return profiles.Reading{Total: total, Burst: burst, Valid: true}
		}
		expectReadings(t, "five in the last of 10 s", b.read(time.Now(), kinds), burst(500, 5000), burst(500, 5000), profiles.Reading{})
		b.close()
	})
}

func TestBalancerSensesWhoIsFree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBalancer(time.Now(), Config{})
		a := b.add(1, "a", "")
		b.add(2, "b", "")
		pass(3 * time.Second)
		busy := arrive(t, b)
		b.add(3, "c", "")
		pass(2 * time.Second)
		expectIdle := func(what string, ready int, idle ...time.Duration) {
			t.Helper()
			if got := b.sense(time.Now()); got.ready != ready || !slices.Equal(got.idle, idle) {
				t.Errorf("%s: got %+v, want %d ready, idle for %v", what, got, ready, idle)
			}
		}
		expectIdle("the first is busy", 3, 5*time.Second, 2*time.Second)
		busy.release(b)
		pass(time.Second)
		expectIdle("after its answer", 3, time.Second, 6*time.Second, 3*time.Second)
		broke := arrive(t, b)
		b.release(&broke.lease, broken)
		expectIdle("while it is suspended", 2, 6*time.Second, 3*time.Second)
		<-a.suspect
		b.resume(a)
		expectIdle("when it is back", 3, 0, 6*time.Second, 3*time.Second)
		b.drain(a)
		expectIdle("while it drains", 2, 6*time.Second, 3*time.Second)
	})
}

// What lasts is dated by the moment in which it was: requests, and the size.
func TestBalancerDatesWhatHappens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBalancer(time.Now(), Config{})
		expect := func(what string, active, resized time.Time) {
			t.Helper()
			if got := b.sense(time.Now()); !got.active.Equal(active) || !got.resized.Equal(resized) {
				t.Errorf("%s: got active %v and resized %v, want %v and %v", what, got.active, got.resized, active, resized)
			}
		}
		began := time.Now()
		expect("at the start", time.Time{}, began)
		pass(time.Second)
		added := time.Now()
		a := b.add(1, "a", "")
		pass(time.Second)
		came := time.Now()
		first := arrive(t, b)
		pass(time.Minute)
		expect("while a request is in flight", time.Now(), added)
		b.release(&first.lease, broken)
		pass(time.Second)
		expect("after it broke", came, added)
		b.resume(a)
		expect("a suspension is no change of the size", came, added)
		pass(time.Second)
		drained := time.Now()
		b.drain(a)
		pass(time.Second)
		b.remove(a)
		expect("gone, when it was told to", came, drained)
		c := b.add(2, "c", "")
		pass(time.Second)
		b.remove(c)
		expect("gone by itself", came, time.Now())
	})
}

// Who decides is told at once when there is nobody to serve a request.
func TestBalancerSaysThatItStarves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBalancer(time.Now(), Config{})
		starved := func(what string, want bool) {
			t.Helper()
			select {
			case <-b.starved:
				if !want {
					t.Errorf("%s: starved", what)
				}
			default:
				if want {
					t.Errorf("%s: not starved", what)
				}
			}
		}
		starved("nothing has come", false)
		first := arrive(t, b)
		arrive(t, b)
		starved("two wait for nobody", true)
		starved("it is told once", false)
		pass(3 * time.Second)
		if got := b.sense(time.Now()); got.waiting != 2 || got.oldest != 3*time.Second || got.ready != 0 {
			t.Errorf("got %+v, want two that wait for 3 s", got)
		}
		a := b.add(1, "a", "")
		arrive(t, b)
		starved("the replica is busy", false)
		b.drain(a)
		arrive(t, b)
		starved("the last replica goes", true)
		first.release(b)
		b.close()
	})
}
