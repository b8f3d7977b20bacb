package probe

import (
	"net/netip"
	"time"
)

// Sight is how a load reaches the replicas of a target. It is a value.
type Sight struct {
	Fleet    Fleet
	Rate     float64         // answers per second, lately
	Conns    int             // connections that are open
	Opened   int64           // connections that have been opened, those included
	Waits    map[string]Wait // of the replicas, see Waiting
	Oldest   time.Duration   // for how long the oldest of them has been
	Since    time.Time       // when the load began, or went on after a pause
	Reached  []netip.Addr    // addresses of the target that connections went to
	Host     string          // name of the target
	Here     string          // the name of this machine
	HTTP2    bool            // a connection carries any number of requests at once
	Balanced bool            // the scaler that reports the fleet chooses the replicas itself
	Sticky   bool            // every connection stays with its replica
}

// Wait is since when a replica has had nothing, and how many connections had been
// opened by then, as far as that was looked at.
type Wait struct {
	Since  time.Time
	Opened int64
}

// Waiting is since when each of the replicas that may get requests has had
// nothing, by its ID: of those that wait as before it is what it was.
func (s Sight) Waiting(before map[string]Wait) map[string]Wait {
	out := map[string]Wait{}
	for _, r := range s.Fleet.Replicas {
		if !r.up() {
			continue
		}
		since := s.silentSince(r)
		if w, known := before[r.ID]; known && w.Since.Equal(since) {
			out[r.ID] = w
			continue
		}
		out[r.ID] = Wait{since, s.Opened}
	}
	return out
}

// silentSince is since when a replica has had nothing of the load.
func (s Sight) silentSince(r Replica) time.Time {
	since := s.Since
	for _, at := range []time.Time{r.LastSeen, r.Since} {
		if at.After(since) {
			since = at
		}
	}
	return since
}

// Notice says what keeps a load from reaching all replicas, and what helps, or
// where the sources contradict each other.
type Notice struct {
	Kind NoticeKind `json:"kind"`
	Text string     `json:"text"`

	About string `json:"about,omitempty"` // the replicas or the sources that it is about, in a few words
}

// NoticeKind is what was noticed.
type NoticeKind string

// The notices.
const (
	NoticePinned     NoticeKind = "pinned"    // replicas are known that get nothing
	NoticeLeftOut    NoticeKind = "left_out"  // replicas are known that a balancer could have chosen, and has not
	NoticeStopped    NoticeKind = "stopped"   // replicas that answered are still known, and do not any more
	NoticeOneConn    NoticeKind = "one_conn"  // everything goes over one connection
	NoticeOneAddress NoticeKind = "one_addr"  // a name of one address, behind which one replica answers
	NoticeUnreached  NoticeKind = "unreached" // the name has addresses that no connection goes to
	NoticeForwarded  NoticeKind = "forwarded" // a port-forward ends at one replica
	NoticeDisagree   NoticeKind = "disagree"  // the sources contradict each other
)

// A replica is left out when it has had nothing for so long, in which an even
// share would have been so many answers.
const (
	leftOutFor   = 5 * time.Second
	leftOutShare = 5
)

// cure helps where connections keep to their replicas.
const cure = "R opens fresh connections, --conn-max-age 30s keeps doing so"

// Notices says what keeps a load from the replicas at a moment. It is silent
// where the scaler's own order of dispatch explains an idle replica, and where
// there is too little to go by.
func Notices(now time.Time, s Sight) []Notice {
	var out []Notice
	for _, look := range []func(time.Time, Sight) (Notice, bool){leftOut, stopped, unreached, forwarded} {
		if n, ok := look(now, s); ok && !s.Balanced {
			out = append(out, n)
		}
	}
	if n, ok := disagreement(now, s, len(out) > 0); ok {
		out = append(out, n)
	}
	return out
}

// shares reports whether, since then, each of n would have had enough answers
// of an even share that none can have gone without by chance: with 5 expected
// that happens to one in 150 (e^-5).
func (s Sight) shares(now, since time.Time, n int) bool {
	if s.Since.After(since) {
		since = s.Since
	}
	over := now.Sub(since)
	return n > 0 && over >= leftOutFor && s.Rate*over.Seconds()/float64(n) >= leftOutShare
}
