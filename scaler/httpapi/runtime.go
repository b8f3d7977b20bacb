package httpapi

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"headroom/profiles/document"
)

// Entry is the runtime file of a running API: where it is, and what opens it.
// Files of the mode 0600 in a folder of the mode 0700 tell it to this user and
// to nobody else.
type Entry struct {
	Version string `json:"version"` // Write sets it
	Kind    Kind   `json:"kind"`    // empty: a scaler, of a version before there were others
	Name    string `json:"name"`
	PID     int    `json:"pid"`
	Service string `json:"service,omitempty"` // host:port, of a scaler
	API     string `json:"api"`               // host:port
	Token   string `json:"token"`
}

// Kind is what an API is about.
type Kind string

// The kinds of an Entry.
const (
	Scaler Kind = "scaler"
	Run    Kind = "run"
)

const entryVersion = "headroom/v1"

func entryPath(dir, name string) string { return filepath.Join(dir, name+".json") }

// tokenPath is the file that holds nothing but the token, which is what
// Prometheus reads (credentials_file).
func tokenPath(dir, name string) string { return filepath.Join(dir, name+".token") }

// DefaultDir is the folder of the runtime files: $XDG_RUNTIME_DIR/headroom, or
// headroom-UID in the folder for temporary files.
func DefaultDir() string {
	if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" {
		return filepath.Join(dir, "headroom")
	}
	return filepath.Join(os.TempDir(), "headroom-"+strconv.Itoa(os.Getuid()))
}

// MakeDir makes the folder of the runtime files, and refuses one that others
// could read or have put there.
func MakeDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the runtime folder: %w", err)
	}
	return checkPrivate(dir)
}

// Write puts the entry into dir, and the token beside it. Who writes it has
// locked its name, or one that nobody else can have.
func (e Entry) Write(dir string) error {
	e.Version = entryVersion
	data, err := json.MarshalIndent(e, "", "  ")
	if err != nil {
		return err
	}
	err = document.ReplaceBytes(tokenPath(dir, e.Name), 0o600, []byte(e.Token))
	if err == nil {
		err = document.ReplaceBytes(entryPath(dir, e.Name), 0o600, append(data, '\n'))
	}
	if err != nil {
		return fmt.Errorf("write the runtime file: %w", err)
	}
	return nil
}

// RemoveEntry forgets an API that has ended.
func RemoveEntry(dir, name string) {
	os.Remove(entryPath(dir, name))
	os.Remove(tokenPath(dir, name))
}

func readEntry(path string) (Entry, error) {
	var e Entry
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

// alive reports whether the API of the entry still runs. The number of a
// process can be used again, so it must also accept a connection.
func (e Entry) alive() bool {
	if !ProcessLives(e.PID) {
		return false
	}
	conn, err := net.DialTimeout("tcp", e.API, 2*time.Second)
	if err != nil {
		return !errors.Is(err, syscall.ECONNREFUSED)
	}
	conn.Close()
	return true
}

// Entries lists the living APIs of dir by name, and removes the files of those
// that were killed. An empty dir means the default one. A folder in which
// others could have put a file is refused: it would send our load and our
// policies where they like. A file that cannot be read is left out: it says
// nothing about the others.
func Entries(dir string) ([]Entry, error) {
	dir = cmp.Or(dir, DefaultDir())
	if err := checkPrivate(dir); errors.Is(err, fs.ErrNotExist) {
		return nil, nil // nothing has run yet
	} else if err != nil {
		return nil, err
	}
	paths, _ := filepath.Glob(filepath.Join(dir, "*.json")) // the pattern is valid
	slices.Sort(paths)
	var out []Entry
	for _, path := range paths {
		e, err := readEntry(path)
		switch {
		case err != nil:
		case e.alive():
			out = append(out, e)
		default:
			RemoveEntry(dir, strings.TrimSuffix(filepath.Base(path), ".json"))
		}
	}
	return out, nil
}
