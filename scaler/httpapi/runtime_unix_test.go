//go:build unix

package httpapi

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestLockName(t *testing.T) {
	dir := runtimeDir(t)
	unlock, err := LockName(dir, "web")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := LockName(dir, "web"); err == nil || !strings.Contains(err.Error(), `"web" is in use by another running scaler`) {
		t.Errorf("taken: got %v, want a refusal", err)
	}
	unlock()
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("after the end: got %v, %v, want an empty folder", left, err)
	}

	// A lock whose file somebody tidied away must not take the next one's.
	first, err := LockName(dir, "web")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "web.lock")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	second, err := LockName(dir, "web")
	if err != nil {
		t.Fatal(err)
	}
	first()
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the file of the second: got %v, want it left alone", err)
	}
	second()
}

// Who opened the file before it was removed, and locks it afterwards, has not
// got the name.
func TestLockOfARemovedFile(t *testing.T) {
	dir := runtimeDir(t)
	unlock, err := LockName(dir, "web")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "web.lock")
	late, err := unix.Open(path, unix.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(late)
	if locked, err := lockFile(late, path); locked || !errors.Is(err, unix.EWOULDBLOCK) {
		t.Errorf("while it is held: got %v, %v, want EWOULDBLOCK", locked, err)
	}
	unlock()
	if locked, err := lockFile(late, path); locked || err != nil {
		t.Errorf("after it was removed: got %v, %v, want false", locked, err)
	}
	next, err := LockName(dir, "web")
	if err != nil {
		t.Fatal(err)
	}
	defer next()
	if locked, err := lockFile(late, path); locked || err != nil {
		t.Errorf("after the next one took it: got %v, %v, want false", locked, err)
	}
}
