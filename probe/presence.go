package probe

import "time"

// Presence is what the answers tell of whether a replica is there. Times are
// offsets from the start of the load. It is a value.
type Presence struct {
	Began  time.Duration // when answers began to name their replicas as they do now
	First  time.Duration // its first answer
	Last   time.Duration // its latest answer
	Before int64         // answers of all replicas before its first
	Calm   int64         // of the choices among replicas before its first, those since the load last grew: answers, or connections where those stay
	Met    int           // replicas that had answered by then, itself included
	Own    int64         // its answers
	Among  int64         // answers of all from its first to its latest
	Missed int64         // answers of the others since its latest
	Lost   int64         // requests since its latest that failed without an answer of any
	Living int           // replicas that are not gone, itself included
	Conns  int           // open connections that end at it, as far as is known

	Over  bool           // the load is over: nothing more will come
	Ready *time.Duration // since when a source has had it as ready, below 0 before the load; nil: none says so
}

// A replica is new for newFor from its first answer on, if it appeared (see
// Appeared) and no source has had it as ready for longer before. It is quiet or
// gone by Silence; a silence shorter than quietAfter or goneAfter is that of a
// replica that pauses, whatever the others answer meanwhile. At the end of a
// load, when no pause will end any more, quietAtEnd makes one quiet. One that a
// connection ends at is not gone. Requests that fail without an answer make one
// quiet, and not gone: they may fail on their way.
const (
	newFor     = 10 * time.Second
	newAfter   = 10 * time.Second
	quietAfter = 5 * time.Second
	quietAtEnd = time.Second
	goneAfter  = 10 * time.Second
)

// newChance is how unlikely it must be that a replica was there before its
// first answer for it to count as one that appears.
const newChance = 0.01

// chanceMisses reports whether chance explains that one of so many replicas was
// chosen in none of so many draws. It may be any of them, so the chance is that of
// a certain one times their number (Boole's inequality).
func chanceMisses(replicas int, draws int64) bool {
	return float64(replicas)*Missed(1/float64(replicas), draws) >= newChance
}

// Appeared reports whether the replica came after the start of the load, as far
// as the answers tell: chance does not explain that it was not met before. In the
// first 10 s, in which every replica answers for the first time, only what came
// since the load last grew speaks for that, as a balancer may need more replicas
// for more load. A source that has had it as ready only since the start knows.
func (p Presence) Appeared() bool {
	if p.Ready != nil && *p.Ready > 0 {
		return true
	}
	chances := p.Before
	if p.First-p.Began < newAfter {
		chances = min(p.Calm, p.Before)
	}
	return !chanceMisses(max(1, p.Met), chances)
}

// State is New, Serving, Quiet or Gone, as seen at an offset.
func (p Presence) State(now time.Duration) State {
	silent, patience := now-p.Last, quietAfter
	if p.Over {
		patience = quietAtEnd
	}
	switch {
	case silent > goneAfter && p.Conns == 0 && p.silence(p.Missed) == Gone:
		return Gone
	case silent > patience && p.silence(p.Missed+p.Lost) != Serving:
		return Quiet
	case now-p.First < newFor && p.Appeared() && !p.idled():
		return New
	}
	return Serving
}

// idled reports whether it was there, without a request, for more than newFor.
func (p Presence) idled() bool { return p.Ready != nil && p.First-*p.Ready > newFor }

// silence is the state that a silence of n answers speaks for.
func (p Presence) silence(n int64) State {
	among := p.Among
	if !p.Appeared() {
		among += p.Before // it may have been there
	}
	return Silence(p.Own, among, p.Living, n)
}
