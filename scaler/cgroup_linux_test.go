package scaler

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"headroom/profiles"
)

// kernel is a tree of control groups in a folder, with the rules of the real
// one: a group with processes enables nothing for those below, a file of a
// controller is there where the group above has enabled it, and a group with
// processes cannot be removed.
type kernel struct {
	t     *testing.T
	dir   string
	procs map[string]string // the group of each process
}

// self is the scaler in these tests.
const self = 4711

// newKernel has one group, with these controllers, for these processes.
func newKernel(t *testing.T, controllers string, pids ...string) *kernel {
	k := &kernel{t: t, dir: t.TempDir(), procs: map[string]string{}}
	k.put("cgroup.controllers", controllers)
	k.put("cgroup.subtree_control", "")
	for _, pid := range pids {
		k.procs[pid] = k.dir
	}
	return k
}

func (k *kernel) groups(l limits) *groups {
	return &groups{limits: l, dir: k.dir, pid: self, write: k.write, remove: k.remove}
}

func (k *kernel) put(name, text string) {
	k.t.Helper()
	if err := os.WriteFile(filepath.Join(k.dir, name), []byte(text), 0o600); err != nil {
		k.t.Fatal(err)
	}
}

func (k *kernel) get(name string) string {
	k.t.Helper()
	data, err := os.ReadFile(filepath.Join(k.dir, name))
	if err != nil {
		k.t.Fatal(err)
	}
	return string(data)
}

func (k *kernel) occupied(group string) bool {
	for _, at := range k.procs {
		if at == group {
			return true
		}
	}
	return false
}

func (k *kernel) write(path, text string) error {
	group, file := filepath.Split(path)
	group = filepath.Clean(group)
	controller, _, _ := strings.Cut(file, ".")
	switch controller {
	case "cgroup":
		if file == "cgroup.procs" {
			if group == k.dir && k.get("cgroup.subtree_control") != "" {
				return syscall.EBUSY
			}
			k.procs[text] = group
			return nil
		}
		if k.occupied(group) {
			return syscall.EBUSY
		}
		names := strings.Fields(k.get(file))
		for _, change := range strings.Fields(text) {
			names = slices.DeleteFunc(names, func(n string) bool { return n == change[1:] })
			if change[0] == '+' {
				names = append(names, change[1:])
			}
		}
		text = strings.Join(names, " ")
	default:
		if !strings.Contains(k.get("cgroup.subtree_control"), controller) || file == "memory.swap.max" {
			return fs.ErrNotExist
		}
	}
	return os.WriteFile(path, []byte(text), 0o600)
}

func (k *kernel) remove(path string) error {
	if k.occupied(path) {
		return syscall.EBUSY
	}
	return os.RemoveAll(path)
}

// expect compares all files and processes, such as "a/cpu.max: max".
func (k *kernel) expect(what string, want ...string) {
	k.t.Helper()
	var got []string
	filepath.WalkDir(k.dir, func(path string, e fs.DirEntry, err error) error {
		name, _ := filepath.Rel(k.dir, path)
		switch {
		case err != nil:
			return err
		case e.IsDir():
			for pid, group := range k.procs {
				if group == path {
					got = append(got, name+"/ "+pid)
				}
			}
		case name != "cgroup.controllers":
			got = append(got, name+": "+k.get(name))
		}
		return nil
	})
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		k.t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func TestGroupsOfAScalerThatIsAlone(t *testing.T) {
	k := newKernel(t, "cpuset cpu io memory pids", "4711")
	g := k.groups(limits{cpu: 500, memory: 512 << 20})
	if err := g.enable(); err != nil {
		t.Fatal(err)
	}
	k.expect("enabled", "cgroup.subtree_control: cpu memory", "headroom-4711-scaler/ 4711")
	path, err := g.make("replica-1")
	if want := filepath.Join(k.dir, "headroom-4711-replica-1"); err != nil || path != want {
		t.Fatalf("make: got %q, %v, want %q", path, err, want)
	}
	k.expect("a replica",
		"cgroup.subtree_control: cpu memory",
		"headroom-4711-replica-1/cpu.max: 50000 100000",
		"headroom-4711-replica-1/memory.max: 536870912",
		"headroom-4711-replica-1/memory.oom.group: 1",
		"headroom-4711-scaler/ 4711")
	g.close()
	k.expect("closed", "./ 4711", "cgroup.subtree_control: ")
}

func TestGroupsWhereNobodyMustMove(t *testing.T) {
	k := newKernel(t, "cpu memory", "4711")
	k.put("cgroup.subtree_control", "memory cpu") // the topmost group may have both
	g := k.groups(limits{cpu: 1250})
	if err := g.enable(); err != nil {
		t.Fatal(err)
	}
	if _, err := g.make("replica-7"); err != nil {
		t.Fatal(err)
	}
	k.expect("a replica", "./ 4711", "cgroup.subtree_control: memory cpu", "headroom-4711-replica-7/cpu.max: 125000 100000")
	g.close()
	k.expect("closed: other scalers may need what is enabled", "./ 4711", "cgroup.subtree_control: memory cpu")
}

func TestGroupsRefused(t *testing.T) {
	tests := []struct {
		name        string
		controllers string
		pids        []string
		want        string
	}{
		{"not alone", "cpu memory", []string{"1", "4711"},
			"other processes are in DIR too; systemd-run --user --scope -p Delegate=yes gives it a group of its own"},
		{"no controller", "cpu pids", []string{"4711"}, "DIR has no memory controller"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k := newKernel(t, tt.controllers, tt.pids...)
			err := k.groups(limits{cpu: 1000, memory: 1 << 30}).enable()
			if want := strings.ReplaceAll(tt.want, "DIR", k.dir); err == nil || err.Error() != want {
				t.Errorf("enable: got %v, want %q", err, want)
			}
			want := []string{"cgroup.subtree_control: "}
			for _, pid := range slices.Backward(tt.pids) {
				want = slices.Insert(want, 0, "./ "+pid)
			}
			k.expect("afterwards", want...)
		})
	}
}

