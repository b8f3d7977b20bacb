//go:build unix

package scaler

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"headroom/profiles"
	"headroom/scaler/httpapi"
)

// limits are what a replica may use.
type limits struct {
	cpu    profiles.Milli // cores; 0 is no limit
	memory int64          // bytes; 0 is no limit
}

// cpuPeriod is the time over which the kernel shares out CPU time, in µs: its
// own default.
const cpuPeriod = 100_000

// groups gives each replica a control group (cgroups v2, since Linux 5.7, which
// starts processes in them) with its limits, below the group that the scaler
// was started in:
//
//	the scaler's group            gives its controllers to those below
//	    headroom-4711-scaler      the scaler and the supervisors, see enable
//	    headroom-4711-replica-1   a command and what it starts
//
// The number is that of the scaler, by which the next one knows what a killed
// one has left. Its methods are safe for concurrent use, but for enable and
// close.
type groups struct {
	limits
	dir string // of the scaler's group
	pid int    // of the scaler

	write  func(path, text string) error // to a file that the kernel has made
	remove func(path string) error       // a group without processes

	moved []string // the controllers that were enabled after the scaler had moved
}

// openGroups makes ready for groups with limits.
func openGroups(l limits) (*groups, error) {
	if runtime.GOOS != "linux" {
		return nil, errors.New("they are a part of Linux")
	}
	membership, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return nil, err
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	dir, err := ownGroup(string(membership), string(mounts))
	if err != nil {
		return nil, err
	}
	g := &groups{limits: l, dir: dir, pid: os.Getpid(), write: writeExisting, remove: syscall.Rmdir}
	return g, g.enable()
}

func writeExisting(path, text string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

// ownGroup is the folder of the cgroup v2 of a process, from the texts of its
// cgroup and mountinfo in /proc.
func ownGroup(membership, mounts string) (string, error) {
	var path string
	for line := range strings.Lines(membership) {
		if p, ok := strings.CutPrefix(strings.TrimSpace(line), "0::"); ok {
			path = p
		}
	}
	for line := range strings.Lines(mounts) {
		// "31 23 0:28 ROOT POINT rw,relatime ... - cgroup2 cgroup2 rw"
		mount, kind, _ := strings.Cut(line, " - ")
		f := strings.Fields(mount)
		if path == "" || len(f) < 5 || !strings.HasPrefix(kind, "cgroup2 ") {
			continue
		}
		root, point := unescape.Replace(f[3]), unescape.Replace(f[4])
		inside, err := filepath.Rel(root, path)
		if err != nil || inside == ".." || strings.HasPrefix(inside, "../") || strings.HasPrefix(path, "/../") {
			return "", fmt.Errorf("the group %s of this process is not below %s, which is all that can be seen here", path, root)
		}
		return filepath.Join(point, inside), nil
	}
	return "", errors.New("none are mounted")
}

// unescape reads what mountinfo writes for characters that would divide it.
var unescape = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)

// refused says which flag asked for what cannot be had, and why.
func (l limits) refused(why error) error {
	flag, value := "--cpu-limit", l.cpu.String()
	if l.cpu == 0 {
		flag, value = "--memory-limit", profiles.FormatExactSize(l.memory)
	}
	return fmt.Errorf("%s: got %s, but cgroups v2 cannot be used here (%w)", flag, value, why)
}

// controllers are those that the limits need.
func (l limits) controllers() (names []string) {
	if l.cpu > 0 {
		names = append(names, "cpu")
	}
	if l.memory > 0 {
		names = append(names, "memory")
	}
	return names
}

