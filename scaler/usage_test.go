package scaler

import (
	"context"
	"os"
	"testing"
	"time"
)

func TestMeterCountsWholeTrees(t *testing.T) {
	// 10 and 20 are supervisors; 11 has the children 12 and 13.
	all := map[int]int{10: 1, 11: 10, 12: 11, 13: 11, 20: 1, 21: 20, 99: 1}
	used := map[int]usage{10: {cpu: 1000, memory: 1000}, 11: {cpu: 5, memory: 50}, 12: {cpu: 7, memory: 70}, 13: {cpu: 1, memory: 10}, 21: {cpu: 3, memory: 30}}
	m := &meter{
		trees: map[string]*tree{},
		list:  func() map[int]int { return all },
		read: func(_ context.Context, pid int) (usage, bool) {
			u, ok := used[pid]
			return u, ok
		},
	}
	roots := map[string]int{"a": 10, "b": 20}
	expect := func(what string, a, b usage) {
		t.Helper()
		got, ok := m.sample(t.Context(), roots)
		if !ok || got["a"] != a || got["b"] != b {
			t.Errorf("%s: got %+v, want %+v and %+v", what, got, a, b)
		}
	}
	expect("at first", usage{13, 130}, usage{3, 30})

	used[11], used[12] = usage{cpu: 6, memory: 50}, usage{cpu: 9, memory: 70}
	expect("after some work", usage{16, 130}, usage{3, 30})

	delete(all, 12)
	expect("one process has ended: its time counts, its memory does not", usage{16, 60}, usage{3, 30})

	all[12], used[12] = 11, usage{cpu: 2, memory: 5}
	expect("its number was given to another", usage{18, 65}, usage{3, 30})

	used[12] = usage{cpu: 1, memory: 5}
	expect("and again, between two looks", usage{19, 65}, usage{3, 30})

	delete(used, 11)
	expect("one cannot be read for once", usage{19, 15}, usage{3, 30})
	used[11] = usage{cpu: 8, memory: 50}
	expect("and then it can", usage{21, 65}, usage{3, 30})

	before := all
	all = nil
	if got, ok := m.sample(t.Context(), roots); ok || got != nil {
		t.Errorf("nothing could be listed: got %+v, want nothing", got)
	}
	all = before
	expect("the list is back", usage{21, 65}, usage{3, 30})

	roots = map[string]int{"b": 20}
	m.sample(t.Context(), roots)
	if len(m.trees) != 1 {
		t.Errorf("a replica is gone: got %d trees, want 1", len(m.trees))
	}
}

func TestProcessUsageOfThisProcess(t *testing.T) {
	before, ok := processUsage(t.Context(), os.Getpid())
	if !ok || before.memory < 1<<20 {
		t.Fatalf("got %+v, %v, want at least a megabyte", before, ok)
	}
	eventually(t, "CPU time grows with work", func() bool {
		for began := time.Now(); time.Since(began) < 20*time.Millisecond; {
		}
		now, ok := processUsage(t.Context(), os.Getpid())
		return ok && now.cpu > before.cpu
	})
	if _, ok := processUsage(t.Context(), 1<<30); ok {
		t.Error("a process that does not exist: got usage")
	}
}
