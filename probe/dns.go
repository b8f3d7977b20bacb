package probe

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
)

// Name asks for the addresses behind the name of a target. It is safe for
// concurrent use.
type Name struct {
	host   string
	lookup func(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// NewName asks the resolver of the system for the host of a URL. ok is false
// where there is nothing to ask for: the host is an address, or localhost,
// which is none of a fleet (RFC 6761, section 6.3).
func NewName(target string) (n *Name, ok bool) {
	u, err := url.Parse(target)
	if err != nil || u.Hostname() == "" || u.Hostname() == "localhost" {
		return nil, false
	}
	if _, err := netip.ParseAddr(u.Hostname()); err == nil {
		return nil, false
	}
	return &Name{u.Hostname(), net.DefaultResolver.LookupNetIP}, true
}

// List looks the name up. Known counts the addresses of the family that has
// more of them: machines usually have one of either.
func (n *Name) List(ctx context.Context) (Report, error) {
	found, err := n.lookup(ctx, "ip", n.host)
	if err != nil {
		return Report{}, fmt.Errorf("DNS: %w", err)
	}
	for i, a := range found {
		found[i] = a.Unmap()
	}
	slices.SortFunc(found, netip.Addr.Compare)
	found = slices.Compact(found)
	four := 0
	for _, a := range found {
		if a.Is4() {
			four++
		}
	}
	return Report{Known: max(four, len(found)-four), Addresses: found}, nil
}
