package scaler

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func readLog(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func openTestLog(t *testing.T, path string, limit int64) *logFile {
	t.Helper()
	f, err := openLog(path, limit, func(err error) { t.Errorf("given up: %v", err) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.close)
	return f
}

func TestLogFileGetsEverything(t *testing.T) {
	path := logPath(t.TempDir(), "web", "replica-1")
	if got := filepath.Base(path); got != "web-replica-1.log" {
		t.Errorf("name: got %q, want web-replica-1.log", got)
	}
	long := strings.Repeat("x", 2*lineLength)
	o := &output{file: openTestLog(t, path, 1<<20)}
	stdout, stderr := o.stream(false), o.stream(true)
	stdout.Write([]byte("\x1b[31mred\x1b[0m\n\n"))
	stderr.Write([]byte(long + "\nan end without"))
	o.close()
	stderr.Close()
	want := "\x1b[31mred\x1b[0m\n\n" + long + "\nan end without"
	if got := readLog(t, path); got != want {
		t.Errorf("file: got %q, want %q", got, want)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("file: got %v, %v, want mode 0600", info.Mode(), err)
	}

	again := openTestLog(t, path, 1<<20)
	again.write([]byte(" and more"))
	if got := readLog(t, path); got != want+" and more" {
		t.Errorf("after another start: got %q, want it added", got)
	}
}

func TestLogFileKeepsTheLatest(t *testing.T) {
	path := logPath(t.TempDir(), "web", "replica-1")
	f := openTestLog(t, path, 10)
	for _, text := range []string{"aaaa", "bbbb", "cccc", "dddd", "eeee", "ffffffffffffff", "g"} {
		f.write([]byte(text))
	}
	if now, before := readLog(t, path), readLog(t, path+".1"); now != "g" || before != "ffffffffffffff" {
		t.Errorf("files of 10 bytes: got %q after %q, want g after the fs", now, before)
	}
}

func TestLogFileIsGivenUp(t *testing.T) {
	var failures []error
	f, err := openLog("/dev/full", 1<<20, func(err error) { failures = append(failures, err) })
	if err != nil {
		t.Fatal(err)
	}
	o := &output{file: f}
	w := o.stream(true)
	for range 3 {
		if n, err := w.Write([]byte("line\n")); n != 5 || err != nil {
			t.Errorf("write on a full disk: got %d, %v, want it taken", n, err)
		}
	}
	o.close()
	if len(failures) != 1 || len(o.tail()) != 3 {
		t.Errorf("on a full disk: got failures %v and lines %q, want one and three", failures, o.tail())
	}
}

func TestMakeLogDir(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	for range 2 {
		if err := makeLogDir(dir); err != nil {
			t.Errorf("makeLogDir: %v", err)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("folder: got %v, %v, want it empty", left, err)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	err := makeLogDir(file)
	var path *os.PathError
	if !errors.As(err, &path) || !strings.HasPrefix(err.Error(), `--log-dir: got "`+file+`", want a folder that can be written to: `) {
		t.Errorf("makeLogDir of a file: got %v, want it refused", err)
	}
}

// A crash loop does not fill the folder.
func TestOldLogsAreDeleted(t *testing.T) {
	dir := t.TempDir()
	var old oldLogs
	for i := range keepGone + 2 {
		path := logPath(dir, "web", fmt.Sprint("replica-", i))
		for _, p := range []string{path, path + ".1"} {
			if err := os.WriteFile(p, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		old.add(path)
	}
	left, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(left) != 2*keepGone {
		t.Errorf("got %d files, %v, want two of each of the last %d", len(left), err, keepGone)
	}
	for _, path := range left {
		if strings.Contains(path, "replica-0.") || strings.Contains(path, "replica-1.") {
			t.Errorf("%s is left", path)
		}
	}
}
