package advisor

import (
	"maps"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"headroom/load"
	"headroom/probe"
)

// NoticeEvent is the kind of the events that say what keeps a load from the
// replicas, or a source from being heard of them.
const NoticeEvent = "notice"

// Noticed is a notice of the present or the latest swarm.
type Noticed struct {
	probe.Notice               // as it was last
	First        time.Time     `json:"first"`
	Last         time.Time     `json:"last"`
	Held         time.Duration `json:"held"`  // in all, nanoseconds
	AtEnd        bool          `json:"atEnd"` // it holds, or did when the load ended
}

// lasting is how long a notice must have held to be worth telling afterwards
// where it did not hold to the end.
const lasting = 30 * time.Second

// Lasting reports whether it is worth telling after the load: it held at the
// end of it, or for long.
func (n Noticed) Lasting() bool { return n.AtEnd || n.Held >= lasting }

// noteNotices finds what keeps the load from the replicas, and logs what does
// so only now. mu is held.
func (s *Session) noteNotices(now time.Time, st State) {
	if s.state.Notices = nil; !st.Loaded || st.Load.Phase != load.Running {
		s.flowing = time.Time{}
		clear(s.told)
		return
	}
	if s.flowing.IsZero() || st.Load.Total.Count < s.handed.answers {
		s.handed = handedOut(st)
	}
	if s.flowing.IsZero() {
		s.flowing = now
	}
	sight := s.sight(now, st)
	sight.Waits = sight.Waiting(s.waits)
	s.waits, s.state.Notices = sight.Waits, probe.Notices(now, sight)
	if s.state.Phase == Swarming {
		if !s.noticedOf.Equal(st.Load.Started) {
			s.state.Noticed, s.noticedOf = nil, st.Load.Started
		}
		s.state.Noticed = keepNoticed(now, s.state.Noticed, s.state.Notices)
	}
	s.tellNotices(now)
}

// told is a notice of which the log speaks.
type told struct {
	notice probe.Notice
	at     time.Time // when the log last did
	held   time.Time // when it last held
}

// again is how long after it the log tells of a notice that it is about other
// replicas now, or has ended: one may come and go.
const again = 10 * time.Second

// tellNotices logs the notices that are new, or about something else, and those
// that have ended. mu is held.
func (s *Session) tellNotices(now time.Time) {
	for _, n := range s.state.Notices {
		was, known := s.told[n.Kind]
		if !known || was.notice.About != n.About && now.Sub(was.at) >= again {
			s.log(now, NoticeEvent, "%s", n.Text)
			was.at, was.notice = now, n
		}
		was.held = now
		s.told[n.Kind] = was
	}
	for _, kind := range slices.Sorted(maps.Keys(s.told)) {
		if was := s.told[kind]; now.Sub(was.held) >= again {
			what, _, _ := strings.Cut(was.notice.Text, ": ")
			s.log(now, NoticeEvent, "no longer since %s: %s", was.held.Format(time.TimeOnly), what)
			delete(s.told, kind)
		}
	}
}

// handed is what a scaler's own service had handed to its replicas at a moment,
// and how many answers there were of the load.
type handed struct {
	served  map[string]int64
	answers int64
}

func handedOut(st State) handed {
	out := handed{map[string]int64{}, st.Load.Total.Count}
	for _, r := range st.Fleet.Replicas {
		if r.Managed {
			out.served[r.ID] = r.Served
		}
	}
	return out
}

// through reports whether most answers since then came through the service of
// the scaler, which chooses the replicas for them also where the target is a
// balancer before it.
func (h handed) through(now handed) bool {
	var served int64
	for id, n := range now.served {
		served += max(0, n-h.served[id])
	}
	answers := now.answers - h.answers
	return answers > 0 && 2*served >= answers
}

// keepNoticed adds the notices of a moment to those of the load so far, which
// earlier States keep as they were.
func keepNoticed(now time.Time, before []Noticed, notices []probe.Notice) []Noticed {
	out := slices.Clone(before)
	for i := range out {
		out[i].AtEnd = false
	}
	for _, n := range notices {
		i := slices.IndexFunc(out, func(was Noticed) bool { return was.Kind == n.Kind })
		if i < 0 {
			out = append(out, Noticed{Notice: n, First: now, Last: now, AtEnd: true})
			continue
		}
		if before[i].AtEnd { // without a break
			out[i].Held += now.Sub(out[i].Last)
		}
		out[i].Notice, out[i].Last, out[i].AtEnd = n, now, true
	}
	return out
}

// sight is how the load reaches the replicas.
func (s *Session) sight(now time.Time, st State) probe.Sight {
	l := st.Load
	out := probe.Sight{
		Fleet: st.Fleet, Rate: l.Recent.Rate(), Conns: l.Conns.Open, Opened: l.Conns.Opened, Oldest: l.Conns.Oldest, Since: s.flowing,
		Here: s.here, HTTP2: st.Plan.HTTP2, Sticky: l.Sticky,
		Balanced: s.config.Scaler != nil && (!s.config.Behind || s.handed.through(handedOut(st))),
	}
	if target, err := url.Parse(st.Plan.Target); err == nil {
		out.Host = target.Hostname()
	}
	if reset := now.Add(-l.Total.Over); reset.After(out.Since) {
		out.Since = reset // who answered before it is forgotten
	}
	for _, r := range l.Conns.Remotes {
		if address, err := netip.ParseAddrPort(r.Address); err == nil {
			out.Reached = append(out.Reached, address.Addr().Unmap())
		}
	}
	return out
}
