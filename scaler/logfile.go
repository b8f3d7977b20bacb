package scaler

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
)

// logFileSize is where a log file is renamed to .1, in the place of an earlier
// one, and another is begun: a replica has at most twice as much on disk.
const logFileSize = 64 << 20

// logFile gets everything that a replica prints, both streams as they come. At
// the first error it is given up for good, so that a full disk costs the log
// and not the replica. It is safe for concurrent use.
type logFile struct {
	limit int64
	fail  func(error) // is told the first error

	mu   sync.Mutex // guards the fields below
	file *os.File   // nil when it is closed or given up
	size int64
}

// openLog opens a log file, behind what an earlier scaler left in it.
func openLog(path string, limit int64, fail func(error)) (*logFile, error) {
	f := &logFile{limit: limit, fail: fail}
	if err := f.open(path); err != nil {
		return nil, err
	}
	return f, nil
}

func (f *logFile) open(path string) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	info, err := file.Stat()
	if err != nil {
		file.Close()
		return err
	}
	f.file, f.size = file, info.Size()
	return nil
}

func (f *logFile) write(p []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.file == nil {
		return
	}
	if err := f.append(p); err != nil {
		f.file.Close()
		f.file = nil
		f.fail(err)
	}
}

func (f *logFile) append(p []byte) error {
	if f.size > 0 && f.size+int64(len(p)) > f.limit {
		path := f.file.Name()
		if err := os.Rename(path, path+".1"); err != nil {
			return err
		}
		f.file.Close()
		if err := f.open(path); err != nil {
			return err
		}
	}
	n, err := f.file.Write(p)
	f.size += int64(n)
	return err
}

// close is called when the replica is gone.
func (f *logFile) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.file != nil {
		f.file.Close()
		f.file = nil
	}
}

// oldLogs are the log files of replicas that are gone. It is safe for
// concurrent use.
type oldLogs struct {
	mu    sync.Mutex
	paths []string // latest last
}

// add keeps the file of one more, and deletes the oldest beyond keepGone: in a
// crash loop there is a new one every half a minute, for as long as it lasts.
func (o *oldLogs) add(path string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.paths = append(o.paths, path)
	if len(o.paths) > keepGone {
		os.Remove(o.paths[0]) // one that stays costs no more than its place
		os.Remove(o.paths[0] + ".1")
		o.paths = o.paths[1:]
	}
}

// makeLogDir makes the folder for log files, and finds out whether files can
// be made in it.
func makeLogDir(dir string) error {
	err := os.MkdirAll(dir, 0o700)
	if err == nil {
		var file *os.File
		if file, err = os.CreateTemp(dir, ".headroom-*"); err == nil {
			file.Close()
			err = os.Remove(file.Name())
		}
	}
	if err != nil {
		return fmt.Errorf("--log-dir: got %q, want a folder that can be written to: %w", dir, err)
	}
	return nil
}

// logPath is where the log file of a replica is.
func logPath(dir, name, id string) string { return filepath.Join(dir, name+"-"+id+".log") }
