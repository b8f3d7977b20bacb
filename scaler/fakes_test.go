package scaler

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"headroom/profiles"
)

// fakes starts replicas that exist in virtual time only.
type fakes struct {
	mu      sync.Mutex // guards the fields below
	started []*fake
	refuse  error         // of launch
	slow    time.Duration // until a replica is ready
	slower  time.Duration // each replica than the one before
	deaf    bool          // a new replica is never ready
	poor    bool          // this process cannot ask anybody
	looks   int           // of liveness
	events  []string
}

// fake is one such replica; its address is its ID.
type fake struct {
	id   string
	at   time.Time
	end  context.CancelCauseFunc
	life context.Context
	slow time.Duration
	deaf bool
}

func (f *fakes) launch(_ context.Context, id string) (*instance, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.refuse != nil {
		return nil, f.refuse
	}
	life, end := context.WithCancelCause(context.Background())
	r := &fake{id: id, at: time.Now(), life: life, end: end, slow: f.slow + time.Duration(len(f.started))*f.slower, deaf: f.deaf}
	f.started = append(f.started, r)
	return &instance{
		address: id, pid: len(f.started), root: len(f.started), output: &output{}, life: life,
		stop: func(time.Duration) { end(errors.New("stopped")) },
	}, nil
}

func (f *fakes) ready(ctx context.Context, address string) error {
	r := f.find(address)
	f.mu.Lock()
	slow, deaf, poor := r.slow, r.deaf, f.poor
	f.mu.Unlock()
	if poor {
		<-ctx.Done()
		return errPoor
	}
	if !deaf && wait(ctx, slow) {
		return nil
	}
	<-ctx.Done()
	return errors.New("no answer")
}

func (f *fakes) live(ctx context.Context, address string) error {
	r := f.find(address)
	f.mu.Lock()
	f.looks++
	deaf, poor := r.deaf, f.poor
	f.mu.Unlock()
	switch {
	case poor:
		return errPoor
	case !deaf:
		return nil
	}
	wait(ctx, lookLimit)
	return errors.New("no answer")
}

var errPoor = fmt.Errorf("no connection: %w", syscall.EMFILE)

func (f *fakes) find(id string) *fake {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range f.started {
		if r.id == id {
			return r
		}
	}
	panic("no replica " + id)
}

// ids lists what was started, with the seconds, sorted.
func (f *fakes) ids(since time.Time) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []string
	for _, r := range f.started {
		out = append(out, fmt.Sprintf("%s@%g", strings.TrimPrefix(r.id, "replica-"), r.at.Sub(since).Seconds()))
	}
	slices.Sort(out)
	return out
}

func (f *fakes) note(e Event) { f.set(func(f *fakes) { f.events = append(f.events, e.Text) }) }

// eventsOf are the events whose text begins so.
func (f *fakes) eventsOf(prefix string) (out []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, text := range f.events {
		if strings.HasPrefix(text, prefix) {
			out = append(out, text)
		}
	}
	return out
}

func (f *fakes) crash(id string) {
	f.find(id).end(errors.New("exited with status 1"))
	synctest.Wait()
}

func (f *fakes) set(edit func(*fakes)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	edit(f)
}

// fakePool notes each size that it is set to, with the time.
type fakePool struct {
	start time.Time

	mu     sync.Mutex // guards the fields below
	sizes  []sized
	order  string
	events []string
}

func (p *fakePool) note(e Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if e.Kind == EventDecision {
		e.Text, _, _ = strings.Cut(e.Text, ":") // the reason is in the words of profiles
	}
	p.events = append(p.events, e.Kind+": "+e.Text)
}

type sized struct {
	at time.Duration
	n  int
}

func (p *fakePool) scale(n int, down profiles.Behavior) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.order = down.Order
	if k := len(p.sizes); k == 0 || p.sizes[k-1].n != n {
		p.sizes = append(p.sizes, sized{time.Since(p.start), n})
	}
}

func (p *fakePool) expect(t *testing.T, want ...sized) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if !slices.Equal(p.sizes, want) {
		t.Errorf("sizes: got %v, want %v", p.sizes, want)
	}
}

// gauge is what a test lets the loop see.
type gauge struct {
	arrived chan struct{}

	mu      sync.Mutex // guards the fields below
	reading profiles.Reading
	waiting int
}

func (g *gauge) set(total int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.reading = profiles.Reading{Total: profiles.Milli(total * 1000), Valid: true}
}

// arrive lets n requests wait for a replica, where none is in service.
func (g *gauge) arrive(n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting = n
	g.reading = profiles.Reading{Total: 1, Valid: true}
	g.arrived <- struct{}{}
}

func (g *gauge) sense(_ time.Time, p *profiles.Policy) profiles.Metrics {
	g.mu.Lock()
	defer g.mu.Unlock()
	m := profiles.Metrics{Waiting: g.waiting}
	for range p.Metrics {
		m.Readings = append(m.Readings, g.reading)
	}
	return m
}
