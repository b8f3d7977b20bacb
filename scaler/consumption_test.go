package scaler

import (
	"testing"
	"time"

	"headroom/profiles"
)

func TestConsumption(t *testing.T) {
	const mib = 1 << 20
	start := time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
	second := func(n int) time.Time { return start.Add(time.Duration(n) * time.Second) }
	spent := func(ms int, memory int64) usage {
		return usage{time.Duration(ms) * time.Millisecond, memory * mib}
	}
	type fleet = map[string]usage
	metric := func(k profiles.Kind, unit string, window int) profiles.Metric {
		return profiles.Metric{Kind: k, Unit: unit, Window: profiles.Duration(time.Duration(window) * time.Second)}
	}
	// Replica a has used 9 s when it is ready; b comes two seconds later. The
	// third look comes late, and after the fourth a is gone.
	looks := []struct {
		at   time.Time
		used fleet
	}{
		{second(0), fleet{"a": spent(9000, 100)}},
		{second(1), fleet{"a": spent(9500, 100)}},
		{second(2), fleet{"a": spent(10500, 200), "b": spent(7000, 50)}},
		{second(4), fleet{"a": spent(11500, 200), "b": spent(8000, 50)}},
		{second(5), fleet{"b": spent(8250, 50)}},
	}
	tests := []struct {
		name   string
		looks  int
		metric profiles.Metric
		limits Config
		want   profiles.Milli // -1: not valid
	}{
		{"nothing yet", 0, metric(profiles.CPU, "", 10), Config{}, -1},
		{"one look says nothing of CPU time", 1, metric(profiles.CPU, "", 10), Config{}, -1},
		{"nor of memory over time", 1, metric(profiles.Memory, "", 10), Config{}, -1},
		{"half a core; the start does not count", 2, metric(profiles.CPU, "", 10), Config{}, 50_000},
		{"the last second", 3, metric(profiles.CPU, "", 1), Config{}, 100_000},
		{"both seconds", 3, metric(profiles.CPU, "", 10), Config{}, 75_000},
		{"two replicas at half a core each", 4, metric(profiles.CPU, "", 2), Config{}, 100_000},
		{"in cores", 4, metric(profiles.CPU, "cores", 2), Config{}, 1_000},
		{"of half a core each", 4, metric(profiles.CPU, "", 2), Config{CPULimit: 500}, 200_000},
		{"in cores, whatever the limit", 4, metric(profiles.CPU, "cores", 2), Config{CPULimit: 500}, 1_000},
		{"one is gone", 5, metric(profiles.CPU, "", 1), Config{}, 25_000},
		{"all of it", 5, metric(profiles.CPU, "", 60), Config{}, 75_000},
		{"memory", 2, metric(profiles.Memory, "", 10), Config{}, 100_000},
		{"memory of two", 3, metric(profiles.Memory, "", 1), Config{}, 250_000},
		{"memory over time", 3, metric(profiles.Memory, "", 10), Config{}, 175_000},
		{"memory of the limit", 3, metric(profiles.Memory, "%", 1), Config{MemoryLimit: 500 * mib}, 50_000},
	}
	for _, tt := range tests {
		c := &consumption{cpuLimit: tt.limits.CPULimit, memoryLimit: tt.limits.MemoryLimit}
		for _, l := range looks[:tt.looks] {
			c.note(l.at, l.used)
		}
		want := profiles.Reading{Total: tt.want, Valid: true}
		if tt.want < 0 {
			want = profiles.Reading{}
		}
		if got := c.read(tt.metric); got != want {
			t.Errorf("%s: read(%s %s over %s) = %+v, want %+v", tt.name, tt.metric.Kind, tt.metric.Unit, tt.metric.Window, got, want)
		}
	}
}

// What cannot be found out is not zero, and what was used meanwhile counts
// when it can be again.
func TestConsumptionWithGaps(t *testing.T) {
	start := time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
	metric := profiles.Metric{Kind: profiles.CPU, Window: profiles.Duration(10 * time.Second)}
	c := &consumption{}
	c.note(start, map[string]usage{"a": {cpu: 0}})
	c.note(start.Add(time.Second), map[string]usage{"a": {cpu: time.Second}})
	c.fail()
	if got := c.read(metric); got.Valid {
		t.Errorf("while nothing is known: read = %+v, want none", got)
	}
	c.note(start.Add(4*time.Second), map[string]usage{"a": {cpu: 4 * time.Second}})
	if got, want := c.read(metric), (profiles.Reading{Total: 100_000, Valid: true}); got != want {
		t.Errorf("after the gap: read = %+v, want %+v", got, want)
	}
	c.note(start.Add(5*time.Second), nil)
	if got := c.read(metric); got.Valid {
		t.Errorf("without replicas: read = %+v, want none", got)
	}
	c.note(start.Add(6*time.Second), map[string]usage{"b": {cpu: time.Second}})
	c.note(start.Add(7*time.Second), map[string]usage{"b": {cpu: 1500 * time.Millisecond}})
	if got, want := c.read(metric), (profiles.Reading{Total: 50_000, Valid: true}); got != want {
		t.Errorf("of the first that is back: read = %+v, want %+v", got, want)
	}
}

// A burst is looked at over the shorter window.
func TestConsumptionBurst(t *testing.T) {
	start := time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
	c := &consumption{}
	var used time.Duration
	for i := range 11 {
		c.note(start.Add(time.Duration(i)*time.Second), map[string]usage{"a": {cpu: used}})
		if i >= 8 {
			used += 2 * time.Second
		}
	}
	metric := profiles.Metric{
		Kind: profiles.CPU, Window: profiles.Duration(10 * time.Second),
		Panic: &profiles.Panic{Window: profiles.Duration(2 * time.Second), Threshold: 2000},
	}
	if got, want := c.read(metric), (profiles.Reading{Total: 40_000, Burst: 200_000, Valid: true}); got != want {
		t.Errorf("read = %+v, want %+v", got, want)
	}
}
