package sim

import (
	"cmp"
	"context"
	"errors"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"headroom/profiles"
)

// Option is a policy, and what it does to a load.
type Option struct {
	Policy         profiles.Policy `json:"policy"`
	Start          bool            `json:"start,omitempty"` // it is the one that the search began with
	Met            bool            `json:"met"`             // every objective of the SLO
	Attainment     float64         `json:"attainment"`      // share of the requests that are good, 0..1
	Worst          float64         `json:"worst"`           // the same in the worst minute
	P95            *float64        `json:"p95,omitempty"`   // latency, seconds; nil: nothing was answered
	ReplicaSeconds float64         `json:"replicaSeconds"`  //
}

// Proof is what an option does in several runs of other chance each, with the
// mean and its 90 % interval (Student).
type Proof struct {
	Option         `json:"option"` // in the first of them
	Runs           int             `json:"runs"`
	Attainment     Estimate        `json:"attainment"`
	Worst          float64         `json:"worst"` // minute of all of them
	ReplicaSeconds Estimate        `json:"replicaSeconds"`
}

// Estimate is a mean and its interval.
type Estimate struct {
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// Exploration is what a search found.
type Exploration struct {
	Foreseen   int      `json:"foreseen"`         // policies that were looked at as a fluid
	Simulated  int      `json:"simulated"`        // of them, request by request
	Start      Option   `json:"start"`            // the policy that it began with
	Front      []Option `json:"front"`            // those that no other one beats in both, cheapest first
	Chosen     *Proof   `json:"chosen,omitempty"` // the cheapest that meets the SLO in every run; nil: none does
	Neighbours []Option `json:"neighbours"`       // of it, each with one number of the policy turned
	Ends       []string `json:"ends,omitempty"`   // what of it is the first or the last value that was tried, though there are others, of target and min
}

const (
	shortlisted = 20 // policies that are simulated for what the fluid says of them
	mostMoves   = 3  // steps from there to better neighbours
	proofRuns   = 5  // of what is recommended
	confidence  = 0.9
)

// errNoLatency is why nothing can be searched for.
var errNoLatency = errors.New("got no SLO with a latency percentile, want one such as p95<300ms")

// Explore searches the policies around one for the cheapest that meets the SLO
// where they are followed as said; those that cannot be are left out.
// All of them, some hundred, are foreseen as a fluid; the twenty that are
// nearest to the front of cost and attainment where that crosses the SLO are
// simulated, and from the best of them neighbours for as long as one is better.
// All get the same arrivals, service times and start-up times. What is chosen
// is simulated with others too, and must meet the SLO each time.
//
// It works on as many policies at once as there are processors, and its result
// does not depend on how many. The error is that of Run, that there is nothing
// to turn, that of follow for the first policy, or the cause of ctx.
func Explore(ctx context.Context, setup Setup, from profiles.Policy, follow Follow) (Exploration, error) {
	objective, ok := setup.SLO.Latency()
	if !ok {
		return Exploration{}, errNoLatency
	}
	s, err := around(from, follow)
	if err != nil {
		return Exploration{}, err
	}
	if setup.Demand == nil { // or each run works it out anew
		if setup.Demand, err = InTheory(setup.Service, setup.Concurrency, setup.SLO); err != nil {
			return Exploration{}, err
		}
	}
	x := explorer{setup: setup, space: s, seen: map[place]Option{}}
	places, err := x.shortlist(ctx, objective.Quantile)
	if err != nil {
		return Exploration{}, err
	}
	out := Exploration{Foreseen: x.foreseen}
	if err := x.simulate(ctx, places); err != nil {
		return out, err
	}
	if err := x.climb(ctx); err != nil {
		return out, err
	}
	chosen, proof, err := x.prove(ctx)
	if err != nil {
		return out, err
	}
	if out.Chosen = proof; proof != nil {
		out.Ends = s.ends(chosen)
		beside := s.beside(chosen)
		if err := x.simulate(ctx, beside); err != nil {
			return out, err
		}
		for _, at := range beside {
			out.Neighbours = append(out.Neighbours, x.seen[at])
		}
	}
	out.Start, out.Front, out.Simulated = x.seen[s.start()], x.front(), len(x.seen)
	return out, nil
}

// explorer is a search under way.
type explorer struct {
	setup    Setup
	space    space
	foreseen int
	seen     map[place]Option // what was simulated, with the seed of the setup
}

// shortlist foresees all policies, and returns the places of those that deserve
// a simulation: the start, and the first of those on the front, then of those
// that are on it when these are gone, and so on. Of a front those come first
// that are nearest to the attainment that is needed.
func (x *explorer) shortlist(ctx context.Context, needed float64) ([]place, error) {
	places := x.space.places()
	x.foreseen = len(places)
	var known sync.Map
	outlooks, err := each(ctx, places, func(ctx context.Context, at place) (outlook, error) {
		scaler, err := x.space.at(at)
		if err != nil {
			return outlook{}, err
		}
		return foresee(ctx, x.setup, scaler, &known)
	})
	if err != nil {
		return nil, err
	}
	rest := make([]int, len(places))
	for i := range rest {
		rest[i] = i
	}
	out := []place{x.space.start()}
	for len(rest) > 0 && len(out) < shortlisted {
		best := undominated(rest, func(i int) (float64, float64) { return outlooks[i].replicaSeconds, outlooks[i].attainment })
		rest = slices.DeleteFunc(rest, func(i int) bool { return slices.Contains(best, i) })
		slices.SortStableFunc(best, func(a, b int) int {
			return cmp.Compare(math.Abs(outlooks[a].attainment-needed), math.Abs(outlooks[b].attainment-needed))
		})
		for _, i := range best {
			if len(out) < shortlisted && places[i] != out[0] {
				out = append(out, places[i])
			}
		}
	}
	return out, nil
}

// simulate runs the policies of places that were not yet.
func (x *explorer) simulate(ctx context.Context, places []place) error {
	places = slices.DeleteFunc(slices.Clone(places), func(at place) bool { _, ok := x.seen[at]; return ok })
	options, err := each(ctx, places, func(ctx context.Context, at place) (Option, error) { return x.option(ctx, at, x.setup.Seed) })
	if err != nil {
		return err
	}
	for i, o := range options {
		x.seen[places[i]] = o
	}
	return nil
}

// option runs the policy of a place.
func (x *explorer) option(ctx context.Context, at place, seed uint64) (Option, error) {
	scaler, err := x.space.at(at)
	if err != nil {
		return Option{}, err
	}
	setup := x.setup
	setup.Seed = seed
	r, err := Run(ctx, setup, scaler)
	if err != nil {
		return Option{}, err
	}
	o := Option{Policy: scaler.Policy, Start: at == x.space.start(), Met: r.Met, Attainment: 1, Worst: 1, ReplicaSeconds: r.ReplicaSeconds}
	if r.Attainment != nil {
		o.Attainment, o.Worst = *r.Attainment, r.Worst.Attainment
	}
	if r.Latency != nil {
		p95 := r.Latency.P95.Seconds()
		o.P95 = &p95
	}
	return o, nil
}

// climb simulates the neighbours of the best, and goes on with the best of
// these while that is better.
func (x *explorer) climb(ctx context.Context) error {
	for range mostMoves {
		best := x.ranked()[0]
		if err := x.simulate(ctx, x.space.beside(best)); err != nil {
			return err
		}
		if x.ranked()[0] == best {
			return nil
		}
	}
	return nil
}

// ranked are the places that were simulated, the best first: those that meet the
// SLO by what they cost, then the others by their attainment.
func (x *explorer) ranked() []place {
	var out []place
	for _, at := range x.space.places() {
		if _, ok := x.seen[at]; ok {
			out = append(out, at)
		}
	}
	slices.SortStableFunc(out, func(a, b place) int {
		p, q := x.seen[a], x.seen[b]
		switch {
		case p.Met && q.Met:
			return cmp.Or(cmp.Compare(p.ReplicaSeconds, q.ReplicaSeconds), cmp.Compare(q.Attainment, p.Attainment))
		case !p.Met && !q.Met:
			return cmp.Compare(q.Attainment, p.Attainment)
		case p.Met:
			return -1
		}
		return 1
	})
	return out
}

// prove finds the best policy that meets the SLO with other seeds too; nil
// where there is none.
func (x *explorer) prove(ctx context.Context) (place, *Proof, error) {
	for _, at := range x.ranked() {
		first := x.seen[at]
		if !first.Met {
			break
		}
		seeds := make([]uint64, proofRuns-1)
		for i := range seeds {
			seeds[i] = x.setup.Seed + uint64(i) + 1
		}
		runs, err := each(ctx, seeds, func(ctx context.Context, seed uint64) (Option, error) { return x.option(ctx, at, seed) })
		if err != nil {
			return at, nil, err
		}
		runs = append(runs, first)
		if slices.ContainsFunc(runs, func(o Option) bool { return !o.Met }) {
			continue
		}
		return at, &Proof{
			Option: first, Runs: len(runs),
			Attainment:     estimate(runs, func(o Option) float64 { return o.Attainment }),
			Worst:          slices.MinFunc(runs, func(a, b Option) int { return cmp.Compare(a.Worst, b.Worst) }).Worst,
			ReplicaSeconds: estimate(runs, func(o Option) float64 { return o.ReplicaSeconds }),
		}, nil
	}
	return place{}, nil, nil
}

// estimate is the mean of a figure over runs, of which there are two or more:
// mean ± t s/√n, with the deviation s and the quantile t of Student's
// distribution of n-1 degrees of freedom.
func estimate(runs []Option, of func(Option) float64) Estimate {
	values := make([]float64, len(runs))
	for i, o := range runs {
		values[i] = of(o)
	}
	mean, deviation := stat.MeanStdDev(values, nil)
	n := float64(len(values))
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: n - 1}.Quantile((1 + confidence) / 2)
	half := t * deviation / math.Sqrt(n)
	return Estimate{mean, mean - half, mean + half}
}

