//go:build unix

package document

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// keepOwner gives a new file to the owner and the group of the one at path, if
// there is one.
func keepOwner(f *os.File, path string) error {
	before, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	now, err := f.Stat()
	if err != nil {
		return err
	}
	old, fresh := before.Sys().(*syscall.Stat_t), now.Sys().(*syscall.Stat_t)
	if old.Uid == fresh.Uid && old.Gid == fresh.Gid {
		return nil
	}
	if err := f.Chown(int(old.Uid), int(old.Gid)); err != nil {
		return fmt.Errorf("keep the owner of %s: %w", path, err)
	}
	return nil
}
