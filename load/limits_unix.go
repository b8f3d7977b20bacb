//go:build linux || darwin

package load

import "golang.org/x/sys/unix"

// raiseFileLimit lets this process open so many files, where it may. Go has
// already raised the limit to the hard one; a privileged process can raise
// that as well. Where it may not, requests fail with an error that says so.
func raiseFileLimit(files int) {
	var limit unix.Rlimit
	want := uint64(files)
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) != nil || uint64(limit.Cur) >= want {
		return
	}
	for _, hard := range []uint64{max(uint64(limit.Max), want), uint64(limit.Max)} {
		if unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: min(want, hard), Max: hard}) == nil {
			return
		}
	}
}

// fileLimit is how many files this process may open.
func fileLimit() (uint64, bool) {
	var limit unix.Rlimit
	err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit)
	return uint64(limit.Cur), err == nil
}
