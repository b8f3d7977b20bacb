package load

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"headroom/probe"
	"headroom/profiles"
)

const (
	tick = 250 * time.Millisecond // between snapshots
	// spareUsers is how many users wait for arrivals to come, so that the
	// next one finds a user at its time and not a spawn.
	spareUsers = 2
)

// Options are what a run needs besides its plan.
type Options struct {
	Identifier *probe.Identifier                               // names the replicas; default: finds a source by itself
	SLO        profiles.SLO                                    // judged in every snapshot
	Thresholds []profiles.Threshold                            // judged as well; those that abort end the load
	Keep       int                                             // how many samples Result keeps; default none
	Lately     time.Duration                                   // how far back Snapshot.Lately reaches, at a cost of 24 bytes for each success meanwhile; 0: nothing is kept
	NewConn    func(ctx context.Context, start time.Time) Conn // default: as the plan says, over sockets where that is plain HTTP/1.1
}

// Result is a finished run.
type Result struct {
	Snapshot
	Samples []Sample `json:"-"` // the first Options.Keep, in no order
	Full    bool     `json:"-"` // there were more
}

// Engine runs one plan once. All methods are safe for concurrent use.
type Engine struct {
	plan    profiles.Plan
	options Options
	conns   *connector
	tasks   *tasks

	// Set by Run before any user starts.
	started  time.Time
	more     context.Context // ends when nothing new may be sent
	stopMore context.CancelFunc
	halt     context.Context // ends when everything must end
	shards   []shard
	arrivals *arrivals // nil in the closed model
	hiccups  *hiccups

	taken   atomic.Int64 // requests claimed to be sent
	dropped atomic.Int64 // open model: arrivals that were not sent because all users were busy
	missed  atomic.Int64 // closed model, pacing: beats that passed without a request, because the answer before was slow
	// overslept is when a user of the open model last woke later than its
	// arrival was due, as an offset.
	overslept atomic.Int64
	waiting   atomic.Int64 // open model: users that wait for their arrival
	epoch     atomic.Pointer[epoch]
	latest    atomic.Pointer[Snapshot]
	ready     atomic.Pointer[map[string]time.Time] // see KnowReady
	resets    atomic.Int32
	running   atomic.Bool
	precise   atomic.Bool            // waits end to within some 0.1 ms rather than 1 ms
	spent     atomic.Pointer[string] // feed whose last row ended the load; nil: none
	stop      chan struct{}          // has a value once Stop was called

	mu        sync.Mutex // guards the fields below, and changes of the epoch
	goal      int        // closed model: users that the plan or a hand asked for, unless shaped
	spawnRate float64
	shaped    bool // the load follows a shape of the plan
	steered   bool // a hand changed the load
	pauses    []pause
	users     []*user // oldest first; those that have ended are dropped at the next tick
	living    int     // users that may still send
	number    int     // of the next user
	alive     sync.WaitGroup
}

// New prepares a run of the plan, and this process for its files. A plan whose
// users will keep more connections than there may be files is an error. It
// dials nothing.
func New(plan profiles.Plan, o Options) (*Engine, error) {
	if err := plan.Validate(); err != nil {
		return nil, err
	}
	if o.NewConn == nil {
		if err := provideFiles(plan); err != nil {
			return nil, err
		}
	}
	if err := errors.Join(o.SLO.CheckTasks(plan.TaskNames()), profiles.CheckThresholds(o.Thresholds, plan.TaskNames())); err != nil {
		return nil, err
	}
	if o.Identifier == nil {
		o.Identifier = probe.NewIdentifier(nil)
	}
	conns, err := newConnector(plan, o.Identifier)
	if err != nil {
		return nil, err
	}
	tasks, err := newTasks(plan)
	if err != nil {
		return nil, err
	}
	e := &Engine{
		plan: plan, options: o, goal: plan.Users, spawnRate: plan.SpawnRate, shaped: plan.Shape != nil || plan.UserShape != nil,
		shards: make([]shard, 2*runtime.GOMAXPROCS(0)),
		stop:   make(chan struct{}, 1),
		conns:  conns,
		tasks:  tasks,
	}
	if plan.Open() {
		e.arrivals = newArrivals(plan.Process(), plan.Seed)
	}
	e.epoch.Store(&epoch{course: profiles.NewCourse(plan.Load()), end: plan.Length(), over: make(chan struct{})})
	e.latest.Store(&Snapshot{Phase: Running, Ends: plan.Length(), Open: plan.Open(), Shaped: e.shaped, Wanted: plan.Users, SpawnRate: plan.SpawnRate})
	return e, nil
}

