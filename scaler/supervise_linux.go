package scaler

import (
	"context"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// adopt makes this process the parent of all orphans among its descendants,
// so that none can leave its tree. Where the kernel refuses, the process
// group and the parent-death signal remain. It also takes another name, so
// that "killall -9" with the name of the scaler's program spares those that
// have to clean up after it.
func adopt() {
	unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
	os.WriteFile("/proc/self/comm", []byte("supervisor"), 0)
}

func commandAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// confine has a command start in a control group.
func confine(a *syscall.SysProcAttr, cgroup *os.File) {
	a.UseCgroupFD, a.CgroupFD = true, int(cgroup.Fd())
}

// endDescendants kills everything below this process, in sessions of their
// own too, and collects it. The children of what dies come to us, so the next
// look finds them.
func endDescendants() {
	self := os.Getpid()
	untilNone(func() []int {
		reap(0)
		children := map[int][]int{}
		for pid, parent := range parents() {
			children[parent] = append(children[parent], pid)
		}
		return descendants(children, self)
	})
}

// endMarked kills every process with this entry in its environment, and
// returns when there is none: what a killed supervisor leaves has other
// parents now.
func endMarked(entry string) {
	untilNone(func() (pids []int) {
		for pid := range parents() {
			environ, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/environ")
			if err == nil && slices.Contains(strings.Split(string(environ), "\x00"), entry) {
				pids = append(pids, pid)
			}
		}
		return pids
	})
}

// untilNone kills what list finds, again and again, as it may start others
// meanwhile. What cannot be killed is given up after a while.
func untilNone(list func() []int) {
	for began := time.Now(); time.Since(began) < 10*time.Second; {
		pids := list()
		if len(pids) == 0 {
			return
		}
		for _, pid := range pids {
			syscall.Kill(pid, syscall.SIGKILL)
		}
		wait(context.Background(), 2*time.Millisecond) // killing is quick, but not immediate
	}
}
