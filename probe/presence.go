package probe

import "time"

// Presence is what the answers tell of whether a replica is there. Times are
// offsets from the start of the load. It is a value.
type Presence struct {
	First  time.Duration // its first answer
	Last   time.Duration // its latest answer
	Before int64         // answers of all replicas before its first
	Missed int64         // answers of the others since its latest
	Conns  int           // open connections whose latest answer was its own
	Known  int           // replicas that have answered so far, itself included
}

// A replica is new for newFor from its first answer on, if the load had gone
// on for newAfter by then: at the start of a load every replica is. It is quiet
// when it has not answered for quietAfter, and gone when it has not for
// goneAfter and nobody holds a connection to it.
//
// How long says little where answers are few: so many must have come besides
// that chance does not explain a replica that was there before, or still is (see
// appeared and Silence).
const (
	newFor     = 10 * time.Second
	newAfter   = 10 * time.Second
	quietAfter = 10 * time.Second
	goneAfter  = time.Minute
)

// newChance is how unlikely it must be that a replica was there before its
// first answer for it to count as one that appears.
const newChance = 0.01

// appeared reports whether chance does not explain that a replica gave none of
// so many answers before its first, of those that known replicas gave.
func appeared(known int, before int64) bool { return Missed(1/float64(known), before) < newChance }

// State is New, Serving, Quiet or Gone, as seen at an offset.
func (p Presence) State(now time.Duration) State {
	silent := now - p.Last
	switch {
	case silent > goneAfter && p.Conns == 0 && Silence(1/float64(p.Known), p.Missed) == Gone:
		return Gone
	case silent > quietAfter:
		return Quiet
	case p.First >= newAfter && now-p.First < newFor && appeared(p.Known, p.Before):
		return New
	}
	return Serving
}
