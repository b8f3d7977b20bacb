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
// How long says little where answers are few. So many must have come besides
// that an even share of them would have been newShare, or goneShare: the chance
// that a replica that is there had none of them is e^-newShare, or e^-goneShare,
// where each answer goes to any replica.
const (
	newFor     = 10 * time.Second
	newAfter   = 10 * time.Second
	newShare   = 5
	quietAfter = 10 * time.Second
	goneAfter  = time.Minute
	goneShare  = 20
)

// State is New, Serving, Quiet or Gone, as seen at an offset.
func (p Presence) State(now time.Duration) State {
	fair := func(answers, share int64) bool { return answers >= share*int64(p.Known) }
	silent := now - p.Last
	switch {
	case silent > goneAfter && p.Conns == 0 && fair(p.Missed, goneShare):
		return Gone
	case silent > quietAfter:
		return Quiet
	case p.First >= newAfter && now-p.First < newFor && fair(p.Before, newShare):
		return New
	}
	return Serving
}
