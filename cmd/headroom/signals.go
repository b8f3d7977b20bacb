package main

import (
	"context"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
)

// signals turns interrupts into two contexts: the first one asks to stop in
// peace, the second one to stop now.
type signals struct {
	stop       context.Context // done after the first interrupt
	now        context.Context // done after the second one
	cancelStop func()
	cancelNow  func()
	release    func()
	count      atomic.Int32
	regular    atomic.Bool // an interrupt is how the command is meant to end
}

func catchSignals(parent context.Context) *signals {
	s := &signals{}
	now, cancelNow := context.WithCancel(parent)
	stop, cancelStop := context.WithCancel(now)
	s.stop, s.now, s.cancelStop, s.cancelNow = stop, now, cancelStop, cancelNow
	c := make(chan os.Signal, 4)
	signal.Notify(c, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-c:
				s.interrupt()
			case <-now.Done():
				return
			}
		}
	}()
	s.release = func() {
		signal.Stop(c)
		cancelStop()
		cancelNow()
		<-ended
	}
	return s
}

// interrupt is what a signal does, for interrupts that come in another way.
func (s *signals) interrupt() {
	if s.count.Add(1) == 1 {
		s.cancelStop()
	} else {
		s.cancelNow()
	}
}

// expect says that an interrupt is the regular end of the command, as it is of
// a server.
func (s *signals) expect() { s.regular.Store(true) }

// interrupted reports whether an interrupt cut the command short.
func (s *signals) interrupted() bool { return s.count.Load() > 0 && !s.regular.Load() }
