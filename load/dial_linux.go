package load

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// choosePortLate lets the system choose the local port of a connection from a
// given address when it connects and not when it binds: a port is then taken
// once per destination instead of once for all.
func choosePortLate(_, _ string, c syscall.RawConn) error {
	var err error
	if failed := c.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.SOL_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1)
	}); failed != nil {
		return failed
	}
	return err
}
