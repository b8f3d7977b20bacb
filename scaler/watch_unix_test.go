//go:build unix

package scaler

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A look waits for nobody, and takes no more than a policy may be.
func TestSeeOnlyRegularFiles(t *testing.T) {
	dir := t.TempDir()
	pipe, large, largest := filepath.Join(dir, "pipe"), filepath.Join(dir, "large"), filepath.Join(dir, "largest")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	write(t, large, strings.Repeat("#", maxFile+1))
	write(t, largest, strings.Repeat("#", maxFile))
	for path, want := range map[string]string{
		pipe:         "got no regular file",
		dir:          "got no regular file",
		large:        "got more than 1 MiB",
		largest:      "",
		os.DevNull:   "got no regular file",
		dir + "/not": "no such file or directory",
	} {
		if got := see(path); got.failure != want {
			t.Errorf("see(%s) = %q, want %q", path, got.failure, want)
		}
	}
}

// A policy from a pipe is followed, and there is nothing to save to.
func TestPolicyStoreOfAPipe(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	s, _, err := newPolicyStore(Config{Policy: rpsPolicy(1, 5), PolicyFile: pipe})
	if err != nil {
		t.Fatal(err)
	}
	want := "the policy came from " + pipe + ", which is no regular file"
	if err := s.save(rpsPolicy(1, 6)); err == nil || err.Error() != want {
		t.Errorf("save = %v, want %s", err, want)
	}
}
