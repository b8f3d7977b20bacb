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

// loop makes the decisions: every interval of the policy, and at once when
// the policy or the pin changes, or when a request comes to a fleet of none. A
// decision, and what it sets in the pool, are one step under its lock. Its
// methods are safe for concurrent use.
type loop struct {
	pool    resizer
	sense   func(now time.Time, p *profiles.Policy) profiles.Metrics // all but Replicas
	arrived <-chan struct{}                                          // a request waits, and no replica is in service
	admit   func(profiles.Policy) (profiles.Decider, *profiles.Timetable, error)
	log     func(Event)
	wake    chan struct{} // something changed; capacity 1

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

func newLoop(cfg Config, pool resizer, sense func(time.Time, *profiles.Policy) profiles.Metrics, arrived <-chan struct{}) (*loop, error) {
	d, times, err := cfg.decider(cfg.Policy)
	if err != nil {
		return nil, err
	}
	n := cfg.Policy.Initial()
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
		now := time.Now()
		due := l.state().due
		if !now.Before(due) {
			due = l.step(now)
		}
		timer := time.NewTimer(due.Sub(now))
		select {
		case <-timer.C:
		case <-l.wake:
		case <-l.arrived:
			l.arrive(time.Now())
		case <-ctx.Done():
			timer.Stop()
			return
		}
		timer.Stop()
	}
}

// step makes one decision and returns when the next is due.
func (l *loop) step(now time.Time) time.Time {
	return l.change(now, func() (Event, bool) { return Event{}, false })
}

// arrive decides at once where no replica is wanted. Where some are, they are
// starting, and the next decision comes early enough: one more in between
// would take another step.
func (l *loop) arrive(now time.Time) {
	if l.state().last.Desired == 0 {
		l.step(now)
	}
}

// hold pins the fleet to n replicas for a time.
func (l *loop) hold(now time.Time, n int, ttl time.Duration) {
	l.change(now, func() (Event, bool) {
		l.pin = pin{n, now.Add(ttl)}
		return Event{Kind: EventPin, Text: fmt.Sprintf("pinned to %d for %s", n, profiles.Duration(ttl.Round(time.Second)))}, true
	})
	l.poke()
}

// unpin lets the policy decide again, from the size that it last wanted.
func (l *loop) unpin(now time.Time) {
	if l.state().pin.size == 0 {
		return
	}
	l.change(now, func() (Event, bool) {
		l.pin = pin{}
		return Event{Kind: EventPin, Text: fmt.Sprintf("unpinned, back to %d", l.size)}, true
	})
	l.poke()
}

// follow replaces the policy; the event says what brought that about. The new
// one begins without a history.
func (l *loop) follow(now time.Time, p profiles.Policy, cause string) error {
	d, times, err := l.admit(p)
	if err != nil {
		return err
	}
	l.change(now, func() (Event, bool) {
		changes := changesText(l.policy, p)
		l.policy, l.decider, l.times = p, d, times
		return Event{Kind: EventPolicy, Text: cause + ": " + changes}, true
	})
	l.poke()
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

// change applies edit and makes a decision, as one step, so that whoever asked
// for the change sees its effect in the next status. It returns when the next
// decision is due.
func (l *loop) change(now time.Time, edit func() (Event, bool)) (due time.Time) {
	var events []Event
	note := func(kind, text string) { events = append(events, Event{At: now, Kind: kind, Text: text}) }

	l.mu.Lock()
	if e, ok := edit(); ok {
		note(e.Kind, e.Text)
	}
	if l.pin.size > 0 && !now.Before(l.pin.until) {
		l.pin = pin{}
		note(EventPin, fmt.Sprintf("the pin has expired, back to %d", l.size))
	}
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
		l.due = now.Add(p.Interval.Std())
		if d.Desired != d.Current {
			events = append(events, Event{At: now, Kind: EventDecision, Text: d.String(), Decision: &d})
		}
	}
	l.last = d
	l.counts[d.Reason]++
	l.pool.scale(d.Desired, p.Down)
	due = l.due
	l.mu.Unlock()

	for _, e := range events {
		l.log(e)
	}
	return due
}

func (l *loop) poke() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
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
