package scaler

import (
	"sync"
	"time"

	"headroom/profiles"
)

// consumption is what the replicas in service use together, over time. What a
// replica used while it started does not count: that says nothing of the load.
// Nor is it known what the load would use while none is in service.
// It is safe for concurrent use.
type consumption struct {
	cpuLimit    profiles.Milli // cores of a replica; 0: none
	memoryLimit int64          // bytes of a replica; 0: none

	mu     sync.Mutex // guards the fields below
	failed bool       // the last look found nothing out
	last   time.Time  // of the last look that did; zero: none since a replica is in service
	before map[string]usage
	cpu    *profiles.Window // its level is in milliseconds of CPU time per second
	memory *profiles.Window // its level is in MiB
}

// note takes what each replica in service has used by now. It is told so once
// a second, and the levels are those of the time since it was told before, so
// that the windows end with the last look: a rate over a second would hold one
// or two of them if they counted as moments.
func (c *consumption) note(now time.Time, used map[string]usage) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failed = false
	if len(used) == 0 {
		c.last = time.Time{}
		return
	}
	if c.last.IsZero() {
		c.cpu, c.memory = profiles.NewWindow(now), profiles.NewWindow(now)
	} else if span := now.Sub(c.last); span > 0 {
		var spent time.Duration
		var resident int64
		for id, u := range used {
			resident += u.memory
			if before, known := c.before[id]; known {
				spent += u.cpu - before.cpu
			}
		}
		c.cpu.Change(c.last, int(spent.Seconds()*1000/span.Seconds()+0.5)-c.cpu.Level())
		c.memory.Change(c.last, int((resident+1<<19)>>20)-c.memory.Level())
	}
	c.last, c.before = now, used
}

// fail notes that the usage could not be found out.
func (c *consumption) fail() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failed = true
}

// read is the level of a metric of kind cpu or memory in its unit. It is not
// valid while the usage is not known.
func (c *consumption) read(m profiles.Metric) profiles.Reading {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failed || c.last.IsZero() {
		return profiles.Reading{}
	}
	window, level := c.cpu, c.cpuLevel
	if m.Kind == profiles.Memory {
		window, level = c.memory, c.memoryLevel
	}
	r := window.Average(c.last, m.Window.Std())
	r.Total = level(m, r.Total)
	if m.Panic != nil {
		r.Burst = level(m, window.Average(c.last, m.Panic.Window.Std()).Total)
	}
	return r
}

// cpuLevel is CPU time in thousandths of milliseconds per second in the unit
// of a metric: cores, or percent of the limit, which is one core where there
// is none.
func (c *consumption) cpuLevel(m profiles.Metric, used profiles.Milli) profiles.Milli {
	switch {
	case m.In("cores"):
		return used / 1000
	case c.cpuLimit > 0:
		return used * 100 / c.cpuLimit
	}
	return used / 10
}

// memoryLevel is memory in thousandths of MiB in the unit of a metric: MiB, or
// percent of the limit.
func (c *consumption) memoryLevel(m profiles.Metric, used profiles.Milli) profiles.Milli {
	if m.In("MiB") || c.memoryLimit == 0 {
		return used
	}
	return profiles.Milli(float64(used) * 100 * (1 << 20) / float64(c.memoryLimit))
}
