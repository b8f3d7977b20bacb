package load

import (
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"headroom/profiles"
)

// guard keeps a run from flooding somebody else's machine by a slip of the
// keyboard: more than profiles.MostRemote requests per second go to a public
// address only where the plan says so. It is safe for concurrent use.
type guard struct {
	off      bool
	eager    bool          // the plan asks for too much from the start
	budget   *rate.Limiter // closed model, which has no rate to be read from its plan
	stranger atomic.Pointer[netip.Addr]
}

func newGuard(plan profiles.Plan) *guard {
	g := &guard{off: plan.YesRemote}
	if plan.Open() {
		g.eager = plan.Load().At(0) > profiles.MostRemote
	} else {
		g.budget = rate.NewLimiter(profiles.MostRemote, profiles.MostRemote)
	}
	return g
}

// admit is asked before an address is connected to.
func (g *guard) admit(address netip.Addr) error {
	if g.off || !public(address) || own(address) {
		return nil
	}
	g.stranger.Store(&address)
	if g.eager {
		return g.refusal(address)
	}
	return nil
}

// check is told how a run goes: what is planned, which are requests per second
// in the open model, and how many requests were sent since the last time. An
// error means that the run must end.
func (g *guard) check(now time.Time, planned float64, sent int) error {
	address := g.stranger.Load()
	switch {
	case address == nil:
	case g.budget == nil && planned > profiles.MostRemote,
		g.budget != nil && !g.budget.AllowN(now, sent):
		return g.refusal(*address)
	}
	return nil
}

func (g *guard) refusal(address netip.Addr) error {
	return fmt.Errorf("target: got more than %d requests per second for %s, which is neither this machine nor private; want --yes-remote if it may be loaded",
		profiles.MostRemote, address)
}

// shared is the address space between carriers and their customers, which is
// routed no further (RFC 6598).
var shared = netip.MustParsePrefix("100.64.0.0/10")

// public reports whether packets to an address may leave for the internet.
func public(a netip.Addr) bool {
	a = a.Unmap()
	return !(a.IsLoopback() || a.IsPrivate() || a.IsUnspecified() || a.IsLinkLocalUnicast() || shared.Contains(a))
}

// own reports whether an address is one of this machine.
func own(a netip.Addr) bool {
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return false
	}
	for _, address := range addresses {
		if n, ok := address.(*net.IPNet); ok && n.IP.Equal(a.AsSlice()) {
			return true
		}
	}
	return false
}
