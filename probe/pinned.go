package probe

import (
	"fmt"
	"time"
)

// Sight is how a load reaches the replicas of a target. It is a value.
type Sight struct {
	Fleet     Fleet
	Rate      float64       // answers per second, lately
	Conns     int           // connections that are open
	Oldest    time.Duration // for how long the oldest of them has been
	Since     time.Time     // when the load began, or went on after a pause
	Addresses int           // of the target's name; 0: not known
	Loopback  bool          // the target is on this machine
	Here      string        // the name of this machine
	Balanced  bool          // the scaler that reports the fleet chooses the replicas itself
}

// Notice says what keeps a load from reaching all replicas, and what helps.
type Notice struct {
	Kind NoticeKind `json:"kind"`
	Text string     `json:"text"`
}

// NoticeKind is what was noticed.
type NoticeKind string

// The notices.
const (
	NoticePinned    NoticeKind = "pinned"    // replicas are known that get nothing
	NoticeForwarded NoticeKind = "forwarded" // a port-forward ends at one replica
)

// A replica is left out when it has had nothing for so long, in which an even
// share would have been so many answers.
const (
	leftOutFor   = 5 * time.Second
	leftOutShare = 5
)

// Notices says what keeps a load from the replicas at a moment. It is silent
// where the scaler's own order of dispatch explains an idle replica, and where
// there is too little to go by.
func Notices(now time.Time, s Sight) []Notice {
	if s.Balanced || s.Rate <= 0 {
		return nil
	}
	known, answering, silent := 0, 0, time.Duration(0)
	only := ""
	var left []string
	for _, r := range s.Fleet.Replicas {
		switch r.State {
		case Ready, New, Serving, Quiet, Suspect:
		default:
			continue
		}
		known++
		since := s.Since
		if r.LastSeen.After(since) {
			since = r.LastSeen
		}
		if ready := r.Created.Add(r.StartedIn); ready.After(since) {
			since = ready
		}
		if r.Managed && now.Sub(since) >= leftOutFor {
			left = append(left, r.ID)
			silent = max(silent, now.Sub(since))
			continue
		}
		if r.Answered {
			answering++
			only = r.ID
		}
	}
	var out []Notice
	if len(left) > 0 && answering > 0 && s.Rate*silent.Seconds()/float64(known) >= leftOutShare {
		out = append(out, Notice{NoticePinned, fmt.Sprintf("%d of %d replicas have had nothing for %s (%s): connections are pinned%s; R opens new ones, --conn-max-age 30s keeps doing so",
			len(left), known, silent.Round(time.Second), list(left), age(s.Oldest))})
	}
	enough := now.Sub(s.Since) >= leftOutFor && s.Rate*leftOutFor.Seconds() >= leftOutShare
	if enough && s.Loopback && !s.Fleet.Managed && s.Addresses <= 1 && answering == 1 && only != s.Here && s.Conns > 1 {
		out = append(out, Notice{NoticeForwarded, fmt.Sprintf("%d connections to this machine all end at one replica: is that all there is, or a port-forward, which never balances? Load the service's own address instead", s.Conns)})
	}
	return out
}

// list names a few replicas.
func list(ids []string) string {
	const most = 3
	switch {
	case len(ids) == 1:
		return ids[0]
	case len(ids) > most:
		return fmt.Sprintf("%s and %d more", ids[0], len(ids)-1)
	}
	text := ids[0]
	for _, id := range ids[1:] {
		text += ", " + id
	}
	return text
}

func age(oldest time.Duration) string {
	if oldest <= 0 {
		return ""
	}
	return fmt.Sprintf(", the oldest for %s", oldest.Round(time.Second))
}
