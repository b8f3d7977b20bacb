package scaler

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"headroom/profiles"
	"headroom/profiles/document"
)

// ErrNotFound says that no running scaler fits.
var ErrNotFound = errors.New("scaler not found")

// entry is the runtime file of a running scaler: where it is, and what opens
// its API.
type entry struct {
	Version string `json:"version"`
	Name    string `json:"name"`
	PID     int    `json:"pid"`
	Service string `json:"service"` // host:port
	API     string `json:"api"`     // host:port
	Token   string `json:"token"`
}

const entryVersion = profiles.Version

func entryPath(dir, name string) string { return filepath.Join(dir, name+".json") }

// tokenPath is the file that holds nothing but the token, which is what
// Prometheus reads (credentials_file).
func tokenPath(dir, name string) string { return filepath.Join(dir, name+".token") }

// makeRuntimeDir makes the folder that holds the tokens, and refuses one that
// others could read or have put there.
func makeRuntimeDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the runtime folder: %w", err)
	}
	return checkPrivate(dir)
}

// write puts the entry into dir, and the token beside it.
func (e entry) write(dir string) error {
	data, err := json.MarshalIndent(e, "", "  ")
	if err != nil {
		return err
	}
	err = replace(tokenPath(dir, e.Name), 0o600, []byte(e.Token))
	if err == nil {
		err = replace(entryPath(dir, e.Name), 0o600, append(data, '\n'))
	}
	if err != nil {
		return fmt.Errorf("write the runtime file: %w", err)
	}
	return nil
}

// replace puts data in the place of a file, completely or not at all.
func replace(path string, mode fs.FileMode, data []byte) error {
	return document.Replace(path, mode, func(out io.Writer) error {
		_, err := out.Write(data)
		return err
	})
}

// removeEntry forgets a scaler that has ended.
func removeEntry(dir, name string) {
	os.Remove(entryPath(dir, name))
	os.Remove(tokenPath(dir, name))
}

func readEntry(path string) (entry, error) {
	var e entry
	data, err := os.ReadFile(path)
	if err != nil {
		return e, err
	}
	if err := json.Unmarshal(data, &e); err != nil {
		return e, fmt.Errorf("read %s: %w", path, err)
	}
	if e.Version != entryVersion {
		return e, fmt.Errorf("read %s: got version %q, want %q", path, e.Version, entryVersion)
	}
	return e, nil
}

// alive reports whether the scaler of the entry still runs. The number of a
// process can be used again, so its API must also accept a connection.
func (e entry) alive() bool {
	if !processLives(e.PID) {
		return false
	}
	conn, err := net.DialTimeout("tcp", e.API, 2*time.Second)
	if err != nil {
		return !errors.Is(err, syscall.ECONNREFUSED)
	}
	conn.Close()
	return true
}

// entries lists the living scalers of dir by name, and removes the files of
// those that were killed. A folder in which others could have put a file is
// refused: it would send our load and our policies where they like. A file
// that cannot be read is left out: it says nothing about the others.
func entries(dir string) ([]entry, error) {
	dir = cmp.Or(dir, defaultRuntimeDir())
	if err := checkPrivate(dir); errors.Is(err, fs.ErrNotExist) {
		return nil, nil // nothing has run yet
	} else if err != nil {
		return nil, err
	}
	paths, _ := filepath.Glob(filepath.Join(dir, "*.json")) // the pattern is valid
	slices.Sort(paths)
	var out []entry
	for _, path := range paths {
		e, err := readEntry(path)
		switch {
		case err != nil:
		case e.alive():
			out = append(out, e)
		default:
			removeEntry(dir, strings.TrimSuffix(filepath.Base(path), ".json"))
		}
	}
	return out, nil
}

// Find returns a client of the running scaler of that name. An empty
// runtimeDir means the default one. The error wraps ErrNotFound when there is
// none, and names those that there are.
func Find(runtimeDir, name string) (*Client, error) {
	running, err := entries(runtimeDir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range running {
		if e.Name == name {
			return NewClient("http://"+e.API, e.Token), nil
		}
		names = append(names, e.Name)
	}
	there := "none is running"
	if len(names) > 0 {
		there = "running: " + strings.Join(names, ", ")
	}
	return nil, fmt.Errorf("%w: got name %q, %s", ErrNotFound, name, there)
}

// FindByService returns a client of the scaler whose service has the address
// hostport, or ErrNotFound. An empty runtimeDir means the default one.
func FindByService(runtimeDir, hostport string) (*Client, error) {
	return findByAddress(runtimeDir, hostport, "serves", func(e entry) string { return e.Service })
}

// FindByAPI returns a client of the scaler whose API has the address hostport,
// or ErrNotFound. An empty runtimeDir means the default one.
func FindByAPI(runtimeDir, hostport string) (*Client, error) {
	return findByAddress(runtimeDir, hostport, "has its API at", func(e entry) string { return e.API })
}

// findByAddress finds the scaler one of whose listeners is reached at
// hostport.
func findByAddress(runtimeDir, hostport, relation string, listener func(entry) string) (*Client, error) {
	want, err := splitAddress(hostport)
	if err != nil {
		return nil, fmt.Errorf("got address %q, want HOST:PORT: %w", hostport, err)
	}
	running, err := entries(runtimeDir)
	if err != nil {
		return nil, err
	}
	for _, e := range running {
		if have, err := splitAddress(listener(e)); err == nil && have.serves(want) {
			return NewClient("http://"+e.API, e.Token), nil
		}
	}
	return nil, fmt.Errorf("%w: none %s %s", ErrNotFound, relation, hostport)
}

// serves reports whether a listener on a is reached through b from this
// machine.
func (a address) serves(b address) bool {
	switch {
	case a.port != b.port:
		return false
	case strings.EqualFold(a.host, b.host), isLoopback(a.host) && isLoopback(b.host):
		return true
	}
	ip := net.ParseIP(a.host)
	return a.host == "" || ip != nil && ip.IsUnspecified() && isLoopback(b.host)
}
