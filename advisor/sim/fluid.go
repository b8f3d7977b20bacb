package sim

import (
	"context"
	"math"
	"sync"
	"time"

	"headroom/advisor/model"
	"headroom/profiles"
)

// outlook is what a fluid simulation foresees.
type outlook struct {
	attainment     float64 // share of the requests that are good, 0..1; 1 without any
	replicaSeconds float64 // as in Result
}

// foresee is a coarse Run, to find out which of many policies deserve one: its
// cost goes with the length of the load, not with its requests. These flow, a
// second at a time: with Q those in the queue, λ those that arrive and c those
// that the replicas in service can finish in it,
//
//	Q' = max(0, Q + λ - c)
//
// and they wait for Q'/c, or where there is no queue as they would at that rate
// for ever, by Allen and Cunneen. Replicas, meters and decisions are those of
// Run, but without the noise of single requests, which has a scaler keep some
// more replicas. Its attainment is within six points of Run's, its replica
// seconds within a fifth, also where the load jumps. Pinned connections are not
// looked at. The error is as of Run. known holds what was worked out for the
// setup, whatever the scaler was, and gets more.
func foresee(ctx context.Context, setup Setup, scaler Scaler, known *sync.Map) (outlook, error) {
	s, err := newSimulation(setup, scaler)
	if err != nil {
		return outlook{}, err
	}
	f := fluid{simulation: s, known: known}
	f.limit = math.Inf(1)
	if o, ok := setup.SLO.Latency(); ok {
		f.limit = o.Limit
	}
	s.begin()
	for at := time.Second; at <= s.Length; at += time.Second {
		if ctx.Err() != nil {
			return outlook{}, context.Cause(ctx)
		}
		for s.agenda.events[0].at < at {
			e := s.agenda.pop()
			s.turn(e.at)
			s.happen(e)
		}
		s.turn(at)
		f.step()
	}
	s.turn(s.Length)
	s.settle()
	out := outlook{attainment: 1, replicaSeconds: s.replicaTime.Seconds()}
	if f.offered > 0 {
		out.attainment = f.good / f.offered
	}
	return out, nil
}

// fluid is a simulation whose requests are no single ones.
type fluid struct {
	*simulation
	limit         float64 // of the latency, seconds
	queue         float64 // the backlog
	calm          float64 // requests that wait where there is none
	offered, good float64
	arrived       float64   // of a request that has not come whole yet
	inFlight      int       // as the meters have it
	queued        int       // the same
	known         *sync.Map // of state to equilibrium, so that none is worked out anew each second
}

// state is what all else follows from, rounded so that there are few.
type state struct {
	ready int
	load  int // hundredths of what they can do
	late  int // hundredths of a second in the queue
}

// equilibrium is how it is where a state lasts.
type equilibrium struct {
	good  float64 // share of the requests
	wait  float64 // mean time for a replica, seconds
	nears float64 // share of the way there that the requests go in a second, 0..1
}

// step lets the second pass that ends now.
func (f *fluid) step() {
	load := f.Load.Area(f.now) - f.Load.Area(f.now-time.Second)
	slots := float64(f.ready * f.Concurrency)
	most := slots / f.Service.mean.Seconds()
	before := f.queue
	f.queue = max(0, f.queue+load-most)
	longest, _ := f.patience()
	if room := min(float64(f.MaxQueue), max(most*longest.Seconds(), load)); f.queue > room {
		f.queue = room // the others were refused, or gave up
	}
	lost := max(0, before+load-most-f.queue)

	at := state{ready: f.ready, load: 100}
	if most > 0 {
		at.load = min(99, int(100*load/most))
		at.late = int(min(100*f.queue/most, 1e9))
	}
	f.offered += load
	lasting := f.lasting(at)
	f.good += max(0, load-lost) * lasting.good
	if f.calm += (lasting.wait*load - f.calm) * lasting.nears; at.ready == 0 {
		f.calm = 0
	}
	working := min(slots, (before+load-f.queue-lost)*f.Service.mean.Seconds())
	f.note(load, working, max(f.queue, f.calm))
}

// lasting is what becomes of a state that lasts. Those that wait without a
// backlog come near to it in about
//
//	τ = S/(c (1-√ρ)²)
//
// as in M/M/1 with c times its speed (Cohen 1982, II.2.1): the fuller the
// replicas are, the longer it takes until they show it.
func (f *fluid) lasting(at state) equilibrium {
	if at.ready == 0 {
		return equilibrium{}
	}
	if known, ok := f.known.Load(at); ok {
		return known.(equilibrium)
	}
	station := f.station(at)
	gap := 1 - math.Sqrt(float64(at.load)/100)
	tau := station.Service / float64(station.Servers) / (gap * gap)
	waiting := station.Waiting()
	out := equilibrium{good: 1, wait: waiting.Mean, nears: 1 - math.Exp(-1/tau)}
	switch {
	case math.IsInf(f.limit, 1):
	case at.late > 0:
		out.good = 1 - f.Service.over(f.limit-float64(at.late)/100, model.Waiting{})
	default:
		out.good = 1 - f.Service.over(f.limit, waiting)
	}
	f.known.Store(at, out)
	return out
}

// station is where the requests wait while no queue builds up: before all n
// replicas, or before one of them. There in turn every n-th arrives, after the sum
// of n gaps, which varies by v/n, or any by chance, which varies by 1 - (1-v)/n
// (thinning). Where the fewest are is nearly as good as one queue.
func (f *fluid) station(at state) model.Station {
	slots := at.ready * f.Concurrency
	variation := 1.0
	if f.Arrivals != profiles.Poisson {
		variation = 0
	}
	switch order, n := f.before.Dispatch, float64(at.ready); {
	case !f.before.Apart:
	case order == profiles.Random:
		slots, variation = f.Concurrency, 1-(1-variation)/n
	case order == profiles.RoundRobin:
		slots, variation = f.Concurrency, variation/n
	}
	return model.Station{
		Servers: slots, Rate: float64(at.load) / 100 * float64(slots) / f.Service.mean.Seconds(), Service: f.Service.mean.Seconds(),
		ArrivalVariation: variation, ServiceVariation: f.Service.Variation(),
	}
}

// note has the meters and the replicas see the second: so many arrivals, and
// requests that are worked on and that wait.
func (f *fluid) note(load, working, waiting float64) {
	f.arrived += load
	if whole := math.Floor(f.arrived); whole > 0 {
		f.meters.Arrive(f.clock, int(whole))
		f.arrived -= whole
	}
	queued, inFlight := int(waiting+0.5), int(working+waiting+0.5)
	f.meters.Line(f.clock, queued-f.queued)
	f.meters.Flow(f.clock, inFlight-f.inFlight)
	if f.busy != nil {
		f.busy.Change(f.clock, int(working+0.5)-f.busy.Level())
	}
	f.queued, f.inFlight, f.waiting = queued, inFlight, queued
	f.occupy(int(math.Ceil(working)))
	if f.ready == 0 && f.size == 0 && waiting > 0 {
		f.decide()
	}
}

// occupy has so many requests worked on, by the first replicas where dispatch
// packs them, else by all in turn, and lets those go that were to.
func (f *fluid) occupy(requests int) {
	for i := len(f.serving) - 1; i >= 0; i-- {
		if r := f.serving[i]; r.stage == draining {
			r.inFlight = 0
			f.leave(r)
		}
	}
	for i, r := range f.serving {
		r.inFlight = min(max(requests-i*f.Concurrency, 0), f.Concurrency)
		f.update(r)
		if f.before.Dispatch != profiles.Pack && requests > 0 {
			r.since = f.clock
		}
	}
}
