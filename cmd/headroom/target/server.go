package target

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	drainTime     = 5 * time.Second  // what is being served when Run is asked to end gets this long
	headerTimeout = 10 * time.Second // to send the header of a request
)

// Server is one instance of the demo service. It is safe for concurrent use.
type Server struct {
	config  Config
	ready   time.Time // until then it is starting
	slots   *limiter
	draws   *sampler
	batches *gather

	// Test seams.
	until  func(context.Context, time.Time) error
	listen func(ctx context.Context, network, address string) (net.Listener, error)

	goroutines sync.WaitGroup // of Run

	mu     sync.Mutex // guards the fields below
	done   Stats      // without Mean, Busy and Waiting
	sum    time.Duration
	leaked [][]byte
}

// Stats is what the service measured of itself. A service time runs from the
// moment a request gets its slot to the moment it gives it back; what it
// waited for the slot is not in it. It counts the requests that took a slot
// and kept it to the end, those answered with a 500 included. Mean, Min and
// Max mean nothing while Served is 0.
type Stats struct {
	Served         int64
	Mean, Min, Max time.Duration // service time
	Busy           int           // requests that hold a slot now
	Waiting        int           // requests that wait for one now
}

// New checks the configuration. It starts nothing, but the start-up time of
// the configuration begins here.
func New(c Config) (*Server, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	return &Server{
		config:  c,
		ready:   time.Now().Add(c.Startup),
		slots:   newLimiter(c.Concurrency),
		draws:   newSampler(c),
		batches: &gather{size: c.Misbehaviour.Batch},
		until:   until,
		listen:  new(net.ListenConfig).Listen,
	}, nil
}

// Run waits for the end of the start-up time, listens, and serves until ctx
// ends. Then it takes no more connections, gives what is being served 5
// seconds to finish, and returns after its last goroutine. Requests that it
// had to cut off are an error.
func (s *Server) Run(ctx context.Context) error {
	starting := time.NewTimer(time.Until(s.ready))
	defer starting.Stop()
	select {
	case <-starting.C:
	case <-ctx.Done():
		return nil
	}
	ln, err := s.listen(ctx, "tcp", s.config.Addr)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		var op *net.OpError
		if errors.As(err, &op) {
			err = op.Err // without the address, which is named below
		}
		return fmt.Errorf("listen on %s: %w", s.config.Addr, err)
	}
	if s.config.Listening != nil {
		s.config.Listening(ln.Addr())
	}
	return s.serve(ctx, ln)
}

// serve serves on ln, which it closes, until ctx ends.
func (s *Server) serve(ctx context.Context, ln net.Listener) error {
	requests, cutOff := context.WithCancel(context.WithoutCancel(ctx))
	defer cutOff()
	srv := &http.Server{
		Handler:           s.Handler(),
		ReadHeaderTimeout: headerTimeout,
		BaseContext:       func(net.Listener) context.Context { return requests },
		// A connection is new before Serve can return and closed as the last
		// act of its goroutine; Shutdown and Close wait for neither.
		ConnState: func(_ net.Conn, state http.ConnState) {
			switch state {
			case http.StateNew:
				s.goroutines.Add(1)
			case http.StateClosed:
				s.goroutines.Done()
			}
		},
	}
	if s.config.HTTP2 {
		srv.Protocols = new(http.Protocols)
		srv.Protocols.SetHTTP1(true)
		srv.Protocols.SetUnencryptedHTTP2(true)
	}
	failed := make(chan error, 1)
	s.goroutines.Go(func() { failed <- srv.Serve(ln) })

	var err error
	select {
	case err = <-failed:
		err = fmt.Errorf("serve on %s: %w", s.config.Addr, err)
	case <-ctx.Done():
		err = s.drain(requests, srv)
	}
	cutOff()
	srv.Close() // what is left after the drain; its own error says nothing more
	s.goroutines.Wait()
	return err
}

// drain lets the requests that hold a slot or wait for one finish.
func (s *Server) drain(ctx context.Context, srv *http.Server) error {
	ctx, cancel := context.WithTimeout(ctx, drainTime)
	defer cancel()
	if srv.Shutdown(ctx) == nil {
		return nil
	}
	busy, waiting := s.slots.load()
	if busy+waiting == 0 {
		return nil // open connections that asked for nothing
	}
	return fmt.Errorf("stop %s: %d requests not finished after %v, cut off", s.config.Addr, busy+waiting, drainTime)
}

// Stats is what was measured so far.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	st := s.done
	if st.Served > 0 {
		st.Mean = s.sum / time.Duration(st.Served)
	}
	s.mu.Unlock()
	st.Busy, st.Waiting = s.slots.load()
	return st
}

func (s *Server) record(took time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.done.Served == 0 || took < s.done.Min {
		s.done.Min = took
	}
	s.done.Max = max(s.done.Max, took)
	s.done.Served++
	s.sum += took
}

// hold waits for a slot, does work while it holds it and returns how long that
// was; work gets the time at which it took the slot. The slot is free again
// when hold returns, so a client that reads a short answer slowly does not
// keep the service busy. An error means that there is nobody to answer: the
// client went away, or the server was cut off.
func (s *Server) hold(r *http.Request, work func(ctx context.Context, start time.Time) error) (time.Duration, error) {
	// net/http notices that a client has gone only once the body is read.
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return 0, err
	}
	ctx := r.Context()
	if err := s.slots.acquire(ctx); err != nil {
		return 0, err
	}
	defer s.slots.release()
	start := time.Now()
	if err := work(ctx, start); err != nil {
		return 0, err
	}
	took := time.Since(start)
	s.record(took)
	return took, nil
}

// sampler draws what is random about a request. It is safe for concurrent use.
type sampler struct {
	mean        time.Duration
	exponential bool
	failRate    float64

	mu  sync.Mutex // guards the field below
	rng *rand.Rand
}

func newSampler(c Config) *sampler {
	name := fnv.New64a()
	name.Write([]byte(c.Hostname))
	return &sampler{
		mean:        c.ServiceTime,
		exponential: c.Distribution == Exponential,
		failRate:    c.FailRate,
		rng:         rand.New(rand.NewPCG(c.Seed, name.Sum64())),
	}
}

// next is the service time of a request, and whether it fails. It draws two
// numbers whatever the configuration, so that a fail rate does not change the
// service times of a seed.
func (p *sampler) next() (service time.Duration, fail bool) {
	p.mu.Lock()
	x, u := p.rng.ExpFloat64(), p.rng.Float64()
	p.mu.Unlock()
	if !p.exponential {
		x = 1
	}
	return time.Duration(x * float64(p.mean)), u < p.failRate
}
