package scaler

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing/synctest"
	"time"
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
