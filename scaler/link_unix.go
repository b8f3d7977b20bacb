//go:build unix

package scaler

import (
	"net"
	"syscall"
)

// silent reports whether nothing has come over a connection, its end included.
// It takes what has.
func silent(conn net.Conn) bool {
	socket, ok := conn.(syscall.Conn)
	if !ok {
		return true // not known: a connection in memory
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return false
	}
	nothing := false
	err = raw.Read(func(fd uintptr) bool {
		var b [1]byte
		_, err := syscall.Read(int(fd), b[:])
		nothing = err == syscall.EAGAIN
		return true
	})
	return nothing && err == nil
}