func TestGroupThatCannotBeLimited(t *testing.T) {
	k := newKernel(t, "cpu memory")
	if path, err := k.groups(limits{cpu: 1000}).make("replica-1"); err == nil { // nothing was enabled
		t.Errorf("make: got %q, want an error", path)
	}
	k.expect("afterwards", "cgroup.subtree_control: ")
}

// What a killed scaler left is removed by the next one, but nothing that is
// in use, nor what others made.
func TestGroupsAreSwept(t *testing.T) {
	k := newKernel(t, "cpu memory", "4711")
	gone := "1073741824" // more than any process has
	if err := k.groups(limits{cpu: 1000}).enable(); err != nil {
		t.Fatal(err)
	}
	k.procs["4711"] = k.dir // where numbers come again, the next scaler may have that of a killed one
	k.put("cgroup.subtree_control", "")
	for _, name := range []string{"headroom-" + gone + "-replica-1", "headroom-" + gone + "-replica-2", "headroom-1-replica-1", "headroom-x-y", "web"} {
		if err := os.Mkdir(filepath.Join(k.dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	k.procs["5"] = filepath.Join(k.dir, "headroom-"+gone+"-replica-2")
	if err := k.groups(limits{cpu: 1000}).enable(); err != nil {
		t.Fatal(err)
	}
	paths, _ := filepath.Glob(filepath.Join(k.dir, "*-*"))
	for i, path := range paths {
		paths[i] = filepath.Base(path)
	}
	want := []string{"headroom-1-replica-1", "headroom-" + gone + "-replica-2", "headroom-4711-scaler", "headroom-x-y"}
	if diff := cmp.Diff(want, paths); diff != "" {
		t.Errorf("groups (-want +got):\n%s", diff)
	}
}

func TestRanOut(t *testing.T) {
	k := newKernel(t, "")
	for text, want := range map[string]bool{
		"low 0\nhigh 0\nmax 12\noom 3\noom_kill 2\noom_group_kill 1\n": true,
		"low 0\nhigh 0\nmax 12\noom 3\noom_kill 0\noom_group_kill 0\n": false,
		"oom_kill": false,
		"":         false,
	} {
		k.put("memory.events", text)
		if got := ranOut(k.dir); got != want {
			t.Errorf("ranOut with %q: got %v, want %v", text, got, want)
		}
	}
	if ranOut(filepath.Join(k.dir, "none")) {
		t.Error("ranOut of a group that is gone: got true")
	}
}

func TestOwnGroup(t *testing.T) {
	const (
		plain  = "30 23 0:26 / /sys/fs/cgroup rw,nosuid,nodev shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
		hybrid = "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n" +
			"35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n" +
			"41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n"
		inside = `50 40 0:26 /docker/abc /mnt/a\040b rw - cgroup2 cgroup rw` + "\n"
	)
	tests := []struct {
		name, membership, mounts, want, problem string
	}{
		{"plain", "0::/user.slice/run-1.scope\n", plain, "/sys/fs/cgroup/user.slice/run-1.scope", ""},
		{"topmost", "0::/\n", plain, "/sys/fs/cgroup", ""},
		{"beside version 1", "4:memory:/x\n0::/web\n", hybrid, "/sys/fs/cgroup/unified/web", ""},
		{"a part of the tree, with a space", "0::/docker/abc/web\n", inside, "/mnt/a b/web", ""},
		{"another part of the tree", "0::/docker/abcd\n", inside, "",
			"the group /docker/abcd of this process is not below /docker/abc, which is all that can be seen here"},
		{"outside of the namespace", "0::/../web\n", plain, "",
			"the group /../web of this process is not below /, which is all that can be seen here"},
		{"version 1 only", "4:memory:/x\n", hybrid, "", "none are mounted"},
		{"not mounted", "0::/\n", "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n\n", "", "none are mounted"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ownGroup(tt.membership, tt.mounts)
			problem := ""
			if err != nil {
				problem = err.Error()
			}
			if got != tt.want || problem != tt.problem {
				t.Errorf("ownGroup: got %q, %q, want %q, %q", got, problem, tt.want, tt.problem)
			}
		})
	}
}

func TestSettingsOfLimits(t *testing.T) {
	for cpu, want := range map[profiles.Milli]string{leastCPU: "1000 100000", 1000: "100000 100000", 2500: "250000 100000"} {
		if got := (limits{cpu: cpu}).settings(); len(got) != 1 || got[0] != (setting{"cpu.max", want, false}) {
			t.Errorf("settings of %s cores: got %v, want cpu.max %s", cpu, got, want)
		}
	}
	if got := (limits{}).settings(); got != nil {
		t.Errorf("settings without limits: got %v, want none", got)
	}
}

func TestLimitsRefused(t *testing.T) {
	for l, want := range map[limits]string{
		{cpu: 500}:                   "--cpu-limit: got 0.5, but cgroups v2 cannot be used here (none are mounted)",
		{memory: 512 << 20}:          "--memory-limit: got 512 MiB, but cgroups v2 cannot be used here (none are mounted)",
		{cpu: 2000, memory: 1 << 30}: "--cpu-limit: got 2, but cgroups v2 cannot be used here (none are mounted)",
	} {
		if got := l.refused(errors.New("none are mounted")).Error(); got != want {
			t.Errorf("refused(%v): got %q, want %q", l, got, want)
		}
	}
}
