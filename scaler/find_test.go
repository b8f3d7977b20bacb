package scaler

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headroom/scaler/httpapi"
)

// announce writes a runtime file whose API accepts connections, or not.
func announce(t *testing.T, dir, name, service string, accepts bool) httpapi.Entry {
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
	e := httpapi.Entry{Kind: httpapi.Scaler, Name: name, PID: os.Getpid(), Service: service, API: l.Addr().String(), Token: "secret"}
	if err := e.Write(dir); err != nil {
		t.Fatal(err)
	}
	return e
}

// runtimeDir is one that can be used; t.TempDir is open to others.
func runtimeDir(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	if err := httpapi.MakeDir(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestFind(t *testing.T) {
	dir := runtimeDir(t)
	if _, err := Find(dir, "web"); !errors.Is(err, ErrNotFound) || !strings.HasSuffix(err.Error(), `got name "web", none is running`) {
		t.Errorf("nothing runs: got %v, want ErrNotFound", err)
	}
	a := announce(t, dir, "a", "127.0.0.1:8000", true)
	announce(t, dir, "b", "0.0.0.0:9000", true)
	if err := (httpapi.Entry{Kind: httpapi.Run, Name: "c", PID: os.Getpid(), API: a.API}).Write(dir); err != nil { // is no scaler
		t.Fatal(err)
	}
	announce(t, dir, "killed", "127.0.0.1:7000", false)
	if err := os.WriteFile(filepath.Join(dir, "broken.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}

	c, err := Find(dir, "a")
	if err != nil || c.URL() != "http://"+a.API {
		t.Errorf("find a: got %+v, %v, want a client of %s", c, err, a.API)
	}
	if _, err := Find(dir, "web"); !errors.Is(err, ErrNotFound) || !strings.HasSuffix(err.Error(), `got name "web", running: a, b`) {
		t.Errorf("find another: got %v, want the names that there are", err)
	}
	for _, file := range []string{"killed.json", "killed.token"} {
		if _, err := os.Stat(filepath.Join(dir, file)); !os.IsNotExist(err) {
			t.Errorf("%s of a killed scaler: got %v, want it removed", file, err)
		}
	}

	for address, found := range map[string]bool{
		"127.0.0.1:8000": true, "localhost:8000": true, "127.0.0.1:9000": true, "127.0.0.1:7000": false,
		"127.0.0.1:8001": false, "192.0.2.1:8000": false, "192.0.2.1:9000": false,
	} {
		_, err := FindByService(dir, address)
		if found && err != nil || !found && !errors.Is(err, ErrNotFound) {
			t.Errorf("find the service %s: got %v, want found %v", address, err, found)
		}
	}
	_, port, _ := net.SplitHostPort(a.API)
	if c, err := FindByAPI(dir, "localhost:"+port); err != nil || c.URL() != "http://"+a.API {
		t.Errorf("find the API of a: got %+v, %v, want a client of %s", c, err, a.API)
	}
	if _, err := FindByAPI(dir, "127.0.0.1:8000"); !errors.Is(err, ErrNotFound) {
		t.Errorf("find the API where a service is: got %v, want ErrNotFound", err)
	}
	if _, err := FindByService(dir, "nonsense"); err == nil || errors.Is(err, ErrNotFound) {
		t.Errorf("find the service nonsense: got %v, want an error about the address", err)
	}
}

func TestRuntimeDirMustBePrivate(t *testing.T) {
	dir := runtimeDir(t)
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("made: got %v, %v, want mode 0700", info.Mode(), err)
	}
	announce(t, dir, "a", "127.0.0.1:8000", true)
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	for name, dir := range map[string]string{"open to others": dir, "a link to elsewhere": link} {
		_, byName := Find(dir, "a")
		_, byService := FindByService(dir, "127.0.0.1:8000")
		for what, err := range map[string]error{"make": httpapi.MakeDir(dir), "find": byName, "find the service": byService} {
			if err == nil || errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), "want a folder of this user with mode 0700") {
				t.Errorf("%s, %s: got %v, want a refusal", name, what, err)
			}
		}
	}
	if _, err := FindByService(filepath.Join(t.TempDir(), "none"), "127.0.0.1:8000"); !errors.Is(err, ErrNotFound) {
		t.Errorf("no folder: got %v, want ErrNotFound", err)
	}
}
