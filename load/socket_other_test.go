//go:build !linux

package load

// makeIdle is for sockets that only Linux has.
func makeIdle(socket) {}
