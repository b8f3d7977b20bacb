package scaler

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"headroom/profiles"
)

// watched is a file that others change while the scaler runs. Each look opens
// its path anew, so that a renaming and a link that points elsewhere (as
// Kubernetes updates a mounted ConfigMap) are seen, whatever the file system
// tells of them. It is not safe for concurrent use.
type watched struct {
	path  string // absolute
	taken sight  // what was acted on
	last  sight  // at the last look
	given string // its text as others left it, whatever this process put there since
}

// sight is what a look at a file finds.
type sight struct {
	text    string
	failure string // why it could not be read
}

// watch begins to watch a file as it is now. Of a pipe, which can be read only
// once, nothing more will come: it is nil.
func watch(path string) (*watched, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, nil
	}
	if path, err = filepath.Abs(path); err != nil {
		return nil, err
	}
	now := see(path)
	return &watched{path: path, taken: now, last: now, given: now.text}, nil
}

// maxFile is the size of the largest file that is followed.
const maxFile = 1 << 20

func see(path string) sight {
	text, err := readRegular(path)
	var at *fs.PathError
	switch {
	case errors.As(err, &at):
		return sight{failure: at.Err.Error()} // whoever says it names the file
	case err != nil:
		return sight{failure: err.Error()}
	}
	return sight{text: string(text)}
}

// readRegular reads a file that ends: a look must not wait for whoever writes
// to a pipe that stands there by now.
func readRegular(path string) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, errors.New("got no regular file")
	}
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if len(text) > maxFile {
		return nil, fmt.Errorf("got more than %s", profiles.FormatExactSize(maxFile))
	}
	return text, err
}

// look returns what the file says now, if that is new. Only what two looks in
// a row find counts, as a file may be written in pieces.
func (w *watched) look() (now sight, changed bool) {
	now = see(w.path)
	settled := now == w.last
	w.last = now
	if !settled || now == w.taken {
		return now, false
	}
	w.taken, w.given = now, now.text
	return now, true
}

// wrote notes what this process itself has put into the file.
func (w *watched) wrote(text []byte) { w.taken = sight{text: string(text)} }
