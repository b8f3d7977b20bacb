package probe

import (
	"fmt"
	"math/bits"
	"time"
)

// Change is something that a Watch has to tell.
type Change struct {
	At      time.Time  `json:"at"` // when it was noticed
	Kind    ChangeKind `json:"kind"`
	Replica string     `json:"replica,omitempty"` // empty: it is about the target
	Since   time.Time  `json:"since,omitzero"`    // when what it tells began: a first or a last answer, or the first failure
	Text    string     `json:"text"`
}

// ChangeKind is what a Change tells.
type ChangeKind string

// The changes.
const (
	ChangeMet       ChangeKind = "met"       // a replica answers for the first time, and may have been there before
	ChangeAppears   ChangeKind = "appears"   // a replica answers that was not there before
	ChangeQuiet     ChangeKind = "quiet"     // a replica is missed
	ChangeGone      ChangeKind = "gone"      // a replica does not come back
	ChangeAgain     ChangeKind = "again"     // a replica answers that was quiet or gone
	ChangeFailing   ChangeKind = "failing"   // of a replica or of the target: requests fail
	ChangeRecovered ChangeKind = "recovered" // no longer
	ChangeDown      ChangeKind = "down"      // every request fails, none of them at a replica, so that all are quiet
	ChangeUp        ChangeKind = "up"        // no longer
	ChangeSource    ChangeKind = "source"    // replicas are named from elsewhere
	ChangeNotice    ChangeKind = "notice"    // something keeps the requests from replicas
)

// changes are those of one moment.
type changes struct {
	now  time.Time
	list []Change
}

func (c *changes) add(kind ChangeKind, replica string, since time.Time, format string, args ...any) {
	c.list = append(c.list, Change{At: c.now, Kind: kind, Replica: replica, Since: since, Text: fmt.Sprintf(format, args...)})
}

// outcomes are those of the latest requests: one bit each, the latest lowest,
// set where one failed.
type outcomes struct {
	bits uint32
	n    int  // of bits that count
	bad  bool // as last told
}

const latestOutcomes = 20

// add takes so many more requests, of which so many failed. Of those that come
// together the failures count as the first, so that they do not look like an
// end; of more than are kept, their share, in which no failure gets lost, nor
// that one succeeded.
func (o *outcomes) add(requests, failed int64) {
	if requests > latestOutcomes {
		share := (failed*latestOutcomes + requests - 1) / requests
		if failed < requests {
			share = min(share, latestOutcomes-1)
		}
		requests, failed = latestOutcomes, share
	}
	for i := range requests {
		o.bits <<= 1
		if i < failed {
			o.bits |= 1
		}
		o.n = min(o.n+1, latestOutcomes)
	}
	o.bits &= 1<<latestOutcomes - 1
}

// failed is how many of them failed.
func (o *outcomes) failed() int { return bits.OnesCount32(o.bits) }

// streak is how many failed in a row up to now.
func (o *outcomes) streak() int { return bits.TrailingZeros32(^o.bits) }

// ended reports whether the requests that failed last are more in a row than
// chance brings with as many failures as there were before them.
func (o *outcomes) ended() bool {
	k := o.streak()
	before, failed := o.n-k, o.failed()-k
	likely := float64(failed+1) / float64(before+2) // by the rule of succession
	return Missed(1-likely, int64(k)) < quietChance
}

// turn is what the latest request changed.
type turn int

// The turns.
const (
	steady turn = iota
	failing
	recovered
)

// turn says whether failures begin or have ended: at two of the latest, and
// when there is none left.
func (o *outcomes) turn() turn {
	switch n := o.failed(); {
	case !o.bad && n >= 2:
		o.bad = true
		return failing
	case o.bad && n == 0:
		o.bad = false
		return recovered
	}
	return steady
}
