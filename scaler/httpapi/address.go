package httpapi

import (
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// Address is a host and a port, written by people.
type Address struct {
	Host string // empty: every interface
	Port uint16
}

// SplitAddress reads HOST:PORT.
func SplitAddress(s string) (Address, error) {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return Address{}, err
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return Address{}, err
	}
	return Address{host, uint16(n)}, nil
}

// Serves reports whether a listener on a is reached through b from this
// machine.
func (a Address) Serves(b Address) bool {
	switch {
	case a.Port != b.Port:
		return false
	case strings.EqualFold(a.Host, b.Host), IsLoopback(a.Host) && IsLoopback(b.Host):
		return true
	}
	ip := net.ParseIP(a.Host)
	return a.Host == "" || ip != nil && ip.IsUnspecified() && IsLoopback(b.Host)
}

// IsLoopback reports whether a host can only be reached from this machine.
// The empty host means every interface.
func IsLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && ip.Unmap().IsLoopback()
}

// Reachable is where a listener is reached from this machine: one on every
// interface, which in Go takes IPv4 too, through loopback.
func Reachable(a net.Addr) string {
	if tcp, ok := a.(*net.TCPAddr); ok && tcp.IP.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", strconv.Itoa(tcp.Port))
	}
	return a.String()
}
