package advisor

import (
	"net/netip"
	"net/url"
	"slices"
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
	before := s.state.Notices
	if s.state.Notices = nil; !st.Loaded || st.Load.Phase != load.Running {
		s.flowing = time.Time{}
		return
	}
	if s.flowing.IsZero() {
		s.flowing = now
	}
	s.state.Notices = probe.Notices(now, s.sight(now, st))
	if s.state.Phase == Swarming {
		if !s.noticedOf.Equal(st.Load.Started) {
			s.state.Noticed, s.noticedOf = nil, st.Load.Started
		}
		s.state.Noticed = keepNoticed(now, s.state.Noticed, s.state.Notices)
	}
	for _, n := range s.state.Notices {
		if !slices.ContainsFunc(before, func(was probe.Notice) bool { return was.Kind == n.Kind }) {
			s.log(now, NoticeEvent, "%s", n.Text)
		}
	}
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
		Fleet: st.Fleet, Rate: l.Recent.Rate(), Conns: l.Conns.Open, Oldest: l.Conns.Oldest, Since: s.flowing,
		Here: s.here, HTTP2: st.Plan.HTTP2, Balanced: s.config.Scaler != nil && !s.config.Behind, Unseen: l.Unseen,
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
