package scaler

import (
	"context"
	"errors"
	"fmt"
	"time"

	"headroom/probe"
	"headroom/profiles"
)

// instance is a started command. Its life ends when the command and
// everything that it started are gone; the cause says why.
type instance struct {
	address string // host:port that it was told to listen on
	pid     int    // of the command
	root    int    // the process whose descendants are the replica
	output  *output
	life    context.Context
	stop    func(grace time.Duration) // ends it, returns when it is gone; may be called again
}

// replica is one instance from its order to its end. Its number, and so its
// ID, is never used again.
type replica struct {
	number int

	// Guarded by pool.mu.
	info   probe.Replica
	root   int     // see instance
	output *output // nil until it was started
}

// use is what would be lost without the replica. Those that are idle since
// rested or before have been so for long enough.
func (r *replica) use(t traffic, rested time.Time) profiles.Use {
	work := t.backends[r.info.ID]
	switch state := r.info.State; {
	case state == probe.Failing || r.info.InCrashLoop() && state == probe.Starting:
		return profiles.Broken
	case state == probe.Starting:
		return profiles.Launching
	case state == probe.Suspect:
		return profiles.Doubted
	case work.inFlight > 0:
		return profiles.Working
	case work.idle.IsZero() || work.idle.After(rested):
		return profiles.Resting
	}
	return profiles.Rested
}

// stable reports whether a replica has been in service for so long that what
// failed before it in its place counts no more.
func (r *replica) stable(now time.Time) bool {
	return r.info.StartedIn > 0 && now.Sub(r.info.Created.Add(r.info.StartedIn)) >= stableAfter
}

// event is what happens to a replica.
type event int

const (
	answered  event = iota // it is ready
	doubted                // it did not answer, or broke off
	ended                  // its process is gone
	dismissed              // it must go
	retried                // the pause after a failure is over
)

// next is the life of a replica:
//
//	state     answered  doubted  ended    dismissed  retried
//	starting  ready     -        failing  draining   -
//	ready     -         suspect  failing  draining   -
//	suspect   ready     -        failing  draining   -
//	failing   -         -        -        gone       gone
//	draining  -         -        gone     -          -
//	gone      -         -        -        -          -
//
// A ready replica is free or busy: that is whether it has requests in flight,
// which the balancer knows. Failing lasts for the pause before another replica
// takes the place.
func next(s probe.State, e event) probe.State {
	switch {
	case (s == probe.Starting || s == probe.Suspect) && e == answered:
		return probe.Ready
	case s == probe.Ready && e == doubted:
		return probe.Suspect
	case wanted(s) && e == ended:
		return probe.Failing
	case wanted(s) && e == dismissed:
		return probe.Draining
	case s == probe.Failing && (e == dismissed || e == retried),
		s == probe.Draining && e == ended:
		return probe.Gone
	}
	return s
}

// wanted reports whether a replica runs and is not to go.
func wanted(s probe.State) bool {
	return s == probe.Starting || s == probe.Ready || s == probe.Suspect
}

const (
	firstPause   = 500 * time.Millisecond // after a failure; doubles
	longestPause = 30 * time.Second
	stableAfter  = 10 * time.Second // ready for this long: the next pause is the first one again
	atOnce       = time.Second      // who answers again within this was not away
)

// pause is how long to wait after so many failures in a row.
func pause(failures int) time.Duration {
	d := firstPause
	for ; failures > 1 && d < longestPause; failures-- {
		d *= 2
	}
	return min(d, longestPause)
}

// place is the right to have one replica. Its goroutine fills it until it is
// vacated.
type place struct {
	vacate  context.CancelFunc
	current *replica // guarded by pool.mu
}

