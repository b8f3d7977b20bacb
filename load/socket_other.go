//go:build !linux

package load

import "net"

func newSocket(nc net.Conn, w *wire) socket { return &streamSocket{nc, w} }
