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

const (
	keepGone = 20               // at most so many replicas that are gone stay listed,
	goneFor  = 10 * time.Minute // for so long
)

// pool has as many replicas as are wanted. Its run method owns one goroutine
// for each of them; the other methods are safe for concurrent use.
type pool struct {
	command      string // for messages
	startTimeout time.Duration
	timeout      time.Duration
	grace        time.Duration

	launch   func(id string) (*instance, error)
	ready    func(ctx context.Context, address string) error // until it is, or ctx is done
	balancer *balancer
	log      func(Event)

	changed chan struct{} // the wanted number has; capacity 1
	failed  chan error    // why the start failed; capacity 1
	serving chan struct{} // closed when the first replica is ready
	full    chan struct{} // closed when as many are ready as were wanted at the start
	workers sync.WaitGroup

	mu      sync.Mutex // guards the fields below and those of places and replicas
	initial int
	wanted  int
	order   string // which goes first, profiles.Newest or profiles.Oldest
	number  int    // of the newest replica
	revived int64  // replicas in place of one that ended by itself
	places  []*place
	living  []*replica      // oldest first
	gone    []probe.Replica // latest first
}

// newPool prepares a pool of n replicas of what cfg says.
func newPool(cfg Config, b *balancer, n int) *pool {
	return &pool{
		command:      strings.Join(cfg.Command, " "),
		startTimeout: cfg.StartTimeout,
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
		order:        cfg.Policy.Down.Order,
	}
}

// run has replicas until ctx is done or the start has failed, and returns
// when all are gone.
func (p *pool) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer p.workers.Wait()
	defer cancel()
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

// scale sets the wanted number.
func (p *pool) scale(n int, order string) {
	p.mu.Lock()
	p.wanted, p.order = n, order
	p.checkFull()
	p.mu.Unlock()
	select {
	case p.changed <- struct{}{}:
	default:
	}
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
	for len(p.places) > p.wanted {
		i := p.dispensable()
		p.places[i].vacate()
		p.places = slices.Delete(p.places, i, i+1)
	}
}

// dispensable is the index of the place to give up first: one whose replica
// serves nobody yet, else by the order of the policy.
func (p *pool) dispensable() int {
	rank := func(pl *place) (useless int, age int) {
		r := pl.current
		switch {
		case r == nil:
			return 2, 0
		case r.info.State == probe.Failing:
			useless = 2
		case r.info.State == probe.Starting:
			useless = 1
		}
		if p.order == profiles.Oldest {
			return useless, -r.number
		}
		return useless, r.number
	}
	best := 0
	for i, pl := range p.places {
		useless, age := rank(pl)
		u, a := rank(p.places[best])
		if useless > u || useless == u && age > a {
			best = i
		}
	}
	return best
}

// hire gives the place a new replica, which is yet to be started.
func (p *pool) hire(pl *place, restarts int) *replica {
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
	}}
	pl.current = r
	p.living = append(p.living, r)
	return r
}

// started notes what is known of a process.
func (p *pool) started(r *replica, in *instance) {
	p.mu.Lock()
	r.info.PID, r.info.Address, r.root = in.pid, in.address, in.root
	id := r.info.ID
	p.mu.Unlock()
	p.event(EventReplica, fmt.Sprintf("%s is starting: process %d on %s", id, in.pid, in.address))
}

// enter puts a ready replica into service.
func (p *pool) enter(r *replica, in *instance) *backend {
	be := p.balancer.add(r.number, r.info.ID, in.address)
	p.advance(r, answered, "")
	return be
}

// leave takes a replica out of service.
func (p *pool) leave(r *replica, be *backend) {
	served := p.balancer.remove(be)
	p.mu.Lock()
	defer p.mu.Unlock()
	r.info.Served = served
}

// advance applies an event to a replica, and reports it when it changed
// something. The note says why.
func (p *pool) advance(r *replica, e event, note string) {
	now := time.Now()
	p.mu.Lock()
	from := r.info.State
	to := next(from, e)
	if from == to {
		p.mu.Unlock()
		return
	}
	r.info.State = to
	switch to {
	case probe.Ready:
		r.info.StartedIn = now.Sub(r.info.Created)
		note = "after " + profiles.FormatLatency(r.info.StartedIn)
		p.checkFull()
	case probe.Failing:
		r.info.LastError = note
		r.info.Deleted = now
	case probe.Gone:
		if r.info.Deleted.IsZero() {
			r.info.Deleted = now
		}
		r.info.Memory = 0
		p.living = slices.DeleteFunc(p.living, func(l *replica) bool { return l == r })
		p.gone = slices.Insert(p.gone, 0, r.info)
		p.forget(now)
	}
	id := r.info.ID
	p.mu.Unlock()
	text := id + " is " + string(to)
	if note != "" {
		text += ": " + note
	}
	p.event(EventReplica, text)
}

// checkFull closes serving and full when it is time.
func (p *pool) checkFull() {
	ready := 0
	for _, r := range p.living {
		if r.info.State == probe.Ready {
			ready++
		}
	}
	if ready > 0 && !isClosed(p.serving) {
		close(p.serving)
	}
	if ready > 0 && ready >= min(p.initial, p.wanted) && !isClosed(p.full) {
		close(p.full)
	}
}

func (p *pool) neverReady() bool { return !isClosed(p.serving) }

// fail ends run; the first reason counts.
func (p *pool) fail(err error) {
	select {
	case p.failed <- err:
	default:
	}
}

// forget drops what was gone for too long.
func (p *pool) forget(now time.Time) {
	n := min(len(p.gone), keepGone)
	for n > 0 && now.Sub(p.gone[n-1].Deleted) > goneFor {
		n--
	}
	p.gone = p.gone[:n]
}

// fleet is the present state of all replicas.
func (p *pool) fleet(now time.Time) probe.Fleet {
	t := p.balancer.traffic()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.forget(now)
	f := probe.Fleet{
		Managed:  true,
		Wanted:   p.wanted,
		InFlight: t.inFlight,
		Queue:    len(t.waiting),
		Replicas: make([]probe.Replica, 0, len(p.living)+len(p.gone)),
	}
	for _, r := range p.living {
		info := r.info
		if w, ok := t.backends[info.ID]; ok {
			info.InFlight, info.Served = w.inFlight, w.served
		}
		f.Replicas = append(f.Replicas, info)
	}
	f.Replicas = append(f.Replicas, p.gone...)
	return f
}

// restarted counts the replicas that took the place of one that ended by
// itself.
func (p *pool) restarted() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.revived
}

// roots are the processes of the living replicas, by ID.
func (p *pool) roots() map[string]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make(map[string]int, len(p.living))
	for _, r := range p.living {
		if r.root != 0 {
			out[r.info.ID] = r.root
		}
	}
	return out
}

// setUsage notes what the replicas use, by ID.
func (p *pool) setUsage(used map[string]usage) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range p.living {
		if u, ok := used[r.info.ID]; ok {
			r.info.CPU, r.info.Memory = u.cpu, u.memory
		}
	}
}

func (p *pool) event(kind, text string) { p.log(Event{At: time.Now(), Kind: kind, Text: text}) }
