//go:build unix

package document

import (
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestReplaceKeepsTheOwner(t *testing.T) {
	path := filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(path, nil, 0o640); err != nil {
		t.Fatal(err)
	}
	os.Chown(path, 65534, 65534) // root only; others keep what they are
	owner := func() (uid, gid uint32) {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		s := info.Sys().(*syscall.Stat_t)
		return s.Uid, s.Gid
	}
	uid, gid := owner()
	if err := Replace(path, 0o640, func(io.Writer) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if u, g := owner(); u != uid || g != gid {
		t.Errorf("owner: got %d:%d, want %d:%d as before", u, g, uid, gid)
	}
}
