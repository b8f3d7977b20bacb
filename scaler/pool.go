package scaler

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"headroom/probe"
	"headroom/profiles"
)

// pool has as many replicas as are wanted. Its run method owns one goroutine
// for each of them; the other methods are safe for concurrent use.
type pool struct {
	command      string // for messages
	startTimeout time.Duration
	liveInterval time.Duration
	timeout      time.Duration
	grace        time.Duration

	launch   func(ctx context.Context, id string) (*instance, error) // returns when it runs, or ctx is done
	ready    func(ctx context.Context, address string) error         // until it is, or ctx is done
	live     func(ctx context.Context, address string) error         // one look at an idle replica
	balancer *balancer
	log      func(Event)

	changed chan struct{} // the wanted number has; capacity 1
	failed  chan error    // why the start failed; capacity 1
	serving chan struct{} // closed when the first replica is ready, or none is wanted
	full    chan struct{} // closed when as many are ready as were wanted at the start, or in a crash loop
	workers sync.WaitGroup

	mu      sync.Mutex // guards the fields below and those of places and replicas
	initial int
	wanted  int
	down    profiles.Behavior // which goes first
	number  int               // of the newest replica
	revived int64             // replicas in place of one that ended by itself
	places  []*place
	living  []*replica      // oldest first
	gone    []*replica      // latest first
	took    []time.Duration // start-up times, oldest first
}

// newPool prepares a pool of n replicas of what cfg says.
func newPool(cfg Config, b *balancer, n int) *pool {
	return &pool{
		command:      strings.Join(cfg.Command, " "),
		startTimeout: cfg.StartTimeout,
		liveInterval: cfg.LiveInterval,
		timeout:      cfg.Timeout,
		grace:        cfg.Grace,
		balancer:     b,
		log:          cfg.Log,
		changed:      make(chan struct{}, 1),
		failed:       make(chan error, 1),
		serving:      make(chan struct{}),
		full:         make(chan struct{}),
		initial:      n,
		wanted:       n,
		down:         cfg.Policy.Down,
	}
}

// run has replicas until ctx is done or the start has failed, and returns
// when all are gone.
func (p *pool) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer p.workers.Wait()
	defer cancel()
	p.mu.Lock()
	p.checkFull()
	p.mu.Unlock()
	for {
		p.reconcile(ctx)
		select {
		case <-p.changed:
		case err := <-p.failed:
			return err
		case <-ctx.Done():
			return nil
		}
	}
}

// scale sets the wanted number, and which replicas go first.
func (p *pool) scale(n int, down profiles.Behavior) {
	p.mu.Lock()
	p.wanted, p.down = n, down
	p.checkFull()
	p.mu.Unlock()
	notify(p.changed)
}

// reconcile opens and vacates places until there are as many as wanted.
func (p *pool) reconcile(ctx context.Context) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.places) < p.wanted {
		stay, vacate := context.WithCancel(ctx)
		pl := &place{vacate: vacate}
		p.places = append(p.places, pl)
		p.workers.Go(func() {
			defer vacate()
			p.occupy(ctx, stay, pl)
		})
	}
	if len(p.places) == p.wanted {
		return
	}
	t, rested := p.balancer.traffic(), time.Now().Add(-p.down.Idle.Std())
	for len(p.places) > p.wanted {
		i := p.dispensable(t, rested)
		p.places[i].vacate()
		p.places = slices.Delete(p.places, i, i+1)
	}
}

// dispensable is the index of the place to give up first. Replicas that are
// idle since rested or before have been so for long enough.
func (p *pool) dispensable(t traffic, rested time.Time) int {
	candidates := make([]profiles.Candidate, len(p.places))
	for i, pl := range p.places {
		if r := pl.current; r != nil {
			candidates[i] = profiles.Candidate{Use: r.use(t, rested), Number: r.number}
		}
	}
	return profiles.Dispensable(candidates, p.down.Order)
}

// hire gives the place a new replica, which is yet to be started.
func (p *pool) hire(pl *place, restarts, failures int) *replica {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.number++
	if restarts > 0 {
		p.revived++
	}
	r := &replica{number: p.number, info: probe.Replica{
		ID:       "replica-" + strconv.Itoa(p.number),
		State:    probe.Starting,
		Managed:  true,
		Created:  time.Now(),
		Restarts: restarts,
		Failures: failures,
	}}
	pl.current = r
	p.living = append(p.living, r)
	return r
}

