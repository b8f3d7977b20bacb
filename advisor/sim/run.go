package sim

import (
	"context"
	"math"
	"math/rand/v2"
	"time"

	"headroom/profiles"
)

// simulation is one under way.
type simulation struct {
	Setup
	times   *profiles.Timetable
	decider profiles.Decider
	before  profiles.Balancer // of the replicas
	room    int               // requests that it gives one of them at once
	agenda  agenda
	now     time.Duration // since the start of the load
	clock   time.Time     // the same, as the meters and the decider see it

	// The streams of random numbers, one for each source, so that what another
	// policy does differently changes nothing else.
	points, services, startUps, pins *rand.Rand

	next time.Duration // when the next request arrives
	area float64       // of the load, at which it does
	more bool          // there is one

	replicas   []*replica // by number; there is no number 0
	wanted     []*replica // starting and serving ones, oldest first
	serving    []*replica // those in service and those that finish, by number
	slots      []profiles.Slots
	picker     *profiles.Picker
	ready      int
	line       queue      // of the requests that any replica may take
	waiting    int        // those that wait at a replica included
	pinned     []*replica // by connection
	candidates []profiles.Candidate

	meters  *profiles.Meters
	busy    *profiles.Window // level: requests that are worked on; nil where no metric needs it
	samples profiles.Samples
	took    []time.Duration // start-up times, oldest first
	startUp time.Duration   // the median of them
	size    int             // wanted
	due     time.Duration

	existing    int
	settled     time.Duration
	replicaTime time.Duration
	ledger
}

// Run simulates a setup under a scaler. The error is that of Validate or
// Simulable, that no number of replicas meets the SLO, or the cause of ctx.
func Run(ctx context.Context, setup Setup, scaler Scaler) (Result, error) {
	s, err := newSimulation(setup, scaler)
	if err != nil {
		return Result{}, err
	}
	s.begin()
	s.plan()
	if err := s.run(ctx); err != nil {
		return Result{}, err
	}
	s.settle()
	return s.result(), nil
}

func newSimulation(setup Setup, scaler Scaler) (*simulation, error) {
	if err := setup.Validate(); err != nil {
		return nil, err
	}
	if err := setup.Simulable(scaler.Policy); err != nil {
		return nil, err
	}
	times, err := profiles.NewTimetable(scaler.Policy)
	if err != nil {
		return nil, err
	}
	if setup.Demand == nil {
		if setup.Demand, err = InTheory(setup.Service, setup.Concurrency, setup.SLO); err != nil {
			return nil, err
		}
	}
	s := &simulation{
		Setup: setup, times: times, decider: scaler.Decider, before: setup.Balancer(scaler),
		points:   rand.New(profiles.PoissonSource(setup.Seed)),
		services: rand.New(rand.NewPCG(setup.Seed, 0x73657276696365)),
		startUps: rand.New(rand.NewPCG(setup.Seed, 0x73746172747570)),
		pins:     rand.New(rand.NewPCG(setup.Seed, 0x70696e6e6564)),
		meters:   profiles.NewMeters(setup.Start),
		replicas: make([]*replica, 1),
		ledger:   newLedger(setup),
	}
	if _, single := setup.Load.(profiles.Stamps); single {
		s.Arrivals = profiles.Even
	}
	if setup.Pinned > 0 {
		s.pinned = make([]*replica, setup.Clients)
	}
	for _, m := range scaler.Policy.Metrics {
		if m.Kind == profiles.CPU {
			s.busy = profiles.NewWindow(setup.Start)
		}
	}
	s.picker, s.room = profiles.NewPicker(s.before.Dispatch, setup.Seed), s.Concurrency
	if s.before.Apart {
		s.room = math.MaxInt
	}
	s.turn(0)
	return s, nil
}

// begin has the fleet ready that the policy begins with.
func (s *simulation) begin() {
	s.size = s.times.Initial(s.Start)
	for range s.size {
		r, took := s.order()
		s.enter(r, -took)
	}
	s.agenda.push(event{kind: decision})
	s.agenda.push(event{kind: sampling})
}

// run goes from event to event until the load has ended and everything that
// arrived has, or ctx is done.
func (s *simulation) run(ctx context.Context) error {
	for {
		first := &s.agenda.events[0]
		if s.more && s.next < first.at {
			s.turn(s.next)
			s.arrive()
			s.plan()
			continue
		}
		if first.at > s.Length && !s.more && s.meters.InFlight() == 0 {
			s.turn(max(s.now, s.Length))
			return nil
		}
		e := s.agenda.pop()
		if e.kind == sampling && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		s.turn(e.at)
		s.happen(e)
	}
}

// happen is an event at its time.
func (s *simulation) happen(e event) {
	switch e.kind {
	case finished:
		s.finish(e)
	case started:
		s.enter(s.replicas[e.replica], e.arrived)
	case stopped:
		s.exist(-1)
	case decision:
		if s.now >= s.due {
			s.decide()
		}
	case sampling:
		s.sample()
	case patience:
		s.expire(s.replicas[e.replica])
	}
}

// turn goes on to another moment.
func (s *simulation) turn(to time.Duration) { s.now, s.clock = to, s.Start.Add(to) }

// plan finds out when the next request arrives.
func (s *simulation) plan() {
	if s.Arrivals == profiles.Poisson {
		s.area += s.points.ExpFloat64()
	}
	at, ok := s.Load.OffsetOf(s.area)
	if s.Arrivals != profiles.Poisson {
		s.area++
	}
	s.next, s.more = at, ok && at < s.Length
}

