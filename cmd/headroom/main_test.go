package main

import (
	"os"
	"path/filepath"
	"testing"
)

// newApp is what the commands share, off a terminal, with files for streams.
func newApp(t *testing.T) *app {
	t.Helper()
	in, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close() })
	a := &app{streams: streams{in: in}, signals: catchSignals(t.Context())}
	t.Cleanup(a.signals.release)
	for name, stream := range map[string]**os.File{"out": &a.out, "err": &a.err} {
		if *stream, err = os.Create(filepath.Join(t.TempDir(), name)); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { (*stream).Close() })
	}
	return a
}

// read returns what a file contains; a stream of newApp too.
func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// execute runs a command line off a terminal.
func execute(t *testing.T, args ...string) (code int, out, err string) {
	t.Helper()
	a := newApp(t)
	code = run(args, a.streams)
	return code, read(t, a.out.Name()), read(t, a.err.Name())
}
