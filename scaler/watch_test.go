package scaler

import (
	"os"
	"path/filepath"
	"testing"
)

func TestWatched(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "settings.yaml")
	write(t, path, "one")
	w, err := watch(path)
	if err != nil {
		t.Fatal(err)
	}
	look := func(what string, changed bool, text string) {
		t.Helper()
		if got, ok := w.look(); ok != changed || ok && got.text != text {
			t.Errorf("%s: look = %q, %v, want %q, %v", what, got.text, ok, text, changed)
		}
	}
	look("nothing has happened", false, "")
	write(t, path, "tw")
	look("half of it", false, "")
	write(t, path, "two")
	look("all of it, for the first time", false, "")
	look("for the second time", true, "two")
	look("it was taken", false, "")
	write(t, path, "three")
	look("another", false, "")
	write(t, path, "two")
	look("and back", false, "")
	look("that was taken before", false, "")

	write(t, path+".new", "renamed")
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
	look("renamed", false, "")
	look("renamed", true, "renamed")

	write(t, path, "ours")
	w.wrote([]byte("ours"))
	look("we wrote it", false, "")
	look("we wrote it", false, "")

	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	look("removed", false, "")
	if got, changed := w.look(); !changed || got.failure == "" {
		t.Errorf("removed: look = %+v, %v, want the failure", got, changed)
	}
	look("still", false, "")
	write(t, path, "ours")
	look("it is back", false, "")
	look("it is back", true, "ours")
}

// Kubernetes changes a mounted ConfigMap by a link in its folder.
func TestWatchedThroughLinks(t *testing.T) {
	dir := t.TempDir()
	version := func(name, text string) {
		t.Helper()
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, name, "settings.yaml"), text)
	}
	link := func(to, name string) {
		t.Helper()
		name = filepath.Join(dir, name)
		if err := os.Symlink(to, name+".new"); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(name+".new", name); err != nil {
			t.Fatal(err)
		}
	}
	version("..1", "one")
	version("..2", "two")
	link("..1", "..data")
	link("..data/settings.yaml", "settings.yaml")
	w, err := watch(filepath.Join(dir, "settings.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	link("..2", "..data")
	w.look()
	if got, changed := w.look(); !changed || got.text != "two" {
		t.Errorf("look = %+v, %v, want two", got, changed)
	}
}

func TestWatchNoFile(t *testing.T) {
	if _, err := watch(filepath.Join(t.TempDir(), "missing")); !os.IsNotExist(err) {
		t.Errorf("watch a file that is not there: got %v, want that", err)
	}
	if w, err := watch(os.DevNull); w != nil || err != nil {
		t.Errorf("watch a device: got %v, %v, want nothing to watch", w, err)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o640); err != nil {
		t.Fatal(err)
	}
}
