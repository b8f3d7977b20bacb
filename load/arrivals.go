package load

import (
	"math/rand/v2"
	"sync/atomic"
	"time"

	"headroom/profiles"
)

const chunkSize = 1024

// arrivals says how many arrivals must have been planned for each one of the
// open model to be due. For even arrivals the n-th is due when the area under
// the load reaches n. For Poisson arrivals the n-th point of a process of rate
// 1 takes the place of n, which gives a process whose rate follows the load
// (inversion of the cumulative rate; Lewis and Shedler 1979). Where the load
// is changed on the way, what is left until the next point stays the same.
//
// The points are made in chunks as they are asked for, and a chunk nobody
// points to any more is garbage: a run keeps only those between its slowest
// and its fastest user. It is safe for concurrent use.
type arrivals struct {
	next   atomic.Int64          // number of the next arrival
	newest atomic.Pointer[chunk] // where a new user starts to look; nil: even arrivals
}

// chunk holds chunkSize points of the process of rate 1.
type chunk struct {
	number int64
	points [chunkSize]float64
	rng    rand.PCG // state behind the last point
	next   atomic.Pointer[chunk]
}

// cursor is where in the chain of chunks one user is.
type cursor struct{ at *chunk }

func newArrivals(process profiles.Arrivals, seed uint64) *arrivals {
	a := new(arrivals)
	if process == profiles.Poisson {
		a.newest.Store(newChunk(0, 0, *profiles.PoissonSource(seed)))
	}
	return a
}

// cursor returns where a new user starts to look.
func (a *arrivals) cursor() cursor { return cursor{a.newest.Load()} }

// claim takes the next arrival and returns at which area it is due.
func (a *arrivals) claim(c *cursor) float64 {
	before := c.at
	area := a.at(c, a.next.Add(1)-1)
	if c.at != before {
		a.newest.Store(c.at) // whoever claims from now on gets a higher number
	}
	return area
}

// at is the area at which the n-th arrival is due. A cursor only moves on.
func (a *arrivals) at(c *cursor, n int64) float64 {
	if c.at == nil {
		return float64(n)
	}
	for c.at.number < n/chunkSize {
		c.at = c.at.follow()
	}
	return c.at.points[n%chunkSize]
}

// arrivalQueue is the arrivals that are due and were not sent, because as many
// users as there may be are busy. It belongs to the engine's collecting
// goroutine.
type arrivalQueue struct {
	full       bool   // all users have been busy; before that nothing waits longer than a spawn takes
	due, taken cursor // where the arrivals that are due, and those that were sent, end
	n          int64  // arrivals that are due
}

// maxWaits bounds the work of a look: of a longer queue it takes every so
// many-th arrival for those before it, which have waited longer.
const maxWaits = 10_000

// look returns how many wait at the offset at of a schedule when so many have
// been taken, and adds for how long to waits.
func (q *arrivalQueue) look(a *arrivals, ep *epoch, taken int64, at time.Duration, waits []wait) (int64, []wait) {
	for {
		if due, ok := ep.due(a.at(&q.due, q.n)); !ok || due > at {
			break
		}
		q.n++
	}
	a.at(&q.taken, min(taken, q.n))
	if !q.full || taken >= q.n {
		return 0, waits
	}
	step, reader := (q.n-taken+maxWaits-1)/maxWaits, q.taken
	for from := taken; from < q.n; from += step {
		count := min(step, q.n-from)
		due, _ := ep.due(a.at(&reader, from+count-1))
		waits = append(waits, wait{row: noRow, age: at - due, count: count})
	}
	return q.n - taken, waits
}

// follow returns the chunk behind c, making it if nobody has. Two users may
// make it at the same time; they make the same one.
func (c *chunk) follow() *chunk {
	if next := c.next.Load(); next != nil {
		return next
	}
	c.next.CompareAndSwap(nil, newChunk(c.number+1, c.points[chunkSize-1], c.rng))
	return c.next.Load()
}

func newChunk(number int64, from float64, rng rand.PCG) *chunk {
	c := &chunk{number: number, rng: rng}
	r := rand.New(&c.rng)
	for i := range c.points {
		from += r.ExpFloat64()
		c.points[i] = from
	}
	return c
}
