package advisor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"headroom/load"
	"headroom/probe"
	"headroom/profiles"
)

// Scaler is the backend whose policy the advice is applied to.
type Scaler interface {
	// Status is the fleet and what governs it.
	Status(ctx context.Context) (probe.Fleet, profiles.Control, error)
	// Pin holds the fleet at n replicas until ttl has passed, whoever is
	// gone by then.
	Pin(ctx context.Context, n int, ttl time.Duration) error
	// Claim keeps the scaler for holder until ttl has passed, and no longer
	// where that is 0. It is an error while somebody else has it.
	Claim(ctx context.Context, holder string, ttl time.Duration) error
	// Unpin lets the policy decide again.
	Unpin(ctx context.Context) error
	// Follow puts a policy in force and ends a pin.
	Follow(ctx context.Context, p profiles.Policy) error
}

// Config is what a session works with.
type Config struct {
	Plan       profiles.Plan        // what Start does
	SLO        profiles.SLO         // judged during runs; a measurement needs a latency percentile in it
	Thresholds []profiles.Threshold // judged during swarms, which they may end
	Traffic    profiles.Traffic     // the advice is for
	Sizing     Sizing               // of the advised policy
	Budget     time.Duration        // of a measurement
	Arrivals   profiles.Arrivals    // of a measurement; empty: Poisson
	Continue   *Measurement         // that a measurement goes on with; nil: none
	Replay     profiles.Plan        // what before and after are compared under
	Source     probe.Source         // names the replicas; empty: found
	Replicas   int                  // of a target without a scaler; 0: 1

	Scaler Scaler          // nil: the target is not ours to scale
	Behind bool            // the scaler's replicas are behind the target, which chooses among them; else the scaler does
	Policy profiles.Policy // in force at the scaler when the session begins

	Workers Lister // a list of the replicas; nil: there is none
	Name    Lister // the addresses of the target's name; nil: it has none

	Lately time.Duration // as in load.Options

	NewConn func(now context.Context, start time.Time) load.Conn // nil: sockets
}

// minReplay is the shortest replay: with less of it percentiles say little.
const minReplay = 5 * time.Second

// Validate returns all problems at once, each naming the flag that sets the
// value. Budget, Replay and Replicas may be left out where nothing is measured
// or replayed.
func (c Config) Validate() error {
	errs := []error{c.Plan.Validate(), c.Sizing.Validate()}
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if c.Budget != 0 && c.Budget < MinBudget {
		bad("--budget: got %v, want %v or more", c.Budget, MinBudget)
	}
	if c.Continue != nil {
		errs = append(errs, c.Continue.continuedBy(c))
	}
	if c.Replicas < 0 {
		bad("--replicas: got %d, want 1 or more", c.Replicas)
	}
	least := minReplay
	if end, ok := profiles.LengthOf(c.Plan.Load()); ok {
		least = min(least, end) // there may be no more to replay
	}
	if c.Replay.Target != "" && c.Replay.Length() < least {
		bad("--verify: got %v, want %v or more", c.Replay.Length(), least)
	}
	return errors.Join(errs...)
}

const (
	tick        = 250 * time.Millisecond // between States
	statusEvery = 500 * time.Millisecond // between questions to the scaler
)

// Session runs jobs against one target: a swarm, a measurement, applying, a
// replay. One at a time, but for applying beside a swarm. All methods are safe for concurrent use.
type Session struct {
	config     Config
	identifier *probe.Identifier
	here       string        // the name of this machine; empty: not known
	changed    chan struct{} // publish now
	closing    chan struct{} // closed when Run returns
	jobs       sync.WaitGroup

	mu        sync.Mutex      // guards the fields below
	ctx       context.Context // of Run; nil before
	closed    bool            // Run is ending: no job may begin
	boxes     []mailbox
	state     State        // without Load, Fleet and At, which publish fills in
	engine    *load.Engine // of the present or the latest load
	swarmed   *load.Engine // of the present or the latest swarm; nil before it has one
	job       *job         // see job
	next      *job
	aside     *job
	fleet     probe.Fleet                      // as the scaler last reported it
	cpuLimit  profiles.Milli                   // of its replicas, likewise
	workers   []probe.Replica                  // as a list last had them
	said      map[probe.Origin]probe.Statement // as each origin last did
	trouble   map[probe.Origin]error           // of those that do not answer now
	began     time.Time
	pointed   time.Duration          // offset of the last point of the engine that was taken over
	seen      map[string]probe.State // as last logged
	answered  map[string]bool        // replicas whose first answer was logged
	flowing   time.Time              // since when a load has been running without a pause; zero: none is
	handed    handed                 // what the scaler had handed out by then
	waits     map[string]probe.Wait  // of the replicas, as of the latest State of a load
	told      map[probe.NoticeKind]told
	chronicle chronicle     // what the timeline is made from
	stepped   time.Duration // offset of the last load step that was logged
	judged    time.Duration // and of the last loss or return of the SLO
	noticedOf time.Time     // start of the swarm that the state's Noticed is of
	measured  Measurement
	holding   bool           // the scaler is pinned by this session
	met       map[int32]bool // replicas, as the probe numbers them, that answered a step of a measurement
}

