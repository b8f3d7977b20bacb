package scaler

import (
	"context"
	"time"

	"github.com/shirou/gopsutil/v4/process"
)

// usage is what a replica used: CPU time since it started, and the resident
// memory of its processes now (pages that they share count for each).
type usage struct {
	cpu    time.Duration
	memory int64
}

// meter measures what trees of processes use. CPU time never goes down: what a
// process had used when it was last seen keeps counting after its end. A
// process that begins and ends between two samples is missed. It is not safe
// for concurrent use.
type meter struct {
	trees map[string]*tree
	list  func() map[int]int                               // the parent of every process
	read  func(ctx context.Context, pid int) (usage, bool) // of one process
}

// tree is what is known of one replica.
type tree struct {
	ended   time.Duration // of processes that are gone
	current map[int]time.Duration
}

func newMeter() *meter {
	return &meter{trees: map[string]*tree{}, list: parents, read: processUsage}
}

// sample measures the descendants of each root, without the root itself: that
// is our own supervisor. It is not ok where processes could not be listed.
func (m *meter) sample(ctx context.Context, roots map[string]int) (used map[string]usage, ok bool) {
	for id := range m.trees {
		if _, ok := roots[id]; !ok {
			delete(m.trees, id)
		}
	}
	if len(roots) == 0 {
		return nil, true
	}
	all := m.list()
	if len(all) == 0 {
		return nil, false // nothing is known, and nothing has ended
	}
	children := map[int][]int{}
	for pid, parent := range all {
		children[parent] = append(children[parent], pid)
	}
	used = make(map[string]usage, len(roots))
	for id, root := range roots {
		t := m.trees[id]
		if t == nil {
			t = &tree{current: map[int]time.Duration{}}
			m.trees[id] = t
		}
		used[id] = m.add(ctx, t, descendants(children, root))
	}
	return used, true
}

// add brings a tree up to date with the processes that it has now.
func (m *meter) add(ctx context.Context, t *tree, pids []int) usage {
	var u usage
	now := make(map[int]time.Duration, len(pids))
	for _, pid := range pids {
		used, ok := m.read(ctx, pid)
		if before, known := t.current[pid]; !ok && known {
			used.cpu, ok = before, true // a later look tells whether it has ended
		}
		if ok {
			u.memory += used.memory
			now[pid] = used.cpu
		}
	}
	for pid, before := range t.current {
		// Less than before is another process with the number of the old one.
		if after, ok := now[pid]; !ok || after < before {
			t.ended += before
		}
	}
	t.current = now
	u.cpu = t.ended
	for _, cpu := range now {
		u.cpu += cpu
	}
	return u
}

// descendants lists everything below root.
func descendants(children map[int][]int, root int) []int {
	var all []int
	for todo := []int{root}; len(todo) > 0; {
		pid := todo[len(todo)-1]
		todo = append(todo[:len(todo)-1], children[pid]...)
		all = append(all, children[pid]...)
	}
	return all
}

func processUsage(ctx context.Context, pid int) (usage, bool) {
	p := &process.Process{Pid: int32(pid)}
	times, err := p.TimesWithContext(ctx)
	if err != nil {
		return usage{}, false
	}
	u := usage{cpu: time.Duration((times.User + times.System) * float64(time.Second))}
	if memory, err := p.MemoryInfoWithContext(ctx); err == nil {
		u.memory = int64(memory.RSS)
	}
	return u, true
}
