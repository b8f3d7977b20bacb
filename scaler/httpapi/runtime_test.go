package httpapi

import (
	"net"
	"os"
	"path/filepath"
	"testing"
)

// announce writes a runtime file whose API accepts connections, or not.
func announce(t *testing.T, dir, name, service string, accepts bool) Entry {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if accepts {
		t.Cleanup(func() { l.Close() })
	} else {
		l.Close()
	}
	e := Entry{Kind: Scaler, Name: name, PID: os.Getpid(), Service: service, API: l.Addr().String(), Token: "secret"}
	if err := e.Write(dir); err != nil {
		t.Fatal(err)
	}
	return e
}

// runtimeDir is one that can be used; t.TempDir is open to others.
func runtimeDir(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	if err := MakeDir(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

// Who may read the files may drive the scaler.
func TestRuntimeFilesArePrivate(t *testing.T) {
	dir := runtimeDir(t)
	announce(t, dir, "a", "127.0.0.1:8000", true)
	for _, path := range []string{entryPath(dir, "a"), tokenPath(dir, "a")} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: got %v, %v, want mode 0600", filepath.Base(path), info, err)
		}
	}
	if token, err := os.ReadFile(tokenPath(dir, "a")); err != nil || string(token) != "secret" {
		t.Errorf("token file: got %q, %v, want the token and nothing else", token, err)
	}
	RemoveEntry(dir, "a")
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("after the end: got %v, %v, want an empty folder", left, err)
	}
}

func TestEntryAliveWantsTheProcess(t *testing.T) {
	e := announce(t, t.TempDir(), "a", "127.0.0.1:8000", true)
	if !e.alive() {
		t.Error("this process, whose API accepts: got not alive")
	}
	e.PID = 1 << 30
	if e.alive() {
		t.Error("no process: got alive")
	}
}