// identifyEvery is how often the replicas' names are looked for once more,
// where none were found, and what else answers may say of themselves.
const identifyEvery = 10 * time.Second

// Run performs the plan and returns when every answer has come or was given
// up and every goroutine has ended. Cancelling ctx ends it at once: requests
// under way are cut off. Stop ends it in peace. So much load for an address
// that does not want it that the plan would have to say so is an error. Run
// may be called once.
func (e *Engine) Run(ctx context.Context) (Result, error) {
	if e.running.Swap(true) {
		return Result{}, errors.New("load: an engine runs once")
	}
	halt, cut := context.WithCancel(context.WithoutCancel(ctx))
	e.halt = halt
	e.more, e.stopMore = context.WithCancel(halt)
	stopNow := func() {
		e.stopMore() // first, or who is cut off would send another request
		cut()
	}
	defer stopNow()
	defer context.AfterFunc(ctx, stopNow)()
	e.started = time.Now()
	e.conns.base = e.started
	if e.arrivals != nil {
		e.choosePrecision(e.epoch.Load().course.At(0))
	}
	c := newCollector(e.tasks.rows, e.options, e.conns.dialer.reached)

	e.change(func(begun *epoch, _ time.Time) { begun.start = e.started })
	var conductor sync.WaitGroup
	conductor.Go(e.conduct)
	e.hiccups = newHiccups(e.started)
	conductor.Go(func() { e.hiccups.run(e.more) })
	ended := make(chan struct{})
	go func() {
		conductor.Wait()
		e.alive.Wait()
		close(ended)
	}()

	var deadline, grace <-chan time.Time
	if e.plan.RunTime > 0 {
		t := time.NewTimer(e.plan.RunTime)
		defer t.Stop()
		deadline = t.C
	}
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	phase, more := Running, e.more.Done()
	pub := &publisher{collector: c, cpu: newCPUMeter(e.started), machine: newMachineMeter(e.started, len(e.plan.SourceIPs))}
	if e.arrivals != nil {
		pub.queue.due, pub.queue.taken = e.arrivals.cursor(), e.arrivals.cursor()
	}
	var refused error
	lookAgain := identifyEvery
	guard := e.conns.dialer.guard
	for {
		select {
		case <-ticker.C:
			e.publish(pub, phase)
			if elapsed := e.latest.Load().Elapsed; elapsed >= lookAgain {
				lookAgain = elapsed + identifyEvery
				e.conns.identifier.Again()
				e.conns.splitter.Again()
			}
			guard.check(e.latest.Load().Planned)
		case refused = <-guard.refused:
			stopNow()
		case <-deadline:
			e.stopMore()
		case <-e.stop:
			e.stopMore()
		case <-more:
			phase, more = Draining, nil
			pub.loaded = time.Since(e.started)
			t := time.NewTimer(e.plan.StopGrace)
			defer t.Stop()
			grace = t.C
		case <-grace:
			grace = nil
			stopNow()
		case <-ended:
			e.publish(pub, Done)
			return Result{Snapshot: *e.latest.Load(), Samples: c.kept, Full: c.full}, refused
		}
	}
}

// KnowReady takes over since when sources have had replicas as ready, by the
// names that the answers have: the answers alone cannot tell one that has just
// started from one that is met late. Nobody changes the map any more.
func (e *Engine) KnowReady(since map[string]time.Time) { e.ready.Store(&since) }

// addUser starts one user. It returns false when the open model has as many
// as it may.
func (e *Engine) addUser() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.plan.Open() && e.living >= e.plan.MaxUsers {
		return false
	}
	if e.more.Err() != nil {
		return true // nobody is missed any more
	}
	u := e.newUser(e.number)
	e.number++
	e.living++
	e.users = append(e.users, u)
	e.alive.Go(func() {
		u.run()
		e.dismiss(u)
	})
	return true
}

// dismiss tells a user to start nothing more, or notes that it has ended.
func (e *Engine) dismiss(u *user) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !u.dismissed {
		u.dismissed = true
		e.living--
	}
	u.leave()
}

func (e *Engine) newConn() Conn {
	if e.options.NewConn != nil {
		return e.options.NewConn(e.halt, e.started)
	}
	return e.conns.newConn(e.halt)
}

// take claims one request. Of a limited number the last one ends the load.
func (e *Engine) take() bool {
	n, limit := e.taken.Add(1), int64(e.plan.Requests)
	if limit == 0 {
		return true
	}
	if n >= limit {
		e.stopMore()
	}
	if n > limit {
		e.taken.Add(-1)
	}
	return n <= limit
}
