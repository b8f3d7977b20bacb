package load

import "time"

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

// choosePrecision decides for the next tick whether waits end precisely. Where
// connections are given, they may live in virtual time, which only timers
// know.
func (e *Engine) choosePrecision(ep *epoch, now time.Time) {
	e.precise.Store(e.options.NewConn == nil && e.waitsPerSecond(ep.course.At(ep.at(now))) <= preciseRate)
}

// waitsPerSecond is how many waits end in a second, at most, under a load of
// so many arrivals per second or users.
func (e *Engine) waitsPerSecond(load float64) float64 {
	if e.plan.Open() {
		return load
	}
	mean := (e.plan.Wait.Min + e.plan.Wait.Max) / 2
	if mean == 0 {
		return 0 // nobody waits
	}
	return load / mean.Seconds()
}