// occupy keeps a replica in the place until stay is done. Then the replica
// finishes what it has, unless run is done too.
func (p *pool) occupy(run, stay context.Context, pl *place) {
	failures := 0
	for restarts := 0; ; restarts++ {
		r := p.hire(pl, restarts, failures)
		output, err := p.employ(run, stay, r)
		if stay.Err() != nil {
			p.advance(r, dismissed, "")
			p.advance(r, ended, "")
			return
		}
		if p.neverReady() {
			p.fail(&StartError{Err: fmt.Errorf("%s: %w", p.command, err), Output: output})
			return
		}
		info := p.advance(r, ended, err.Error())
		if !wait(stay, time.Until(info.Retry)) {
			p.advance(r, dismissed, "")
			return
		}
		p.advance(r, retried, "")
		failures = info.Failures
	}
}

// employ runs one replica until it ends, which is an error, or stay is done.
func (p *pool) employ(run, stay context.Context, r *replica) (output []string, err error) {
	in, err := p.launch(stay, r.info.ID)
	if err != nil {
		return nil, err
	}
	p.started(r, in)
	err = p.work(run, stay, r, in)
	in.stop(p.grace)
	return in.output.tail(), err
}

// work has the replica ready and in service until it ends, which is an error,
// or stay is done.
func (p *pool) work(run, stay context.Context, r *replica, in *instance) error {
	if err := p.untilReady(stay, in); err != nil {
		if stay.Err() != nil {
			p.advance(r, dismissed, "")
		}
		return err
	}
	be := p.enter(r, in)
	defer p.leave(r, be)
	looks := time.NewTicker(p.liveInterval)
	defer looks.Stop()
	for {
		var doubt error
		select {
		case <-in.life.Done():
			return context.Cause(in.life)
		case <-be.suspect:
			doubt = p.confront(stay, in, be)
		case <-looks.C:
			doubt = p.look(stay, in, be)
		case <-stay.Done():
			p.advance(r, dismissed, "")
			p.drain(run, in, be)
			return nil
		}
		if doubt == nil || in.life.Err() != nil || stay.Err() != nil {
			continue
		}
		p.advance(r, doubted, doubt.Error())
		switch err := p.untilReady(stay, in); {
		case err == nil:
			p.advance(r, answered, "")
			p.balancer.resume(be)
		case stay.Err() == nil:
			return err
		}
	}
}

// confront asks a replica that broke a request off. One that answers at once
// goes on without a word: it may do the same with the next request.
func (p *pool) confront(stay context.Context, in *instance, be *backend) error {
	if p.within(stay, in, atOnce) != nil {
		return errors.New("a request was not answered")
	}
	p.balancer.resume(be)
	return nil
}

// untilReady waits until the replica answers, and says why it did not within
// the start timeout. The time does not count in which this process could not
// ask.
func (p *pool) untilReady(stay context.Context, in *instance) error {
	for {
		err := p.within(stay, in, p.startTimeout)
		switch {
		case err == nil:
			return nil
		case in.life.Err() != nil:
			return context.Cause(in.life)
		case stay.Err() == nil && exhausted(err):
			continue
		}
		return fmt.Errorf("not ready within %s: %w", profiles.Duration(p.startTimeout), err)
	}
}

// within asks until the replica answers, for so long.
func (p *pool) within(stay context.Context, in *instance, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(stay, limit)
	defer cancel()
	defer context.AfterFunc(in.life, cancel)()
	return p.ready(ctx, in.address)
}

// drain waits until the replica has nothing left to do, at most for the
// timeout. A request may take longer that has something to do all the time: a
// stream, an upgraded connection, a slow upload. It is broken off then.
func (p *pool) drain(run context.Context, in *instance, be *backend) {
	p.balancer.drain(be)
	limit := time.NewTimer(p.timeout)
	defer limit.Stop()
	select {
	case <-be.idle:
	case <-limit.C:
	case <-in.life.Done():
	case <-run.Done():
	}
}

// StartError says why a scaler could not start.
type StartError struct {
	Err    error
	Output []string // the last lines that the command printed, oldest first
}

func (e *StartError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *StartError) Unwrap() error { return e.Err }
