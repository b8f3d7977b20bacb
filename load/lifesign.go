package load

import "time"

// lifeSign is when requests last succeeded, and when they last did not, as
// offsets; 0: never. A stream that the end cut off succeeded until its latest
// event. In the closed model a target that died leaves few requests behind, or
// fails them slowly, so the figures hardly show it.
type lifeSign struct {
	good, bad time.Duration
}

func (l *lifeSign) add(s *Sample) {
	switch {
	case s.OK():
		l.good = max(l.good, s.Done)
	case s.Failure == Aborted && s.Stream != nil && s.Stream.Events > 0:
		l.good = max(l.good, s.Stream.Last)
	case s.Failure != Local:
		l.bad = max(l.bad, s.Done)
	}
}

// A target is dead that has not answered for so long, and for so many times its
// p99.
const (
	deadAfter = 2 * time.Second
	deadTimes = 10
)

// deadSince is when the last request succeeded, where that is long before the
// end of the load and others did not since; 0 where it is not, or where none
// ever did.
func (l *lifeSign) deadSince(end, p99 time.Duration) time.Duration {
	if l.good == 0 || l.bad <= l.good || end-l.good <= max(deadAfter, deadTimes*p99) {
		return 0
	}
	return l.good
}