// front is the options that no other one beats in both, cheapest first.
func (x *explorer) front() []Option {
	best := undominated(x.ranked(), func(at place) (float64, float64) { return x.seen[at].ReplicaSeconds, x.seen[at].Attainment })
	out := make([]Option, len(best))
	for i, at := range best {
		out[i] = x.seen[at]
	}
	return out
}

// undominated are those that none costs less than and attains as much, cheapest
// first: the Pareto front. Of those that are alike it has the first.
func undominated[T any](all []T, of func(T) (cost, attained float64)) []T {
	sorted := slices.Clone(all)
	slices.SortStableFunc(sorted, func(a, b T) int {
		costA, attainedA := of(a)
		costB, attainedB := of(b)
		return cmp.Or(cmp.Compare(costA, costB), cmp.Compare(attainedB, attainedA))
	})
	var out []T
	most := math.Inf(-1)
	for _, v := range sorted {
		if _, attained := of(v); attained > most {
			out, most = append(out, v), attained
		}
	}
	return out
}

// each works on all items, as many at once as there are processors, and returns
// what came of them in their order, or the first error.
func each[T, R any](ctx context.Context, items []T, work func(context.Context, T) (R, error)) ([]R, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	out := make([]R, len(items))
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(items)) {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(items); i = int(next.Add(1)) - 1 {
				var err error
				if out[i], err = work(ctx, items[i]); err != nil {
					cancel(err)
					return
				}
			}
		})
	}
	workers.Wait()
	return out, context.Cause(ctx)
}