// enable has the scaler's group give its controllers to those below. The
// kernel refuses that to a group with processes of its own, unless it is the
// topmost one; then the scaler moves into a group below, which helps where it
// was alone.
func (g *groups) enable() error {
	// In a container numbers come again: what has that of this scaler is left too.
	g.sweep(func(pid int) bool { return pid == g.pid || !httpapi.ProcessLives(pid) })
	there, err := words(filepath.Join(g.dir, "cgroup.controllers"))
	if err != nil {
		return err
	}
	enabled, err := words(g.control())
	if err != nil {
		return err
	}
	var missing []string
	for _, name := range g.controllers() {
		if !slices.Contains(there, name) {
			return fmt.Errorf("%s has no %s controller", g.dir, name)
		}
		if !slices.Contains(enabled, name) {
			missing = append(missing, name)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	err = g.write(g.control(), signed("+", missing))
	if errors.Is(err, syscall.EBUSY) {
		err = g.moveAside(missing)
	}
	const hint = "; systemd-run --user --scope -p Delegate=yes gives it a group of its own"
	switch {
	case errors.Is(err, syscall.EBUSY):
		return fmt.Errorf("other processes are in %s too%s", g.dir, hint)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w%s", err, hint)
	}
	return err
}

// moveAside enables controllers with the scaler out of the way, or leaves
// everything as it was.
func (g *groups) moveAside(controllers []string) error {
	leaf := g.path("scaler")
	if err := os.Mkdir(leaf, 0o755); err != nil {
		return err
	}
	self := strconv.Itoa(g.pid)
	err := g.write(filepath.Join(leaf, "cgroup.procs"), self)
	if err == nil {
		if err = g.write(g.control(), signed("+", controllers)); err == nil {
			g.moved = controllers
			return nil
		}
		g.write(filepath.Join(g.dir, "cgroup.procs"), self)
	}
	g.remove(leaf)
	return err
}

// close undoes what enable did, when all replicas are gone.
func (g *groups) close() {
	if g.moved != nil {
		g.write(g.control(), signed("-", g.moved))
		g.write(filepath.Join(g.dir, "cgroup.procs"), strconv.Itoa(g.pid))
	}
	g.sweep(func(pid int) bool { return pid == g.pid })
}

// sweep removes the groups of some scalers. One that is not empty stays.
func (g *groups) sweep(of func(pid int) bool) {
	paths, _ := filepath.Glob(filepath.Join(g.dir, "headroom-*-*"))
	for _, path := range paths {
		number, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(path), "headroom-"), "-")
		if pid, err := strconv.Atoi(number); err == nil && of(pid) {
			g.remove(path)
		}
	}
}

func (g *groups) path(name string) string {
	return filepath.Join(g.dir, "headroom-"+strconv.Itoa(g.pid)+"-"+name)
}

func (g *groups) control() string { return filepath.Join(g.dir, "cgroup.subtree_control") }

// make makes the group of a replica.
func (g *groups) make(id string) (path string, err error) {
	path = g.path(id)
	if err := os.Mkdir(path, 0o755); err != nil {
		return "", err
	}
	for _, s := range g.settings() {
		err := g.write(filepath.Join(path, s.file), s.value)
		if err != nil && !(s.optional && errors.Is(err, fs.ErrNotExist)) {
			g.remove(path)
			return "", err
		}
	}
	return path, nil
}

// setting is what a file of a group gets.
type setting struct {
	file, value string
	optional    bool // not every kernel has the file: those without swap do not
}

// settings are the limits. Without swap, or the memory limit would only make a
// replica slow; and who runs out of memory ends as a whole, as half a replica
// may neither answer nor end.
func (l limits) settings() (out []setting) {
	if l.cpu > 0 {
		out = append(out, setting{"cpu.max", fmt.Sprintf("%d %d", int64(l.cpu)*cpuPeriod/1000, cpuPeriod), false})
	}
	if l.memory > 0 {
		out = append(out,
			setting{"memory.max", strconv.FormatInt(l.memory, 10), false},
			setting{"memory.swap.max", "0", true},
			setting{"memory.oom.group", "1", false})
	}
	return out
}

// ranOut reports whether the kernel killed something in a group because the
// memory of the group was used up.
func ranOut(group string) bool {
	found, err := words(filepath.Join(group, "memory.events"))
	at := slices.Index(found, "oom_kill")
	return err == nil && at >= 0 && at+1 < len(found) && found[at+1] != "0"
}

// words reads a file of words.
func words(path string) ([]string, error) {
	data, err := os.ReadFile(path)
	return strings.Fields(string(data)), err
}

func signed(sign string, names []string) string { return sign + strings.Join(names, " "+sign) }
