//go:build !linux

package load

import "net"

func newSocket(nc net.Conn, k *connector) socket { return newStreamSocket(nc, k) }
