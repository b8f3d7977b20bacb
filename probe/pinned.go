package probe

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// reach is which replicas of a fleet get requests.
type reach struct {
	known, answering int
	only             string        // the latest that answers
	left             []string      // that get nothing
	silent           time.Duration // how long the one that waits longest has got nothing
}

// reach tells the replicas that get requests from those that have had nothing
// for leftOutFor. Of replicas that answers alone speak of nobody knows whether
// they are still there, and so of those of a list that does not answer.
func (s Sight) reach(now time.Time) reach {
	var out reach
	stale := s.Fleet.Statement(FromWorkers).Error != ""
	for _, r := range s.Fleet.Replicas {
		switch r.State {
		case Ready, New, Serving, Quiet, Suspect:
		default:
			continue
		}
		out.known++
		since := s.Since
		if r.LastSeen.After(since) {
			since = r.LastSeen
		}
		if ready := r.Created.Add(r.StartedIn); ready.After(since) {
			since = ready
		}
		switch {
		case (r.Managed || r.Listed && !stale) && now.Sub(since) >= leftOutFor:
			out.left = append(out.left, r.ID)
			out.silent = max(out.silent, now.Sub(since))
		case r.Answered:
			out.answering++
			out.only = r.ID
		}
	}
	return out
}

// leftOut says that replicas are known which get nothing, and as far as it can
// be told, why.
func leftOut(now time.Time, s Sight) (Notice, bool) {
	r := s.reach(now)
	if s.Rate <= 0 || len(r.left) == 0 || r.answering == 0 || s.Fleet.foreign() || s.Rate*r.silent.Seconds()/float64(r.known) < leftOutShare {
		return Notice{}, false
	}
	nothing := fmt.Sprintf("%d of %d replicas have had nothing for %s (%s)", len(r.left), r.known, r.silent.Round(time.Second), list(r.left))
	dns := s.Fleet.Statement(FromDNS)
	switch {
	case s.Conns == 1:
		how := "one connection"
		if s.HTTP2 {
			how = "one HTTP/2 connection, which carries any number at once"
		}
		return Notice{NoticeOneConn, fmt.Sprintf("%s: all requests go over %s%s; more users (-u) have more connections, %s", nothing, how, age(s.Oldest), cure)}, true
	case r.answering == 1 && s.Conns > 1 && dns.Known != nil && *dns.Known == 1:
		return Notice{NoticeOneAddress, fmt.Sprintf("%s: %s resolves to one address, and all %d connections to it end at %s: connections are pinned, or the name is that of one replica, or its balancer keeps each client at one; %s",
			nothing, s.Host, s.Conns, r.only, cure)}, true
	}
	return Notice{NoticePinned, fmt.Sprintf("%s: connections are pinned%s; %s", nothing, age(s.Oldest), cure)}, true
}

// unreached says that the name of the target has addresses to which no
// connection has gone since it has had them. Of a family of addresses to which
// none goes at all they are left out: it may be one that does not get through.
func unreached(now time.Time, s Sight) (Notice, bool) {
	dns := s.Fleet.Statement(FromDNS)
	var left []string
	same := 0
	for _, a := range dns.Addresses {
		if !slices.ContainsFunc(s.Reached, func(r netip.Addr) bool { return r.Is4() == a.Is4() }) {
			continue
		}
		same++
		if !slices.Contains(s.Reached, a) {
			left = append(left, a.String())
		}
	}
	if len(left) == 0 || len(left) == same || s.Conns < same || !s.shares(now, dns.Since, same) {
		return Notice{}, false
	}
	return Notice{NoticeUnreached, fmt.Sprintf("no connection goes to %d of the %d addresses of %s (%s): connections are pinned to the others%s, or nothing answers there; %s",
		len(left), same, s.Host, list(left), age(s.Oldest), cure)}, true
}

// forwarded says that everything on this machine ends at one replica, as it
// does through a port-forward.
func forwarded(now time.Time, s Sight) (Notice, bool) {
	r := s.reach(now)
	local := len(s.Reached) == 1 && s.Reached[0].IsLoopback()
	enough := now.Sub(s.Since) >= leftOutFor && s.Rate*leftOutFor.Seconds() >= leftOutShare
	if !enough || !local || s.Fleet.Managed || s.Fleet.Listed || r.answering != 1 || r.only == s.Here || s.Conns <= 1 {
		return Notice{}, false
	}
	return Notice{NoticeForwarded, fmt.Sprintf("%d connections to this machine all end at one replica: is that all there is, or a port-forward, which never balances? Load the service's own address instead", s.Conns)}, true
}

// list names a few replicas.
func list(ids []string) string {
	const most = 3
	if len(ids) > most {
		return fmt.Sprintf("%s and %d more", ids[0], len(ids)-1)
	}
	return strings.Join(ids, ", ")
}

func age(oldest time.Duration) string {
	if oldest <= 0 {
		return ""
	}
	return fmt.Sprintf(", the oldest for %s", oldest.Round(time.Second))
}
