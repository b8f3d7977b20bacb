//go:build unix

package scaler

import "golang.org/x/sys/unix"

// descriptorLimit is how many files this process may have open; 0 when that is
// not known. Go has raised it to the most that is allowed, and gives replicas
// the one that it found.
func descriptorLimit() uint64 {
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) != nil {
		return 0
	}
	return uint64(limit.Cur)
}
