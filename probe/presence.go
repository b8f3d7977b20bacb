package probe

import (
	"math"
	"time"
)

// Presence is what the answers tell of whether a replica is there. Times are
// offsets from the start of the load. It is a value.
type Presence struct {
	Began  time.Duration // when answers began to name their replicas as they do now
	First  time.Duration // its first answer
	Last   time.Duration // its latest answer
	Before int64         // answers of all replicas before its first
	Met    int           // replicas that had answered by then, itself included
	Own    int64         // its answers
	Among  int64         // answers of all from its first to its latest
	Missed int64         // answers of the others since its latest
	Lost   int64         // requests since its latest that failed without an answer of any
	Living int           // replicas that are not gone, itself included
	Conns  int           // open connections that end at it, as far as is known
}

// A replica is new for newFor from its first answer on, if it appeared (see
// Appeared). It is quiet or gone as Silence says, with the share that it gave
// at least, and no more than an even one; a silence shorter than quietAfter or
// goneAfter is that of a replica that pauses, whatever the others answer
// meanwhile. One that a connection ends at is not gone. Requests that fail
// without an answer make one quiet, and not gone: they may fail on their way.
const (
	newFor     = 10 * time.Second
	newAfter   = 10 * time.Second
	quietAfter = 5 * time.Second
	goneAfter  = 10 * time.Second
)

// newChance is how unlikely it must be that a replica was there before its
// first answer for it to count as one that appears.
const newChance = 0.01

// appeared reports whether chance does not explain that a replica gave none of
// so many answers before its first, of those that known replicas gave.
func appeared(known int, before int64) bool { return Missed(1/float64(known), before) < newChance }

// Appeared reports whether the replica came after the start of the load, as far
// as the answers tell: the load had gone on for 10 s, as at its start every
// replica answers for the first time, and chance does not explain that it was
// not met before.
func (p Presence) Appeared() bool {
	return p.First-p.Began >= newAfter && appeared(max(1, p.Met), p.Before)
}

// State is New, Serving, Quiet or Gone, as seen at an offset.
func (p Presence) State(now time.Duration) State {
	silent, share := now-p.Last, p.share()
	switch {
	case silent > goneAfter && p.Conns == 0 && Silence(share, p.Missed) == Gone:
		return Gone
	case silent > quietAfter && Silence(share, p.Missed+p.Lost) != Serving:
		return Quiet
	case now-p.First < newFor && p.Appeared():
		return New
	}
	return Serving
}

// share is the share of the answers that the replica should have.
func (p Presence) share() float64 {
	among := p.Among
	if !p.Appeared() {
		among += p.Before // it may have been there
	}
	return min(1/float64(max(1, p.Living)), leastShare(p.Own, among))
}

// leastShare is the lower end of the interval of three standard deviations for
// the share of which k of n draws came (Wilson, Journal of the American
// Statistical Association 22, 1927).
func leastShare(k, n int64) float64 {
	if n <= 0 {
		return 0
	}
	const z2 = 3 * 3
	p, of := float64(k)/float64(n), float64(n)
	return max(0, (p+z2/(2*of)-math.Sqrt(z2*(p*(1-p)/of+z2/(4*of*of))))/(1+z2/of))
}
