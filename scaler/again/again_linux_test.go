package again

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// A copy of the test binary runs as the first of two, removes its file, and
// starts the second.
func TestMain(m *testing.M) {
	switch os.Args[len(os.Args)-1] {
	case "first":
		if err := startSecond(); err != nil {
			panic(err)
		}
	case "second":
		os.Stdout.WriteString(os.Args[0] + " is here")
	default:
		os.Exit(m.Run())
	}
}

func startSecond() error {
	if err := os.Remove(os.Args[0]); err != nil {
		return err
	}
	cmd, err := Command("second")
	if err != nil {
		return err
	}
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd.Run()
}

func TestCommandOfARemovedProgram(t *testing.T) {
	program, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(path, program, 0o700); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(path, "first").CombinedOutput()
	if got, want := string(out), path+" is here"; err != nil || got != want {
		t.Errorf("the program printed %q, %v; want %q", got, err, want)
	}
}
