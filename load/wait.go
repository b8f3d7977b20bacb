package load

import (
	"context"
	"time"
)

const (
	// timerLate is how much later than set a timer of the runtime may fire: an
	// idle process sleeps in epoll_wait, which counts in whole milliseconds.
	timerLate = 2 * time.Millisecond
	// preciseRate is up to how many waits per second end precisely. On a shared
	// virtual machine of two cores, against nginx, with and without:
	//
	//	            sent late, p50    p99              cores
	//	100/s       0.09 / 0.62 ms    0.4 / 1.3 ms     0.07 / 0.04
	//	1,000/s     0.06 / 0.52 ms    0.7 / 2.7 ms     0.22 / 0.13
	//
	// At 5,000/s p99 is 1.2 ms without, and precision would more than double
	// the work of a request: one late timer wakes everybody who is due.
	preciseRate = 500
)

// until waits for a moment. It returns false when the user must start nothing
// more, or when cut is closed before.
//
// Where waits are precise, a timer of the runtime goes most of the way, and can
// be cut short; sleepUntil goes the rest.
func (u *user) until(due time.Time, cut <-chan struct{}) bool {
	precise := u.engine.precise.Load()
	d := time.Until(due)
	if d <= 0 {
		return u.more.Err() == nil
	}
	if precise {
		d -= timerLate
	}
	if d > 0 {
		u.timer.Reset(d)
		select {
		case <-u.timer.C:
		case <-cut:
			return false
		case <-u.more.Done():
			return false
		}
	}
	if precise {
		sleepUntil(due)
	}
	return true
}

// sleepUntil sleeps until t, which is a few milliseconds away: with Sleep, or
// where that is not to be had with a timer.
func sleepUntil(t time.Time) {
	if d := time.Until(t); d > 0 && Sleep(context.Background(), d) != nil {
		time.Sleep(time.Until(t))
	}
}

// choosePrecision decides for the next tick whether waits end precisely: not
// at a high rate, of planned arrivals or of what the users sent lately. Where
// connections are given, they may live in virtual time, which only timers
// know.
func (e *Engine) choosePrecision(perSecond float64) {
	e.precise.Store(e.options.NewConn == nil && perSecond <= preciseRate)
}

// pace follows how many requests are sent.
type pace struct {
	at   time.Duration // of the last look, an offset
	sent int64         // until then
}

// perSecond is how many were sent per second since the last look, which is a
// tick ago.
func (p *pace) perSecond(now time.Duration, sent int64) float64 {
	rate := perSecond(sent-p.sent, now-p.at)
	p.at, p.sent = now, sent
	return rate
}
