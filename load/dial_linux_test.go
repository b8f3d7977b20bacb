package load

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"headroom/profiles"
)

// The users take turns at the addresses that they send from.
func TestSourceAddresses(t *testing.T) {
	c := newCounter(t)
	const requests = 1000 // so that the first user is not done before the second begins
	r := runTo(t, c.URL, 4, requests, func(p *profiles.Plan) {
		p.SourceIPs = []netip.Addr{netip.MustParseAddr("127.0.0.2"), netip.MustParseAddr("127.0.0.3")}
		p.DisableKeepAlive = true
		takingTurns(p)
	})
	from := map[string]int{}
	on, _ := c.served()
	for remote, n := range on {
		host, _, _ := net.SplitHostPort(remote)
		from[host] += n
	}
	if len(from) != 2 || from["127.0.0.2"]+from["127.0.0.3"] != requests || from["127.0.0.2"] == 0 {
		t.Errorf("requests from %v, want 127.0.0.2 and 127.0.0.3", from)
	}
	if r.Conns.Opened != requests {
		t.Errorf("%d connections, want %d", r.Conns.Opened, requests)
	}
}

// Every dial resolves the name again and takes the next address.
func TestAddressesTakeTurns(t *testing.T) {
	wide, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	defer wide.Close()
	_, port, _ := net.SplitHostPort(wide.Addr().String())

	d := newDialer(&tls.Config{}, &guard{})
	known := []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("127.0.0.2")}
	d.resolve = func(_ context.Context, host string) ([]netip.Addr, error) { return known, nil }
	for i := range 7 {
		if i == 4 {
			known = append(known, netip.MustParseAddr("127.0.0.3")) // a new replica
		}
		r := d.dial(t.Context(), netip.Addr{}, "service.test", port, false)
		if r.err != nil || r.dial <= 0 {
			t.Fatalf("dial %d = %+v", i, r)
		}
		if want := int32([]int{1, 2, 1, 2, 2, 3, 1}[i]); r.remote != want {
			t.Errorf("dial %d reached address %d (%v), want %d", i, r.remote, r.conn.RemoteAddr(), want)
		}
		r.conn.Close()
	}
}

// An address that swallows everything leaves time for the next one.
func TestASilentAddressLeavesTimeForTheNext(t *testing.T) {
	good, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer good.Close()
	number := good.Addr().(*net.TCPAddr).Port
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := errors.Join(unix.Bind(fd, &unix.SockaddrInet4{Port: number, Addr: [4]byte{127, 0, 0, 9}}), unix.Listen(fd, 0)); err != nil {
		t.Fatal(err)
	}
	d := newDialer(&tls.Config{}, &guard{})
	silent, answers := netip.MustParseAddr("127.0.0.9"), netip.MustParseAddr("127.0.0.1")
	dial := func(known ...netip.Addr) dialResult {
		d.turn.Store(0)
		d.resolve = func(context.Context, string) ([]netip.Addr, error) { return known, nil }
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		return d.dial(ctx, netip.Addr{}, "service.test", strconv.Itoa(number), false)
	}
	for range 2 { // one that it accepts, and one that waits for that
		if r := dial(silent); r.err == nil {
			defer r.conn.Close()
		}
	}
	r := dial(silent, answers)
	if r.err != nil {
		t.Fatalf("dial = %v, want a connection to the second address", r.err)
	}
	defer r.conn.Close()
	if got := r.conn.RemoteAddr().String(); got != good.Addr().String() {
		t.Errorf("connected to %s, want %s", got, good.Addr())
	}
}

// An address that this machine does not have is this machine's fault.
func TestForeignSourceAddress(t *testing.T) {
	s := Sample{}
	err := connTo(t, listen(t, echo), func(p *profiles.Plan) { p.SourceIPs = []netip.Addr{netip.MustParseAddr("192.0.2.1")} }).Do(&s)
	if s.Failure != Local || !strings.Contains(describe(err, 0), "--source-ip") {
		t.Errorf("class %v, %q; want %v and a word on --source-ip", s.Failure, describe(err, 0), Local)
	}
}

// A real shortage: the system has eight local ports for twenty users.
func TestOutOfLocalPorts(t *testing.T) {
	plan := closedPlan(20, 1000, 0)
	plan.Target, plan.Requests = listen(t, echo), 100
	plan.Wait = profiles.Wait{Min: 20 * time.Millisecond, Max: 20 * time.Millisecond}
	plan.SourceIPs = []netip.Addr{netip.MustParseAddr("127.0.0.77")} // nobody else's
	e, err := New(plan, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var low uint32
	fmt.Sscan(string(content("/proc/sys/net/ipv4/ip_local_port_range")), &low)
	e.conns.dialer.control = func(network, address string, c syscall.RawConn) error {
		var err error
		if failed := c.Control(func(fd uintptr) {
			err = unix.SetsockoptInt(int(fd), unix.SOL_IP, unix.IP_LOCAL_PORT_RANGE, int((low+7)<<16|low))
		}); failed != nil || err != nil {
			return fmt.Errorf("a range of local ports needs Linux 6.3: %w", errors.Join(failed, err))
		}
		return choosePortLate(network, address, c)
	}
	r, err := e.Run(t.Context())
	if err != nil || len(r.Failures) != 1 {
		t.Fatalf("Run = failures %+v, %v; want one class", r.Failures, err)
	}
	f := r.Failures[0]
	if f.Failure != Local || !strings.Contains(f.Example, "net.ipv4.ip_local_port_range") || !strings.Contains(f.Example, "--source-ip") {
		t.Errorf("%v %q, want %v with the sysctl and --source-ip", f.Failure, f.Example, Local)
	}
	if h := r.Health; h.Verdict != Limited || h.Local != f.Count {
		t.Errorf("health %+v, want the generator to have been the limit", h)
	}
	if n := r.Conns.Opened; n < 1 || n > 8 || r.Total.Count != 100 || r.Total.Count == f.Count {
		t.Errorf("%d connections, %d of %d requests failed; want up to 8, and the users that have one to go on", n, f.Count, r.Total.Count)
	}
}
