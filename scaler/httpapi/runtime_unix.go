//go:build unix

package httpapi

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// checkPrivate refuses a folder that is not ours alone: in a shared /tmp
// somebody else may have made it first.
func checkPrivate(dir string) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return fmt.Errorf("check the runtime folder: %w", err)
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !info.IsDir() || !ok || int(stat.Uid) != os.Getuid() || info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("runtime folder %s: got mode %s, want a folder of this user with mode 0700", dir, info.Mode())
	}
	return nil
}

// LockName keeps a name for an API of this process until unlock. The kernel gives it back
// however this process ends; the file that one leaves that was killed keeps
// nobody out.
func LockName(dir, name string) (unlock func(), err error) {
	path := filepath.Join(dir, name+".lock")
	for {
		fd, err := unix.Open(path, unix.O_CREAT|unix.O_RDWR|unix.O_CLOEXEC, 0o600)
		if err != nil {
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		switch locked, err := lockFile(fd, path); {
		case locked:
			return func() { unlockFile(fd, path) }, nil
		case err != nil:
			unix.Close(fd)
			if errors.Is(err, unix.EWOULDBLOCK) {
				return nil, fmt.Errorf("--name: %q is in use by another running scaler, want another name", name)
			}
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		unix.Close(fd)
	}
}

// lockFile locks the open file fd. It is false without an error when path has
// been removed since it was opened: such a lock keeps nobody out, as the next
// one makes a file of its own.
func lockFile(fd int, path string) (bool, error) {
	if err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return false, err
	}
	return isFile(fd, path), nil
}

// unlockFile removes the file, unless somebody has tidied it up and it is
// another's by now, and gives the lock back: in this order, so that nobody
// locks a file that then goes.
func unlockFile(fd int, path string) {
	if isFile(fd, path) {
		os.Remove(path)
	}
	unix.Close(fd)
}

// isFile reports whether path is the open file fd.
func isFile(fd int, path string) bool {
	var open, there unix.Stat_t
	return unix.Fstat(fd, &open) == nil && unix.Lstat(path, &there) == nil && open.Dev == there.Dev && open.Ino == there.Ino
}

// ProcessLives reports whether there is a process of that number.
func ProcessLives(pid int) bool {
	err := syscall.Kill(pid, 0)
	return pid > 0 && (err == nil || errors.Is(err, syscall.EPERM))
}
