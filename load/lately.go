package load

import (
	"cmp"
	"slices"
	"time"
)

// lately keeps the service time of each success of the last while. It belongs to
// the collector.
type lately struct {
	back time.Duration // how far; 0: nothing is kept
	list []success
	hist *hist // for one summary after the other
}

type success struct {
	done, service time.Duration
	replica       int32
}

func newLately(back time.Duration) lately { return lately{back: back, hist: newHist(2)} }

func (l *lately) add(s *Sample) {
	if l.back > 0 && s.OK() {
		l.list = append(l.list, success{s.Done, s.Service(), s.Replica})
	}
}

func (l *lately) reset() { l.list = l.list[:0] }

// summaries forgets what is too old at an offset, and summarises the rest: all of
// it, and each of the replicas that have some.
func (l *lately) summaries(now time.Duration) (all Quantiles, by map[int32]Quantiles) {
	if l.back == 0 {
		return Quantiles{}, nil
	}
	l.list = slices.DeleteFunc(l.list, func(s success) bool { return now-s.done > l.back })
	slices.SortFunc(l.list, func(a, b success) int { return cmp.Compare(a.replica, b.replica) })
	by = map[int32]Quantiles{}
	for rest := l.list; len(rest) > 0; {
		replica := rest[0].replica
		end := slices.IndexFunc(rest, func(s success) bool { return s.replica != replica })
		if end < 0 {
			end = len(rest)
		}
		by[replica] = l.summary(rest[:end])
		rest = rest[end:]
	}
	return l.summary(l.list), by
}

func (l *lately) summary(list []success) Quantiles {
	l.hist.reset()
	for _, s := range list {
		l.hist.record(s.service)
	}
	return l.hist.quantiles()
}
