package load

import (
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"

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
	refused  chan error // has a value once the run must end
}

func newGuard(plan profiles.Plan) *guard {
	g := &guard{off: plan.YesRemote, refused: make(chan error, 1)}
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
		return g.refuse(address)
	}
	return nil
}

// spend is asked before a request is sent.
func (g *guard) spend() error {
	if address := g.stranger.Load(); address != nil && g.budget != nil && !g.budget.Allow() {
		return g.refuse(*address)
	}
	return nil
}

// check is told what is planned, which are requests per second in the open
// model. That of the closed model are users, and its requests count.
func (g *guard) check(planned float64) {
	if address := g.stranger.Load(); address != nil && g.budget == nil && planned > profiles.MostRemote {
		_ = g.refuse(*address) // the run learns of it
	}
}

// refuse says that the run must end, and why.
func (g *guard) refuse(address netip.Addr) error {
	err := fmt.Errorf("target: got more than %d requests per second for %s, which is neither this machine nor private; want --yes-remote if it may be loaded",
		profiles.MostRemote, address)
	select {
	case g.refused <- err:
	default: // it has been said
	}
	return fmt.Errorf("%w: %w", errAborted, err)
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
