package advisor

import (
	"net/netip"
	"slices"
	"time"

	"headroom/load"
	"headroom/probe"
)

// NoticeEvent is the kind of the events that say what keeps a load from the
// replicas.
const NoticeEvent = "notice"

// noteNotices finds what keeps the load from the replicas, and logs what does
// so only now. mu is held.
func (s *Session) noteNotices(now time.Time, st State) {
	before := s.state.Notices
	if s.state.Notices = nil; !st.Loaded || st.Load.Phase != load.Running {
		s.flowing = time.Time{}
		return
	}
	if s.flowing.IsZero() {
		s.flowing = now
	}
	s.state.Notices = probe.Notices(now, s.sight(now, st))
	for _, n := range s.state.Notices {
		if !slices.ContainsFunc(before, func(was probe.Notice) bool { return was.Kind == n.Kind }) {
			s.log(now, NoticeEvent, "%s", n.Text)
		}
	}
}

// sight is how the load reaches the replicas.
func (s *Session) sight(now time.Time, st State) probe.Sight {
	l := st.Load
	out := probe.Sight{
		Fleet: st.Fleet, Rate: l.Recent.Rate(), Conns: l.Conns.Open, Oldest: l.Conns.Oldest, Since: s.flowing,
		Addresses: len(l.Conns.Remotes), Here: s.here, Balanced: s.config.Scaler != nil && !s.config.Behind,
	}
	if reset := now.Add(-l.Total.Over); reset.After(out.Since) {
		out.Since = reset // who answered before it is forgotten
	}
	for _, r := range l.Conns.Remotes {
		address, err := netip.ParseAddrPort(r.Address)
		out.Loopback = err == nil && address.Addr().Unmap().IsLoopback()
	}
	return out
}
