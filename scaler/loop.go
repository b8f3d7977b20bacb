package scaler

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"

	"headroom/profiles"
)

// resizer is what the loop acts on. It must not block.
type resizer interface {
	scale(n int, down profiles.Behavior)
}

// loop makes the decisions: every interval of the policy, at once when the
// policy or the pin changes, when a schedule begins or ends, and when a request
// comes to a fleet of none. A decision, what it sets in the pool, and its
// report are one step under its lock, and so is the time that it is made at.
// Its methods are safe for concurrent use.
type loop struct {
	pool    resizer
	sense   func(now time.Time, p *profiles.Policy) profiles.Metrics // all but Replicas
	arrived <-chan struct{}                                          // a request waits, and no replica is in service
	admit   func(profiles.Policy) (profiles.Decider, *profiles.Timetable, error)
	log     func(Event)
	wake    chan struct{} // the next decision is due earlier; capacity 1

	mu      sync.Mutex // guards the fields below
	decider profiles.Decider
	times   *profiles.Timetable
	size    int // what the policy wants; a pin leaves it alone, so that it can be restored
	counts  map[profiles.Reason]int64
	loopState
}

// loopState is what the loop follows, and its last decision.
type loopState struct {
	policy profiles.Policy
	pin    pin
	last   profiles.Decision
	due    time.Time // the next decision
}

// pin holds the fleet at a size for a while. The zero value does not.
type pin struct {
	size  int
	until time.Time
}

// newLoop is the loop of a pool that has n replicas.
func newLoop(cfg Config, n int, pool resizer, sense func(time.Time, *profiles.Policy) profiles.Metrics, arrived <-chan struct{}) (*loop, error) {
	d, times, err := cfg.decider(cfg.Policy)
	if err != nil {
		return nil, err
	}
	return &loop{
		pool: pool, sense: sense, arrived: arrived, admit: cfg.decider, log: cfg.Log,
		wake:    make(chan struct{}, 1),
		decider: d,
		times:   times,
		size:    n,
		counts:  map[profiles.Reason]int64{},
		loopState: loopState{
			policy: cfg.Policy,
			last:   profiles.Decision{Current: n, Raw: n, Desired: n, Reason: profiles.NoData},
		},
	}, nil
}

// run decides until ctx is done.
func (l *loop) run(ctx context.Context) {
	for {
		timer := time.NewTimer(time.Until(l.state().due))
		select {
		case <-timer.C:
			l.tick()
		case <-l.wake:
		case <-l.arrived:
			l.arrive()
		case <-ctx.Done():
			timer.Stop()
			return
		}
		timer.Stop()
	}
}

// tick makes the decision that is due, unless a change has made it meanwhile.
func (l *loop) tick() {
	l.step(func(now time.Time) bool { return !now.Before(l.due) })
}

// arrive decides at once where no replica is wanted. Where some are, they are
// starting, and the next decision comes early enough: one more in between
// would take another step.
func (l *loop) arrive() {
	l.step(func(time.Time) bool { return l.last.Desired == 0 })
}

// hold pins the fleet to n replicas for a time.
func (l *loop) hold(n int, ttl time.Duration) {
	l.step(func(now time.Time) bool {
		l.pin = pin{n, now.Add(ttl)}
		l.log(Event{At: now, Kind: EventPin, Text: fmt.Sprintf("pinned to %d for %s", n, profiles.Duration(ttl.Round(time.Second)))})
		return true
	})
}

// unpin lets the policy decide again, from the size that it last wanted.
func (l *loop) unpin() {
	l.step(func(now time.Time) bool { return l.release(now, "unpinned") })
}

// follow replaces the policy; the event says what brought that about. The new
// one begins without a history, and lets a pin end where unpin says so: with the
// fleet as it is then, as what another policy wanted before is no wish of it.
func (l *loop) follow(p profiles.Policy, cause string, unpin bool) error {
	d, times, err := l.admit(p)
	if err != nil {
		return err
	}
	l.step(func(now time.Time) bool {
		changes := changesText(l.policy, p)
		l.policy, l.decider, l.times = p, d, times
		l.log(Event{At: now, Kind: EventPolicy, Text: cause + ": " + changes})
		if unpin && l.pin.size > 0 {
			l.size = l.pin.size
			l.release(now, "unpinned")
		}
		return true
	})
	return nil
}

// changesText says what differs between two policies.
func changesText(from, to profiles.Policy) string {
	var out []string
	for _, c := range profiles.Changes(from, to) {
		out = append(out, c.Field+" "+c.From+" -> "+c.To)
	}
	if out == nil {
		return "nothing that it decides by"
	}
	return strings.Join(out, ", ")
}

// step makes a decision where edit asks for one, or a pin has expired, so that
// whoever asked for a change sees its effect in the next status.
func (l *loop) step(edit func(now time.Time) bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now() // under the lock: neither decisions nor what is told of them go back in time
	expired := !now.Before(l.pin.until) && l.release(now, "the pin has expired")
	if !edit(now) && !expired {
		return
	}
	before := l.due
	l.decide(now)
	if l.due.Before(before) {
		notify(l.wake)
	}
}

// release ends a pin, if there is one. What the policy saw before it is old, so
// it begins without a history, which takes nothing away within its first
// window.
func (l *loop) release(now time.Time, what string) bool {
	if l.pin.size == 0 {
		return false
	}
	l.pin = pin{}
	l.decider, _ = l.times.Decider() // as it was possible before
	l.log(Event{At: now, Kind: EventPin, Text: fmt.Sprintf("%s, from %d on", what, l.size)})
	return true
}

// decide makes a decision and acts on it.
func (l *loop) decide(now time.Time) {
	p := l.times.At(now) // with what its schedules say at this hour
	var d profiles.Decision
	if n := l.pin.size; n > 0 {
		d = profiles.Decision{At: now, Current: l.last.Desired, Raw: n, Desired: n, Reason: profiles.Pinned, Valid: true}
		l.due = l.pin.until
	} else {
		m := l.sense(now, p)
		m.Replicas = l.size
		d = l.decider.Decide(now, m)
		l.size = d.Desired
		l.due = l.times.Until(now, now.Add(p.Interval.Std()))
		if d.Desired != d.Current {
			l.log(Event{At: now, Kind: EventDecision, Text: d.String(), Decision: &d})
		}
	}
	l.last = d
	l.counts[d.Reason]++
	l.pool.scale(d.Desired, p.Down)
}

func (l *loop) state() loopState {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.loopState
}

// decisions counts those that were made, by their reason.
func (l *loop) decisions() map[profiles.Reason]int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.counts)
}
