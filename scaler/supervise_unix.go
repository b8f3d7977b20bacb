//go:build unix

package scaler

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"
	"time"
)

const (
	// supervisorArg is the first argument of a supervisor. No command of
	// Headroom is called so.
	supervisorArg = "__supervise"

	// supervisedBy is in the environment of a supervisor, until it starts the
	// command.
	supervisedBy = "HEADROOM_SUPERVISED_BY"

	// cgroupVar names the control group of the command, or nothing, until the
	// supervisor starts the command.
	cgroupVar = "HEADROOM_CGROUP"

	lifeFD   = 3 // read end: at its end the scaler is gone, or wants everything dead
	reportFD = 4 // write end: one line says "pid N", or why there is none
)

// IsSupervisor reports whether these are the os.Args of a process that a
// scaler started as a supervisor. Main must ask before anything else.
func IsSupervisor(args []string) bool {
	return len(args) > 2 && args[1] == supervisorArg && os.Getenv(supervisedBy) != ""
}

// Supervise runs the command of a supervisor's arguments and returns the exit
// code for the process. It must be called from main, once.
//
// The command gets a process group of its own (so that Ctrl-C on the terminal
// reaches the scaler alone). SIGTERM is passed on to the group. When the
// command ends, whatever it leaves behind is killed, after SIGTERM not before
// the rest of the group had its time. When the scaler is gone, or wants it,
// all is killed at once.
func Supervise(args []string) int {
	// The kernel ties the parent-death signal of the command to the thread
	// that started it.
	runtime.LockOSThread()
	life, report := os.NewFile(lifeFD, "life"), os.NewFile(reportFD, "report")
	syscall.CloseOnExec(lifeFD)
	syscall.CloseOnExec(reportFD)
	cgroup := os.Getenv(cgroupVar)
	os.Unsetenv(supervisedBy)
	os.Unsetenv(cgroupVar)

	terminate := make(chan os.Signal, 1)
	signal.Notify(terminate, syscall.SIGTERM)
	exited := make(chan os.Signal, 1)
	signal.Notify(exited, syscall.SIGCHLD)
	// Caught and dropped rather than ignored: the command would inherit that.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT)

	adopt()
	gone := make(chan struct{})
	go func() {
		io.Copy(io.Discard, life)
		close(gone)
	}()

	pid, err := startCommand(args[2:], cgroup)
	if err != nil {
		fmt.Fprintf(report, "%v\n", err)
		return 127
	}
	fmt.Fprintf(report, "pid %d\n", pid)
	report.Close()
	code := supervise(pid, terminate, exited, gone)
	if isClosed(gone) && cgroup != "" { // nobody else will
		syscall.Rmdir(cgroup)
	}
	return code
}

func startCommand(command []string, cgroup string) (pid int, err error) {
	path, err := exec.LookPath(command[0])
	if err != nil {
		return 0, err
	}
	attributes := commandAttributes()
	if cgroup != "" {
		dir, err := os.Open(cgroup)
		if err != nil {
			return 0, fmt.Errorf("open its control group: %w", err)
		}
		defer dir.Close()
		confine(attributes, dir)
	}
	pid, err = syscall.ForkExec(path, command, &syscall.ProcAttr{
		Env:   os.Environ(),
		Files: []uintptr{0, 1, 2},
		Sys:   attributes,
	})
	if err != nil {
		return 0, fmt.Errorf("start %s: %w", path, err)
	}
	return pid, nil
}

// supervise waits for the end of the command, or of its scaler.
func supervise(pid int, terminate, exited <-chan os.Signal, gone <-chan struct{}) int {
	var status syscall.WaitStatus
	running, terminated := true, false
	for running || terminated && groupLives(pid) {
		var again <-chan time.Time // while the rest of the group ends, whose parent we need not be
		if !running {
			again = time.After(10 * time.Millisecond)
		}
		select {
		case <-exited:
			if s, ok := reap(pid); ok {
				status, running = s, false
			}
		case <-terminate:
			terminated = true
			syscall.Kill(-pid, syscall.SIGTERM)
		case <-again:
		case <-gone:
			endAll(pid)
			return 128 + int(syscall.SIGKILL)
		}
	}
	endAll(pid)
	if status.Signaled() {
		return 128 + int(status.Signal())
	}
	return status.ExitStatus()
}

// reap collects every child that has ended, adopted ones included, and
// reports the status of pid when it is among them.
func reap(pid int) (status syscall.WaitStatus, ended bool) {
	for {
		var s syscall.WaitStatus
		got, err := syscall.Wait4(-1, &s, syscall.WNOHANG, nil)
		switch {
		case err == syscall.EINTR:
			continue
		case err != nil || got <= 0:
			return status, ended
		case got == pid:
			status, ended = s, true
		}
	}
}

func groupLives(pgid int) bool { return syscall.Kill(-pgid, 0) == nil }

// endAll kills the group and everything else that descends from this process.
func endAll(pgid int) {
	syscall.Kill(-pgid, syscall.SIGKILL)
	endDescendants()
}
