package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
)

func text(s string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, s)
		return err
	}
}

func TestSaveFile(t *testing.T) {
	a, dir := newApp(t), t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	if err := os.WriteFile(path("old"), []byte("what was there before"), 0o640); err != nil {
		t.Fatal(err)
	}
	for link, to := range map[string]string{"link": "old", "ahead": "later"} {
		if err := os.Symlink(to, path(link)); err != nil {
			t.Fatal(err)
		}
	}
	reference := path("reference")
	if err := os.WriteFile(reference, nil, 0o666); err != nil { // with the mode that new files get here
		t.Fatal(err)
	}
	usual, err := os.Stat(reference)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, path, file string
		mode             os.FileMode
	}{
		{"a new file", "new", "new", usual.Mode()},
		{"another in its place", "old", "old", 0o640},
		{"through a link", "link", "old", 0o640},
		{"through a link to what is not there yet", "ahead", "later", usual.Mode()},
	} {
		if err := a.saveFile(path(c.path), text(c.name)); err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		info, err := os.Lstat(path(c.file))
		if err != nil || info.Mode() != c.mode || read(t, path(c.file)) != c.name {
			t.Errorf("%s: got %v, %v with %q, want mode %s with %q", c.name, info, err, read(t, path(c.file)), c.mode, c.name)
		}
	}
	for _, link := range []string{"link", "ahead"} {
		if _, err := os.Readlink(path(link)); err != nil {
			t.Errorf("%s: %v, want it still a link", link, err)
		}
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 6 {
		t.Errorf("left in the folder: %v, %v, want nothing of ours", left, err)
	}
}

// What cannot be written leaves everything as it was, and says why.
func TestSaveFileFails(t *testing.T) {
	a, dir := newApp(t), t.TempDir()
	old := filepath.Join(dir, "old")
	if err := os.WriteFile(old, []byte("before"), 0o600); err != nil {
		t.Fatal(err)
	}
	half := func(w io.Writer) error {
		return errors.Join(text("half")(w), errors.New("out of ink"))
	}
	for _, c := range []struct {
		name, path string
		content    func(io.Writer) error
		want       string
	}{
		{"midway, in the place of another", old, half, "out of ink"},
		{"midway, a new file", filepath.Join(dir, "new"), half, "out of ink"},
		{"no such folder", filepath.Join(dir, "none", "new"), text("x"), "no such file or directory"},
		{"a folder", dir, text("x"), "is a directory"},
	} {
		err := a.saveFile(c.path, c.content)
		var known *exit
		if want := fmt.Sprintf("write %s: %s", c.path, c.want); err == nil || err.Error() != want || !errors.As(err, &known) || known.code != exitUsage {
			t.Errorf("%s: got %v, want a usage error %q", c.name, err, want)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 || read(t, old) != "before" {
		t.Errorf("left in the folder: %v, %v with %q, want only the old file as it was", left, err, read(t, old))
	}
}

// Devices cannot be replaced, and what a shell has opened for stdout must not
// be: the rest of the output goes there.
func TestSaveFileIntoDevicesAndStreams(t *testing.T) {
	a := newApp(t)
	if err := a.saveFile(os.DevNull, text("x")); err != nil {
		t.Errorf("%s: %v", os.DevNull, err)
	}
	if info, err := os.Stat(os.DevNull); err != nil || info.Mode().IsRegular() {
		t.Fatalf("%s: got %v, %v, want a device", os.DevNull, info, err)
	}
	stdout := filepath.Join(t.TempDir(), "stdout")
	if err := os.Symlink(a.out.Name(), stdout); err != nil {
		t.Fatal(err)
	}
	write(a.out, "before, ")
	if err := a.saveFile(stdout, text("saved, ")); err != nil {
		t.Errorf("stdout: %v", err)
	}
	write(a.out, "after")
	if got := read(t, a.out.Name()); got != "before, saved, after" {
		t.Errorf("stdout: got %q, want all of it in order", got)
	}
}
