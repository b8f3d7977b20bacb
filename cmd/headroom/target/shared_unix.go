//go:build unix

package target

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// sharedPoll is how often a full limit is looked at.
const sharedPoll = time.Millisecond

// acquireShared takes one of limit places that all targets of this user on
// this machine share: a lock on one of as many files, which the kernel gives
// back whatever becomes of the process.
func acquireShared(ctx context.Context, limit int) (release func(), err error) {
	ticker := time.NewTicker(sharedPoll)
	defer ticker.Stop()
	for {
		for i := range limit {
			path := filepath.Join(os.TempDir(), fmt.Sprintf("headroom-shared-%d-%d-%d", os.Getuid(), limit, i))
			f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
			if err != nil {
				return nil, err
			}
			if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
				return func() { f.Close() }, nil
			}
			f.Close()
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
