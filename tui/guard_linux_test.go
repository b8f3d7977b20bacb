package tui

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// The test binary runs itself: as the guard of a terminal, and as a program
// that draws on it and comes to an end.
const endVar = "TUI_TEST_END" // the signal that it ends by, or "peace"

func TestMain(m *testing.M) {
	if IsGuard(os.Args) {
		os.Exit(Guard())
	}
	if end := os.Getenv(endVar); end != "" {
		drawAndEnd(end)
	}
	os.Exit(m.Run())
}

func drawAndEnd(end string) {
	release := guard(os.Stdout)
	draw(os.Stdout)
	if end != "peace" {
		_ = unix.Kill(os.Getpid(), unix.SignalNum(end))
		select {}
	}
	release()
	os.Exit(0)
}

// draw sets a terminal as Bubble Tea does.
func draw(terminal *os.File) {
	modes := modesOf(terminal)
	modes.Lflag &^= unix.ICANON | unix.ECHO | unix.ISIG
	if err := unix.IoctlSetTermios(int(terminal.Fd()), setTermios, &modes); err != nil {
		panic(err)
	}
	fmt.Fprint(terminal, "\x1b[?1049hdrawn")
}

func modesOf(terminal *os.File) unix.Termios {
	modes, err := unix.IoctlGetTermios(int(terminal.Fd()), getTermios)
	if err != nil {
		panic(err)
	}
	return *modes
}

// openTerminal is a pseudo-terminal: the end that a program writes to, and what
// reads up to a text, as a screen does.
func openTerminal(t *testing.T) (terminal *os.File, readUntil func(string) string) {
	t.Helper()
	open := func(path string) *os.File {
		f, err := os.OpenFile(path, os.O_RDWR|unix.O_NOCTTY, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		return f
	}
	screen := open("/dev/ptmx")
	if err := unix.IoctlSetPointerInt(int(screen.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(screen.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	unread := ""
	return open(fmt.Sprintf("/dev/pts/%d", n)), func(text string) string {
		t.Helper()
		for some := make([]byte, 4096); !strings.Contains(unread, text); {
			n, err := screen.Read(some)
			if err != nil {
				t.Fatalf("%v behind %q, want %q", err, unread, text)
			}
			unread = strings.ReplaceAll(unread+string(some[:n]), "\r\n", "\n")
		}
		read, rest, _ := strings.Cut(unread, text)
		unread = rest
		return read
	}
}

func TestRestore(t *testing.T) {
	const end = "the end"
	for _, test := range []struct {
		name, said string
		shell      bool // has set the terminal already
		modes      bool // are put back
		want       string
	}{
		{name: "in peace", said: survived},
		{name: "killed", modes: true, want: leave},
		{name: "crashed", said: "panic: oh\n\ngoroutine 1", modes: true, want: leave + "panic: oh\n\ngoroutine 1"},
		{name: "killed, with a fast shell", shell: true, want: leave},
	} {
		t.Run(test.name, func(t *testing.T) {
			terminal, readUntil := openTerminal(t)
			was := modesOf(terminal)
			var in bytes.Buffer
			if err := binary.Write(&in, binary.NativeEndian, was); err != nil {
				t.Fatal(err)
			}
			in.WriteString(test.said)
			draw(terminal)
			readUntil("drawn")
			if test.shell {
				modes := modesOf(terminal)
				modes.Lflag |= unix.ISIG
				if err := unix.IoctlSetTermios(int(terminal.Fd()), setTermios, &modes); err != nil {
					t.Fatal(err)
				}
			}
			if err := restore(&in, terminal); err != nil {
				t.Fatal(err)
			}
			if got := modesOf(terminal) == was; got != test.modes {
				t.Errorf("the modes were put back: %v, want %v", got, test.modes)
			}
			fmt.Fprint(terminal, end)
			if got := readUntil(end); got != test.want {
				t.Errorf("written %q, want %q", got, test.want)
			}
		})
	}
}

// However a program ends, the terminal is as it was.
func TestGuard(t *testing.T) {
	for _, test := range []struct {
		end  string
		left bool   // by the guard
		said string // behind that
	}{{"peace", false, ""}, {"SIGKILL", true, ""}, {"SIGQUIT", true, "SIGQUIT: quit"}, {"SIGSEGV", true, "SIGSEGV: segmentation violation"}} {
		t.Run(test.end, func(t *testing.T) {
			terminal, readUntil := openTerminal(t)
			was := modesOf(terminal)
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), endVar+"="+test.end)
			cmd.Stdin, cmd.Stdout, cmd.Stderr = terminal, terminal, terminal
			cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			readUntil("drawn")
			if !test.left {
				if err := cmd.Wait(); err != nil {
					t.Fatal(err)
				}
				fmt.Fprint(terminal, "the end")
				if got := readUntil("the end"); got != "" {
					t.Errorf("the guard wrote %q, want nothing", got)
				}
				return
			}
			readUntil(leave)
			readUntil(test.said)
			_ = cmd.Wait() // its signal is the test's
			if modesOf(terminal) != was {
				t.Error("the modes are not as they were")
			}
		})
	}
}
