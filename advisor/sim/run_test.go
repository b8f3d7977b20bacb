package sim

import (
	"context"
	"errors"
	"testing"
	"time"

	"headroom/profiles"
)

// Requests on connections that stay with their replica wait for it, whatever
// the others do: with two connections two of four replicas work.
func TestPinnedRequestsWaitForTheirReplica(t *testing.T) {
	s := steady(6, 30*time.Minute, Constant(quarter))
	s.Clients = 2
	spread := fixed(t, s, 4)
	s.Pinned = 1
	pinned := fixed(t, s, 4)
	if pinned.Offered != spread.Offered || pinned.Latency.Mean < 2*spread.Latency.Mean {
		t.Errorf("mean latency %s of %d, want far more than the %s of %d that any replica may take",
			pinned.Latency.Mean, pinned.Offered, spread.Latency.Mean, spread.Offered)
	}
}

// What waits at a replica stays with it: of ten at once, each of a second, a
// second replica from 2 s on takes four out of one queue, and none of those that
// wait at the first. That finishes all of them also where it is the one to go.
func TestWhatWaitsAtAReplicaStays(t *testing.T) {
	s := steady(1, time.Minute, Constant(time.Second))
	s.Load = make(profiles.Stamps, 10)
	p := proportional(profiles.RPS, 1000, 2)
	p.Interval = profiles.Duration(2 * time.Second)
	for _, tt := range []struct {
		apart   bool
		begin   int // replicas
		decider at
		last    time.Duration
	}{
		{false, 1, at{2 * time.Second, 2}, 6 * time.Second},
		{true, 1, at{2 * time.Second, 2}, 10 * time.Second},
		{false, 2, at{2 * time.Second, 1}, 8 * time.Second},
		{true, 2, at{2 * time.Second, 1}, 5 * time.Second},
	} {
		p.Replicas.Initial = tt.begin
		r, err := Run(t.Context(), s, Scaler{Policy: p, Decider: tt.decider, Balancer: profiles.Balancer{Dispatch: profiles.RoundRobin, Apart: tt.apart}})
		if err != nil {
			t.Fatal(err)
		}
		if r.Answered != 10 || r.Latency.Max != tt.last {
			t.Errorf("apart %v, %d replicas, then %d: %d answers, the last after %s; want 10, %s", tt.apart, tt.begin, tt.decider.n, r.Answered, r.Latency.Max, tt.last)
		}
	}
}

// A queue of two and a wait of at most a second: of five at once to a replica
// that takes 3 s, one is answered, two find the queue full and two wait in
// vain; a client that gives up before the answer does so with a timeout.
func TestHowRequestsEnd(t *testing.T) {
	s := steady(1, time.Minute, Constant(3*time.Second))
	s.Load = make(profiles.Stamps, 5)
	s.MaxQueue, s.MaxWait = 2, time.Second
	if r := fixed(t, s, 1); r.Answered != 1 || r.Refused != 2 || r.Waited != 2 || r.TimedOut != 0 {
		t.Errorf("got %d answered, %d refused, %d waited, %d timed out; want 1, 2, 2, 0", r.Answered, r.Refused, r.Waited, r.TimedOut)
	}
	s.Timeout = 500 * time.Millisecond
	if r := fixed(t, s, 1); r.Answered != 0 || r.Refused != 2 || r.Waited != 0 || r.TimedOut != 3 || r.Latency != nil || *r.Attainment != 0 {
		t.Errorf("with a timeout: got %d answered, %d refused, %d waited, %d timed out; want 0, 2, 0, 3", r.Answered, r.Refused, r.Waited, r.TimedOut)
	}
}

