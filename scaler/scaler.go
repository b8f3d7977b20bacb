package scaler

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"headroom/scaler/httpapi"
)

// Scaler runs a command as replicas behind one address. New makes one, Run
// runs it once. Its methods are safe for concurrent use.
type Scaler struct {
	cfg      Config
	token    string
	launcher *launcher
	balancer *balancer
	pool     *pool
	signals  *signals
	loop     *loop
	policies *policyStore
	events   *eventLog
	started  atomic.Bool
	ready    chan struct{}

	// Set before ready is closed, not changed afterwards.
	url    string
	client *Client
}

// New returns a scaler for a valid Config. It starts nothing.
func New(cfg Config) (*Scaler, error) {
	if err := supported(); err != nil {
		return nil, err
	}
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	events := newEventLog(time.Now(), cfg.Log)
	cfg.Log = events.add
	policies, policy, err := newPolicyStore(cfg)
	if err != nil {
		return nil, err
	}
	cfg.Policy = policy
	s := &Scaler{
		cfg:      cfg,
		token:    httpapi.NewToken(),
		launcher: newLauncher(cfg),
		balancer: newBalancer(time.Now(), cfg),
		policies: policies,
		events:   events,
		ready:    make(chan struct{}),
	}
	_, times, err := cfg.decider(policy)
	if err != nil {
		return nil, err
	}
	n := times.Initial(time.Now())
	s.pool = newPool(cfg, s.balancer, n)
	s.pool.launch = s.launcher.launch
	asking := newReadiness(cfg.ReadyPath)
	s.pool.ready, s.pool.live = asking.await, asking.live
	s.signals = newSignals(cfg, s.balancer, s.pool)
	if s.loop, err = newLoop(cfg, n, s.pool, s.signals.sense, s.balancer.starved); err != nil {
		return nil, err
	}
	policies.loop = s.loop
	return s, nil
}

// Ready returns a channel that is closed when both addresses are open and the
// initial replicas are ready.
func (s *Scaler) Ready() <-chan struct{} { return s.ready }

// URL is the address of the service. It is valid when Ready is closed.
func (s *Scaler) URL() string { return s.url }

// Warnings are what there is to know about the policy that it begins with, and
// about the limit of open files.
func (s *Scaler) Warnings() []string {
	out := s.cfg.Policy.Warnings()
	if w := tooFewDescriptors(descriptorLimit(), s.cfg); w != "" {
		out = append(out, w)
	}
	return out
}

// Client returns a client of this scaler's API. It is valid when Ready is
// closed.
func (s *Scaler) Client() *Client { return s.client }

// Run blocks until ctx is done, and returns nil then, or until the scaler
// cannot go on: a *StartError when an address or the name is taken, or when
// the command was never ready. When it returns, all goroutines have ended,
// all processes are gone, both listeners are closed and the runtime file is
// removed. It can be called once.
//
// At the end of ctx requests may finish for the grace, then replicas get the
// grace to end.
func (s *Scaler) Run(ctx context.Context) error {
	if !s.started.CompareAndSwap(false, true) {
		return errors.New("scaler: Run was called before")
	}
	if err := httpapi.MakeDir(s.cfg.RuntimeDir); err != nil {
		return &StartError{Err: err}
	}
	unlock, err := httpapi.LockName(s.cfg.RuntimeDir, s.cfg.Name)
	if err != nil {
		return &StartError{Err: err}
	}
	defer unlock()
	if err := s.launcher.open(); err != nil {
		return &StartError{Err: err}
	}
	defer s.launcher.close()
	service, err := httpapi.Listen("--listen", s.cfg.Listen)
	if err != nil {
		return &StartError{Err: err}
	}
	control, err := httpapi.Listen("--api", s.cfg.API)
	if err != nil {
		service.Close()
		return &StartError{Err: err}
	}
	return s.serve(ctx, service, control)
}

// serve runs everything on open listeners, and ends it in the order in which
// the parts depend on each other.
func (s *Scaler) serve(ctx context.Context, service, control net.Listener) error {
	s.url = "http://" + httpapi.Reachable(service.Addr())
	s.client = NewClient("http://"+control.Addr().String(), s.token)
	proxy := newProxy(s.balancer, s.cfg.Timeout)
	proxy.log = s.cfg.Log
	front := newFront(service, proxy)
	back := newAPIServer(control, &api{
		guard: httpapi.NewGuard(s.token, "localhost"), service: s.url, cpuLimit: s.cfg.CPULimit,
		pool: s.pool, balancer: s.balancer, loop: s.loop, policies: s.policies, ready: s.ready,
		events: s.events, metrics: newMetrics(proxy.requests, s.pool, s.loop),
	})

	working, stopWorking := context.WithCancel(context.WithoutCancel(ctx)) // replicas are needed until the last answer
	defer stopWorking()
	var workers sync.WaitGroup
	failed := make(chan error, 8) // more than there are senders
	fail := func(err error) { failed <- err }
	front.Start(fail)
	back.Start(fail)
	workers.Go(func() {
		if err := s.pool.run(working); err != nil {
			fail(err)
		}
	})
	err := s.decide(ctx, failed, httpapi.Entry{
		Kind: httpapi.Scaler, Name: s.cfg.Name, PID: os.Getpid(),
		Service: service.Addr().String(), API: control.Addr().String(), Token: s.token,
	})

	s.drain(front, failed, err)
	proxy.close()
	stopWorking()
	workers.Wait()
	s.launcher.wait()
	s.events.close() // else its readers would stay for the grace
	soon, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	back.Shutdown(soon)
	httpapi.RemoveEntry(s.cfg.RuntimeDir, s.cfg.Name)
	return err
}

// decide has the policy decide from the first ready replica on, and writes the
// runtime file and closes Ready when all are. It returns when ctx is done, or
// the first of what has failed.
func (s *Scaler) decide(ctx context.Context, failed chan error, entry httpapi.Entry) error {
	deciding, stop := context.WithCancel(ctx)
	var deciders sync.WaitGroup
	defer deciders.Wait()
	defer stop()
	deciders.Go(func() { s.signals.run(deciding) })
	deciders.Go(func() {
		if waitFor(deciding, s.pool.serving) {
			s.loop.run(deciding)
		}
	})
	deciders.Go(func() {
		if waitFor(deciding, s.pool.serving) {
			s.policies.watch(deciding)
		}
	})
	deciders.Go(func() {
		if !waitFor(deciding, s.pool.full) {
			return
		}
		if err := entry.Write(s.cfg.RuntimeDir); err != nil {
			failed <- &StartError{Err: err}
			return
		}
		close(s.ready)
	})
	select {
	case <-ctx.Done():
		return nil
	case err := <-failed:
		return err
	}
}

// drain lets requests finish: for the grace, unless the scaler ends because of
// a failure, or none is left that would take what waits.
func (s *Scaler) drain(front *httpapi.Server, failed <-chan error, failure error) {
	grace, cut := context.WithTimeout(context.Background(), s.cfg.Grace)
	defer cut()
	var hope sync.WaitGroup
	hope.Go(func() {
		switch {
		case failure != nil:
			cut()
		case s.pool.promising():
			select {
			case <-failed: // nobody asks any more why
				cut()
			case <-grace.Done():
			}
		}
		s.balancer.close() // nothing will come of what waits
	})
	front.Shutdown(grace)
	cut()
	hope.Wait()
}