// NewSession prepares a session. It starts nothing.
func NewSession(c Config) (*Session, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	here, _ := os.Hostname()
	s := &Session{
		config: c, identifier: probe.NewIdentifier(c.Source), here: here,
		changed: make(chan struct{}, 1), closing: make(chan struct{}),
		said: map[probe.Origin]probe.Statement{}, trouble: map[probe.Origin]error{}, told: map[probe.NoticeKind]told{}, seen: map[string]probe.State{}, answered: map[string]bool{},
	}
	s.state = State{
		Phase: Idle, Plan: c.Plan, SLO: c.SLO, Traffic: c.Traffic, Replay: c.Replay.Length(), Managed: c.Scaler != nil, Policy: c.Policy,
	}
	return s, nil
}

// ErrBusy is returned by jobs that must wait for the one under way.
var ErrBusy = errors.New("another job is under way: stop it first")

var errNoAdvice = errors.New("there is no advice to apply: measure first")

// errNotRunning is returned by jobs outside of Run.
var errNotRunning = errors.New("the session is not running")

// Run publishes States until ctx ends. It then ends the job under way at once
// and returns when everything has ended.
func (s *Session) Run(ctx context.Context) error {
	s.mu.Lock()
	s.ctx, s.began = ctx, time.Now()
	s.state.Began = s.began
	s.mu.Unlock()

	var watchers sync.WaitGroup
	if s.config.Scaler != nil {
		s.askScaler(ctx) // so that the first State knows the fleet
		watchers.Go(func() { s.watchScaler(ctx) })
	}
	for from, lister := range s.config.listers() {
		watchers.Go(func() { s.watchList(ctx, from, lister) })
	}
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		s.publish(time.Now())
		select {
		case <-ticker.C:
		case <-s.changed:
		case <-ctx.Done():
			s.mu.Lock()
			s.closed = true
			s.mu.Unlock()
			s.jobs.Wait()
			watchers.Wait()
			s.update(func(st *State) { st.Ended = true })
			s.publish(time.Now())
			close(s.closing)
			return nil
		}
	}
}

// States returns a channel on which the newest State always waits. Each
// caller has its own; it is never closed.
func (s *Session) States() <-chan State {
	box := make(mailbox, 1)
	s.mu.Lock()
	s.boxes = append(s.boxes, box)
	s.mu.Unlock()
	s.nudge()
	return box
}

// Done is closed when Run has returned.
func (s *Session) Done() <-chan struct{} { return s.closing }

// State is the newest State.
func (s *Session) State() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	l, fleet, loaded := s.look(now)
	return s.picture(now, l, fleet, loaded)
}

