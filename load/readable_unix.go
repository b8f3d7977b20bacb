//go:build unix && !linux

package load

import "golang.org/x/sys/unix"

// readable reports whether reading from a socket would return at once, since
// bytes have come, or the end, or an error.
func readable(fd uintptr) bool {
	var b [1]byte
	_, _, err := unix.Recvfrom(int(fd), b[:], unix.MSG_PEEK)
	return err != unix.EAGAIN && err != unix.EINTR
}