// started notes what is known of a process.
func (p *pool) started(r *replica, in *instance) {
	p.mu.Lock()
	r.info.PID, r.info.Address = in.pid, in.address
	r.root, r.output = in.root, in.output
	info := r.info
	p.mu.Unlock()
	p.event(info, fmt.Sprintf("%s is starting: process %d on %s", info.ID, in.pid, in.address))
}

// enter puts a ready replica into service.
func (p *pool) enter(r *replica, in *instance) *backend {
	be := p.balancer.add(r.number, r.info.ID, in.address)
	p.advance(r, answered, "")
	return be
}

// leave takes a replica out of service.
func (p *pool) leave(r *replica, be *backend) {
	p.mu.Lock() // first: a listing has it from the balancer or from here
	defer p.mu.Unlock()
	r.info.Served = p.balancer.remove(be)
}

// advance applies an event to a replica, reports it when it changed something,
// and returns what is known of the replica then. The note says why.
func (p *pool) advance(r *replica, e event, note string) probe.Replica {
	now := time.Now()
	p.mu.Lock()
	from := r.info.State
	to := next(from, e)
	if from == to {
		defer p.mu.Unlock()
		return r.info
	}
	note = p.settle(r, to, note, now)
	info := r.info
	p.mu.Unlock()
	text := info.ID + " is " + string(to)
	if note != "" {
		text += ": " + note
	}
	p.event(info, text)
	if to == probe.Failing && info.Failures == probe.CrashLoop {
		p.event(info, fmt.Sprintf("the place of %s is in a crash loop: %d failures in a row; it is tried again after pauses of up to %s",
			info.ID, info.Failures, profiles.Duration(longestPause)))
	}
	return info
}

// settle notes what a replica's next state means for it and for the pool, and
// returns the note for the event.
func (p *pool) settle(r *replica, to probe.State, note string, now time.Time) string {
	from := r.info.State
	if from == probe.Ready && r.stable(now) {
		r.info.Failures = 0
	}
	r.info.State = to
	if (to == probe.Failing || to == probe.Gone) && r.info.Deleted.IsZero() {
		r.info.Deleted = now
	}
	switch to {
	case probe.Ready:
		if from == probe.Starting {
			note = p.noteStartup(r, now)
		}
		r.info.LastError = ""
		p.checkFull()
	case probe.Suspect:
		r.info.LastError = note
	case probe.Failing:
		r.info.LastError = note
		r.info.Failures++
		d := pause(r.info.Failures)
		r.info.Retry = now.Add(d)
		note += "; again in " + profiles.Duration(d).String()
		p.checkFull()
	case probe.Gone:
		r.info.Retry = time.Time{}
		r.info.Memory = 0
		p.living = slices.DeleteFunc(p.living, func(l *replica) bool { return l == r })
		p.gone = slices.Insert(p.gone, 0, r)
		p.forget(now)
	}
	return note
}

// noteStartup keeps how long a replica took to become ready, and says it.
func (p *pool) noteStartup(r *replica, now time.Time) string {
	r.info.StartedIn = now.Sub(r.info.Created)
	if len(p.took) == profiles.KeptStartUps {
		p.took = slices.Delete(p.took, 0, 1)
	}
	p.took = append(p.took, r.info.StartedIn)
	return "after " + profiles.FormatLatency(r.info.StartedIn)
}

// checkFull closes serving and full when it is time. A fleet of none has
// nothing to wait for, and nobody waits for a place in a crash loop.
func (p *pool) checkFull() {
	ready, settled := 0, 0
	for _, r := range p.living {
		switch {
		case r.info.State == probe.Ready:
			ready++
			settled++
		case r.info.InCrashLoop() && r.info.State != probe.Draining:
			settled++
		}
	}
	if (ready > 0 || p.wanted == 0) && !isClosed(p.serving) {
		close(p.serving)
	}
	if isClosed(p.serving) && settled >= min(p.initial, p.wanted) && !isClosed(p.full) {
		close(p.full)
	}
}

// promising reports whether some replica may take what waits, without another
// decision.
func (p *pool) promising() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.ContainsFunc(p.places, func(pl *place) bool {
		return pl.current == nil || wanted(pl.current.info.State)
	})
}

// neverReady reports whether the scaler is still starting, so that a failure
// says that the command is wrong rather than that a replica is.
func (p *pool) neverReady() bool { return !isClosed(p.serving) }

// fail ends run; the first reason counts.
func (p *pool) fail(err error) {
	select {
	case p.failed <- err:
	default:
	}
}

func (p *pool) event(of probe.Replica, text string) {
	p.log(Event{At: time.Now(), Kind: EventReplica, Text: text, Replica: of.ID, State: of.State})
}
