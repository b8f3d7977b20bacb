package document

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

func TestReplace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "policy.yaml")
	say := func(text string, err error) func(io.Writer) error {
		return func(w io.Writer) error {
			io.WriteString(w, text)
			return err
		}
	}
	expect := func(want string) {
		t.Helper()
		got, err := os.ReadFile(path)
		if err != nil || string(got) != want {
			t.Errorf("the file: got %q, %v, want %q", got, err, want)
		}
		if entries, _ := os.ReadDir(filepath.Dir(path)); len(entries) != 1 {
			t.Errorf("the folder: got %v, want nothing but the file", entries)
		}
	}
	if err := Replace(path, 0o640, say("first", nil)); err != nil {
		t.Fatal(err)
	}
	expect("first")
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("mode: got %v, %v, want 0640", info, err)
	}
	full := errors.New("no space left")
	if err := Replace(path, 0o640, say("sec", full)); !errors.Is(err, full) {
		t.Errorf("Replace with half of the content: got %v, want %v", err, full)
	}
	expect("first")
	if err := Replace(filepath.Join(path, "below"), 0o640, say("", nil)); err == nil {
		t.Error("Replace in a folder that is none: got no error")
	}
}