// arrive lets a request in, to a replica or into the queue, or refuses it. Its
// service time is drawn in any case: the next one must not get it.
func (s *simulation) arrive() {
	r := request{s.now, s.Service.draw(s.services)}
	s.meters.Arrive(s.clock, 1)
	s.offer()
	if s.Pinned > 0 && s.pins.Float64() < s.Pinned {
		if own := s.connection(); own != nil {
			s.arriveAt(own, r)
			return
		}
	}
	if s.line.n == 0 {
		if i := s.picker.Pick(s.slots); i >= 0 {
			s.arriveAt(s.serving[i], r)
			return
		}
	}
	s.wait(nil, r)
	if s.ready == 0 && s.size == 0 {
		s.decide()
	}
}

// connection is the replica of the connection that a request comes on; a new
// one, as likely as the others, where that is out of service; nil without any.
func (s *simulation) connection() *replica {
	i := s.pins.IntN(len(s.pinned))
	if r := s.pinned[i]; r != nil && r.stage == serving {
		return r
	}
	if s.ready == 0 {
		return nil
	}
	skip := s.pins.IntN(s.ready)
	for _, r := range s.serving {
		if r.stage != serving {
			continue
		}
		if skip == 0 {
			s.pinned[i] = r
			break
		}
		skip--
	}
	return s.pinned[i]
}

// arriveAt lets a request in that one replica gets, whatever the others do.
func (s *simulation) arriveAt(own *replica, r request) {
	if own.inFlight < s.Concurrency {
		s.meters.Flow(s.clock, 1)
		s.take(own, r)
		return
	}
	s.wait(own, r)
}

// wait has a request wait at a replica, or with nil before all, unless too many
// do.
func (s *simulation) wait(at *replica, r request) {
	if s.waiting >= s.MaxQueue {
		s.end(r.arrived, s.now, refused)
		return
	}
	s.meters.Flow(s.clock, 1)
	s.enqueue(at, r)
}

// queue is that of a replica, or with nil that before all, with the number that
// its events have.
func (s *simulation) queue(at *replica) (q *queue, number int32) {
	if at == nil {
		return &s.line, 0
	}
	return &at.own, at.number
}

func (s *simulation) enqueue(at *replica, r request) {
	q, _ := s.queue(at)
	s.meters.Line(s.clock, 1)
	s.waiting++
	q.push(r)
	s.watch(at)
	if at != nil {
		s.update(at)
	}
}

// dequeue is the next request of a queue that has one. What the balancer sees of
// its replica is still to be updated.
func (s *simulation) dequeue(at *replica) request {
	q, _ := s.queue(at)
	s.meters.Line(s.clock, -1)
	s.waiting--
	return q.pop()
}

// patience is how long a request waits for a replica before it ends, and how.
func (s *simulation) patience() (time.Duration, outcome) {
	if s.Timeout > 0 && s.Timeout < s.MaxWait {
		return s.Timeout, timedOut
	}
	return s.MaxWait, waited
}

// watch plans the end of the patience of the first request in a queue. All
// have the same, so that it is the first to lose it.
func (s *simulation) watch(at *replica) {
	q, number := s.queue(at)
	if q.watched || q.n == 0 {
		return
	}
	q.watched = true
	longest, _ := s.patience()
	s.agenda.push(event{at: q.first().arrived + longest, replica: number, kind: patience})
}

// expire ends the requests of a queue that have waited for long enough.
func (s *simulation) expire(at *replica) {
	q, _ := s.queue(at)
	q.watched = false
	longest, how := s.patience()
	for q.n > 0 && q.first().arrived+longest <= s.now {
		s.meters.Flow(s.clock, -1)
		s.end(s.dequeue(at).arrived, s.now, how)
	}
	s.watch(at)
	if at == nil || at.stage == gone {
		return
	}
	s.update(at)
	if at.stage == draining {
		s.leave(at)
	}
}

// take has a replica work on a request.
func (s *simulation) take(r *replica, q request) {
	e := event{at: s.now + q.service, arrived: q.arrived, replica: r.number, kind: finished}
	if end := q.arrived + s.Timeout; s.Timeout > 0 && end < e.at {
		e.at, e.cut = end, true
	}
	s.agenda.push(e)
	r.inFlight++
	if s.busy != nil {
		s.busy.Change(s.clock, 1)
	}
	s.update(r)
}

// finish ends a request, and gives its place to one that waits.
func (s *simulation) finish(e event) {
	r := s.replicas[e.replica]
	r.inFlight--
	s.meters.Flow(s.clock, -1)
	if s.busy != nil {
		s.busy.Change(s.clock, -1)
	}
	if e.cut {
		s.end(e.arrived, s.now, timedOut)
	} else {
		s.meters.Answer(s.clock, s.now-e.arrived)
		s.end(e.arrived, s.now, answered)
	}
	s.update(r)
	switch {
	case r.own.n > 0:
		s.take(r, s.dequeue(r))
	case r.stage == draining:
		s.leave(r)
	default:
		s.dispatch()
	}
}

// dispatch gives those that wait before all replicas to those that may have
// them.
func (s *simulation) dispatch() {
	for s.line.n > 0 {
		i := s.picker.Pick(s.slots)
		if i < 0 {
			return
		}
		if r, q := s.serving[i], s.dequeue(nil); r.inFlight < s.Concurrency {
			s.take(r, q)
		} else {
			s.enqueue(r, q)
		}
	}
}