// nudge publishes a State now instead of at the next tick.
func (s *Session) nudge() {
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

func (s *Session) publish(now time.Time) {
	s.mu.Lock()
	l, fleet, loaded := s.look(now)
	s.addPoints(now, l, fleet, loaded)
	s.state.Seq++
	if loaded && s.chronicle.noteSource(l.Identity) {
		s.forgetNames(fleet)
	}
	s.chronicle.noteReplicas(s.began, now, fleet)
	s.tell(now)
	state := s.picture(now, l, fleet, loaded)
	s.noticeReplicas(now, state.Fleet)
	s.noticeLoad(now, state.Timeline)
	s.noteNotices(now, state)
	state.Events, state.Notices, state.Noticed = s.state.Events, s.state.Notices, s.state.Noticed
	boxes := s.boxes
	s.mu.Unlock()
	for _, box := range boxes {
		box.put(state)
	}
}

// picture completes the state with what a look found. mu is held.
func (s *Session) picture(now time.Time, l load.Snapshot, fleet probe.Fleet, loaded bool) State {
	out := s.state
	out.At = now
	out.Loaded, out.Load = loaded, l
	if s.swarmed != nil {
		swarm := s.swarmed.Snapshot()
		out.Swarm = &swarm
	}
	out.Fleet = during(fleet, l.Started)
	for i := range out.Fleet.Replicas {
		r := &out.Fleet.Replicas[i]
		r.AfterStep = out.Timeline.AfterStep(r.ID)
	}
	return out
}

// addPoints takes the engine's new seconds over into the history, as a look
// found them, and adds seconds without load while no engine runs. mu is held.
func (s *Session) addPoints(now time.Time, run load.Snapshot, fleet probe.Fleet, loaded bool) {
	p := Point{Phase: s.state.Phase, Wanted: s.fleet.Wanted, Up: s.fleet.Up()}
	if loaded {
		s.chronicle.noteLoad(s.began, s.state.Phase, run)
		var met *bool
		if held, ok := (Outcome{SLO: run.RecentSLO, Health: run.Health}).Held(); ok {
			met = &held
		}
		fresh := len(run.Points)
		for fresh > 0 && run.Points[fresh-1].At > s.pointed {
			fresh--
		}
		for _, second := range run.Points[fresh:] {
			s.pointed = second.At
			point := p
			point.At = run.Started.Add(second.At).Sub(s.began)
			point.Users, point.InFlight, point.Planned, point.Rate, point.Failed = second.Users, second.InFlight, second.Planned, second.Rate, second.Failed
			point.SLO = met
			point.P50, point.P95, point.P99 = second.Latency.P50, second.Latency.P95, second.Latency.P99
			point.Answering = fleet.Answering()
			s.chronicle.notePoint(point)
			s.addPoint(point, time.Second/2) // the engine has its own seconds
		}
		if run.Phase != load.Done {
			return
		}
	}
	p.At = now.Sub(s.began)
	s.addPoint(p, 0)
}

// addPoint adds to the history what lies a second behind the point before, or at
// most slack less. mu is held.
func (s *Session) addPoint(p Point, slack time.Duration) {
	if n := len(s.state.Points); n > 0 && p.At-s.state.Points[n-1].At < time.Second-slack {
		return
	}
	s.state.Points = load.Coarsen(append(s.state.Points, p), func(p Point) time.Duration { return p.At })
}

// watchScaler keeps the fleet and the decision up to date.
func (s *Session) watchScaler(ctx context.Context) {
	ticker := time.NewTicker(statusEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			s.askScaler(ctx)
		case <-ctx.Done():
			return
		}
	}
}

func (s *Session) askScaler(ctx context.Context) (probe.Fleet, error) {
	asking, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	fleet, control, err := s.config.Scaler.Status(asking)
	if ctx.Err() == nil { // else whoever asked has gone, which says nothing of the scaler
		s.noteStatus(time.Now(), fleet, control, err)
	}
	return fleet, err
}

func (s *Session) noteStatus(now time.Time, fleet probe.Fleet, control profiles.Control, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		if s.state.ScalerError == "" {
			s.log(now, "error", "the scaler does not answer: %v", err)
		}
		s.state.ScalerError = err.Error()
		s.hear(now, probe.FromScaler, probe.Report{}, err)
		return
	}
	s.state.ScalerError, s.cpuLimit = "", control.CPULimit
	fleet.Replicas = probe.Since(now, s.fleet.Replicas, fleet.Replicas)
	s.fleet, s.state.Policy = fleet, control.Policy
	s.hear(now, probe.FromScaler, probe.ReportOf(fleet.Replicas), nil)
	decision := control.Decision
	s.chronicle.noteMove(now.Sub(s.began), fleet.Wanted, decision, decision.At.Sub(s.began))
	if decision.Desired != decision.Current && decision.At.After(s.state.Decision.At) {
		s.log(decision.At, "scale", "%s", decision)
	}
	s.state.Decision = decision
}
