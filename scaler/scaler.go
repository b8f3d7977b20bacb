package scaler

import (
	"context"
	"errors"
	"net"
	"net/http"
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
	failed := make(chan error, 8) // more than there are senders
	fail := func(err error) { failed <- err }

	proxy := newProxy(s.balancer, s.cfg.Timeout)
	proxy.log = s.cfg.Log
	front := newFront(service, proxy)
	front.HTTP.Protocols = &http.Protocols{}
	front.HTTP.Protocols.SetHTTP1(true)
	front.HTTP.Protocols.SetUnencryptedHTTP2(true)
	front.HTTP.ReadHeaderTimeout = 10 * time.Second
	front.HTTP.IdleTimeout = 2 * time.Minute
	// No WriteTimeout, nor a ReadTimeout: streams and uploads may be long. The
	// proxy limits how long they stand still.

	back := newAPIServer(control, &api{
		guard: httpapi.NewGuard(s.token, "localhost"), service: s.url, cpuLimit: s.cfg.CPULimit,
		pool: s.pool, balancer: s.balancer, loop: s.loop, policies: s.policies, ready: s.ready,
		events: s.events, metrics: newMetrics(proxy.requests, s.pool, s.loop),
	})

	deciding, stopDeciding := context.WithCancel(ctx)
	working, stopWorking := context.WithCancel(context.WithoutCancel(ctx)) // replicas are needed until the last answer
	defer stopDeciding()
	defer stopWorking()
	var deciders, workers sync.WaitGroup

	front.Start(fail)
	back.Start(fail)
	workers.Go(func() {
		if err := s.pool.run(working); err != nil {
			fail(err)
		}
	})
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
		if waitFor(deciding, s.pool.full) {
			if err := s.announce(control.Addr().String(), service.Addr().String()); err != nil {
				fail(&StartError{Err: err})
			}
		}
	})

	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	stopDeciding()
	deciders.Wait()
	grace, cut := context.WithTimeout(context.WithoutCancel(ctx), s.cfg.Grace)
	defer cut()
	var hope sync.WaitGroup
	hope.Go(func() {
		switch {
		case err != nil:
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

// announce writes the runtime file and closes Ready.
func (s *Scaler) announce(control, service string) error {
	s.client = NewClient("http://"+control, s.token)
	err := httpapi.Entry{
		Kind: httpapi.Scaler, Name: s.cfg.Name, PID: os.Getpid(),
		Service: service, API: control, Token: s.token,
	}.Write(s.cfg.RuntimeDir)
	if err == nil {
		close(s.ready)
	}
	return err
}
