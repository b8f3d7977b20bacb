package target

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"strings"
	"sync"
	"time"

	"headroom/profiles"
)

// Misbehaviour is what services do to those who measure them. The zero value
// does none of it. All of it is about /request.
type Misbehaviour struct {
	Leak        int64   // bytes that every request leaves behind for good
	Drift       float64 // share by which the service time grows per minute
	Batch       int     // requests served together, within one service time; 0 and 1: each alone
	SharedLimit int     // requests at a time over all targets on this machine that have the same limit; 0: none
	Freeze      Freeze
	Chaos       bool // one request in ten meets a whim
}

// Freeze stops the service for a time, again and again. The zero value does
// not.
type Freeze struct {
	For, Every time.Duration // For is less than Every
}

// ParseFreeze reads "2s@5s": for 2 s, every 5 s.
func ParseFreeze(s string) (Freeze, error) {
	length, every, ok := strings.Cut(s, "@")
	f, err1 := profiles.ParseDuration(length)
	e, err2 := profiles.ParseDuration(every)
	if !ok || err1 != nil || err2 != nil || f <= 0 || f >= e {
		return Freeze{}, fmt.Errorf("got %q, want a time and a longer one, such as 2s@5s", s)
	}
	return Freeze{f, e}, nil
}

// thaw is t, or the end of the freeze that t falls into. A freeze ends every
// Every after ready, the first one Every later.
func (f Freeze) thaw(ready, t time.Time) time.Time {
	if f.Every <= 0 || t.Before(ready) {
		return t
	}
	if into := t.Sub(ready) % f.Every; into >= f.Every-f.For {
		return t.Add(f.Every - into)
	}
	return t
}

// problems names what makes no sense.
func (m Misbehaviour) problems(bad func(format string, args ...any)) {
	if m.Leak < 0 || m.Leak > 1<<30 {
		bad("--leak: got %d, want 0..%d bytes", m.Leak, 1<<30)
	}
	if !(m.Drift >= 0 && m.Drift <= 100) {
		bad("--drift: got %v, want 0..100", m.Drift)
	}
	if m.Batch < 0 || m.Batch > maxConcurrency {
		bad("--batch: got %d, want 0..%d", m.Batch, maxConcurrency)
	}
	if m.SharedLimit < 0 || m.SharedLimit > maxConcurrency {
		bad("--shared-limit: got %d, want 0..%d", m.SharedLimit, maxConcurrency)
	}
}

// end is when a request ends that began at start and takes service.
func (s *Server) end(start time.Time, service time.Duration) time.Time {
	m := s.config.Misbehaviour
	if m.Drift > 0 {
		grown := float64(service) * (1 + m.Drift*max(0, start.Sub(s.ready).Minutes()))
		service = time.Duration(math.Min(grown, float64(maxTime)))
	}
	begin := m.Freeze.thaw(s.ready, start)
	return m.Freeze.thaw(s.ready, begin.Add(service))
}

// leak keeps memory, touched so that it is real.
func (s *Server) leak() {
	n := s.config.Misbehaviour.Leak
	if n == 0 {
		return
	}
	b := make([]byte, n)
	for i := 0; i < len(b); i += 4096 {
		b[i] = 1
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leaked = append(s.leaked, b)
}

// gather serves requests in batches: the first of one takes the slot and does
// the work, those that come until it has the slot have a share in it.
type gather struct {
	size int

	mu   sync.Mutex // guards the field below
	open *batch     // still takes requests; nil: none does
}

type batch struct {
	n    int
	done chan struct{}
	took time.Duration // of the work, and how it ended; set before done is closed
	err  error
}

// join adds a request to the open batch, or begins one.
func (g *gather) join() (b *batch, first bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if b := g.open; b != nil && b.n < g.size {
		b.n++
		return b, false
	}
	g.open = &batch{n: 1, done: make(chan struct{})}
	return g.open, true
}

// shut lets no more requests into a batch.
func (g *gather) shut(b *batch) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.open == b {
		g.open = nil
	}
}

// holdBatch is hold for a request that shares its service time with others.
func (s *Server) holdBatch(r *http.Request, work func(ctx context.Context, start time.Time) error) (time.Duration, error) {
	b, first := s.batches.join()
	if !first {
		select {
		case <-b.done:
		case <-r.Context().Done():
			return 0, r.Context().Err()
		}
		if b.err == nil {
			s.record(b.took)
		}
		return b.took, b.err
	}
	b.took, b.err = s.hold(r, func(ctx context.Context, start time.Time) error {
		s.batches.shut(b)
		return work(ctx, start)
	})
	s.batches.shut(b) // also where there was no slot
	close(b.done)
	return b.took, b.err
}
