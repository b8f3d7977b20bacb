// Package again starts this program once more, as a process that does something
// for the one that runs: one that supervises a replica, or guards a terminal.
package again

import (
	"os"
	"os/exec"
)

// Command is the command of this program with other arguments, the first of
// which says what it is for. It works also after the program's file was replaced
// or removed, where the system has the program at a path of its own.
func Command(args ...string) (*exec.Cmd, error) {
	path := "/proc/self/exe" // Linux
	if _, err := os.Stat(path); err != nil {
		if path, err = os.Executable(); err != nil {
			return nil, err
		}
	}
	cmd := exec.Command(path, args...)
	cmd.Args[0] = os.Args[0] // for those who list processes
	return cmd, nil
}
