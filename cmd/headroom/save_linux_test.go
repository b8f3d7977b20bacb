package main

import (
	"fmt"
	"io"
	"os"
	"testing"
)

// A pipe is written to while somebody reads it.
func TestSaveFileIntoAPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	a := newApp(t)
	path := fmt.Sprintf("/proc/self/fd/%d", w.Fd())
	err = a.saveFile(path, text("x"))
	w.Close()
	if got, readErr := io.ReadAll(r); err != nil || readErr != nil || string(got) != "x" {
		t.Errorf("got %q, %v, %v, want x", got, err, readErr)
	}
}
