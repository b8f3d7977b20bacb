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
	left             []string      // that have got nothing
	silent           time.Duration // how long the one of them that waits longest has got nothing
	waits            time.Duration // and the one that waits shortest
	opened           int64         // connections since then
	stopped          []string      // that answered, and do not any more
	last             time.Time     // when the first of them did
}

// reach tells the replicas that get requests from those that have had nothing
// for leftOutFor, and where an even share of it would have been leftOutShare
// answers. Only of those that a scaler or a list has at the moment anybody knows
// that they are still there.
func (s Sight) reach(now time.Time) reach {
	var out reach
	out.known = s.Fleet.Up()
	for _, r := range s.Fleet.Replicas {
		if !r.up() {
			continue
		}
		silent := now.Sub(s.silentSince(r))
		long := silent >= leftOutFor && s.Rate*silent.Seconds() >= leftOutShare*float64(out.known)
		switch {
		case s.Fleet.vouchedFor(r) && long && r.Answered:
			if out.last.IsZero() || r.LastSeen.Before(out.last) {
				out.last = r.LastSeen
			}
			out.stopped = append(out.stopped, r.ID)
		case s.Fleet.vouchedFor(r) && long:
			opened := s.Opened - s.Waits[r.ID].Opened
			if out.left = append(out.left, r.ID); len(out.left) == 1 {
				out.waits, out.opened = silent, opened
			}
			out.silent, out.waits, out.opened = max(out.silent, silent), min(out.waits, silent), min(out.opened, opened)
		case r.State == New || r.State == Serving:
			out.answering++
			out.only = r.ID
		}
	}
	return out
}

// vouchedFor reports whether a scaler or a list of workers has a replica, and
// answers at the moment.
func (f Fleet) vouchedFor(r Replica) bool {
	return r.Managed && f.Statement(FromScaler).Error == "" || r.Listed && f.Statement(FromWorkers).Error == ""
}

// keeps reports whether connections keep a load from a replica that has waited
// for so long: each stays with its replica, and the oldest has been open for half
// of that time or more. Else they are opened anew often enough to reach it.
func (s Sight) keeps(waited time.Duration) bool { return s.Sticky && 2*s.Oldest >= waited }

// draws is how often a replica was chosen while those that are left waited: for
// each answer or, where connections stay, for each that was opened.
func (s Sight) draws(r reach) (n int64, of string) {
	if s.Sticky {
		return r.opened, "connections"
	}
	return int64(s.Rate * r.waits.Seconds()), "answers"
}

// leftOut says that replicas are known which get nothing, and as far as it can
// be told, why. It is silent where chance explains that those who choose have
// not chosen them yet.
func leftOut(now time.Time, s Sight) (Notice, bool) {
	r := s.reach(now)
	if s.Rate <= 0 || len(r.left) == 0 || r.answering == 0 || s.Fleet.foreign() {
		return Notice{}, false
	}
	has, them := "have", "them"
	if len(r.left) == 1 {
		has, them = "has", "it"
	}
	nothing := fmt.Sprintf("%d of %d replicas %s had nothing for %s (%s)", len(r.left), r.known, has, r.silent.Round(time.Second), list(r.left))
	say := func(kind NoticeKind, format string, args ...any) (Notice, bool) {
		return Notice{kind, fmt.Sprintf(format, args...), list(r.left)}, true
	}
	if !s.keeps(r.waits) {
		draws, of := s.draws(r)
		if chanceMisses(r.known, draws) {
			return Notice{}, false
		}
		return say(NoticeLeftOut, "%s, while %d %s went to others: the balancer leaves %s out; see its replicas and health checks", nothing, draws, of, them)
	}
	dns := s.Fleet.Statement(FromDNS)
	switch {
	case s.Conns == 1:
		how := "one connection"
		if s.HTTP2 {
			how = "one HTTP/2 connection, which carries any number at once"
		}
		return say(NoticeOneConn, "%s: all requests go over %s%s; more users (-u) have more connections, %s", nothing, how, age(s.Oldest), cure)
	case r.answering == 1 && s.Conns > 1 && dns.Known != nil && *dns.Known == 1:
		return say(NoticeOneAddress, "%s: %s resolves to one address, and all %d connections to it end at %s: connections are pinned, or the name is that of one replica, or its balancer keeps each client at one; %s",
			nothing, s.Host, s.Conns, r.only, cure)
	}
	return say(NoticePinned, "%s: connections are pinned%s; %s", nothing, age(s.Oldest), cure)
}

// stopped says that replicas which answered do not any more, although a scaler
// or a list still has them as ready.
func stopped(now time.Time, s Sight) (Notice, bool) {
	r := s.reach(now)
	if s.Rate <= 0 || len(r.stopped) == 0 || r.answering == 0 || s.Fleet.foreign() {
		return Notice{}, false
	}
	has, it, them, who := "has", "it", "it", "the list of workers"
	if len(r.stopped) > 1 {
		has, it, them = "have", "they", "them"
	}
	if s.Fleet.Managed {
		who = "the scaler"
	}
	or := "the balancer leaves " + them + " out"
	if s.Sticky {
		or = "no connection goes there any more; R opens fresh connections"
	}
	return Notice{NoticeStopped, fmt.Sprintf("%s %s stopped answering (since %s), %s still has %s as running: %s %s ended, or %s",
		list(r.stopped), has, r.last.Format(time.TimeOnly), who, them, it, has, or), list(r.stopped)}, true
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
	if len(left) == 0 || len(left) == same || s.Opened < int64(same) || !s.shares(now, dns.Since, same) {
		return Notice{}, false
	}
	since := dns.Since
	if s.Since.After(since) {
		since = s.Since
	}
	why := "nothing answers there, as the connections were opened since it has them, each to the next address"
	if 2*s.Oldest >= now.Sub(since) {
		why = fmt.Sprintf("connections are pinned to the others%s, or nothing answers there; %s", age(s.Oldest), cure)
	}
	return Notice{NoticeUnreached, fmt.Sprintf("no connection goes to %d of the %d addresses of %s (%s): %s", len(left), same, s.Host, list(left), why), list(left)}, true
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
	return Notice{NoticeForwarded, fmt.Sprintf("%d connections to this machine all end at one replica: through a port-forward, which never balances, load the service's own address instead", s.Conns), r.only}, true
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