// A request to a fleet of none is decided about at once and waits for the
// start-up only; the replica is paid for from its order until it has stopped.
func TestFromAndToZero(t *testing.T) {
	s := steady(1, 10*time.Minute, Constant(time.Second))
	s.Load = profiles.Stamps{0, 5*time.Minute + time.Second}
	s.StartUp, s.Stop = []time.Duration{7 * time.Second}, 3*time.Second
	p := proportional(profiles.InFlight, 1000, 5)
	p.Replicas.Min, p.Down.Stabilization = 0, 0
	p.ToZero = &profiles.ToZero{After: profiles.Duration(time.Minute)}
	r := scaled(t, s, p)
	if r.Answered != 2 || r.Latency.Max != 8*time.Second {
		t.Errorf("%d answers, the slower after %s; want 2, 8s from a fleet of none", r.Answered, r.Latency.Max)
	}
	if len(r.Changes) != 3 || r.Changes[1].At != 5*time.Minute+time.Second || r.Changes[1].To != 1 {
		t.Fatalf("changes %+v, want to 0, to 1 when the second request comes, and to 0", r.Changes)
	}
	paid := r.Changes[0].At + 3*time.Second + r.Changes[2].At + 3*time.Second - r.Changes[1].At
	if got := r.ReplicaSeconds; got != paid.Seconds() {
		t.Errorf("%g replica seconds, want %g", got, paid.Seconds())
	}
}

func TestSLOIsOfAllRequests(t *testing.T) {
	// Of twenty at once on ten replicas, half wait for a second more.
	s := steady(1, time.Minute, Constant(time.Second))
	s.Load = make(profiles.Stamps, 20)
	for text, want := range map[string]bool{
		"p50<1.5s": true, "p60<1.5s": false, "p60<2.5s": true, "mean<1.6s": true, "mean<1.4s": false,
		"max<1.9s": false, "errors<1%": true, "rps>0.3": true, "rps>0.4": false, "p50<1.5s,max<1.5s": false,
	} {
		s.SLO = slo(t, text)
		if r := fixed(t, s, 10); r.Met != want {
			t.Errorf("%s: met %v, want %v", text, r.Met, want)
		}
	}
	s.SLO, s.MaxQueue = slo(t, "p75<2.5s,errors<30%"), 5
	if r := fixed(t, s, 10); !r.Met || r.Good != 15 || *r.Attainment != 0.75 || r.Worst.Attainment != 0.75 {
		t.Errorf("a quarter is refused: got met %v, %d good; want it met by 15", r.Met, r.Good)
	}
	s.SLO = slo(t, "p76<2.5s")
	if r := fixed(t, s, 10); r.Met {
		t.Error("a quarter is refused: got p76<2.5s met, want those to count as slower")
	}
	s.SLO = slo(t, "mean<1.4s,max<10s")
	if r := fixed(t, s, 10); !r.SLO[0].Met || r.SLO[1].Met || r.SLO[1].Value != nil {
		t.Errorf("a quarter is refused: got %+v, want the mean of the others, and a max beyond all of them", r.SLO)
	}
	s.MaxQueue, s.Timeout = 0, time.Millisecond
	if r := fixed(t, s, 10); r.Answered != 0 || r.SLO[0].Met || r.SLO[0].Value != nil {
		t.Errorf("nothing is answered: got %+v, want no mean that meets it", r.SLO)
	}
}

func TestSeries(t *testing.T) {
	for _, tt := range []struct{ length, step time.Duration }{
		{time.Second, time.Second},
		{25 * time.Minute, time.Second},
		{25*time.Minute + time.Second, time.Minute},
		{1500 * time.Minute, time.Minute},
		{1501 * time.Minute, 2 * time.Minute},
	} {
		if got := stepFor(tt.length); got != tt.step {
			t.Errorf("stepFor(%s) = %s, want %s", tt.length, got, tt.step)
		}
	}
	s := steady(2, time.Hour+30*time.Second, Constant(quarter))
	r := fixed(t, s, 3)
	last := r.Series[len(r.Series)-1]
	if len(r.Series) != 61 || last.At != time.Hour || last.Ready != 3 || last.Load < 1 || last.Load > 3 || last.P95 == nil {
		t.Errorf("%d points, the last %+v; want 61, the last of half a minute at 2/s on 3 replicas", len(r.Series), last)
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	scaler, err := Built(profiles.FixedPolicy(1))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Run(ctx, steady(1, time.Hour, Constant(quarter)), scaler); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want that it was cancelled", err)
	}
}
