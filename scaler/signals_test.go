package scaler

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"headroom/profiles"
)

// withSignals runs the signals of a fleet with one replica, whose process
// spends half of a core from the start on, in a bubble. While blind is set, no
// process can be looked at.
func withSignals(t *testing.T, f func(t *testing.T, s *signals, r *replica, blind *atomic.Bool)) {
	synctest.Test(t, func(t *testing.T) {
		cfg := Config{Command: []string{"serve"}, Policy: rpsPolicy(1, 5)}.withDefaults()
		b := newBalancer(time.Now(), cfg)
		p := newPool(cfg, b, 1)
		s := newSignals(cfg, b, p)
		start := time.Now()
		var blind atomic.Bool
		s.meter.list = func() map[int]int {
			if blind.Load() {
				return nil
			}
			return map[int]int{10: 1, 11: 10}
		}
		s.meter.read = func(context.Context, int) (usage, bool) {
			return usage{cpu: time.Since(start) / 2, memory: 100 << 20}, true
		}
		r := p.hire(&place{}, 0, 0)
		p.started(r, &instance{root: 10, pid: 11, address: "127.0.0.1:4000"})
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { s.run(ctx) })
		synctest.Wait()
		f(t, s, r, &blind)
		cancel()
		running.Wait()
	})
}

func TestSignalsOfABusyFleet(t *testing.T) {
	withSignals(t, func(t *testing.T, s *signals, r *replica, _ *atomic.Bool) {
		pass(250 * time.Millisecond)
		entered := time.Now()
		s.pool.enter(r, &instance{address: "127.0.0.1:4000"})
		pass(2250 * time.Millisecond)
		arrive(t, s.balancer)
		waiting := []*client{arrive(t, s.balancer)}
		pass(time.Second)
		waiting = append(waiting, arrive(t, s.balancer))
		pass(1750 * time.Millisecond)
		got := s.sense(time.Now(), &profiles.Policy{Metrics: []profiles.Metric{
			{Kind: profiles.InFlight, Window: profiles.Duration(time.Second)},
			{Kind: profiles.CPU, Window: profiles.Duration(10 * time.Second)},
			{Kind: profiles.Memory, Window: profiles.Duration(10 * time.Second)},
		}})
		last := time.Now().Add(-250 * time.Millisecond)
		want := profiles.Metrics{
			Ready:   1,
			Waiting: len(waiting),
			Oldest:  2750 * time.Millisecond,
			Active:  time.Now(),
			Resized: entered,
			StartUp: 250 * time.Millisecond,
			Readings: []profiles.Reading{
				{Total: 3000, Valid: true},
				{Total: 50_000, Valid: true},
				{Total: 100_000, Valid: true},
			},
			InFlight: []profiles.Sample{
				{At: last.Add(-4 * time.Second), InFlight: 0},
				{At: last.Add(-3 * time.Second), InFlight: 0},
				{At: last.Add(-2 * time.Second), InFlight: 2},
				{At: last.Add(-time.Second), InFlight: 3},
				{At: last, InFlight: 3},
			},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("sense (-want +got):\n%s", diff)
		}
		s.balancer.close()
	})
}

// What a replica uses while it starts is not the load's.
func TestSignalsOfAStartingFleet(t *testing.T) {
	cpu := &profiles.Policy{Metrics: []profiles.Metric{{Kind: profiles.CPU, Window: profiles.Duration(10 * time.Second)}}}
	withSignals(t, func(t *testing.T, s *signals, r *replica, blind *atomic.Bool) {
		pass(5500 * time.Millisecond)
		if got := s.sense(time.Now(), cpu).Readings[0]; got.Valid {
			t.Errorf("while it starts: got %+v, want none", got)
		}
		s.pool.enter(r, &instance{address: "127.0.0.1:4000"})
		pass(5 * time.Second)
		if got, want := s.sense(time.Now(), cpu).Readings[0], (profiles.Reading{Total: 50_000, Valid: true}); got != want {
			t.Errorf("half a core since it is ready: got %+v, want %+v", got, want)
		}
		blind.Store(true)
		pass(time.Second)
		if got := s.sense(time.Now(), cpu).Readings[0]; got.Valid {
			t.Errorf("when processes cannot be listed: got %+v, want none", got)
		}
	})
}
