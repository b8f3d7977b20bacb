//go:build linux || darwin

package tui

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"syscall"

	"golang.org/x/sys/unix"

	"headroom/scaler/again"
)

// The process that guards a terminal is this same program, started again with
// a hidden first argument, as a scaler's supervisors are.
const guardArg = "guard-terminal"

// guardVar is in its environment: what somebody types is no guard.
const guardVar = "HEADROOM_GUARD"

// survived is the last that the guard is told by a process that lived to put
// the terminal back itself. What the runtime says of a crash begins otherwise.
const survived = "\x00"

// leave ends the modes that Bubble Tea may have set: mouse, focus, bracketed
// paste, colours, the hidden cursor, the other screen.
const leave = "\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1004l\x1b[?2004l\x1b[0m\x1b[?25h\x1b[?1049l"

// guard has a process put the terminal back should this one die with the screen
// still drawn: of a panic in a goroutine that is not Bubble Tea's, of a fatal
// error of the runtime, of SIGKILL. It is in a session of its own, where no
// signal of the terminal reaches it. Where that cannot be had there is no
// guard: nothing else depends on it. release ends it.
func guard(terminal *os.File) (release func()) {
	release = func() {}
	was, err := unix.IoctlGetTermios(int(terminal.Fd()), getTermios)
	if err != nil {
		return release
	}
	cmd, err := again.Command(guardArg)
	if err != nil {
		return release
	}
	in, out, err := os.Pipe()
	if err != nil {
		return release
	}
	defer in.Close()
	cmd.Env = append(os.Environ(), guardVar+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, terminal, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if cmd.Start() != nil {
		out.Close()
		return release
	}
	_ = binary.Write(out, binary.NativeEndian, was) // fails only where somebody has ended the guard
	_ = debug.SetCrashOutput(out, debug.CrashOptions{})
	return func() {
		_ = debug.SetCrashOutput(nil, debug.CrashOptions{})
		_, _ = out.WriteString(survived)
		_ = out.Close()
		_ = cmd.Wait()
	}
}

// IsGuard reports whether these are the os.Args of a process that is to guard
// the terminal of another one. Main must ask before anything else.
func IsGuard(args []string) bool {
	return len(args) == 2 && args[1] == guardArg && os.Getenv(guardVar) != ""
}

// Guard waits for the end of the process that started this one for it, puts the
// terminal back unless that did so itself, and returns the exit code for this
// one. It must be called from main, once.
func Guard() int {
	if err := restore(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "the terminal is not as it was:", err)
		return 1
	}
	return 0
}

// restore puts the terminal back when in has ended, unless that ends in peace.
// What the runtime said of a crash it says again: that was lost with the screen.
func restore(in io.Reader, terminal *os.File) error {
	var was unix.Termios
	if err := binary.Read(in, binary.NativeEndian, &was); err != nil {
		return err
	}
	said := make([]byte, 1<<10)
	n, err := in.Read(said)
	if said = said[:n]; bytes.HasPrefix(said, []byte(survived)) {
		return nil
	}
	if err != nil && err != io.EOF {
		return err
	}
	// At the first word, while the process still speaks: the shell that waits for
	// it to end must find the terminal as it was. A shell that was faster has set
	// it as it wants, and unlike Bubble Tea so that keys make signals.
	fd := int(terminal.Fd())
	now, err := unix.IoctlGetTermios(fd, getTermios)
	if err == nil && now.Lflag&unix.ISIG == 0 {
		err = unix.IoctlSetTermios(fd, setTermios, &was)
	}
	_, left := io.WriteString(terminal, leave)
	rest, read := io.ReadAll(in)
	_, written := terminal.Write(append(said, rest...))
	return errors.Join(err, left, read, written)
}
